package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"github.com/gumshoe-ir/gumshoe/audit"
	"github.com/gumshoe-ir/gumshoe/event"
)

// plan is how one file is asked for a selection: an SQL condition that holds
// for every row that the selection wants, perhaps for more.
type plan struct {
	cond   term
	kinds  audit.KindSet
	drives []drive // ways into the table by index, together complete; none: in order of time
	values int     // in all drives
	pure   bool    // the drives are by who and kind, and nothing else is asked
	start  int64   // how much time to look at first; 0: not known
	quick  bool    // the condition leaves something out
}

const (
	startWidth = int64(minuteNS) << 16
	maxStreams = 24   // more are cheaper to look for together, time by time
	maxDrive   = 3000 // more values are met soon by looking at all rows
)

// plan translates s for r's file. A quick one may leave out, and say so, what
// takes long to translate.
func (r *reader) plan(ctx context.Context, s *search, quick bool) (*plan, error) {
	t := translator{r: r, ctx: ctx, quick: quick}
	cond, err := t.node(s.Filter)
	if err != nil {
		return nil, err
	}
	p := &plan{cond: cond, kinds: s.Kinds, quick: t.left}
	p.liftKinds()
	p.drives, _ = p.cond.drives()
	for _, d := range p.drives {
		p.values += len(d.values)
	}
	if p.values > maxDrive {
		p.drives = nil
	}
	return p, r.pairUp(ctx, s, p)
}

// pairUp makes p's ways by who ways by who and kind, of which it then knows how
// many rows they lead to.
func (r *reader) pairUp(ctx context.Context, s *search, p *plan) error {
	rows, byWho := int64(0), 0
	for i := range p.drives {
		d := &p.drives[i]
		if d.column != "who" {
			continue
		}
		kinds := ""
		if p.kinds != 0 {
			kinds = in(kindList(p.kinds))
		}
		pairs, n, err := r.pairs(ctx, strings.Join(d.values, ","), kinds)
		if err != nil {
			return err
		}
		d.pairs, rows, byWho = pairs, rows+n, byWho+1
		p.values += len(pairs) - len(d.values)
	}
	p.pure = byWho == len(p.drives) && p.cond.op == set
	if p.pure && byWho > 0 {
		if rows == 0 {
			p.cond, p.drives = term{op: never, exact: p.cond.exact}, nil
			return nil
		}
		// Twice the time that the rows wanted take, if they come evenly.
		if p.start = dayRows; rows > 2*int64(s.need) {
			p.start = dayRows / rows * 2 * int64(s.need)
		}
	}
	return nil
}

// liftKinds takes what the condition says of kinds alone out of it, since the
// minute counts know kinds.
func (p *plan) liftKinds() {
	terms := []term{p.cond}
	if p.cond.op == and {
		terms = p.cond.terms
	}
	rest := term{op: and, exact: p.cond.exact}
	for _, t := range terms {
		if t.op != set || t.column != "kind" {
			rest.terms = append(rest.terms, t)
			continue
		}
		var kinds audit.KindSet
		for _, k := range t.ids {
			if p.kinds.Has(event.Kind(k)) {
				kinds = kinds.With(event.Kind(k))
			}
		}
		if kinds == 0 {
			p.cond = term{op: never, exact: true}
			return
		}
		p.kinds = kinds
	}
	p.cond = rest.simplify()
}

// width is how much time to look at first.
func (p *plan) width() int64 {
	if p.streams() || len(p.drives) == 0 && p.cond.op == always {
		return dayRows
	}
	return max(p.start, startWidth)
}

// streams reports whether each value is followed on its own: when they are few
// and nothing else is asked that could discard most of what they lead to.
func (p *plan) streams() bool {
	return len(p.drives) > 0 && p.values <= maxStreams && (p.pure || p.kinds == 0 && p.cond.op != and)
}

