// Package proc remembers processes, their descriptors and their containers, so
// that an event can say who acted and on what. It reads /proc once, at start,
// and follows events from there; it asks no container runtime.
package proc

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/gumshoe-ir/gumshoe/event"
)

// Options are what a Table needs to know of its surroundings.
type Options struct {
	// Root holds /proc and /etc: "/" for this host. Empty means that there is
	// no host to look at, as when a capture is read: the table then knows only
	// what events and Batch.State say.
	Root string
	// BootTime is the host's boot in ns since the epoch, by which event times
	// were made; 0 takes it from the clocks when Root is set.
	BootTime uint64
	// OnContainer is called once for each container not seen before, on the
	// pump's goroutine; it must not block. Nil is allowed.
	OnContainer func(*event.Container)
	// EnvAllow are environment names whose values are kept besides the
	// built-in ones; a '*' at an end matches any text there.
	EnvAllow []string
}

// Table is the first Stage of the line: it sets Process and FD of each event,
// as of after the event, and tracks what later events will need. The pump's
// goroutine owns it; only Stats may be called from others. The snapshots it
// hands out never change.
type Table struct {
	opts    Options
	boot    uint64 // ns since the epoch
	scanned bool
	passive bool             // the event is older than what is known of its thread
	start   []*event.Process // from the scan, for the first batch

	registry
	files      fdBudget
	paths      pathCache
	verdicts   verdictCache
	containers containers
	users      users
	env        envFilter
	argv       argvs
	host       hostRoot
	buf        []byte // for reading files of /proc
	counters
}

// registry is the threads that a Table knows.
type registry struct {
	threads map[int32]*thread
	slots   []*thread // all of them, for the clock hands
	hand    hands
	epoch   uint64    // lineage: groups validated at it are current
	chain   []*group  // scratch of refresh
	dead    []*thread // exited, removed with the next batch
	recent  [recentSize]gone
	misses  missCache
}

// counters are what Stats shows, and the pump's own copy.
type counters struct {
	mu    sync.Mutex
	stats Stats
	live  Stats
}

// Stats counts what the table holds and what it gave up to stay bounded.
type Stats struct {
	Processes, Threads, FDs, Containers int

	EvictedThreads    uint64 // over maxThreads
	EvictedContainers uint64 // over maxContainers
	RefusedFDs        uint64 // over maxFDs or maxAllFDs
	CutTexts          uint64 // argv or environment that is not whole, or over maxAllText
	Unknown           uint64 // events of threads that nobody knew
	Vanished          uint64 // processes whose exit was never seen
	Problem           string // why /proc could not be read, empty when it could
}

// Limits of what a Table keeps. Whatever exceeds them is counted in Stats.
const (
	maxThreads    = 1 << 18 // then those unused longest go, approximately
	maxFDs        = 1 << 13 // descriptors of one process
	fairFDs       = 1 << 8  // what a process may always have
	maxAllFDs     = 1 << 18 // all processes; then only those below fairFDs may add
	maxText       = 1 << 16 // bytes of one environment, and of an argv in one event
	maxAllText    = 1 << 28 // bytes of all argv and environments
	maxContainers = 1 << 12
	maxDepth      = 64 // levels of ancestors that are kept current
	recentSize    = 1 << 12
)

// New makes an empty table. It reads nothing yet.
func New(opts Options) *Table {
	t := &Table{
		opts:       opts,
		boot:       opts.BootTime,
		registry:   registry{epoch: 1, threads: make(map[int32]*thread)},
		containers: newContainers(opts.OnContainer),
		users:      newUsers(opts.Root),
		env:        newEnvFilter(opts.EnvAllow),
		host:       hostRoot{root: opts.Root, fd: -1},
	}
	if t.boot == 0 && opts.Root != "" {
		t.boot = bootTime()
	}
	return t
}

// bootTime is when this host booted, in ns since the epoch.
func bootTime() uint64 {
	var real, boot unix.Timespec
	if unix.ClockGettime(unix.CLOCK_REALTIME, &real) != nil || unix.ClockGettime(unix.CLOCK_BOOTTIME, &boot) != nil {
		return 0
	}
	return uint64(real.Nano() - boot.Nano())
}

