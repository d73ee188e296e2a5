// Package collector moves batches of events from a Source through Stages.
// It knows neither kernels nor files: implementations live in its folders and
// in other packages, and satisfy the two interfaces over package event alone.
package collector

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"golang.org/x/sync/errgroup"

	"github.com/gumshoe-ir/gumshoe/event"
)

// Source sends batches until its input ends or ctx is done; both return nil.
// It must not touch a batch between sending it and its Release.
type Source interface {
	Run(ctx context.Context, out chan<- *event.Batch) error
}

// Stage handles batches one after another. It must not keep events of b; it
// clones what it keeps. An error stops the line and means a bug: a full disk
// or a slow peer is a counted loss, not an error.
type Stage interface {
	Handle(ctx context.Context, b *event.Batch) error
}

// Run pumps src through stages, in order, in one goroutine, until src ends or
// ctx is done. It waits for src before it returns, and releases what src sent
// after a stage failed.
func Run(ctx context.Context, src Source, stages ...Stage) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	batches := make(chan *event.Batch)
	var g errgroup.Group
	g.Go(func() error {
		defer close(batches)
		if err := src.Run(ctx, batches); err != nil && !errors.Is(err, context.Canceled) {
			return fmt.Errorf("collect: %w", err)
		}
		return nil
	})
	var failed error
	for b := range batches {
		if failed != nil {
			b.Release()
			continue
		}
		if failed = handle(ctx, b, stages); failed != nil {
			cancel()
		}
	}
	return cmp.Or(failed, g.Wait())
}

func handle(ctx context.Context, b *event.Batch, stages []Stage) error {
	defer b.Release()
	for _, s := range stages {
		if err := s.Handle(ctx, b); err != nil {
			return fmt.Errorf("stage %T: %w", s, err)
		}
	}
	return nil
}
