package main

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"log/slog"
	"os"
	"runtime/debug"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"

	"github.com/gumshoe-ir/gumshoe/audit"
	"github.com/gumshoe-ir/gumshoe/audit/store"
	"github.com/gumshoe-ir/gumshoe/collector"
	"github.com/gumshoe-ir/gumshoe/collector/container"
	"github.com/gumshoe-ir/gumshoe/collector/kernel"
	"github.com/gumshoe-ir/gumshoe/collector/proc"
	"github.com/gumshoe-ir/gumshoe/event"
	"github.com/gumshoe-ir/gumshoe/fleet/socket"
)

// engine is the line from this host's kernel to the audit trail, and what the
// consoles ask.
type engine struct {
	ring     *kernel.Ring
	resolver *container.Resolver
	table    *proc.Table
	sessions *audit.Sessions
	store    *store.DB
	feed     *socket.Feed
	meter    *meter
	metrics  *metrics // nil: none asked for
	log      *slog.Logger
	closeLog func() error
	problems []string // at start
}

// startEngine opens the store and attaches to the kernel. Nothing is left
// behind by an error.
func (p *program) startEngine(ctx context.Context, c *config, why purpose) (*engine, error) {
	e, err := p.openEngine(ctx, c, why)
	if err != nil {
		return nil, err
	}
	if err := e.attach(c, nil); err != nil {
		return nil, errors.Join(err, e.close())
	}
	return e, nil
}

// openEngine opens what consoles ask: the store and the feed.
func (p *program) openEngine(ctx context.Context, c *config, why purpose) (*engine, error) {
	e := &engine{meter: &meter{}, feed: socket.NewFeed(firstStatus())}
	var err error
	e.store, err = store.Open(ctx, store.Options{
		Dir: c.Store.Dir, Days: c.Store.Days, MaxBytes: c.Store.Size.n(), MinFree: c.Store.MinFree.n(), QueueBytes: int(c.Store.Queue.n()),
		Committed: e.feed.Changed,
	})
	if errors.Is(err, store.ErrLocked) {
		return nil, fmt.Errorf("%w: look at it with gumshoe activity --follow, or end the other first", err)
	}
	if err != nil {
		return nil, storeError(err)
	}
	if e.log, e.closeLog, err = p.openLog(c, why); err != nil {
		return nil, errors.Join(err, e.close())
	}
	return e, nil
}

// attach makes the line: from then on the kernel's events gather, and run
// moves them. Processes of ours besides this one are left out like it.
func (e *engine) attach(c *config, ours []uint32) error {
	host := hostID()
	if err := e.attachKernel(c, host, ours); err != nil {
		return &exit{exitNoLive, err}
	}
	var err error
	e.resolver, err = container.New(container.Options{Docker: orNone(c.Containers.Docker), CRI: orNone(c.Containers.CRI), Host: host})
	if err != nil {
		return fmt.Errorf("ask container runtimes: %w", err)
	}
	e.table = proc.New(proc.Options{Root: "/", OnContainer: e.resolver.Want, EnvAllow: c.Collect.Env})
	e.sessions = audit.New(audit.Options{BootID: firstLine("/proc/sys/kernel/random/boot_id")})
	// Attaching read the kernel's types and verified programs: the most memory
	// that an idle engine ever takes. What stays is little and grows slowly, so
	// that collecting garbage twice as often as usual costs next to nothing.
	debug.SetGCPercent(50)
	debug.FreeOSMemory()
	return nil
}

// attachKernel loads and attaches the programs.
func (e *engine) attachKernel(c *config, host uint32, ours []uint32) error {
	o := kernel.Options{RingBytes: int(c.Collect.Ring.n()), Host: host}
	if c.Collect.SkipSelf {
		o.Self = append(ours, uint32(os.Getpid()))
	}
	if c.Collect.Thin {
		s := audit.DefaultSensitive()
		o.Thin = &kernel.Thin{Prefixes: s.Prefixes, Names: s.Names}
	}
	ring, err := kernel.New(o)
	if err != nil {
		return fmt.Errorf("collect from this kernel: %w (gumshoe doctor says what is missing)", err)
	}
	e.ring = ring
	if m := ring.Missing(); len(m) > 0 {
		e.problems = append(e.problems, "not collected here: "+strings.Join(m, ", "))
	}
	return nil
}

// serveMetrics listens for who reads counters. Without is worth less than what
// we collect: a problem becomes a note.
func (e *engine) serveMetrics(path string) {
	if path == "" {
		return
	}
	var err error
	if e.metrics, err = listenMetrics(path, e.writeMetrics); err != nil {
		e.note("metrics: " + err.Error())
	}
}

func (e *engine) note(problem string) {
	e.problems = append(e.problems, problem)
	e.log.Warn(problem)
}

