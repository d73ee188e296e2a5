package store

import (
	"context"
	"time"

	"github.com/gumshoe-ir/gumshoe/audit"
	"github.com/gumshoe-ir/gumshoe/event"
)

const (
	matchBudget = 100 * time.Millisecond // to count activities one by one
	sampleRows  = 64                     // of each column, when that takes longer
)

// countMatches counts what only whole activities tell: one by one while time
// lasts, else by samples, in this file and all that follow.
func (r *reader) countMatches(ctx context.Context, s *search, h *audit.Histogram) error {
	byMinute := h.Step%minuteNS == 0 && h.Start%minuteNS == 0
	if !s.sample || !byMinute {
		mine := like(h)
		one := *s
		one.need = maxRows
		if byMinute {
			one.deadline = earlier(s.deadline, time.Now().Add(matchBudget))
		}
		whole, err := r.matches(ctx, &one, mine)
		if err != nil {
			return err
		}
		if s.sample = !whole; whole || !byMinute {
			h.Exact = h.Exact && whole
			add(h, mine)
			return nil
		}
	}
	return r.estimate(ctx, s, h)
}

// estimate adds to h what samples of r's rows say, where counts of minutes say
// how many rows there are.
func (r *reader) estimate(ctx context.Context, s *search, h *audit.Histogram) error {
	h.Exact = false
	if h.Step%minuteNS != 0 || h.Start%minuteNS != 0 {
		return nil
	}
	all := like(h)
	p := &plan{cond: term{op: always, exact: true}, kinds: s.Kinds}
	if err := r.countMinutes(ctx, p.counts(in([]int64{everyone})), s, all); err != nil {
		return err
	}
	return r.samples(ctx, s, all, h)
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// like is an empty graph of h's columns.
func like(h *audit.Histogram) *audit.Histogram {
	return &audit.Histogram{Start: h.Start, Step: h.Step, Columns: make([][event.Kinds]uint32, len(h.Columns))}
}

func add(to, h *audit.Histogram) {
	for i := range h.Columns {
		for k, n := range h.Columns[i] {
			to.Columns[i][k] += n
		}
	}
}

// matches counts activities newest first, and reports whether time sufficed.
func (r *reader) matches(ctx context.Context, s *search, h *audit.Histogram) (bool, error) {
	for {
		found, _, done, err := r.search(ctx, s)
		if err != nil {
			return false, err
		}
		for i := range found {
			if err := addTo(h, found[i].ID.NS, int64(found[i].Kind), 1); err != nil {
				return false, err
			}
		}
		if !done || len(found) < maxRows {
			return done, nil
		}
		if time.Now().After(s.deadline) {
			return false, nil
		}
		s.after = found[len(found)-1].ID
	}
}

// samples adds to h, for each column of which all says how many rows it has,
// the share that some in its middle have in what s wants.
func (r *reader) samples(ctx context.Context, s *search, all, h *audit.Histogram) error {
	n := len(all.Columns)
	stride := 1 // visits all columns, far apart, lest time run out at one end
	for _, prime := range []int{89, 53, 31, 7} {
		if n%prime != 0 {
			stride = prime
			break
		}
	}
	p := &plan{cond: term{op: always, exact: true}, kinds: s.Kinds}
	for i := range n {
		col := i * stride % n
		total := uint64(0)
		for _, c := range all.Columns[col] {
			total += uint64(c)
		}
		if total == 0 {
			continue
		}
		if time.Now().After(s.deadline) {
			return nil
		}
		since := h.Start + uint64(col)*h.Step
		lo, hi := r.day.firstRow(since), r.day.firstRow(since+h.Step)-1
		rows, err := r.sample(ctx, p, lo, hi)
		if err != nil {
			return err
		}
		var wanted [event.Kinds]uint64
		for i := range rows {
			if s.wants(&rows[i]) {
				wanted[rows[i].Kind]++
			}
		}
		for k, w := range wanted {
			h.Columns[col][k] += uint32(total * w / uint64(max(len(rows), 1)))
		}
	}
	return nil
}

// sample is some rows from the middle between lo and hi, or whatever there is.
func (r *reader) sample(ctx context.Context, p *plan, lo, hi int64) ([]event.Activity, error) {
	lines, _, _, err := r.lines(ctx, p, lo+(hi-lo)/2, hi, true, sampleRows)
	if err == nil && len(lines) < sampleRows {
		lines, _, _, err = r.lines(ctx, p, lo, hi, true, sampleRows)
	}
	if err != nil {
		return nil, err
	}
	return r.load(ctx, lines)
}
