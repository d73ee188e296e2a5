// Package audit turns system events into the audit trail: who did what, in
// which session. It defines how the trail is asked; audit/store keeps it.
package audit

import (
	"context"

	"github.com/gumshoe-ir/gumshoe/event"
	"github.com/gumshoe-ir/gumshoe/rules/filter"
)

// Range is a span of time, Since inclusive, Until exclusive, in ns since the
// epoch. Zero means unbounded.
type Range struct{ Since, Until uint64 }

// KindSet is a set of activity kinds; the zero set means all.
type KindSet uint16

// Has reports whether k is in s.
func (s KindSet) Has(k event.Kind) bool { return s == 0 || s&(1<<k) != 0 }

// With is s and k.
func (s KindSet) With(k event.Kind) KindSet { return s | 1<<k }

// Selection is which activities are meant: what all screens share.
type Selection struct {
	Range  Range
	Kinds  KindSet
	Filter filter.Node // nil: all
}

// Query asks for one page of a selection.
type Query struct {
	Selection
	Forward bool     // oldest first; else newest first
	After   event.ID // continue behind this activity, exclusive; zero: from the edge
	Limit   int      // rows wanted, 0 means 100, at most 1000
}

// Page is the answer to a Query: whole activities, with process, ancestry and
// container as they were.
type Page struct {
	Rows []event.Activity
	More bool // there are rows beyond the last one
	// Scanned is how far the search came when it ran out of its time budget
	// with rows missing: continue After it. Zero when the page is complete.
	Scanned event.ID
}

// HistogramQuery asks for counts per column of time.
type HistogramQuery struct {
	Selection
	Columns int // at most 1000
}

// Histogram counts activities by column and kind. Start and Step are ns; the
// store may have widened the range to whole steps.
type Histogram struct {
	Start, Step uint64
	Columns     [][event.Kinds]uint32
	Total       uint64
	Exact       bool // false when the filter was estimated or cut off
}

// FacetQuery asks which values a field has in a selection, by count.
type FacetQuery struct {
	Selection
	Field  string
	Prefix string // only values beginning so, for completion
	Limit  int    // 0 means 10
}

// Facet is one value of a field and how many activities have it.
type Facet struct {
	Value string
	Count uint64
}

// TreeQuery asks for the processes as of an instant.
type TreeQuery struct {
	At     uint64      // ns since the epoch; 0 means now
	Exited uint64      // also those that ended less than this many ns before At
	Filter filter.Node // over proc.*, user.*, container.*; ancestors of a hit come along
}

// Trail answers questions about the audit trail. The store has it, and so has
// the console's end of the socket; one conformance suite runs over both.
type Trail interface {
	Page(ctx context.Context, q Query) (Page, error)
	Histogram(ctx context.Context, q HistogramQuery) (Histogram, error)
	Facets(ctx context.Context, q FacetQuery) ([]Facet, error)
	// Tree is every process that q asks for, parents before children.
	Tree(ctx context.Context, q TreeQuery) ([]*event.Process, error)
}