// Handle enriches b's events and learns from them. The first call scans /proc
// when Scan was not called, and puts all processes found into b.State. It
// fails never; what it could not learn is in Stats.
func (t *Table) Handle(ctx context.Context, b *event.Batch) error {
	if !t.scanned {
		if err := t.Scan(ctx); err != nil {
			t.live.Problem = err.Error()
		}
	}
	t.adopt(b.State)
	if t.start != nil {
		b.State = append(b.State, t.start...)
		t.start = nil
	}
	t.bury()
	if n := len(b.Events); n > 0 {
		t.users.refresh(t, b.Events[n-1].ID.NS)
		t.sweep(b.Events[n-1].ID.NS)
		t.argv.expire(b.Events[n-1].ID.NS)
	}
	for i := range b.Events {
		t.event(&b.Events[i])
	}
	b.Containers = append(b.Containers, t.containers.described...)
	clear(t.containers.described)
	t.containers.described = t.containers.described[:0]
	t.publish()
	return nil
}

// event brings the state up to e, then tells e who acted and on what.
func (t *Table) event(e *event.Event) {
	if e.Type >= event.Known {
		t.private(e)
		return
	}
	if h := facts[e.Type]; h != nil {
		h(t, e)
		return
	}
	th := t.actor(e)
	if th == nil {
		return
	}
	th.used = anyHand
	t.passive = th.group.dead || e.ID.NS < th.group.scanned
	if h := handlers[e.Type]; h != nil {
		e.FD = h(t, th, e)
	} else if info, ok := e.Info(); ok && info.FD >= 0 {
		e.FD = th.group.usedFD(e, int(info.FD))
	}
	t.passive = false
	if e.Process == nil {
		e.Process = t.current(th)
	}
}

// private gives our own events that belong to a thread their process.
func (t *Table) private(e *event.Event) {
	if e.Type == event.ExecArgs {
		t.argv.gather(e)
	}
	if th := t.threads[int32(e.TID)]; th != nil && e.TID > 0 && !t.stale(th.group, e) {
		e.Process = t.current(th)
	}
}

// Stats is what the table held after the last batch. Any goroutine may ask.
func (t *Table) Stats() Stats {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.stats
}

func (t *Table) publish() {
	t.live.Threads, t.live.FDs, t.live.Containers = len(t.threads), t.files.used, len(t.containers.byID)
	t.live.RefusedFDs = t.files.refused
	t.live.EvictedContainers = t.containers.evicted
	t.mu.Lock()
	t.stats = t.live
	t.mu.Unlock()
}

// Close releases what the table holds open of the host. It is not needed at
// the end of a program.
func (t *Table) Close() error {
	if err := t.host.close(); err != nil {
		return fmt.Errorf("close the host's root: %w", err)
	}
	return nil
}

// Processes are the snapshots of all live processes, as the last batch left
// them, in order of pid. Only the pump's goroutine may call it.
func (t *Table) Processes() []*event.Process {
	var out []*event.Process
	for tid, th := range t.threads {
		if tid == th.group.pid && !th.group.dead {
			out = append(out, t.snapshot(th.group))
		}
	}
	slices.SortFunc(out, func(a, b *event.Process) int { return int(a.PID) - int(b.PID) })
	return out
}

// sinceBoot is when a thing at ns since the epoch happened, in ns since boot,
// cut to the clock ticks that /proc speaks in: the one start time that is the
// same from events and from /proc.
func (t *Table) sinceBoot(ns uint64) uint64 {
	if t.boot == 0 || ns < t.boot {
		return 0
	}
	return ticks(ns - t.boot)
}

// tick is the unit of start times in /proc/PID/stat (USER_HZ is 100 on every
// architecture that we run on).
const tick = uint64(10 * time.Millisecond)

func ticks(ns uint64) uint64 { return ns - ns%tick }