// where is the condition as SQL.
func (p *plan) where() string {
	var parts []string
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

// ways is the SQL for the rows that p's indices find between lo and hi.
func (p *plan) ways(lo, hi int64) string {
	ways := make([]string, len(p.drives))
	for i, d := range p.drives {
		ways[i] = fmt.Sprintf("select id from %s indexed by %s_%s where %s and id between %d and %d",
			d.table, d.table, d.column, d.where(), lo, hi)
	}
	return strings.Join(ways, " union ")
}

// from is the table and the rows of it between lo and hi to look at.
func (p *plan) from(lo, hi int64) string {
	if len(p.drives) == 0 {
		return fmt.Sprintf("activity a not indexed where a.id between %d and %d", lo, hi)
	}
	return "activity a where a.id in (" + p.ways(lo, hi) + ")"
}

func order(column string, forward bool) string {
	if forward {
		return " order by " + column
	}
	return " order by " + column + " desc"
}

// lines fetches up to about limit lines between lo and hi, always all of an
// instant. When it did not see all of the part, cut is set and seen is the row
// up to whose instant it did.
func (r *reader) lines(ctx context.Context, p *plan, lo, hi int64, forward bool, limit int) (lines []line, seen int64, cut bool, err error) {
	if p.streams() {
		return r.follow(ctx, p, lo, hi, forward, limit)
	}
	rows, err := r.tx.QueryContext(ctx, "select "+lineColumns+" from "+p.from(lo, hi)+" and "+p.where()+order("a.id", forward))
	if err != nil {
		return nil, 0, false, err
	}
	defer rows.Close() //nolint:errcheck // rows.Err says it
	for rows.Next() {
		var l line
		if err := l.scan(rows); err != nil {
			return nil, 0, false, err
		}
		if n := len(lines); n >= limit && l.row>>16 != lines[n-1].row>>16 {
			return lines, lines[n-1].row, true, nil
		}
		lines = append(lines, l)
	}
	return lines, 0, false, rows.Err()
}

// follow takes the first rows of each of p's values and then the first of all.
func (r *reader) follow(ctx context.Context, p *plan, lo, hi int64, forward bool, limit int) (lines []line, seen int64, cut bool, err error) {
	for each := max(limit*2/p.values, 8); ; each *= 8 {
		rows, whole, to, err := r.heads(ctx, p, lo, hi, forward, each)
		if err != nil {
			return nil, 0, false, err
		}
		if len(rows) > limit {
			whole, to = false, nearer(rows[limit], to, whole, forward)
		}
		if !whole {
			// The last instant may be incomplete: it is left for the next call.
			rows = slices.DeleteFunc(rows, func(row int64) bool {
				return forward && row>>16 >= to>>16 || !forward && row>>16 <= to>>16
			})
			if len(rows) == 0 {
				limit *= 8
				continue
			}
		}
		lines, err = r.pick(ctx, p, rows, forward)
		if whole {
			return lines, 0, false, err
		}
		return lines, rows[len(rows)-1], true, err
	}
}

// nearer is the boundary met first.
func nearer(row, to int64, whole, forward bool) int64 {
	if whole || (row < to) == forward {
		return row
	}
	return to
}

// heads is the first each rows of every value, in order. Unless whole, rows at
// and beyond to may be missing.
func (r *reader) heads(ctx context.Context, p *plan, lo, hi int64, forward bool, each int) (out []int64, whole bool, to int64, err error) {
	var ways []string
	for _, d := range p.drives {
		for _, v := range d.streams() {
			ways = append(ways, fmt.Sprintf("select %d, id from (select id from %s indexed by %s_%s where %s and id between %d and %d%s limit %d)",
				len(ways), d.table, d.table, d.column, v, lo, hi, order("id", forward), each))
		}
	}
	counts, last := make([]int, len(ways)), make([]int64, len(ways))
	err = r.query(ctx, strings.Join(ways, " union all "), func(rows *sql.Rows) error {
		var way int
		var id int64
		err := rows.Scan(&way, &id)
		counts[way], last[way] = counts[way]+1, id
		out = append(out, id)
		return err
	})
	slices.Sort(out)
	out = slices.Compact(out)
	if !forward {
		slices.Reverse(out)
	}
	whole = true
	for i, n := range counts {
		if n >= each {
			to = nearer(last[i], to, whole, forward)
			whole = false
		}
	}
	return out, whole, to, err
}

// pick fetches those of rows that the condition holds for.
func (r *reader) pick(ctx context.Context, p *plan, rows []int64, forward bool) (lines []line, err error) {
	if len(rows) == 0 {
		return nil, nil
	}
	text := "select " + lineColumns + " from activity a where a.id in (" + in(rows) + ") and " + p.where() + order("a.id", forward)
	return lines, r.query(ctx, text, func(rows *sql.Rows) error {
		var l line
		err := l.scan(rows)
		lines = append(lines, l)
		return err
	})
}

// skip moves w over minutes that surely hold nothing of the wanted kinds.
func (p *plan) skip(ctx context.Context, r *reader, w *window) error {
	if p.cond.op == never {
		w.lo, w.hi = 1, 0
		return nil
	}
	if p.kinds == 0 || len(p.drives) > 0 {
		return nil
	}
	minute, err := r.nearest(ctx, minuteOf(w.lo), minuteOf(w.hi), w.forward, in(kindList(p.kinds)))
	switch {
	case err != nil:
		return err
	case minute < 0:
		w.lo, w.hi = 1, 0
	case w.forward:
		w.lo = max(w.lo, minute*startWidth)
	default:
		w.hi = min(w.hi, (minute+1)*startWidth-1)
	}
	return nil
}
