package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/gumshoe-ir/gumshoe/audit"
	"github.com/gumshoe-ir/gumshoe/audit/store"
	"github.com/gumshoe-ir/gumshoe/event"
	"github.com/gumshoe-ir/gumshoe/event/safe"
	"github.com/gumshoe-ir/gumshoe/rules/filter"
)

// maxLimit bounds --limit: that many rows are held at once.
const maxLimit = 100_000

// listing is what the commands that print rows share.
type listing struct {
	json, follow        bool
	since, until, query string
	limit               int
}

func (l *listing) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.BoolVar(&l.json, "json", false, "one JSON object per line")
	f.StringVar(&l.since, "since", "", "from then on: a duration like 10m, or a time as RFC 3339")
	f.StringVar(&l.until, "until", "", "up to then, exclusive")
	f.StringVar(&l.query, "filter", "", "condition, as in the console's filter bar")
	f.BoolVar(&l.follow, "follow", false, "go on with what comes")
	f.IntVar(&l.limit, "limit", 0, "the newest so many rows only")
}

// selection reads the flags; what makes no sense is a usage error.
func (l *listing) selection(now time.Time, on event.Applies) (audit.Selection, error) {
	var s audit.Selection
	var err error
	if s.Range.Since, err = instant("--since", l.since, now); err != nil {
		return s, err
	}
	if s.Range.Until, err = instant("--until", l.until, now); err != nil {
		return s, err
	}
	if r := s.Range; r.Until != 0 && r.Since >= r.Until {
		return s, usage("--since is not before --until")
	}
	if s.Filter, err = condition(l.query, on); err != nil {
		return s, err
	}
	if l.limit < 0 || l.limit > maxLimit {
		return s, usage("--limit %d: want 0 to %d", l.limit, maxLimit)
	}
	if l.follow && l.until != "" {
		return s, usage("--follow and --until do not go together")
	}
	return s, nil
}

// condition reads --filter; fields that records of this kind never answer are
// refused, as nothing would match.
func condition(text string, on event.Applies) (filter.Node, error) {
	n, err := filter.ParseBar(text)
	if err == nil && n != nil {
		err = filter.Restrict(n, on)
	}
	var at *filter.Error
	if errors.As(err, &at) {
		return nil, usage("--filter: %s", at.Line())
	}
	if err != nil {
		return nil, usage("--filter: %w", err)
	}
	return n, nil
}

