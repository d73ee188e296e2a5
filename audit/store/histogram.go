package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/gumshoe-ir/gumshoe/audit"
	"github.com/gumshoe-ir/gumshoe/event"
)

const (
	maxColumns  = 1000
	graphBudget = 400 * time.Millisecond // for graphs that must look at rows
)

// Histogram counts from the minute counts where the filter allows it and the
// columns are minutes or more, else from rows.
func (db *DB) Histogram(ctx context.Context, q audit.HistogramQuery) (audit.Histogram, error) {
	s, err := newSearch(q.Selection)
	if err != nil {
		return audit.Histogram{}, err
	}
	s.deadline = time.Now().Add(graphBudget)
	list, err := days(db.opt.Dir)
	if err != nil {
		return audit.Histogram{}, fmt.Errorf("list store: %w", err)
	}
	if err := db.bound(ctx, s, list); err != nil {
		return audit.Histogram{}, err
	}
	h := layout(s, q.Columns)
	if len(h.Columns) == 0 {
		return h, nil
	}
	for _, d := range list {
		if !s.touches(d) {
			continue
		}
		err := db.ask(ctx, d, func(r *reader) error { return r.count(ctx, s, &h) })
		if err != nil {
			return audit.Histogram{}, err
		}
	}
	for i := range h.Columns {
		for _, n := range h.Columns[i] {
			h.Total += uint64(n)
		}
	}
	return h, nil
}

// bound gives an open range the ends that the store has.
func (db *DB) bound(ctx context.Context, s *search, list []day) error {
	first, last := uint64(0), uint64(0)
	for _, d := range list {
		if s.Range.Since != 0 && s.Range.Until != 0 {
			return nil
		}
		err := db.ask(ctx, d, func(r *reader) error {
			var lo, hi sql.NullInt64
			err := r.tx.QueryRowContext(ctx, "select (select min(id) from activity), (select max(id) from activity)").Scan(&lo, &hi)
			if err != nil || !lo.Valid {
				return err
			}
			if a := d.start() + uint64(lo.Int64>>16); first == 0 || a < first {
				first = a
			}
			last = max(last, d.start()+uint64(hi.Int64>>16)+1)
			return nil
		})
		if err != nil {
			return err
		}
	}
	if s.Range.Since == 0 {
		s.Range.Since = first
	}
	if s.Range.Until == 0 {
		s.Range.Until = last
	}
	return nil
}

// layout chooses the columns: at most n, whole minutes or whole spans when they
// are that wide, so that counts fill them.
func layout(s *search, n int) audit.Histogram {
	h := audit.Histogram{Exact: true}
	since, until := s.Range.Since, s.Range.Until
	if n = min(n, maxColumns); n <= 0 || since >= until {
		return h
	}
	h.Start, h.Step = since, max((until-since+uint64(n)-1)/uint64(n), 1)
	if h.Step >= minuteNS {
		unit := minuteNS
		if h.Step >= 3*spanNS {
			unit = spanNS
		}
		h.Start -= h.Start % unit
		until += (unit - until%unit) % unit
		units := (until - h.Start) / unit
		h.Step = (units + uint64(n) - 1) / uint64(n) * unit
	}
	h.Columns = make([][event.Kinds]uint32, (until-h.Start+h.Step-1)/h.Step)
	s.Range = audit.Range{Since: h.Start, Until: h.Start + uint64(len(h.Columns))*h.Step}
	return h
}

// count adds r's rows to h.
func (r *reader) count(ctx context.Context, s *search, h *audit.Histogram) error {
	p, err := r.plan(ctx, s, false)
	if err != nil {
		return err
	}
	byMinute := h.Step%minuteNS == 0 && h.Start%minuteNS == 0
	switch whos, only := p.counted(); {
	case p.cond.op == never:
		return nil
	case byMinute && only:
		return r.countMinutes(ctx, p.counts(in(whos)), s, h)
	case p.cond.exact && !s.sample:
		return r.countRows(ctx, s, p, h)
	}
	return r.countMatches(ctx, s, h)
}

// countMinutes adds up counts of minutes, or of spans where columns are whole
// spans.
func (r *reader) countMinutes(ctx context.Context, where string, s *search, h *audit.Histogram) error {
	lo, hi := s.rows(r.day)
	from, to := minuteOf(lo), minuteOf(hi)
	spans := h.Step%spanNS == 0 && h.Start%spanNS == 0
	columns := sums
	if spans {
		columns = "sum(n)"
	}
	text := fmt.Sprintf("select span, kind, %s from share where %s and span between %d and %d group by span, kind",
		columns, where, from/spanMinutes, to/spanMinutes)
	return r.query(ctx, text, func(rows *sql.Rows) error {
		var span, kind int64
		var counts minuteCounts
		var err error
		if spans {
			err = rows.Scan(&span, &kind, &counts[0])
		} else {
			err = counts.scan(rows, &span, &kind)
		}
		for i, n := range counts {
			minute := span*spanMinutes + int64(i)
			if err != nil || n == 0 || !spans && (minute < from || minute > to) {
				continue
			}
			err = addTo(h, r.day.start()+uint64(minute)*minuteNS, kind, n)
		}
		return err
	})
}

func addTo(h *audit.Histogram, ns uint64, kind, n int64) error {
	col := (ns - h.Start) / h.Step
	if ns < h.Start || col >= uint64(len(h.Columns)) || kind < 0 || kind >= int64(event.Kinds) || n < 0 {
		return fmt.Errorf("count of kind %d at %d: %w", kind, ns, errCodec)
	}
	h.Columns[col][kind] += uint32(n)
	return nil
}

// countRows counts in SQL, where the condition is exact.
func (r *reader) countRows(ctx context.Context, s *search, p *plan, h *audit.Histogram) error {
	lo, hi := s.rows(r.day)
	before := earlier(s.deadline, time.Now().Add(graphBudget/2))
	timed, cancel := context.WithDeadline(ctx, before)
	defer cancel()
	mine := like(h)
	text := fmt.Sprintf("select ((a.id >> 16) + %d) / %d as col, a.kind, count(*) from %s and %s group by col, a.kind",
		int64(r.day.start()-h.Start), int64(h.Step), p.count(lo, hi), p.where())
	err := r.query(timed, text, func(rows *sql.Rows) error {
		var col, kind, n int64
		if err := rows.Scan(&col, &kind, &n); err != nil {
			return err
		}
		return addTo(mine, h.Start+uint64(col)*h.Step, kind, n)
	})
	switch {
	case err == nil:
		add(h, mine)
		return nil
	case ctx.Err() == nil && timed.Err() != nil:
		s.sample = true
		return r.estimate(ctx, s, h)
	}
	return err
}

// count is the table and the rows to count: where one index leads to all of
// them it also has their kinds, and rows need not be read.
func (p *plan) count(lo, hi int64) string {
	if len(p.drives) != 1 || p.cond.op != set || p.drives[0].table != "activity" {
		return p.from(lo, hi)
	}
	return fmt.Sprintf("activity a indexed by activity_%s where a.id between %d and %d", p.drives[0].column, lo, hi)
}
