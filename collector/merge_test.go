package collector_test

import (
	"context"
	"errors"
	"testing"

	"github.com/gumshoe-ir/gumshoe/collector"
	"github.com/gumshoe-ir/gumshoe/event"
)

type sourceFunc func(context.Context, chan<- *event.Batch) error

func (f sourceFunc) Run(ctx context.Context, out chan<- *event.Batch) error { return f(ctx, out) }

func TestMergePassesOnTheBatchesOfAllSources(t *testing.T) {
	a, b := &source{n: 3}, &source{n: 4}
	var seen int
	count := stage(func(*event.Batch) error { seen++; return nil })
	if err := collector.Run(t.Context(), collector.Merge(a, b), count); err != nil {
		t.Fatal(err)
	}
	if seen != 7 || a.released != 3 || b.released != 4 {
		t.Errorf("%d batches seen, %d and %d released; want 7, 3 and 4", seen, a.released, b.released)
	}
}

func TestMergeGoesOnWhenOneSourceEnds(t *testing.T) {
	empty := sourceFunc(func(context.Context, chan<- *event.Batch) error { return nil })
	var seen int
	count := stage(func(*event.Batch) error { seen++; return nil })
	if err := collector.Run(t.Context(), collector.Merge(empty, &source{n: 5}), count); err != nil || seen != 5 {
		t.Errorf("%d batches seen, %v; want 5", seen, err)
	}
}

func TestMergeEndsAllAtTheErrorOfOne(t *testing.T) {
	bug := errors.New("bug")
	fails := sourceFunc(func(context.Context, chan<- *event.Batch) error { return bug })
	waits := sourceFunc(func(ctx context.Context, _ chan<- *event.Batch) error {
		<-ctx.Done()
		return ctx.Err()
	})
	if err := collector.Run(t.Context(), collector.Merge(waits, fails)); !errors.Is(err, bug) {
		t.Errorf("Run = %v, want the source's error", err)
	}
}