// instant is a time as people type it, 0 when they did not.
func instant(flag, text string, now time.Time) (uint64, error) {
	if text == "" {
		return 0, nil
	}
	if d, err := time.ParseDuration(text); err == nil {
		if d < 0 {
			d = -d
		}
		return uint64(max(1, now.Add(-d).UnixNano())), nil
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil || t.Year() < 1970 || t.Year() > 2200 {
		return 0, usage("%s %q: want a duration like 10m or 36h, or a time like 2026-01-31T15:04:05Z", flag, text)
	}
	return uint64(max(1, t.UnixNano())), nil
}

func (p *program) activityCommand() *cobra.Command {
	var l listing
	cmd := &cobra.Command{
		Use: "activity", Short: "List who did what", Args: cobra.NoArgs,
		Long: "activity lists who did what, oldest first, without a range all that is kept. With --follow it goes on: each\n" +
			"activity is printed when it begins, and commands and connections again, with the same id, when they have ended.",
		RunE: p.do(func(ctx context.Context, _ []string) error { return p.activity(ctx, l) }),
	}
	l.flags(cmd)
	return cmd
}

func (p *program) activity(ctx context.Context, l listing) error {
	s, err := l.selection(time.Now(), event.OnActivity)
	if err != nil {
		return err
	}
	c, err := p.load()
	if err != nil {
		return err
	}
	out := p.activityWriter(l.json)
	if l.follow {
		return p.withLive(ctx, c, func(ctx context.Context, trail audit.Trail, changed <-chan struct{}) error {
			return followActivity(ctx, trail, changed, s, l.limit, out)
		})
	}
	db, err := openReader(ctx, c)
	if err != nil {
		return err
	}
	err = listActivity(ctx, db, s, l.limit, out)
	p.warn(db)
	return noneOr(out.rows, errors.Join(err, db.Close()))
}

// warn says what of db cannot be read: rows are missing from what was printed.
func (p *program) warn(db *store.DB) {
	if problem := db.Stats().Problem; problem != "" {
		fmt.Fprintln(p.stderr, "gumshoe:", safe.Line(problem, 4096))
	}
}

// noneOr is err, or exit code 1 when nothing was found.
func noneOr(rows int, err error) error {
	if err == nil && rows == 0 {
		return &exit{code: exitNone}
	}
	return err
}

// openReader opens the store to ask it.
func openReader(ctx context.Context, c *config) (*store.DB, error) {
	if _, err := os.Stat(c.Store.Dir); err != nil {
		if errors.Is(err, os.ErrNotExist) {
			return nil, &exit{exitNone, fmt.Errorf("no audit trail in %s: start gumshoe there first, or name its folder with --store", c.Store.Dir)}
		}
		return nil, storeError(err)
	}
	db, err := store.Open(ctx, store.Options{Dir: c.Store.Dir, ReadOnly: true})
	if err != nil {
		return nil, storeError(err)
	}
	return db, nil
}

// rowWriter prints activities and counts them.
type rowWriter struct {
	w    io.Writer
	form func(dst []byte, a *event.Activity) ([]byte, error)
	head string // before the first row
	rows int
	buf  []byte
}

func (p *program) activityWriter(asJSON bool) *rowWriter {
	if asJSON {
		return &rowWriter{w: p.stdout, form: appendActivity}
	}
	t := activityTable(width(p.stdout))
	return &rowWriter{w: p.stdout, head: t.head(), form: func(dst []byte, a *event.Activity) ([]byte, error) {
		return append(dst, t.line(activityCells(a))...), nil
	}}
}

// write prints rows in one piece.
func (w *rowWriter) write(rows []event.Activity) error {
	w.buf = w.buf[:0]
	if w.rows == 0 && len(rows) > 0 {
		w.buf = append(w.buf, w.head...)
	}
	for i := range rows {
		var err error
		if w.buf, err = w.form(w.buf, &rows[i]); err != nil {
			return err
		}
	}
	w.rows += len(rows)
	if len(w.buf) == 0 {
		return nil
	}
	_, err := w.w.Write(w.buf)
	return err
}

// listActivity prints s, oldest first; of many only the newest limit.
func listActivity(ctx context.Context, trail audit.Trail, s audit.Selection, limit int, out *rowWriter) error {
	if limit > 0 {
		rows, err := newestRows(ctx, trail, s, limit)
		return errors.Join(err, out.write(rows))
	}
	return pages(ctx, trail, audit.Query{Selection: s, Forward: true, Limit: 1000}, func(rows []event.Activity) (bool, error) {
		return true, out.write(rows)
	})
}

// newestRows are the newest limit rows of s, oldest first; with an error, those
// that were read.
func newestRows(ctx context.Context, trail audit.Trail, s audit.Selection, limit int) ([]event.Activity, error) {
	var newest []event.Activity
	err := pages(ctx, trail, audit.Query{Selection: s, Limit: min(limit, 1000)}, func(rows []event.Activity) (bool, error) {
		newest = append(newest, rows[:min(len(rows), limit-len(newest))]...)
		return len(newest) < limit, nil
	})
	slices.Reverse(newest)
	return newest, err
}

// pages reads q page by page until take has enough.
func pages(ctx context.Context, trail audit.Trail, q audit.Query, take func([]event.Activity) (more bool, err error)) error {
	for {
		page, err := trail.Page(ctx, q)
		if err != nil {
			return err
		}
		more, err := take(page.Rows)
		if err != nil || !more {
			return err
		}
		switch {
		case !page.Scanned.IsZero():
			q.After = page.Scanned
		case page.More && len(page.Rows) > 0:
			q.After = page.Rows[len(page.Rows)-1].ID
		default:
			return nil
		}
	}
}
