package store

import (
	"strings"
	"sync"

	"github.com/gumshoe-ir/gumshoe/event"
)

// parcel is what one batch leaves with the store.
type parcel struct {
	activities []event.Activity
	state      []*event.Process // all that live, at start
	forks      []*event.Process // came to life
	exits      []exit
	containers []*event.Container
	at         uint64 // ns since the epoch, of the batch's newest event
	host       uint32
	bytes      int
}

type exit struct {
	key event.ProcessKey
	ns  uint64
}

// queue holds parcels between the line and the writer, bounded in bytes.
type queue struct {
	mu      sync.Mutex
	parcels []*parcel
	bytes   int
	max     int
	closed  bool
	wake    chan struct{} // holds one token when there is something to do
	closing chan struct{} // closed by close
}

func newQueue(max int) *queue {
	return &queue{max: max, wake: make(chan struct{}, 1), closing: make(chan struct{})}
}

// room is how many bytes more the queue takes.
func (q *queue) room() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return 0
	}
	return q.max - q.bytes
}

func (q *queue) put(p *parcel) {
	q.mu.Lock()
	q.parcels = append(q.parcels, p)
	q.bytes += p.bytes
	q.mu.Unlock()
	q.rewake()
}

// rewake lets the writer look again.
func (q *queue) rewake() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// take is the oldest parcel, which still counts until done.
func (q *queue) take() *parcel {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.parcels) == 0 {
		return nil
	}
	p := q.parcels[0]
	q.parcels[0] = nil
	q.parcels = q.parcels[1:]
	return p
}

// done gives a parcel's bytes back.
func (q *queue) done(bytes int) {
	q.mu.Lock()
	q.bytes -= bytes
	q.mu.Unlock()
}

func (q *queue) used() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.bytes
}

// close refuses more and wakes the writer, which empties the queue.
func (q *queue) close() {
	q.mu.Lock()
	if !q.closed {
		q.closed = true
		close(q.closing)
	}
	q.mu.Unlock()
	q.rewake()
}

func (q *queue) isClosed() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.closed
}

// Rough sizes in memory; what matters is that long strings count.
const (
	activityBytes = 320
	processBytes  = 1024
)

func weighActivity(a *event.Activity) int {
	n := activityBytes + len(a.Target) + len(a.Name) + len(a.RealPath) + len(a.User)
	if a.Process != nil {
		n += len(a.Process.Cmdline)
	}
	return n
}

func weighProcess(p *event.Process) int {
	n := processBytes + 2*len(p.Cmdline)
	for _, e := range p.Env {
		n += len(e)
	}
	return n
}

// pack copies what the store keeps of b into an empty p, as far as room
// reaches, and is how many activities found none.
func (p *parcel) pack(b *event.Batch, room int) (lost int) {
	p.host, p.at = b.Host, 0
	n := 0
	for ; n < len(b.Activities); n++ {
		w := weighActivity(&b.Activities[n])
		if p.bytes+w > room {
			break
		}
		p.bytes += w
	}
	if n > 0 {
		p.activities = make([]event.Activity, n)
	}
	for i := range p.activities {
		a := b.Activities[i]
		// A source may hand out text that lives in its batch.
		a.Target, a.Name, a.RealPath = strings.Clone(a.Target), strings.Clone(a.Name), strings.Clone(a.RealPath)
		a.User, a.Verb = strings.Clone(a.User), strings.Clone(a.Verb)
		p.activities[i] = a
	}
	for _, s := range b.State {
		p.state = append(p.state, s)
		p.bytes += weighProcess(s)
	}
	for _, c := range b.Containers {
		if !c.Pending {
			p.containers = append(p.containers, c)
			p.bytes += processBytes
		}
	}
	for i := range b.Events {
		p.follow(&b.Events[i])
	}
	return len(b.Activities) - n
}

// follow notes what a system event says of processes' lives.
func (p *parcel) follow(e *event.Event) {
	p.at = max(p.at, e.ID.NS)
	if e.Process == nil {
		return
	}
	switch e.Type {
	case event.ProcexitE, event.ProcexitV1E:
		if e.Process.ExitTime != 0 || e.TID == int64(e.Process.PID) {
			p.exits = append(p.exits, exit{e.Process.Key(e.ID.Host), e.ID.NS})
			p.bytes += 64
		}
	case event.SyscallCloneV20X, event.SyscallForkV20X, event.SyscallVforkV20X, event.SyscallClone3X:
		// The child's own event; its execs arrive as activities.
		if res, ok := e.Params.Int(0); ok && res == 0 && e.Process.TID == e.Process.PID {
			p.forks = append(p.forks, e.Process)
			p.bytes += weighProcess(e.Process)
		}
	}
}

func (p *parcel) empty() bool {
	return len(p.activities)+len(p.state)+len(p.forks)+len(p.exits)+len(p.containers) == 0
}
