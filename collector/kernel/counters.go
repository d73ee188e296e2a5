package kernel

import (
	"errors"
	"sync/atomic"

	"github.com/gumshoe-ir/gumshoe/event"
)

// Counters are totals since New.
type Counters struct {
	Received uint64 // events decoded and sent
	Sent     uint64 // records that the programs put in the ring
	Bytes    uint64
	Wakeups  uint64
	RingUsed float64 // share of the ring in use, 0..1
	Lost     event.Losses
	LostCPU  []uint64 // records dropped, by processor
}

// Counters may be called at any time, from any goroutine.
func (r *Ring) Counters() Counters {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := Counters{Received: r.received.Load()}
	if r.closed {
		return c
	}
	c.Lost = r.total()
	c.RingUsed = float64(r.ring.used()) / float64(r.ring.size)
	c.LostCPU = make([]uint64, len(r.cpus))
	for i := range r.cpus {
		cpu := &r.cpus[i]
		c.Sent += atomic.LoadUint64(&cpu.Sent)
		c.Bytes += atomic.LoadUint64(&cpu.Bytes)
		c.Wakeups += atomic.LoadUint64(&cpu.Wakeups)
		c.LostCPU[i] = atomic.LoadUint64(&cpu.LostRing) + atomic.LoadUint64(&cpu.LostScratch)
	}
	return c
}

// total is all that was lost or left out since New.
func (r *Ring) total() event.Losses {
	var l event.Losses
	for i := range r.cpus {
		cpu := &r.cpus[i]
		l[event.LostRing] += atomic.LoadUint64(&cpu.LostRing)
		l[event.LostScratch] += atomic.LoadUint64(&cpu.LostScratch)
		l[event.Thinned] += atomic.LoadUint64(&cpu.Thinned)
		l[event.Self] += atomic.LoadUint64(&cpu.Self)
	}
	l[event.LostParse] = r.mangled.Load()
	return l
}

// losses is what was lost since the last call.
func (r *Ring) losses() event.Losses {
	now := r.total()
	now[event.LostParse] = 0 // counted where it happens
	d := now
	for i, n := range r.told {
		d[i] -= n
	}
	r.told = now
	return d
}

// Skip adds a thread group to those that are not sent.
func (r *Ring) Skip(tgid uint32) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return errors.New("skip a process: the ring is closed")
	}
	for i := range r.ctl.Self {
		if atomic.LoadUint32(&r.ctl.Self[i]) == tgid || atomic.CompareAndSwapUint32(&r.ctl.Self[i], 0, tgid) {
			return nil
		}
	}
	return errTooMany
}

// Unskip undoes Skip, so that a reused pid is not left out.
func (r *Ring) Unskip(tgid uint32) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return
	}
	for i := range r.ctl.Self {
		atomic.CompareAndSwapUint32(&r.ctl.Self[i], tgid, 0)
	}
}

var errTooMany = errors.New("skip a process: all places are taken")
