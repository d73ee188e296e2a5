package store

import (
	"fmt"
	"slices"
	"strings"
)

// op is what a term says.
type op uint8

const (
	always op = iota
	never
	set // column is one of ids
	and
	or
	not
)

// term is a condition over one file's rows of activity.
type term struct {
	op     op
	column string // of activity, or "remote", "local" and "name" of extra
	ids    []int64
	blobs  []string // SQL literals, in place of ids
	terms  []term
	exact  bool // holds for no other rows than what it was made from
}

// negate is the opposite of an exact term.
func (t term) negate() term {
	switch t.op {
	case always:
		return term{op: never, exact: true}
	case never:
		return term{op: always, exact: true}
	case not:
		return t.terms[0]
	}
	return term{op: not, terms: []term{t}, exact: true}
}

// simplify leaves out what is always or never so.
func (t term) simplify() term {
	switch t.op {
	case set:
		if len(t.ids)+len(t.blobs) == 0 {
			return term{op: never, exact: true}
		}
		slices.Sort(t.ids)
		t.ids = slices.Compact(t.ids)
	case and, or:
		neutral, absorbing := always, never
		if t.op == or {
			neutral, absorbing = never, always
		}
		kept := t.terms[:0:0]
		for _, inner := range t.terms {
			switch inner.op {
			case absorbing:
				return term{op: absorbing, exact: absorbing == never || inner.exact}
			case neutral:
			default:
				kept = append(kept, inner)
			}
		}
		switch len(kept) {
		case 0:
			return term{op: neutral, exact: t.exact}
		case 1:
			kept[0].exact = kept[0].exact && t.exact
			return kept[0]
		}
		t.terms = t.merge(kept)
		if len(t.terms) == 1 {
			one := t.terms[0]
			one.exact = one.exact && t.exact
			return one.simplify()
		}
	}
	return t
}

// merge joins sets over one column of activity into one.
func (t *term) merge(terms []term) []term {
	var out []term
	at := map[string]int{}
	for _, inner := range terms {
		i, seen := at[inner.column]
		mergeable := inner.op == set && inner.column != "remote" && inner.column != "local" && inner.column != "name"
		switch {
		case !mergeable:
			out = append(out, inner)
			continue
		case !seen:
			at[inner.column] = len(out)
			out = append(out, inner)
			continue
		case t.op == or:
			out[i].ids = append(slices.Clone(out[i].ids), inner.ids...)
		default:
			other := slices.Sorted(slices.Values(inner.ids))
			out[i].ids = slices.DeleteFunc(slices.Clone(out[i].ids), func(id int64) bool {
				_, both := slices.BinarySearch(other, id)
				return !both
			})
		}
		out[i].exact = out[i].exact && inner.exact
		out[i] = out[i].simplify()
	}
	return out
}

// sql is t over activity a.
func (t *term) sql() string {
	switch t.op {
	case always:
		return "1"
	case set:
		return t.setSQL()
	case not:
		return "not " + t.terms[0].sql()
	case and, or:
		parts := make([]string, len(t.terms))
		for i := range t.terms {
			parts[i] = t.terms[i].sql()
		}
		word := " and "
		if t.op == or {
			word = " or "
		}
		return "(" + strings.Join(parts, word) + ")"
	}
	return "0"
}

func (t *term) setSQL() string {
	switch t.column {
	case "remote", "name", "local":
		return "exists (select 1 from extra x where x.id = a.id and x." + t.column + " in (" + t.list() + "))"
	}
	return "a." + t.column + " in (" + t.list() + ")"
}

func (t *term) list() string {
	if len(t.blobs) > 0 {
		return strings.Join(t.blobs, ",")
	}
	return in(t.ids)
}

// drive is one index and the values to look for in it, as SQL literals.
type drive struct {
	table, column string
	values        []string
	pairs         [][2]int64 // of who and kind, in place of values
}

// streams are conditions, for each of which the index has rows in order of time.
func (d *drive) streams() []string {
	var out []string
	for _, p := range d.pairs {
		out = append(out, fmt.Sprintf("who = %d and kind = %d", p[0], p[1]))
	}
	for _, v := range d.values {
		if d.column == "who" {
			break
		}
		out = append(out, d.column+" = "+v)
	}
	return out
}

// where is the condition for all values.
func (d *drive) where() string {
	if d.column != "who" {
		return d.column + " in (" + strings.Join(d.values, ",") + ")"
	}
	var whos, kinds []int64
	for _, p := range d.pairs {
		whos, kinds = append(whos, p[0]), append(kinds, p[1])
	}
	slices.Sort(kinds)
	return "who in (" + in(slices.Compact(whos)) + ") and kind in (" + in(slices.Compact(kinds)) + ")"
}

// drives are ways to all rows that t can hold for, by index, and what they
// may cost; none when only time leads there.
func (t *term) drives() (ways []drive, cost int) {
	switch t.op {
	case set:
		return t.ownDrive()
	case and:
		for i := range t.terms {
			if w, c := t.terms[i].drives(); w != nil && (ways == nil || c < cost) {
				ways, cost = w, c
			}
		}
	case or:
		for i := range t.terms {
			w, c := t.terms[i].drives()
			if w == nil {
				return nil, 0
			}
			ways, cost = append(ways, w...), cost+c
		}
	}
	return ways, cost
}

func (t *term) ownDrive() ([]drive, int) {
	weight, table := 1, "activity"
	switch t.column {
	case "target":
	case "remote", "local", "name":
		table = "extra"
	case "process":
		weight = 5
	case "who":
		weight = 100
	default:
		return nil, 0
	}
	d := drive{table: table, column: t.column, values: t.blobs}
	if len(t.blobs) == 0 {
		d.values = strings.Split(in(t.ids), ",")
	}
	return []drive{d}, weight * len(d.values)
}
