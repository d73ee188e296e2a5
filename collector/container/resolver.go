// Package container asks container runtimes what their containers are called
// and made of, and hands the answers on as events. It is the only client of
// docker and CRI; it never blocks the line that wants to know.
package container

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/gumshoe-ir/gumshoe/event"
)

// Limits of a Resolver. What exceeds them is counted in Stats.
const (
	queueLength = 1024 // questions not yet looked at
	maxJobs     = 4096 // containers being asked about
	maxRemember = 8192 // answers kept to be given again
	// of those answers together; what is forgotten is asked for anew
	maxRememberBytes = 32 << 20
	maxOutbox        = 256 // answers waiting for the line; beyond it nobody asks on
	workers          = 4
	callTimeout      = 3 * time.Second // of one question to all runtimes
	firstRetry       = 50 * time.Millisecond
	tries            = 8 // 50 ms doubled seven times: a runtime has 6 s to know its container
	answersBatch     = 64
)

// Options configure a Resolver.
type Options struct {
	Docker []string // sockets that speak docker's API; nil means DockerSockets
	CRI    []string // sockets that speak CRI; nil means CRISockets
	Host   uint32   // of the events' IDs
}

// DockerSockets are where docker and podman listen unless told otherwise.
func DockerSockets() []string {
	return []string{"/var/run/docker.sock", "/run/podman/podman.sock"}
}

// CRISockets are where the runtimes of Kubernetes listen unless told otherwise.
func CRISockets() []string {
	return []string{
		"/run/containerd/containerd.sock", "/run/crio/crio.sock",
		"/run/k3s/containerd/containerd.sock", "/run/cri-dockerd.sock",
	}
}

// Stats count what a Resolver did since it was made.
type Stats struct {
	Answered uint64 // containers with metadata
	Failed   uint64 // containers that no runtime knows
	Dropped  uint64 // questions beyond the limits
}

// Resolver is a Source of container events: it answers what Want asks for, and
// tells of containers that runtimes report by themselves before anyone asks.
type Resolver struct {
	runtimes  []runtime
	host      uint32
	wants     chan *event.Container
	sightings chan sighting

	answered, failed, dropped atomic.Uint64
}

// runtime is one socket that may know containers.
type runtime interface {
	// serves reports whether containers of kind k are usually its own.
	serves(k event.Runtime) bool
	// inspect describes the container with the full or abbreviated id. Its
	// errors are a *problem.
	inspect(ctx context.Context, id string) (*event.Container, error)
	// watch tells seen of all that runs now and of all that is made or renamed
	// later, until the connection ends or ctx is done.
	watch(ctx context.Context, seen func(sighting)) error
	close() error
}

// sighting is a container that a runtime spoke of. Changed ones are asked for
// again although they are known.
type sighting struct {
	container *event.Container
	changed   bool
}

// New makes a Resolver; it connects when it runs.
func New(o Options) (*Resolver, error) {
	if o.Docker == nil {
		o.Docker = DockerSockets()
	}
	if o.CRI == nil {
		o.CRI = CRISockets()
	}
	r := &Resolver{
		host:      o.Host,
		wants:     make(chan *event.Container, queueLength),
		sightings: make(chan sighting),
	}
	var errs []error
	for _, path := range o.Docker {
		d, err := newDocker(path)
		if err == nil {
			r.runtimes = append(r.runtimes, d)
		}
		errs = append(errs, err)
	}
	for _, path := range o.CRI {
		c, err := newCRI(path)
		if err == nil {
			r.runtimes = append(r.runtimes, c)
		}
		errs = append(errs, err)
	}
	return r, errors.Join(errs...)
}

// Want asks for c's metadata. It never blocks: what exceeds the queue is
// dropped and counted, and found when its runtime reports it.
func (r *Resolver) Want(c *event.Container) {
	select {
	case r.wants <- c:
	default:
		r.dropped.Add(1)
	}
}

// Stats are the counts as of now.
func (r *Resolver) Stats() Stats {
	return Stats{r.answered.Load(), r.failed.Load(), r.dropped.Load()}
}

// Run answers until ctx is done. Every answer is one event 402.
func (r *Resolver) Run(ctx context.Context, out chan<- *event.Batch) error {
	g, ctx := errgroup.WithContext(ctx)
	for _, rt := range r.runtimes {
		g.Go(func() error { return r.follow(ctx, rt) })
	}
	l := newLedger(r)
	for range workers {
		g.Go(func() error { return l.work(ctx) })
	}
	g.Go(func() error { return l.run(ctx, out) })
	err := g.Wait()
	for _, rt := range r.runtimes {
		err = errors.Join(err, rt.close())
	}
	return err
}

// follow listens to rt for as long as ctx lasts, and comes back to it when it
// is away.
func (r *Resolver) follow(ctx context.Context, rt runtime) error {
	const shortest, longest = time.Second, 30 * time.Second
	seen := func(s sighting) {
		select {
		case r.sightings <- s:
		case <-ctx.Done():
		}
	}
	for delay := shortest; ctx.Err() == nil; {
		began := time.Now()
		err := rt.watch(ctx, seen)
		if err == nil || time.Since(began) > longest {
			delay = shortest // it was there
		}
		select {
		case <-ctx.Done():
		case <-time.After(delay):
		}
		delay = min(2*delay, longest)
	}
	return nil
}

// ask puts the question to all runtimes, the likeliest first.
func (r *Resolver) ask(ctx context.Context, want *event.Container) (*event.Container, *problem) {
	if c := withoutRuntime(want); c != nil {
		return c, nil
	}
	id := want.FullID
	if id == "" {
		id = want.ID
	}
	if !plausible(id) {
		return nil, &problem{kind: unknown, text: "not a container id of docker or CRI"}
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	worst := &problem{kind: away, text: "no runtime socket answers"}
	for _, likely := range []bool{true, false} {
		for _, rt := range r.runtimes {
			if rt.serves(want.Runtime) != likely {
				continue
			}
			c, err := rt.inspect(ctx, id)
			if err == nil {
				return merged(want, c), nil
			}
			worst = worse(worst, err, likely)
		}
	}
	return nil, worst
}

// withoutRuntime answers for containers that nobody can be asked about: their
// cgroup gives all that is known.
func withoutRuntime(want *event.Container) *event.Container {
	switch want.Runtime {
	case event.Docker, event.CRI, event.Containerd, event.CRIO, event.Podman:
		return nil
	}
	c := *want
	c.Pending = false
	if c.Name == "" {
		c.Name = c.ID
	}
	return &c
}

// merged keeps what the cgroup told about the container where the runtime
// says nothing: its id as first seen, its pod, and podman behind docker's API.
func merged(want, c *event.Container) *event.Container {
	c.ID = want.ID
	if c.FullID == "" {
		c.FullID = want.FullID
	}
	if want.Runtime == event.Podman && c.Runtime == event.Docker {
		c.Runtime = event.Podman
	}
	if c.PodUID == "" {
		c.PodUID = want.PodUID
	}
	return c
}

// plausible guards paths and filters of the runtimes' APIs against ids that
// are none.
func plausible(id string) bool {
	if id == "" || len(id) > 128 || id[0] == '.' || id[0] == '-' {
		return false
	}
	return strings.Trim(id, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_.-") == ""
}
