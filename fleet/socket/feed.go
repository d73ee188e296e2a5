package socket

import (
	"context"
	"sync"
	"time"

	"github.com/gumshoe-ir/gumshoe/event"
)

// Feed is the last stage of an engine's line: it counts what passed and tells
// consoles that something changed. Notices conflate, and nothing waits for a
// console: a slow one sees fewer, newer statuses.
type Feed struct {
	mu       sync.Mutex
	status   event.Status
	consoles map[chan struct{}]struct{}
}

// NewFeed makes a feed that starts from base.
func NewFeed(base event.Status) *Feed {
	return &Feed{status: base, consoles: map[chan struct{}]struct{}{}}
}

// Handle counts b. It satisfies collector.Stage.
func (f *Feed) Handle(_ context.Context, b *event.Batch) error {
	now := uint64(time.Now().UnixNano())
	f.mu.Lock()
	defer f.mu.Unlock()
	s := &f.status
	s.Now = now
	s.Events += uint64(len(b.Events))
	s.Activities += uint64(len(b.Activities))
	s.Lost.Add(b.Lost)
	if n := len(b.Events); n > 0 {
		s.LagNS = 0
		if newest := b.Events[n-1].ID.NS; newest < now {
			s.LagNS = now - newest
		}
	}
	if len(b.Activities) > 0 || b.Lost.Dropped() > 0 {
		f.notify()
	}
	return nil
}

// Changed tells consoles that the trail holds more than it did. The store's
// writer calls it after a commit, from any goroutine.
func (f *Feed) Changed() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.notify()
}

func (f *Feed) notify() {
	for c := range f.consoles {
		select {
		case c <- struct{}{}:
		default: // it has a notice to take already
		}
	}
}

// Status is the newest status.
func (f *Feed) Status() event.Status {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.status
}

// Run measures the rate once a second until ctx is done. Each time probe, which
// may be nil, fills in what a stage cannot see: memory, queues, sizes.
func (f *Feed) Run(ctx context.Context, probe func(*event.Status)) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	f.measure(probe, f.Status().Events, time.Second)
	last, then := f.Status().Events, time.Now()
	for {
		select {
		case <-ctx.Done():
			return nil
		case now := <-tick.C:
			f.measure(probe, last, now.Sub(then))
			last, then = f.Status().Events, now
		}
	}
}

// measure takes the rate since there were last events, past ago.
func (f *Feed) measure(probe func(*event.Status), last uint64, past time.Duration) {
	s := f.Status()
	if probe != nil {
		probe(&s)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	was := &f.status // the line went on while we probed
	s.Events, s.Activities, s.Lost, s.LagNS = was.Events, was.Activities, was.Lost, was.LagNS
	s.Now = uint64(time.Now().UnixNano())
	if past > 0 {
		s.Rate = float64(s.Events-last) / past.Seconds()
	}
	f.status = s
	f.notify()
}

// Watch is a channel that holds one token whenever something changed since
// the last one was taken, and at first. The caller calls stop at the end.
func (f *Feed) Watch() (changed <-chan struct{}, stop func()) {
	c := make(chan struct{}, 1)
	c <- struct{}{}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.consoles[c] = struct{}{}
	return c, func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		delete(f.consoles, c)
	}
}
