package store

import "strings"

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
	column string // of activity, or "remote" and "name" of extra
	ids    []int64
	terms  []term
	exact  bool // holds for no other rows than what it was made from
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
	case "remote", "name":
		return "exists (select 1 from extra x where x.id = a.id and x." + t.column + " in (" + in(t.ids) + "))"
	}
	return "a." + t.column + " in (" + in(t.ids) + ")"
}
