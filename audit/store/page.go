package store

import (
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"time"

	"github.com/gumshoe-ir/gumshoe/audit"
	"github.com/gumshoe-ir/gumshoe/event"
)

const (
	maxChunk = 4096
	// A condition that takes long to make is made when after quickRows rows
	// judged without it the page is not a quarter as full as it should be.
	quickRows  = 2000
	pageRows   = 100
	maxRows    = 1000
	pageBudget = 200 * time.Millisecond // then a page says how far it came
)

// Page answers q from the newest or oldest day on. Damaged files are left out
// and told of in Stats.
func (db *DB) Page(ctx context.Context, q audit.Query) (audit.Page, error) {
	if q.Limit <= 0 {
		q.Limit = pageRows
	}
	q.Limit = min(q.Limit, maxRows)
	s, err := newSearch(q.Selection)
	if err != nil {
		return audit.Page{}, err
	}
	s.forward, s.after, s.need, s.deadline = q.Forward, q.After, q.Limit+1, time.Now().Add(db.budget)
	list, err := days(db.opt.Dir)
	if err != nil {
		return audit.Page{}, fmt.Errorf("list store: %w", err)
	}
	if !q.Forward {
		slices.Reverse(list)
	}
	var page audit.Page
	for len(list) > 0 && len(page.Rows) <= q.Limit && page.Scanned.IsZero() {
		n := 1
		for n < len(list) && list[n].date == list[0].date {
			n++
		}
		if err := db.pageDay(ctx, s, list[:n], &page); err != nil {
			return audit.Page{}, err
		}
		list = list[n:]
	}
	page.More = len(page.Rows) > q.Limit || !page.Scanned.IsZero()
	if len(page.Rows) > q.Limit {
		page.Rows, page.Scanned = page.Rows[:q.Limit], event.ID{}
	}
	return page, nil
}

// pageDay adds the rows of one date, which several hosts may have.
func (db *DB) pageDay(ctx context.Context, s *search, hosts []day, page *audit.Page) error {
	var rows []event.Activity
	reached := s.end(hosts[0])
	whole := true
	for _, d := range hosts {
		if !s.touches(d) {
			continue
		}
		found, to, done, err := db.searchDay(ctx, s, d)
		if err != nil {
			return err
		}
		rows = append(rows, found...)
		if !done {
			whole = false
			if s.before(to, reached) {
				reached = to
			}
		}
	}
	slices.SortFunc(rows, func(a, b event.Activity) int {
		if s.forward {
			return a.ID.Compare(b.ID)
		}
		return b.ID.Compare(a.ID)
	})
	if whole {
		page.Rows = append(page.Rows, rows...)
		s.need -= len(rows)
		return nil
	}
	for i := range rows {
		if !s.before(rows[i].ID.NS, reached) && rows[i].ID.NS != reached {
			break
		}
		page.Rows = append(page.Rows, rows[i])
	}
	page.Scanned = event.ID{NS: reached}
	if s.forward {
		page.Scanned = event.ID{NS: reached, Host: math.MaxUint32, CPU: math.MaxUint16, Ord: math.MaxUint16}
	}
	return nil
}

// searchDay is d's part of a page; a file that cannot be read has none.
func (db *DB) searchDay(ctx context.Context, s *search, d day) (rows []event.Activity, to uint64, done bool, err error) {
	err = db.ask(ctx, d, func(r *reader) error {
		rows, to, done, err = r.search(ctx, s)
		return err
	})
	if rows == nil && err == nil && to == 0 {
		done = true // nothing there
	}
	return rows, to, done, err
}

// ask calls f with d's reader, if there is one. Damage is noted, and the file
// answers nothing.
func (db *DB) ask(ctx context.Context, d day, f func(*reader) error) error {
	r, err := db.readers.get(ctx, d)
	if err == nil && r != nil {
		err = r.snapshot(ctx, f)
	}
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case isDamage(err) || errors.Is(err, errCodec) || errors.Is(err, errNotOurs):
		db.note(d.name(), fmt.Sprintf("%s is damaged, its rows may be missing: %v", d.name(), err))
		return nil
	case db.readers.gone(d):
		return nil // unlinked by retention meanwhile
	}
	return fmt.Errorf("ask %s: %w", filepath.Base(d.name()), err)
}

// search is one page's question, to be put to day after day.
type search struct {
	audit.Selection
	match    func(event.Record) bool // nil: all
	forward  bool
	after    event.ID
	need     int
	deadline time.Time
	sample   bool // a graph has no time to count what it must judge
}

func newSearch(sel audit.Selection) (*search, error) {
	s := &search{Selection: sel}
	if sel.Filter == nil {
		return s, nil
	}
	var err error
	s.match, err = compile(sel.Filter)
	return s, err
}

