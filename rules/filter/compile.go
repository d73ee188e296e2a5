package filter

import (
	"fmt"
	"strconv"

	"github.com/gumshoe-ir/gumshoe/event"
)

// Predicate is a compiled condition. It holds no state: any number of
// goroutines may use it at once.
type Predicate struct{ root term }

// Compile makes a condition ready to judge records. A nil Node matches all.
// The error is an *Error; what Parse and ParseBar made always compiles.
func Compile(n Node) (*Predicate, error) {
	if n == nil {
		return &Predicate{all{}}, nil
	}
	root, err := compile(n, 0)
	if err != nil {
		return nil, err
	}
	return &Predicate{root}, nil
}

// Match reports whether the condition holds for r. It allocates nothing beyond
// what r does to answer: values that are text made from numbers, such as
// evt.args and joined arguments.
func (p *Predicate) Match(r event.Record) bool { return p.root.match(r) }

// term is a compiled Node.
type term interface{ match(r event.Record) bool }

func compile(n Node, depth int) (term, error) {
	if depth > 10*MaxDepth {
		return nil, &Error{Pos: n.Pos(), Msg: "the condition is nested too deeply"}
	}
	switch n := n.(type) {
	case *And:
		terms, err := compileAll(n.Terms, depth)
		return and(terms), err
	case *Or:
		terms, err := compileAll(n.Terms, depth)
		return or(terms), err
	case *Not:
		t, err := compile(n.Term, depth+1)
		return not{t}, err
	case *Check:
		return compileCheck(n)
	case *Text:
		return newWord(n.Word), nil
	}
	return nil, fmt.Errorf("compile a filter: unknown node %T", n)
}

func compileAll(nodes []Node, depth int) ([]term, error) {
	terms := make([]term, len(nodes))
	for i, n := range nodes {
		t, err := compile(n, depth+1)
		if err != nil {
			return nil, err
		}
		terms[i] = t
	}
	return terms, nil
}

func compileCheck(c *Check) (term, error) {
	cmp, bad := compare(c)
	if bad != nil {
		return nil, &Error{Pos: c.At, Msg: bad.msg, Hint: bad.hint}
	}
	switch {
	case c.Field.Traits&event.EitherSide != 0:
		return newEitherSide(c, cmp)
	case c.Field.Traits&event.Walks != 0 && c.Arg == "":
		own, _ := event.AncestorField(c.Field)
		return anyAncestor{own: own, field: c.Field, cmp: cmp}, nil
	}
	return check{c.Field, c.Arg, cmp}, nil
}

type (
	all struct{}
	and []term
	or  []term
	not struct{ term term }
)

func (all) match(event.Record) bool { return true }

func (a and) match(r event.Record) bool {
	for _, t := range a {
		if !t.match(r) {
			return false
		}
	}
	return true
}

func (o or) match(r event.Record) bool {
	for _, t := range o {
		if t.match(r) {
			return true
		}
	}
	return false
}

func (n not) match(r event.Record) bool { return !n.term.match(r) }

// check asks one field. A missing value is false, whatever the operator.
type check struct {
	field *event.Field
	arg   string
	cmp   comparer
}

func (c check) match(r event.Record) bool {
	v, ok := r.Value(c.field, c.arg)
	return ok && c.cmp.holds(v)
}

// eitherSide is fd.ip, fd.port and fd.net: one end of the connection must
// compare, or both for !=. A listening socket has one end.
type eitherSide struct {
	ends [2]*event.Field
	kind *event.Field // set for exists: anything behind the descriptor
	both bool
	cmp  comparer
}

func newEitherSide(c *Check, cmp comparer) (term, error) {
	name := c.Field.Name[len("fd."):]
	e := eitherSide{both: c.Op == Ne, cmp: cmp}
	for i, prefix := range [2]string{"fd.c", "fd.s"} {
		f, ok := event.LookupField(prefix + name)
		if !ok {
			return nil, &Error{Pos: c.At, Msg: c.Field.Name + " has no sides"}
		}
		e.ends[i] = f
	}
	if c.Op == Exists {
		e.kind, _ = event.LookupField("fd.type")
	}
	return e, nil
}

func (e eitherSide) match(r event.Record) bool {
	if e.kind != nil {
		_, ok := r.Value(e.kind, "")
		return ok
	}
	some := false
	for _, f := range e.ends {
		v, ok := r.Value(f, "")
		if !ok {
			continue
		}
		some = true
		if e.cmp.holds(v) != e.both {
			return !e.both
		}
	}
	return some && e.both
}

// anyAncestor is proc.aname and its like without an argument: some process
// above, the record's own not counted, must compare.
type anyAncestor struct {
	own, field *event.Field
	cmp        comparer
}

// actor is a record that knows its process.
type actor interface{ Actor() *event.Process }

func (a anyAncestor) match(r event.Record) bool {
	if by, ok := r.(actor); ok {
		p := by.Actor()
		if p == nil {
			return false
		}
		for p = p.Parent; p != nil; p = p.Parent {
			if v, ok := p.Value(a.own, ""); ok && a.cmp.holds(v) {
				return true
			}
		}
		return false
	}
	for i := 1; ; i++ {
		v, ok := r.Value(a.field, strconv.Itoa(i))
		if !ok {
			return false
		}
		if a.cmp.holds(v) {
			return true
		}
	}
}
