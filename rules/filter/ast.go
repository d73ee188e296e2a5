// Package filter is Falco's condition language: it parses, checks, prints and
// compiles conditions over the field catalogue. It knows no rule files.
package filter

import "github.com/gumshoe-ir/gumshoe/event"

// Node is part of a condition: *And, *Or, *Not, *Check or *Text.
type Node interface{ Pos() Position }

// Position is a place in a condition's source, in bytes: Offset counts from 0,
// Line and Column from 1. Carriage returns and newlines both end a line.
type Position struct{ Offset, Line, Column int }

// And holds when all of Terms do, tried left to right.
type And struct {
	At    Position
	Terms []Node
}

// Or holds when one of Terms does, tried left to right.
type Or struct {
	At    Position
	Terms []Node
}

// Not holds when Term does not.
type Not struct {
	At   Position
	Term Node
}

// Check compares a field with constants. A record without the field makes it
// false, whatever the operator.
type Check struct {
	At     Position
	Field  *event.Field
	Arg    string
	Op     Op
	Values []string // one, or the list of in, intersects and pmatch; none for exists
}

// Text is a free word: a substring of what a person sees of the record
// (activities: target, user, process, container and addresses). Rule files do
// not have it; filter bars do.
type Text struct {
	At   Position
	Word string
}

// Pos is where the node begins.
func (n *And) Pos() Position   { return n.At }
func (n *Or) Pos() Position    { return n.At }
func (n *Not) Pos() Position   { return n.At }
func (n *Check) Pos() Position { return n.At }
func (n *Text) Pos() Position  { return n.At }

// Op is an operator (spec/rules.md §1.5).
type Op uint8

// Operators.
const (
	Exists Op = iota
	Eq
	Ne
	Lt
	Le
	Gt
	Ge
	Contains
	IContains
	StartsWith
	EndsWith
	Glob
	IGlob
	Regex
	In
	Intersects
	PMatch
	BContains
	BStartsWith
)