// rows is the part of d that the range and the cursor leave, both ends included.
func (s *search) rows(d day) (lo, hi int64) {
	lo, hi = d.firstRow(s.Range.Since), int64(dayNS)<<16-1
	if s.Range.Until != 0 {
		hi = d.firstRow(s.Range.Until) - 1
	}
	if s.after.IsZero() {
		return lo, hi
	}
	if s.forward {
		return max(lo, d.firstRow(s.after.NS)), hi
	}
	return lo, min(hi, d.firstRow(s.after.NS+1)-1)
}

func (s *search) touches(d day) bool {
	lo, hi := s.rows(d)
	return lo <= hi
}

// end is where a search of d is done.
func (s *search) end(d day) uint64 {
	if s.forward {
		return d.end()
	}
	return d.start()
}

// before reports whether the search meets instant a before b.
func (s *search) before(a, b uint64) bool {
	if s.forward {
		return a < b
	}
	return a > b
}

// wants reports whether a, whose row was selected, belongs into the answer.
func (s *search) wants(a *event.Activity) bool {
	if !s.after.IsZero() {
		if c := a.ID.Compare(s.after); c == 0 || (c > 0) != s.forward {
			return false
		}
	}
	return s.Kinds.Has(a.Kind) && (s.match == nil || s.match(a))
}

// search finds rows in r's file. When time runs out done is false, and all
// rows up to and with instant to have been seen.
func (r *reader) search(ctx context.Context, s *search) (out []event.Activity, to uint64, done bool, err error) {
	lo, hi := s.rows(r.day)
	p, err := r.plan(ctx, s, true)
	if err != nil {
		return nil, 0, false, err
	}
	judged := 0
	w := window{lo: lo, hi: hi, forward: s.forward, width: p.width()}
	chunk := chunkFor(s)
	for w.lo <= w.hi && len(out) < s.need {
		if err := p.skip(ctx, r, &w); err != nil || w.lo > w.hi {
			return out, 0, true, err
		}
		from, upto := w.next()
		lines, seen, cut, err := r.lines(ctx, p, from, upto, s.forward, chunk)
		if err != nil {
			return nil, 0, false, err
		}
		acts, err := r.load(ctx, lines)
		if err != nil {
			return nil, 0, false, err
		}
		before := len(out)
		for i := range acts {
			if s.wants(&acts[i]) {
				out = append(out, acts[i])
			}
		}
		judged += len(lines)
		if p.quick && judged > quickRows && len(out) < s.need && len(out)*4*quickRows < s.need*judged {
			if p, err = r.plan(ctx, s, false); err != nil {
				return nil, 0, false, err
			}
			w.width = p.width()
		}
		if len(out)-before < chunk/4 {
			chunk = min(chunk*2, maxChunk)
		}
		if cut {
			w.done(seen, s.forward)
		} else {
			w.through(from, upto)
			w.width = min(w.width, dayRows/4) * 4
		}
		if time.Now().After(s.deadline) && w.lo <= w.hi && len(out) < s.need {
			return out, w.reached(r.day), false, nil
		}
	}
	return sorted(out, s.forward), 0, true, nil
}

// sorted puts activities of one instant into the order of their ids.
func sorted(a []event.Activity, forward bool) []event.Activity {
	slices.SortStableFunc(a, func(x, y event.Activity) int {
		if forward {
			return x.ID.Compare(y.ID)
		}
		return y.ID.Compare(x.ID)
	})
	return a
}

// chunkFor is how many lines to fetch at once.
func chunkFor(s *search) int {
	if s.match == nil {
		return s.need + 1
	}
	return min(max(s.need+1, 64), maxRows+1)
}

const dayRows = int64(dayNS) << 16

// window is what is left of a day to search.
type window struct {
	lo, hi  int64
	forward bool
	width   int64
}

// next is the part to look at now, both ends included.
func (w *window) next() (lo, hi int64) {
	switch {
	case w.hi-w.lo < w.width: // the sums below would overflow in the evening
		return w.lo, w.hi
	case w.forward:
		return w.lo, w.lo + w.width - 1
	}
	return w.hi - w.width + 1, w.hi
}

// through marks a part as seen.
func (w *window) through(lo, hi int64) {
	if w.forward {
		w.lo = hi + 1
	} else {
		w.hi = lo - 1
	}
}

// done marks all up to row's instant as seen, and the instant itself.
func (w *window) done(row int64, forward bool) {
	if forward {
		w.lo = (row | 0xffff) + 1
	} else {
		w.hi = row&^0xffff - 1
	}
}

// reached is the last instant wholly seen.
func (w *window) reached(d day) uint64 {
	if w.forward {
		return d.start() + uint64(w.lo>>16) - 1
	}
	return d.start() + uint64((w.hi+1)>>16)
}
