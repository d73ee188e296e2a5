// Package faketrail is an audit trail of any length that is computed, not
// stored: the console's tests, benchmarks and demo read it. It is the same on
// every run.
package faketrail

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gumshoe-ir/gumshoe/audit"
	"github.com/gumshoe-ir/gumshoe/event"
	"github.com/gumshoe-ir/gumshoe/rules/filter"
)

// End is the time of the newest activity of a trail that has not grown, and of
// the fixed clock that goes with it.
var End = time.Date(2026, 11, 20, 17, 54, 2, 0, time.UTC)

// Trail has Rows activities, Step apart, the newest at End.
type Trail struct {
	// Match is what a filter other than a word does; nil means it matches all.
	Match func(filter.Node, *event.Activity) bool

	rows  atomic.Uint64
	first uint64 // ns of row 0
	step  uint64
	story *story
}

// New makes a trail of n activities, step apart.
func New(n uint64, step time.Duration) *Trail {
	t := &Trail{step: uint64(step), story: newStory()}
	t.rows.Store(n)
	t.first = uint64(End.UnixNano()) - (n-1)*t.step
	return t
}

// Grow appends n activities.
func (t *Trail) Grow(n uint64) { t.rows.Add(n) }

// Len is how many activities there are.
func (t *Trail) Len() uint64 { return t.rows.Load() }

// Now is the time of the newest activity: a clock that goes with the trail.
func (t *Trail) Now() time.Time {
	return time.Unix(0, int64(t.first+(t.Len()-1)*t.step)).UTC()
}

// scanBudget is how many rows one page looks at, as a store's time budget.
const scanBudget = 20_000

// Page implements audit.Trail.
func (t *Trail) Page(ctx context.Context, q audit.Query) (audit.Page, error) {
	limit := q.Limit
	if limit == 0 {
		limit = 100
	}
	lo, hi := t.bounds(q.Range)
	if !q.After.IsZero() {
		// After is exclusive on both sides of a row's own instant.
		if at := t.index(q.After.NS); q.Forward {
			lo = max(lo, at)
			if lo < hi && t.id(lo).Compare(q.After) <= 0 {
				lo++
			}
		} else {
			hi = min(hi, at)
		}
	}
	var p audit.Page
	for n := 0; lo < hi; n++ {
		if err := ctx.Err(); err != nil {
			return audit.Page{}, err
		}
		i := hi - 1
		if q.Forward {
			i = lo
		}
		if n == scanBudget {
			p.Scanned = t.id(i)
			return p, nil
		}
		if a := t.story.row(i, t.id(i)); t.matches(q.Selection, &a) {
			if len(p.Rows) == limit {
				p.More = true
				return p, nil
			}
			p.Rows = append(p.Rows, a)
		}
		if q.Forward {
			lo++
		} else {
			hi--
		}
	}
	return p, nil
}

func (t *Trail) id(i uint64) event.ID { return event.ID{NS: t.first + i*t.step, CPU: uint16(i & 1)} }

// index is the first row at or behind ns.
func (t *Trail) index(ns uint64) uint64 {
	if ns <= t.first {
		return 0
	}
	return (ns - t.first + t.step - 1) / t.step
}

func (t *Trail) bounds(r audit.Range) (lo, hi uint64) {
	lo, hi = 0, t.Len()
	if r.Since > 0 {
		lo = t.index(r.Since)
	}
	if r.Until > 0 {
		hi = min(hi, t.index(r.Until))
	}
	return lo, max(lo, hi)
}

func (t *Trail) matches(s audit.Selection, a *event.Activity) bool {
	if !s.Kinds.Has(a.Kind) {
		return false
	}
	if s.Filter == nil || t.Match == nil {
		return true
	}
	return t.Match(s.Filter, a)
}

// Histogram implements audit.Trail: shaped from the columns' numbers, so that
// ten million rows cost nothing.
func (t *Trail) Histogram(ctx context.Context, q audit.HistogramQuery) (audit.Histogram, error) {
	if err := ctx.Err(); err != nil {
		return audit.Histogram{}, err
	}
	since, until := q.Range.Since, q.Range.Until
	if since == 0 {
		since = t.first
	}
	if until == 0 {
		until = t.id(t.Len()).NS
	}
	n := max(q.Columns, 1)
	h := audit.Histogram{Start: since, Step: max((until-since)/uint64(n), 1), Columns: make([][event.Kinds]uint32, n), Exact: true}
	for i := range h.Columns {
		from := since + uint64(i)*h.Step
		lo, hi := t.bounds(audit.Range{Since: from, Until: from + h.Step})
		rows := hi - lo
		wave := (from / h.Step * 2654435761 >> 7) % 97
		for k, share := range [event.Kinds]uint64{event.Command: 20, event.Connection: 30, event.File: 45, event.System: 5} {
			m := rows * share / 100
			if k != int(event.Connection) {
				m = m * ((wave*uint64(k+3))%97 + 3) / 60
			}
			h.Columns[i][k] = uint32(m)
			h.Total += m
		}
	}
	return h, nil
}

// Facets implements audit.Trail from the newest activities.
func (t *Trail) Facets(ctx context.Context, q audit.FacetQuery) ([]audit.Facet, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return t.story.facets(q), nil
}

// Tree implements audit.Trail.
func (t *Trail) Tree(ctx context.Context, _ audit.TreeQuery) ([]*event.Process, error) {
	return t.story.procs, ctx.Err()
}

// Status sends one status a tenth of a second after another, each telling of
// what the trail has grown by; it ends with ctx.
func (t *Trail) Status(ctx context.Context) (<-chan event.Status, error) {
	ch := make(chan event.Status, 1)
	go func() {
		defer close(ch)
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case ch <- t.Says():
			}
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
		}
	}()
	return ch, nil
}

// Says is the status of an engine that has this trail.
func (t *Trail) Says() event.Status {
	n := t.Len()
	s := event.Status{
		Now: uint64(t.Now().UnixNano()), Host: "bastion-eu1", Kernel: "6.1.0-18-amd64", Version: "test", Source: "live",
		Events: n * 12, Activities: n, Rate: 412, LagNS: 38e6, RingUsed: 0.02, QueueUsed: 0.01,
		StoreBytes: 4_402_341_478, StoreDays: 6, Processes: len(t.story.procs), Containers: 2, CPUShare: 0.011, RSS: 41 << 20,
	}
	return s
}

// Compiled is a Match that compiles each filter once.
func Compiled(n filter.Node, a *event.Activity) bool {
	p, ok := compiled.Load(n)
	if !ok {
		var err error
		if p, err = filter.Compile(n); err != nil {
			return false
		}
		compiled.Store(n, p)
	}
	return p.(*filter.Predicate).Match(a)
}

var compiled sync.Map
