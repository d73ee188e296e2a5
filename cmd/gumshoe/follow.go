package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"slices"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"

	"github.com/gumshoe-ir/gumshoe/audit"
	"github.com/gumshoe-ir/gumshoe/audit/store"
	"github.com/gumshoe-ir/gumshoe/event"
)

const (
	// followGap is the least time between two looks at the store.
	followGap = 200 * time.Millisecond
	// disorder is how late a row may be stored behind younger ones.
	disorder = uint64(2 * time.Second)
	// lateness is how late one may be that is still found by looking back.
	lateness = uint64(time.Minute)
	// readerGap is how long a reader that went away may stay unnoticed at the end.
	readerGap = 500 * time.Millisecond
)

// withLive runs f over a trail that grows: the store of the engine that writes
// it, or of one started here when there is none.
func (p *program) withLive(ctx context.Context, c *config, f func(context.Context, audit.Trail, <-chan struct{}) error) error {
	ctx, unwatch := whileRead(ctx, p.stdout)
	defer unwatch()
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
	p.warn(db)
	cancel()
	clock.Wait()
	return errors.Join(err, db.Close())
}

// followActivity prints what is there and then what comes: each activity as it
// was when first seen, and once more when its end became known.
func followActivity(ctx context.Context, trail audit.Trail, changed <-chan struct{}, s audit.Selection, limit int, out *rowWriter) error {
	now := uint64(time.Now().UnixNano())
	f := newFollower(out, now)
	switch {
	case limit > 0:
		s.Range.Until = now
		rows, err := newestRows(ctx, trail, s, limit)
		if err != nil {
			return err
		}
		if _, err := f.take(rows); err != nil {
			return err
		}
		s.Range = audit.Range{Since: now}
		f.floor, f.below = now, now
	case s.Range.Since == 0:
		s.Range.Since = now // no past unless asked for
	}
	first := s.Range.Since
	for {
		select {
		case <-ctx.Done():
			return noneOr(out.rows, nil)
		case <-changed:
		}
		if err := pages(ctx, trail, audit.Query{Selection: s, Forward: true, Limit: 1000}, f.take); err != nil {
			return err
		}
		if err := f.lookAgain(ctx, trail, s); err != nil {
			return err
		}
		s.Range.Since = max(first, f.since(time.Now()))
		pause(ctx, followGap)
	}
}

const (
	seenAtOnce = 25_000           // ids in one generation of follower.seen
	lookBack   = 10 * time.Second // between two looks for rows that came later than disorder
	openAtOnce = 4096             // activities without an end that are watched
	openLook   = 32               // of them at one look
)

// follower tells new rows from those of earlier looks, which overlap: rows may
// be stored out of order.
type follower struct {
	out    *rowWriter
	newest uint64
	// seen and old are ids and whether their end was printed, in two
	// generations: all since floor, and those of seen since below.
	seen, old    map[event.ID]bool
	floor, below uint64
	looked       time.Time  // when all since floor were last looked at
	open         []event.ID // printed without an end, the next to look at first
}

func newFollower(out *rowWriter, now uint64) *follower {
	return &follower{out: out, newest: now, seen: map[event.ID]bool{}, old: map[event.ID]bool{}, looked: time.Now()}
}

// since is where the next look begins: a little before the newest row, and from
// time to time as far back as rows are remembered.
func (f *follower) since(now time.Time) uint64 {
	if now.Sub(f.looked) >= lookBack {
		f.looked = now
		return max(f.floor, f.newest-min(f.newest, lateness))
	}
	return max(f.floor, f.newest-min(f.newest, disorder))
}

// take prints rows that are new or have ended since.
func (f *follower) take(rows []event.Activity) (bool, error) {
	fresh := rows[:0]
	for _, a := range rows {
		if f.wanted(&a) {
			fresh = append(fresh, a)
		}
	}
	return true, f.out.write(fresh)
}

func (f *follower) wanted(a *event.Activity) bool {
	if a.ID.NS < f.floor {
		return false // its id may have been forgotten
	}
	ended, known := f.seen[a.ID]
	if !known {
		ended, known = f.old[a.ID]
	}
	if known && (ended || a.End == 0) {
		return false
	}
	if a.End == 0 && (a.Kind == event.Command || a.Kind == event.Connection) {
		f.open = append(f.open, a.ID)
		f.open = f.open[max(0, len(f.open)-openAtOnce):]
	}
	if len(f.seen) >= seenAtOnce {
		f.floor, f.below = f.below, f.newest+1
		f.old, f.seen = f.seen, make(map[event.ID]bool, seenAtOnce)
	}
	f.seen[a.ID] = a.End != 0
	f.newest = max(f.newest, a.ID.NS)
	return true
}

// lookAgain prints what ended of a few activities that had not.
func (f *follower) lookAgain(ctx context.Context, trail audit.Trail, s audit.Selection) error {
	for range min(openLook, len(f.open)) {
		id := f.open[0]
		f.open = f.open[1:]
		if ended, known := f.seen[id]; known && ended {
			continue
		}
		s.Range = audit.Range{Since: id.NS, Until: id.NS + 1}
		page, err := trail.Page(ctx, audit.Query{Selection: s, Forward: true, Limit: 100})
		if err != nil {
			return err
		}
		at := slices.IndexFunc(page.Rows, func(a event.Activity) bool { return a.ID == id })
		switch {
		case at < 0: // forgotten, or its end made the filter pass it over
		case page.Rows[at].End == 0:
			f.open = append(f.open, id)
		default:
			f.seen[id] = true
			if err := f.out.write(page.Rows[at : at+1]); err != nil {
				return err
			}
		}
	}
	return nil
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

// whileRead is ctx until out, when it is a pipe or a socket, has nobody left
// to read it: without rows no write would tell. The caller calls stop.
func whileRead(ctx context.Context, out any) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	stop := func() { cancel(nil) }
	file, ok := out.(*os.File)
	if !ok {
		return ctx, stop
	}
	info, err := file.Stat()
	if err != nil || info.Mode().Type()&(fs.ModeNamedPipe|fs.ModeSocket) == 0 {
		return ctx, stop
	}
	var watch sync.WaitGroup
	watch.Go(func() {
		for ctx.Err() == nil {
			one := []unix.PollFd{{Fd: int32(file.Fd())}} // errors are told unasked
			if n, err := unix.Poll(one, int(readerGap.Milliseconds())); n > 0 || err != nil && !errors.Is(err, unix.EINTR) {
				cancel(syscall.EPIPE)
			}
		}
	})
	return ctx, func() { stop(); watch.Wait() }
}