// run moves events until ctx is done, and stores what was under way then.
func (e *engine) run(ctx context.Context, c *config) error {
	e.serveMetrics(c.Metrics.Socket)
	e.log.Info("collecting", "version", version, "kernel", kernelRelease())
	var g errgroup.Group
	beside, cancel := context.WithCancel(ctx)
	g.Go(func() error { return e.feed.Run(beside, e.watch()) })
	if e.metrics != nil {
		g.Go(func() error { return e.metrics.serve(beside) })
	}
	err := collector.Run(ctx, collector.Merge(e.ring, e.resolver), e.table, e.sessions, e.store, e.feed)
	cancel()
	if errors.Is(err, context.Canceled) {
		err = nil
	}
	last := event.NewBatch(nil)
	last.Host = hostID()
	e.sessions.Drain(last)
	err = errors.Join(err, e.store.Handle(context.WithoutCancel(ctx), last), g.Wait())
	s := e.feed.Status()
	e.log.Info("stopped", "events", s.Events, "activities", s.Activities, "lost", s.Lost.Dropped())
	return err
}

// close detaches from the kernel first, then stores what is queued.
func (e *engine) close() error {
	var errs []error
	if e.ring != nil {
		errs = append(errs, e.ring.Close())
	}
	if e.table != nil {
		errs = append(errs, e.table.Close())
	}
	if e.metrics != nil {
		errs = append(errs, e.metrics.close())
	}
	if e.store != nil {
		errs = append(errs, e.store.Close())
		if n := e.store.Lost()[event.LostStore]; n > 0 && e.log != nil {
			e.log.Warn("activities were not stored", "lost", n)
		}
	}
	if e.closeLog != nil {
		errs = append(errs, e.closeLog())
	}
	return errors.Join(errs...)
}

// storeError says what to do about a store that cannot be opened.
func storeError(err error) error {
	if errors.Is(err, store.ErrNewer) {
		return fmt.Errorf("open the store: %w", err) // it says that itself
	}
	return fmt.Errorf("open the store: %w (run as root, or name another folder with --store)", err)
}

func firstStatus() event.Status {
	now := uint64(time.Now().UnixNano())
	name, err := os.Hostname()
	if err != nil {
		name = "this host"
	}
	return event.Status{Now: now, Started: now, Host: name, Kernel: kernelRelease(), Version: version, Notes: []string{"attaching to the kernel"}}
}

// probe fills in what the feed, being a stage, cannot see.
func (e *engine) probe(s *event.Status) {
	s.Source = "live"
	s.RingUsed = e.ring.Counters().RingUsed
	kept := e.store.Stats()
	s.QueueUsed, s.StoreBytes, s.StoreDays = kept.Queue, kept.Bytes, kept.Days
	known := e.table.Stats()
	s.Processes, s.Containers = known.Processes, known.Containers
	s.CPUShare, s.RSS = e.meter.read(time.Now())
	s.Notes = append([]string(nil), e.problems...)
	for _, problem := range []string{kept.Problem, known.Problem} {
		if problem != "" {
			s.Notes = append(s.Notes, problem)
		}
	}
}

// watch is probe that also logs what goes wrong while nobody looks.
func (e *engine) watch() func(*event.Status) {
	var notes []string
	log := e.logChanges(func() string { return strings.Join(notes, "; ") })
	return func(s *event.Status) {
		e.probe(s)
		notes = s.Notes[len(e.problems):]
		log()
	}
}

// logChanges logs what problem says whenever it is another than before.
func (e *engine) logChanges(problem func() string) func() {
	said := ""
	return func() {
		switch now := problem(); {
		case now == said:
			return
		case now == "":
			e.log.Info("all is well again")
		default:
			e.log.Warn(now)
		}
		said = problem()
	}
}

// orNone keeps an empty list empty: to the resolver nil means its defaults.
func orNone(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}

// hostID is the same number for this host every time.
func hostID() uint32 {
	id := firstLine("/etc/machine-id")
	if id == "" {
		id, _ = os.Hostname() // nothing better: still the same every time
	}
	h := fnv.New32a()
	h.Write([]byte(id))
	return h.Sum32()
}

// firstLine is the first line of a small file of the system, empty when it
// cannot be read.
func firstLine(name string) string {
	text, err := os.ReadFile(name)
	if err != nil {
		return ""
	}
	line, _, _ := strings.Cut(string(text), "\n")
	return line
}

func kernelRelease() string {
	var u unix.Utsname
	if unix.Uname(&u) != nil {
		return ""
	}
	return unix.ByteSliceToString(u.Release[:])
}

// needLive says why nothing can be collected here, without trying.
func needLive() error {
	for _, f := range findings() {
		if f.State == stateFail && f.Live {
			return &exit{exitNoLive, fmt.Errorf("nothing can be collected here: %s: %s; %s. "+
				"Opening a capture instead is not in this version; what was stored before is listed by gumshoe activity", f.Name, f.Found, f.Mend)}
		}
	}
	return nil
}
