package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
)

// Rows are counted when they are written: in table share by who, kind and
// severity, for each span of ten minutes, each minute in it and the day. So
// graphs of days add up few rows, and facets of days fewer.
const (
	everyone    = 0  // as who: all who there are
	wholeDay    = -1 // as span: all spans together
	spanMinutes = 10
	dayMinutes  = int64(dayNS / minuteNS)
	spanNS      = spanMinutes * minuteNS
)

// bucket is what a row is counted under.
type bucket struct {
	who, minute    int64
	kind, severity uint8
}

// addMinute adds ?5 to a span and to its minute %d, addDay to a day.
const (
	addMinute = `insert into share(who, span, kind, severity, n, m%[1]d) values(?1, ?2, ?3, ?4, ?5, ?5)
		on conflict do update set n = n + excluded.n, m%[1]d = m%[1]d + excluded.m%[1]d`
	addDay = `insert into share(who, span, kind, severity, n) values(?1, ?2, ?3, ?4, ?5)
		on conflict do update set n = n + excluded.n`
)

// addMinutes is addMinute for each minute of a span.
var addMinutes = func() (texts [spanMinutes]string) {
	for i := range texts {
		texts[i] = fmt.Sprintf(addMinute, i)
	}
	return texts
}()

// flushCounts writes what this transaction changes in the counts.
func (f *file) flushCounts() error {
	minutes, whole := make(map[bucket]int64, 2*len(f.counts)), map[bucket]int64{}
	for b, n := range f.counts {
		for _, who := range [...]int64{b.who, everyone} {
			b.who = who
			minutes[b] += n
			day := b
			day.minute = wholeDay
			whole[day] += n
		}
	}
	for b, n := range minutes {
		if err := f.add(addMinutes[b.minute%spanMinutes], b, b.minute/spanMinutes, n); err != nil {
			return err
		}
	}
	for b, n := range whole {
		if err := f.add(addDay, b, wholeDay, n); err != nil {
			return err
		}
	}
	clear(f.counts)
	return nil
}

func (f *file) add(text string, b bucket, span, n int64) error {
	if n == 0 {
		return nil
	}
	_, _, err := f.c.run(text, b.who, span, int64(b.kind), int64(b.severity), n)
	return err
}

// spans is the SQL for who, kind and n of the counts of the minutes from lo to
// hi of those that where selects; together they are all, each once.
func spans(lo, hi int64, where string) string {
	if lo > hi {
		return "select 0 as who, 0 as kind, 0 as n where 0"
	}
	if lo == 0 && hi >= dayMinutes-1 {
		return part("n", "span = -1", where)
	}
	var parts []string
	first, last := lo/spanMinutes, hi/spanMinutes
	if from := lo % spanMinutes; from != 0 || first == last && hi%spanMinutes != spanMinutes-1 {
		to := int64(spanMinutes - 1)
		if first == last {
			to = hi % spanMinutes
		}
		parts = append(parts, part(minutes(from, to), fmt.Sprintf("span = %d", first), where))
		first++
	}
	if to := hi % spanMinutes; to != spanMinutes-1 && first <= last {
		parts = append(parts, part(minutes(0, to), fmt.Sprintf("span = %d", last), where))
		last--
	}
	if first <= last {
		parts = append(parts, part("n", fmt.Sprintf("span between %d and %d", first, last), where))
	}
	return strings.Join(parts, " union all ")
}

func part(n, span, where string) string {
	return fmt.Sprintf("select who, kind, %s as n from share where %s and %s", n, where, span)
}

// minutes is the sum of a span's minutes, both ends included.
func minutes(from, to int64) string {
	var columns []string
	for m := from; m <= to; m++ {
		columns = append(columns, fmt.Sprintf("m%d", m))
	}
	return strings.Join(columns, "+")
}

// sums are the sums of each minute of a span.
var sums = func() string {
	var columns []string
	for m := range spanMinutes {
		columns = append(columns, fmt.Sprintf("sum(m%d)", m))
	}
	return strings.Join(columns, ", ")
}()

// minuteCounts is a row of sums.
type minuteCounts [spanMinutes]int64

// scan reads a row that ends in sums.
func (m *minuteCounts) scan(rows *sql.Rows, before ...any) error {
	for i := range m {
		before = append(before, &m[i])
	}
	return rows.Scan(before...)
}

// nearest is the first minute from lo to hi, or the last unless forward, in
// which anyone did something of kinds; -1 if there is none.
func (r *reader) nearest(ctx context.Context, lo, hi int64, forward bool, kinds string) (int64, error) {
	found := int64(-1)
	text := fmt.Sprintf("select span, %s from share where who = %d and span between %d and %d and kind in (%s) and n > 0 group by span%s limit 2",
		sums, everyone, lo/spanMinutes, hi/spanMinutes, kinds, order("span", forward))
	// Two, since of the first span only minutes out of reach may count.
	err := r.query(ctx, text, func(rows *sql.Rows) error {
		var span int64
		var counts minuteCounts
		if err := counts.scan(rows, &span); err != nil || found >= 0 {
			return err
		}
		for i := range int64(spanMinutes) {
			m := span*spanMinutes + i
			if counts[i] <= 0 || m < lo || m > hi || found >= 0 && forward {
				continue
			}
			found = m
		}
		return nil
	})
	return found, err
}

// pairs are who and kind of all rows of whos that the file has, and how many
// rows those are.
func (r *reader) pairs(ctx context.Context, whos, kinds string) (pairs [][2]int64, n int64, err error) {
	text := fmt.Sprintf("select who, kind, sum(n) from share where who in (%s) and span = %d", whos, wholeDay)
	if kinds != "" {
		text += " and kind in (" + kinds + ")"
	}
	err = r.query(ctx, text+" group by who, kind having sum(n) > 0", func(rows *sql.Rows) error {
		var who, kind, count int64
		err := rows.Scan(&who, &kind, &count)
		pairs, n = append(pairs, [2]int64{who, kind}), n+count
		return err
	})
	return pairs, n, err
}

// counted is whose counts answer p, if they do: everyone's, or those of who ids
// when p's condition is about nothing else.
func (p *plan) counted() (whos []int64, ok bool) {
	switch {
	case !p.cond.exact:
		return nil, false
	case p.cond.op == always:
		return []int64{everyone}, true
	}
	return p.cond.ids, p.cond.op == set && p.cond.column == "who"
}

// counts is the SQL condition for the counts of whos, as SQL, that p is about.
func (p *plan) counts(whos string) string {
	where := "who in (" + whos + ")"
	if p.kinds != 0 {
		where += " and kind in (" + in(kindList(p.kinds)) + ")"
	}
	return where
}
