// Package kernel hands out what the running kernel's BPF programs record, as
// batches of events that point into the ring itself. It adds nothing: who acted
// is collector/proc's to say.
package kernel

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/gumshoe-ir/gumshoe/bpf"
	"github.com/gumshoe-ir/gumshoe/event"
)

// Options of New.
type Options struct {
	RingBytes int      // a power of two; 0 means 16 MiB
	Host      uint32   // in the IDs of events
	Self      []uint32 // our own thread groups: counted, not sent
	Thin      *Thin    // nil: every open is sent
	NoWakeup  bool     // never let the kernel wake us, only poll
	Only      []string // for measurements: names of programs to attach, nil: all
	Poison    bool     // for tests: events live in memory that Release overwrites, so that who kept one is caught
}

// Thin says which opens for reading are wanted.
type Thin = bpf.Thin

// poison is what a stage reads that kept an event of a released batch.
const poison = 0xDB

// batches that can be under way at once, and their size.
const (
	batches   = 4
	batchSize = 256
)

// Ring is a Source: the running kernel's events, from New on.
type Ring struct {
	sensor *bpf.Sensor
	opts   Options
	ring   *ring
	cpus   []bpf.CPU    // the kernel's own counters, mapped
	ctl    *bpf.Control // mapped
	maps   [][]byte
	wait   *waiter
	clock  clock

	free     chan *batch
	mu       sync.Mutex // guards order and closed
	order    []*batch   // handed out, oldest first
	closed   bool
	num      uint64 // of the last event
	told     event.Losses
	mangled  atomic.Uint64
	received atomic.Uint64
}

// batch is a Batch with what it takes back the ring's memory.
type batch struct {
	*event.Batch
	end      uint64 // ring position behind its last sample
	released bool
	arena    []byte   // of synthetic events
	copies   [][]byte // of all samples, when poisoned
}

// New loads and attaches the programs; events gather in the ring until Run
// reads them. An error is one line that says what to do.
func New(o Options) (*Ring, error) {
	bo := bpf.Options{RingBytes: o.RingBytes, Self: o.Self, Thin: o.Thin, Only: o.Only}
	if bo.RingBytes == 0 {
		bo.RingBytes = 16 << 20
	}
	if !o.NoWakeup {
		bo.WakeBytes = bo.RingBytes / 8
	}
	sensor, err := bpf.Load(bo)
	if err != nil {
		return nil, err
	}
	r := &Ring{sensor: sensor, opts: o, clock: startClock(), free: make(chan *batch, batches)}
	if err := r.open(bo.RingBytes); err != nil {
		return nil, errors.Join(err, r.Close())
	}
	for range batches {
		r.free <- r.newBatch()
	}
	return r, nil
}

func (r *Ring) newBatch() *batch {
	b := &batch{}
	b.Batch = event.NewBatch(func(*event.Batch) { r.release(b) })
	b.Events = make([]event.Event, 0, batchSize)
	b.Host = r.opts.Host
	return b
}

// open maps everything that is shared with the programs.
func (r *Ring) open(size int) error {
	var err error
	if r.ring, err = mapRing(r.sensor.Ring.FD(), size); err != nil {
		return err
	}
	n := int(r.sensor.CPUs.MaxEntries())
	b, err := mmapArray(r.sensor.CPUs.FD(), n*int(unsafe.Sizeof(bpf.CPU{})))
	if err != nil {
		return fmt.Errorf("map the counters: %w", err)
	}
	r.maps = append(r.maps, b)
	r.cpus = unsafe.Slice((*bpf.CPU)(unsafe.Pointer(&b[0])), n)
	b, err = mmapArray(r.sensor.Control.FD(), int(unsafe.Sizeof(bpf.Control{})))
	if err != nil {
		return fmt.Errorf("map the control page: %w", err)
	}
	r.maps = append(r.maps, b)
	r.ctl = (*bpf.Control)(unsafe.Pointer(&b[0]))
	r.wait, err = newWaiter(r.sensor.Ring.FD())
	return err
}

