package collector_test

import (
	"context"
	"errors"
	"testing"

	"github.com/gumshoe-ir/gumshoe/collector"
	"github.com/gumshoe-ir/gumshoe/event"
)

type source struct {
	n        int
	released int
}

func (s *source) Run(ctx context.Context, out chan<- *event.Batch) error {
	for range s.n {
		b := event.NewBatch(func(*event.Batch) { s.released++ })
		b.Events = append(b.Events, event.Event{Type: event.SyscallExecveV19X})
		select {
		case out <- b:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

type stage func(*event.Batch) error

func (s stage) Handle(_ context.Context, b *event.Batch) error { return s(b) }

func TestRunPassesEveryBatchThroughAllStagesInOrder(t *testing.T) {
	src := &source{n: 3}
	var seen []string
	note := func(name string) stage {
		return func(*event.Batch) error { seen = append(seen, name); return nil }
	}
	if err := collector.Run(t.Context(), src, note("a"), note("b")); err != nil {
		t.Fatal(err)
	}
	if got := len(seen); got != 6 || seen[0] != "a" || seen[1] != "b" {
		t.Errorf("stages ran as %v", seen)
	}
	if src.released != 3 {
		t.Errorf("%d of 3 batches released", src.released)
	}
}

func TestRunStopsAtAStageError(t *testing.T) {
	bug := errors.New("bug")
	err := collector.Run(t.Context(), &source{n: 100}, stage(func(*event.Batch) error { return bug }))
	if !errors.Is(err, bug) {
		t.Errorf("Run = %v, want the stage's error", err)
	}
}
