package collector

import (
	"context"

	"golang.org/x/sync/errgroup"

	"github.com/gumshoe-ir/gumshoe/event"
)

// Merge is all of src as one: batches pass on as they arrive, which is right
// for live sources. It ends when all have, and at the first error of one.
func Merge(src ...Source) Source { return merged(src) }

type merged []Source

func (m merged) Run(ctx context.Context, out chan<- *event.Batch) error {
	g, ctx := errgroup.WithContext(ctx)
	for _, s := range m {
		g.Go(func() error { return s.Run(ctx, out) })
	}
	return g.Wait()
}