func mmapArray(fd, size int) ([]byte, error) {
	page := unix.Getpagesize()
	size = (size + page - 1) / page * page
	return unix.Mmap(fd, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
}

// Missing names the hooks that this kernel does not have.
func (r *Ring) Missing() []string { return r.sensor.Missing }

// Close detaches all programs and frees the ring. Call it after the line that
// Run feeds has ended; batches must not be used any more.
func (r *Ring) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil
	}
	r.closed = true
	errs := []error{r.sensor.Close()}
	if r.wait != nil {
		errs = append(errs, r.wait.close())
	}
	if r.ring != nil {
		errs = append(errs, r.ring.close())
	}
	for _, m := range r.maps {
		errs = append(errs, unix.Munmap(m))
	}
	r.cpus, r.ctl = nil, nil
	return errors.Join(errs...)
}

// Run sends what the kernel records until ctx is done.
func (r *Ring) Run(ctx context.Context, out chan<- *event.Batch) error {
	stop := context.AfterFunc(ctx, r.wait.wake)
	defer stop()
	pace := pace{}
	for ctx.Err() == nil {
		n, err := r.drain(ctx, out)
		if err != nil {
			break // ctx ended, and with it this source
		}
		atomic.StoreUint32(&r.ctl.Woken, 0)
		if err := r.wait.wait(pace.next(time.Now(), n)); err != nil {
			return fmt.Errorf("wait for the ring: %w", err)
		}
	}
	return nil
}

// drain sends all that is there and returns how many events that were.
func (r *Ring) drain(ctx context.Context, out chan<- *event.Batch) (int, error) {
	total := 0
	for {
		var b *batch
		select {
		case b = <-r.free:
		case <-ctx.Done():
			return total, ctx.Err()
		}
		r.fill(b)
		n := len(b.Events)
		if n == 0 && b.Lost == (event.Losses{}) {
			r.free <- b
			return total, nil
		}
		r.mu.Lock()
		r.order = append(r.order, b)
		r.mu.Unlock()
		select {
		case out <- b.Batch:
		case <-ctx.Done():
			b.Release()
			return total, ctx.Err()
		}
		total += n
		if n < batchSize {
			return total, nil
		}
	}
}

// fill decodes up to a batch of samples, without allocating.
func (r *Ring) fill(b *batch) {
	b.Reset()
	b.arena, b.released = b.arena[:0], false
	b.Lost = r.losses()
	if before, after, stepped := r.clock.check(); stepped {
		r.noteStep(b, before, after)
	}
	for len(b.Events) < batchSize {
		sample := r.ring.next()
		if sample == nil {
			break
		}
		if r.opts.Poison {
			sample = slices.Clone(sample)
			b.copies = append(b.copies, sample)
		}
		b.Events = b.Events[:len(b.Events)+1]
		e := &b.Events[len(b.Events)-1]
		if !decode(sample, r.opts.Host, r.clock.offset, e) {
			b.Events = b.Events[:len(b.Events)-1]
			b.Lost[event.LostParse]++
			r.mangled.Add(1)
			continue
		}
		if e.Type < event.PrivateBase {
			r.num++
		}
		e.Num = r.num
	}
	r.received.Add(uint64(len(b.Events)))
	b.end = r.ring.pos
}

// noteStep tells that the wall clock was set.
func (r *Ring) noteStep(b *batch, before, after uint64) {
	b.arena = binary.LittleEndian.AppendUint16(b.arena, 8)
	b.arena = binary.LittleEndian.AppendUint16(b.arena, 8)
	b.arena = binary.LittleEndian.AppendUint64(b.arena, before)
	b.arena = binary.LittleEndian.AppendUint64(b.arena, after)
	params, _ := event.NewParams(b.arena, 2, false)
	b.Events = append(b.Events, event.Event{
		ID: event.ID{NS: before, Host: r.opts.Host}, Num: r.num, TID: -1, Type: event.Clock, Params: params,
	})
}

// release takes b back. The kernel gets its memory once all older batches are
// back too.
func (r *Ring) release(b *batch) {
	for _, c := range b.copies {
		for i := range c {
			c[i] = poison
		}
	}
	b.copies = b.copies[:0]
	r.mu.Lock()
	b.released = true
	for len(r.order) > 0 && r.order[0].released {
		b := r.order[0]
		copy(r.order, r.order[1:])
		r.order = r.order[:len(r.order)-1]
		if !r.closed {
			r.ring.free(b.end)
		}
		r.free <- b
	}
	r.mu.Unlock()
}
