package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"github.com/gumshoe-ir/gumshoe/audit"
	"github.com/gumshoe-ir/gumshoe/event"
)

// plan is how one file is asked for a selection: an SQL condition that holds
// for every row that the selection wants, perhaps for more.
type plan struct {
	cond  term
	kinds audit.KindSet
	drive []drive // ways into the table by index, together complete; none: in order of time
}

// drive is one index and the values to look for in it.
type drive struct {
	table, index, column string
	ids                  []int64
}

const startWidth = int64(minuteNS) << 16

// width is how much time to look at first.
func (p *plan) width() int64 {
	if len(p.drive) == 0 && p.cond.op == always {
		return dayRows
	}
	return startWidth
}

// where is the condition as SQL.
func (p *plan) where() string {
	parts := []string{}
	if p.kinds != 0 {
		parts = append(parts, "a.kind in ("+in(kindList(p.kinds))+")")
	}
	if p.cond.op != always {
		parts = append(parts, p.cond.sql())
	}
	if len(parts) == 0 {
		return "1"
	}
	return strings.Join(parts, " and ")
}

func kindList(s audit.KindSet) []int64 {
	var out []int64
	for k := range event.Kinds {
		if s.Has(k) {
			out = append(out, int64(k))
		}
	}
	return out
}

// text is the query for rows between lo and hi.
func (p *plan) text(lo, hi int64, forward bool) string {
	order := " order by a.id desc"
	if forward {
		order = " order by a.id"
	}
	between := fmt.Sprintf("between %d and %d", lo, hi)
	if len(p.drive) == 0 {
		return "select " + lineColumns + " from activity a not indexed where a.id " + between + " and " + p.where() + order
	}
	return "select " + lineColumns + " from activity a where a.id in (" + p.ways(lo, hi) + ") and " + p.where() + order
}

// skip moves w over minutes that surely hold nothing of the wanted kinds.
func (p *plan) skip(ctx context.Context, r *reader, w *window) error {
	if p.kinds == 0 || len(p.drive) > 0 {
		return nil
	}
	lo, hi := minuteOf(w.lo), minuteOf(w.hi)
	pick := "max(minute)"
	if w.forward {
		pick = "min(minute)"
	}
	var minute sql.NullInt64
	text := fmt.Sprintf("select %s from total where minute between %d and %d and kind in (%s) and n > 0", pick, lo, hi, in(kindList(p.kinds)))
	if err := r.sql.QueryRowContext(ctx, text).Scan(&minute); err != nil {
		return err
	}
	switch {
	case !minute.Valid:
		w.lo, w.hi = 1, 0
	case w.forward:
		w.lo = max(w.lo, minute.Int64*startWidth)
	default:
		w.hi = min(w.hi, (minute.Int64+1)*startWidth-1)
	}
	return nil
}

func (r *reader) plan(_ context.Context, s *search) (*plan, error) {
	return &plan{cond: term{op: always}, kinds: s.Kinds}, nil
}
