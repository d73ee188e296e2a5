// Package pane is what every part of the screen is made of: the contract of a
// pane, the messages between panes and the console, and the drawing of rows
// and frames out of hostile text. It knows no screen.
package pane

import (
	"context"
	"time"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"github.com/gumshoe-ir/gumshoe/audit"
	"github.com/gumshoe-ir/gumshoe/rules/filter"
)

// A Pane owns one rectangle of the screen. It is used by one goroutine, never
// blocks, and does its input and output in the commands it returns.
type Pane interface {
	Update(tea.Msg) tea.Cmd // change; return the work the change requires
	Resize(w, h int)        // before the next View
	View() string           // exactly h lines of w cells
	Keys() []key.Binding    // what can be pressed now
}

// Scope is what all screens share: the filter and the window of time. Panes
// receive it when it changes, and before they are first shown.
type Scope struct {
	Filter filter.Node // nil: all
	Text   string      // the filter as written
	Window Window
	Now    func() time.Time
}

// Selection is the scope as the trail is asked for it.
func (s Scope) Selection() audit.Selection {
	return audit.Selection{Range: s.Window.Range(s.Now()), Filter: s.Filter}
}

// Changed tells panes that the trail holds something new. It comes at most
// ten times a second, and not while the console is paused.
type Changed struct{}

// Shown tells a pane whether it is on the screen: one that is not asks for
// nothing.
type Shown bool

// Intents are what panes want and the console does.
type (
	// Narrow asks for the filter to be narrowed to a field's value, or to all
	// but it.
	Narrow struct {
		Field, Value string
		Exclude      bool
	}
	// Say puts a line into the status row.
	Say struct{ Text string }
	// Yank asks for text to be copied to the clipboard of the terminal.
	Yank struct{ Text, What string }
	// Follow tells whether the newest row is in view and kept there.
	Follow struct{ On bool }
	// Counted tells how many rows the scope has, and Of how many there are
	// without its filter.
	Counted struct {
		Total, Of uint64
		Exact     bool
	}
)

// Counter counts; audit.Trail does.
type Counter interface {
	Histogram(ctx context.Context, q audit.HistogramQuery) (audit.Histogram, error)
}

// Unfiltered is how many rows there are where q counted total, whatever its
// filter.
func Unfiltered(ctx context.Context, c Counter, q audit.HistogramQuery, total uint64) (uint64, error) {
	if q.Filter == nil {
		return total, nil
	}
	q.Filter = nil
	h, err := c.Histogram(ctx, q)
	return max(h.Total, total), err
}

// Send is a command that delivers msg: how panes state intents.
func Send(msg tea.Msg) tea.Cmd { return func() tea.Msg { return msg } }
