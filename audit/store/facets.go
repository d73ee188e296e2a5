package store

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gumshoe-ir/gumshoe/audit"
	"github.com/gumshoe-ir/gumshoe/event"
)

const facetBudget = 200 * time.Millisecond

// Facets counts the values of a field, the most frequent first. Fields of the
// container, user and session are counted from the minute counts, others from
// the newest rows as far as time allows.
func (db *DB) Facets(ctx context.Context, q audit.FacetQuery) ([]audit.Facet, error) {
	f, arg, err := event.ParseField(q.Field)
	if err != nil {
		return nil, err
	}
	s, err := newSearch(q.Selection)
	if err != nil {
		return nil, err
	}
	s.deadline = time.Now().Add(facetBudget)
	list, err := days(db.opt.Dir)
	if err != nil {
		return nil, fmt.Errorf("list store: %w", err)
	}
	slices.Reverse(list)
	t := tally{field: f, arg: arg, prefix: q.Prefix, counts: map[string]uint64{}}
	for _, d := range list {
		if !s.touches(d) {
			continue
		}
		if err := db.ask(ctx, d, func(r *reader) error { return r.facets(ctx, s, &t) }); err != nil {
			return nil, err
		}
	}
	return t.top(q.Limit), nil
}

// tally counts the values of a field.
type tally struct {
	field  *event.Field
	arg    string
	prefix string
	counts map[string]uint64
}

func (t *tally) add(a *event.Activity, n uint64) {
	v, ok := a.Value(t.field, t.arg)
	if !ok {
		return
	}
	if text := shown(v); strings.HasPrefix(text, t.prefix) {
		t.counts[text] += n
	}
}

// shown is v as a filter would write it.
func shown(v event.Value) string {
	switch v.Kind {
	case event.Int:
		return strconv.FormatInt(int64(v.Num), 10)
	case event.Uint, event.Reltime, event.Abstime:
		return strconv.FormatUint(v.Num, 10)
	case event.Bool:
		return strconv.FormatBool(v.Num != 0)
	case event.IP:
		return v.Addr.String()
	case event.Net:
		return v.Addr.String() + "/" + strconv.Itoa(int(v.Bits))
	case event.StringList:
		return strings.Join(v.List, ",")
	}
	return v.Str
}

func (t *tally) top(limit int) []audit.Facet {
	if limit <= 0 {
		limit = 10
	}
	out := make([]audit.Facet, 0, len(t.counts))
	for v, n := range t.counts {
		out = append(out, audit.Facet{Value: v, Count: n})
	}
	slices.SortFunc(out, func(a, b audit.Facet) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Value, b.Value))
	})
	return out[:min(len(out), limit)]
}

// facets adds r's rows to t.
func (r *reader) facets(ctx context.Context, s *search, t *tally) error {
	if counted, err := r.countedFacets(ctx, s, t); counted || err != nil {
		return err
	}
	one := *s
	one.need = maxRows
	for {
		found, _, done, err := r.search(ctx, &one)
		if err != nil {
			return err
		}
		for i := range found {
			t.add(&found[i], 1)
		}
		if !done || len(found) < maxRows || time.Now().After(s.deadline) {
			return nil
		}
		one.after = found[len(found)-1].ID
	}
}

// countedFacets adds up minute counts, where the field and the filter are
// about who alone; the ends of the range are taken as whole minutes.
func (r *reader) countedFacets(ctx context.Context, s *search, t *tally) (bool, error) {
	kinds := t.field.Name == "gumshoe.activity.kind"
	if !kinds && !isWhoField(t.field.Name) {
		return false, nil
	}
	p, err := r.plan(ctx, s, false)
	if err != nil {
		return false, err
	}
	whos, ok := p.counted()
	if !ok {
		return false, nil
	}
	lo, hi := s.rows(r.day)
	column, list := "who", in(whos)
	switch {
	case kinds:
		column = "kind"
	case p.cond.op == always:
		list = "select id from who"
	}
	counts := map[int64]uint64{}
	err = r.query(ctx, fmt.Sprintf("select %s, sum(n) from (%s) group by 1", column, spans(minuteOf(lo), minuteOf(hi), p.counts(list))), func(rows *sql.Rows) error {
		var who int64
		var n uint64
		err := rows.Scan(&who, &n)
		counts[who] = n
		return err
	})
	if err != nil {
		return false, err
	}
	if kinds {
		for k, n := range counts {
			if n > 0 {
				t.add(&event.Activity{Kind: event.Kind(k)}, n)
			}
		}
		return true, nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.refresh(ctx); err != nil {
		return false, err
	}
	if err := r.loadWhos(ctx, nil); err != nil {
		return false, err
	}
	for who, n := range counts {
		if a := r.whos[who]; a != nil && n > 0 {
			t.add(a, n)
		}
	}
	return true, nil
}
