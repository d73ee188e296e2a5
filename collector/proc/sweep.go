package proc

import (
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"
)

// hands are clock hands that go round all threads, a few a batch.
type hands struct {
	sweep, evict int
	text         int // bytes of all images
}

// Hands that pass over threads.
const (
	sweepHand = 1 << iota
	evictHand
	anyHand = sweepHand | evictHand
)

// What one batch may spend on others than its own threads.
const (
	sweepStep    = 4           // threads looked for in /proc
	sweepRounds  = 1 << 8      // batches in which all links are brought up to date
	evictLook    = 64          // threads that the evicting hand looks at before it takes any
	vanishAfter  = uint64(5e9) // ns that /proc must lack a process whose exit was not seen
	missSize     = 1 << 10
	missLifetime = uint64(1e9)
)

// sweep looks at a few threads: it brings their links up to date, so that
// idle ones do not keep snapshots of the past alive, and finds those whose
// exit was lost.
func (t *Table) sweep(now uint64) {
	n := max(sweepStep, len(t.slots)/sweepRounds)
	for i := range min(n, len(t.slots)) {
		if len(t.slots) == 0 {
			return
		}
		if t.hand.sweep >= len(t.slots) {
			t.hand.sweep = 0
		}
		th := t.slots[t.hand.sweep]
		t.hand.sweep++
		if th.dead {
			continue
		}
		t.snapshot(th.group)
		if th.base != th.group.proc {
			th.base, th.snap = nil, nil
		}
		busy := th.used&sweepHand != 0
		th.used &^= sweepHand
		if t.opts.Root == "" || i >= sweepStep || busy && th.missing == 0 {
			continue
		}
		if t.exists(th.tid) {
			th.missing = 0
		} else if th.missing == 0 {
			th.missing = now
		} else if now > th.missing+vanishAfter {
			t.live.Vanished++
			t.removeThread(th)
		}
	}
}

func (t *Table) exists(tid int32) bool {
	path := filepath.Join(t.opts.Root, "proc", strconv.Itoa(int(tid)))
	return unix.Access(path, unix.F_OK) == nil
}

// evict removes a thread that was not used since the hand last passed it.
// Those that others descend from stay as long as there are others to take.
func (t *Table) evict() {
	var victim *thread
	for range evictLook {
		th := t.underHand()
		idle := th.used&evictHand == 0
		th.used &^= evictHand
		if g := th.group; th.tid == g.pid && (g.children > 0 || g.members > 0 || g.alive > 1) {
			continue
		}
		if victim == nil || idle {
			victim = th
		}
		if idle {
			break
		}
	}
	if victim == nil {
		victim = t.underHand()
	}
	t.live.EvictedThreads++
	t.removeThread(victim)
}

func (t *Table) underHand() *thread {
	if t.hand.evict >= len(t.slots) {
		t.hand.evict = 0
	}
	th := t.slots[t.hand.evict]
	t.hand.evict++
	return th
}

// missCache remembers threads that /proc did not have, so that each of their
// events does not ask again.
type missCache struct {
	at [missSize]gone
}

func (m *missCache) has(tid int32, now uint64) bool {
	g := m.at[uint32(tid)%missSize]
	return g.tid == tid && distance(g.ns, now) < missLifetime
}

func (m *missCache) add(tid int32, now uint64) {
	m.at[uint32(tid)%missSize] = gone{tid, now}
}
