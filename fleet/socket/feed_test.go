package socket_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gumshoe-ir/gumshoe/event"
	"github.com/gumshoe-ir/gumshoe/fleet/socket"
)

func batch(events, activities int) *event.Batch {
	b := event.NewBatch(nil)
	b.Events, b.Activities = make([]event.Event, events), make([]event.Activity, activities)
	return b
}

func handle(t *testing.T, f *socket.Feed, b *event.Batch) {
	t.Helper()
	if err := f.Handle(t.Context(), b); err != nil {
		t.Fatal(err)
	}
}

func TestNoticesConflateToOneToken(t *testing.T) {
	f := socket.NewFeed(event.Status{})
	changed, stop := f.Watch()
	<-changed // the first one: there is a status
	for range 100 {
		handle(t, f, batch(1, 1))
	}
	<-changed
	select {
	case <-changed:
		t.Error("a second token for the same changes")
	default:
	}
	stop()
	handle(t, f, batch(1, 1))
	select {
	case <-changed:
		t.Error("a token after the watch ended")
	default:
	}
}

func TestEventsAloneWakeNobody(t *testing.T) {
	f := socket.NewFeed(event.Status{})
	changed, stop := f.Watch()
	defer stop()
	<-changed
	handle(t, f, batch(256, 0))
	select {
	case <-changed:
		t.Error("a console was told of events that changed nothing it shows")
	default:
	}
}

func TestTheRateIsThatOfTheLastSecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := socket.NewFeed(event.Status{})
		ctx, cancel := context.WithCancel(t.Context())
		probes := 0
		var run sync.WaitGroup
		run.Go(func() {
			if err := f.Run(ctx, func(s *event.Status) { probes++; s.Processes = probes }); err != nil {
				t.Error(err)
			}
		})
		synctest.Wait()
		handle(t, f, batch(500, 0))
		time.Sleep(1500 * time.Millisecond)
		synctest.Wait()
		if s := f.Status(); s.Rate != 500 || s.Events != 500 || s.Processes != 2 {
			t.Errorf("after a second: %+v", s)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if s := f.Status(); s.Rate != 0 {
			t.Errorf("after a second without events the rate is %v", s.Rate)
		}
		cancel()
		run.Wait()
	})
}

func TestLagIsTheAgeOfTheNewestEvent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := socket.NewFeed(event.Status{})
		b := batch(2, 0)
		b.Events[1].ID.NS = uint64(time.Now().Add(-3 * time.Millisecond).UnixNano())
		handle(t, f, b)
		if s := f.Status(); s.LagNS != uint64(3*time.Millisecond) {
			t.Errorf("lag %d ns", s.LagNS)
		}
		b.Events[1].ID.NS = uint64(time.Now().Add(time.Hour).UnixNano())
		handle(t, f, b)
		if s := f.Status(); s.LagNS != 0 {
			t.Errorf("an event of the future lags %d ns", s.LagNS)
		}
	})
}

func TestHandleAllocatesNothing(t *testing.T) {
	f := socket.NewFeed(event.Status{})
	_, stop := f.Watch()
	defer stop()
	b := batch(256, 8)
	if n := testing.AllocsPerRun(100, func() { handle(t, f, b) }); n != 0 {
		t.Errorf("Handle allocates %v times a batch", n)
	}
}

func BenchmarkFeedHandle(b *testing.B) {
	f := socket.NewFeed(event.Status{})
	_, stop := f.Watch()
	defer stop()
	full := batch(256, 8)
	b.ReportAllocs()
	for b.Loop() {
		if err := f.Handle(b.Context(), full); err != nil {
			b.Fatal(err)
		}
	}
}
