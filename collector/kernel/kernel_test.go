package kernel

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gumshoe-ir/gumshoe/event"
	"github.com/gumshoe-ir/gumshoe/internal/need"
)

// watch records the real kernel while act runs, and returns clones of all
// events. Events lie in poisoned memory, so that a clone that is none is caught.
func watch(t *testing.T, o Options, act func()) []*event.Event {
	t.Helper()
	return watchRing(t, o, func(*Ring) { act() })
}

// watchRing is watch where act needs the ring.
func watchRing(t *testing.T, o Options, act func(r *Ring)) []*event.Event {
	t.Helper()
	need.BPF(t)
	o.Poison = true
	r, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	out := make(chan *event.Batch)
	done := make(chan error)
	go func() { done <- r.Run(ctx, out) }()
	acted := make(chan struct{})
	go func() {
		defer close(acted)
		defer cancel()
		act(r)
		// All that act caused is handled once the reader is past where the ring ends now.
		for end := atomic.LoadUint64(r.ring.producer); atomic.LoadUint64(r.ring.consumer) < end; {
			time.Sleep(paceBusy)
		}
	}()
	var events []*event.Event
	for {
		select {
		case b := <-out:
			for i := range b.Events {
				events = append(events, b.Events[i].Clone())
			}
			if b.Lost.Dropped() != 0 {
				t.Errorf("lost %v", b.Lost)
			}
			b.Release()
		case err := <-done:
			<-acted
			if err != nil {
				t.Error(err)
			}
			if err := r.Close(); err != nil {
				t.Error(err)
			}
			return events
		}
	}
}

// find is the first event that satisfies ok.
func find(t *testing.T, events []*event.Event, what string, ok func(*event.Event) bool) *event.Event {
	t.Helper()
	for _, e := range events {
		if ok(e) {
			return e
		}
	}
	t.Fatalf("no %s among %d events", what, len(events))
	return nil
}

// of selects events of a type by a thread.
func of(typ event.Type, tid int) func(*event.Event) bool {
	return func(e *event.Event) bool { return e.Type == typ && e.TID == int64(tid) }
}

func TestReleasedEventsAreOverwrittenWhenPoisoned(t *testing.T) {
	need.BPF(t)
	r, err := New(Options{Poison: true, Only: processLife})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	helper(t, "exit").run(t)
	b := <-r.free
	r.fill(b)
	if len(b.Events) == 0 {
		t.Fatal("no events")
	}
	kept := b.Events[0].Params
	r.order = append(r.order, b)
	b.Release()
	lens, data := kept.Raw()
	for _, c := range append(lens, data...) {
		if c != poison {
			t.Fatalf("released event still readable: %x %x", lens, data)
		}
	}
}

func TestOwnProcessesAreCountedNotSent(t *testing.T) {
	var counted uint64
	h := helper(t, "exec-fail")
	events := watchRing(t, Options{Only: processLife}, func(r *Ring) {
		h.start(t)
		if err := r.Skip(uint32(h.pid())); err != nil {
			t.Error(err)
		}
		h.finish(t)
		counted = r.Counters().Lost[event.Self]
		r.Unskip(uint32(h.pid()))
	})
	for _, e := range events {
		if res, _ := e.Params.Int(0); e.Type == failedExec && res < 0 && e.TID == int64(h.pid()) {
			t.Errorf("event %d of a skipped process was sent", e.Type)
		}
	}
	if counted == 0 {
		t.Error("skipped calls were not counted")
	}
}

func TestThinningLeavesOutOnlyWhatNothingCanMatch(t *testing.T) {
	h := helper(t, "opens", "/etc/hostname", "/etc/passwd", "/usr/lib/os-release", "/usr/lib/../lib/os-release",
		"/usr/no-such/shadow", "/usr/no-such/other", "no/relative")
	var thinned uint64
	thin := &Thin{Prefixes: []string{"/etc/pass"}, Names: []string{"shadow"}}
	events := watchRing(t, Options{Thin: thin}, func(r *Ring) {
		h.run(t)
		thinned = r.Counters().Lost[event.Thinned]
	})
	seen := map[string]bool{}
	for _, e := range events {
		if info, ok := e.Info(); ok && info.Name == "openat" && e.TID == int64(h.pid()) {
			name, _ := e.Params.Text(2)
			seen[name] = true
		}
	}
	for _, c := range []struct {
		path string
		sent bool
	}{
		{"/etc/hostname", false},
		{"/etc/passwd", true},
		{"/usr/lib/os-release", false},
		{"/usr/lib/../lib/os-release", true},
		{"/usr/no-such/shadow", true},
		{"/usr/no-such/other", false},
		{"no/relative", true},
	} {
		if seen[c.path] != c.sent {
			t.Errorf("open of %s sent: %t, want %t", c.path, seen[c.path], c.sent)
		}
	}
	if thinned < 3 {
		t.Errorf("%d opens counted as thinned, want at least 3", thinned)
	}
}
