package main

import (
	"context"
	"errors"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/gumshoe-ir/gumshoe/audit"
	"github.com/gumshoe-ir/gumshoe/audit/store"
	"github.com/gumshoe-ir/gumshoe/event"
)

const (
	// followGap is the least time between two looks at the store.
	followGap = 200 * time.Millisecond
	// disorder is how late a row may be stored behind younger ones.
	disorder = uint64(2 * time.Second)
)

// withLive runs f over a trail that grows: the store of the engine that writes
// it, or of one started here when there is none.
func (p *program) withLive(ctx context.Context, c *config, f func(context.Context, audit.Trail, <-chan struct{}) error) error {
	e, err := p.startEngine(ctx, c, forListing)
	switch {
	case errors.Is(err, store.ErrLocked):
		return p.beside(ctx, c, f)
	case err != nil:
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var g errgroup.Group
	g.Go(func() error { defer cancel(); return e.run(ctx, c) })
	changed, stop := e.feed.Watch()
	err = f(ctx, e.store, changed)
	stop()
	cancel()
	return errors.Join(err, g.Wait(), e.close())
}

// beside follows a store that another process writes, by looking at it.
func (p *program) beside(ctx context.Context, c *config, f func(context.Context, audit.Trail, <-chan struct{}) error) error {
	db, err := openReader(ctx, c)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	changed := make(chan struct{}, 1)
	var clock sync.WaitGroup
	clock.Go(func() {
		tick := time.NewTicker(followGap)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			select {
			case changed <- struct{}{}:
			default:
			}
		}
	})
	err = f(ctx, db, changed)
	cancel()
	clock.Wait()
	return errors.Join(err, db.Close())
}

// followActivity prints what is there and then what comes, each activity once
// and as it was when first seen.
func followActivity(ctx context.Context, trail audit.Trail, changed <-chan struct{}, s audit.Selection, limit int, out *rowWriter) error {
	now := uint64(time.Now().UnixNano())
	switch {
	case limit > 0:
		s.Range.Until = now
		if err := listActivity(ctx, trail, s, limit, out); err != nil {
			return err
		}
		s.Range = audit.Range{Since: now}
	case s.Range.Since == 0:
		s.Range.Since = now // no past unless asked for
	}
	f := follower{out: out, seen: map[event.ID]struct{}{}, newest: s.Range.Since}
	for {
		select {
		case <-ctx.Done():
			return noneOr(out.rows, nil)
		case <-changed:
		}
		if err := pages(ctx, trail, audit.Query{Selection: s, Forward: true, Limit: 1000}, f.take); err != nil {
			return err
		}
		s.Range.Since = max(s.Range.Since, f.newest-min(f.newest, disorder))
		pause(ctx, followGap)
	}
}

// follower tells new rows from those of the last look, which overlaps: rows
// may be stored a little out of order.
type follower struct {
	out    *rowWriter
	seen   map[event.ID]struct{} // of the last disorder before newest
	newest uint64
}

func (f *follower) take(rows []event.Activity) (bool, error) {
	fresh := rows[:0]
	for _, a := range rows {
		if _, known := f.seen[a.ID]; !known {
			f.seen[a.ID] = struct{}{}
			f.newest = max(f.newest, a.ID.NS)
			fresh = append(fresh, a)
		}
	}
	for id := range f.seen {
		if id.NS+disorder < f.newest {
			delete(f.seen, id)
		}
	}
	return true, f.out.write(fresh)
}

// pause waits, or until ctx is done.
func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
