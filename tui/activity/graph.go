package activity

import (
	"context"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/gumshoe-ir/gumshoe/audit"
	"github.com/gumshoe-ir/gumshoe/event"
	"github.com/gumshoe-ir/gumshoe/tui/pane"
	"github.com/gumshoe-ir/gumshoe/tui/theme"
)

// graph counts the scope's activity by column of time, one lane per kind.
type graph struct {
	owner  *Screen
	base   context.Context // of the console
	w, h   int
	hist   audit.Histogram
	have   bool
	gen    int
	busy   bool
	stale  bool
	err    error
	cancel context.CancelFunc
	drawn  string // as last drawn, until something differs
	styles *theme.Styles
}

// counted is a histogram that arrived.
type counted struct {
	owner *Screen
	gen   int
	hist  audit.Histogram
	of    uint64 // activities in the window, whatever the filter
	err   error
}

const (
	laneLabel = 5
	laneCount = 7
	// recount is the least time between two counts of a moving window.
	recount = time.Second
)

func (g *graph) resize(w, h int) {
	if w != g.w || h != g.h {
		g.drawn = ""
	}
	if w != g.w && w > 0 {
		g.w = w
		g.restart() // another width is another question
	}
	g.h = h
}

// columns is how many cells a lane has.
func (g *graph) columns() int {
	return min(max(g.w-laneLabel-laneCount-2, 10), 1000)
}

// restart forgets the count under way: the question changed.
func (g *graph) restart() {
	if g.cancel != nil {
		g.cancel()
	}
	g.gen++
	g.busy, g.stale, g.cancel = false, false, nil
}

// refresh counts again, at once when the question is new, else when a second
// has passed.
func (g *graph) refresh(scope pane.Scope, trail Trail) tea.Cmd {
	if scope.Now == nil {
		return nil
	}
	if g.busy {
		g.stale = true
		return nil
	}
	var wait time.Duration
	if g.cancel != nil {
		wait = recount
	}
	ctx, cancel := context.WithCancel(g.base)
	g.busy, g.cancel = true, cancel
	owner, gen, n := g.owner, g.gen, g.columns()
	return func() tea.Msg {
		defer cancel()
		if wait > 0 {
			t := time.NewTimer(wait)
			defer t.Stop()
			select {
			case <-ctx.Done():
				return nil
			case <-t.C:
			}
		}
		m, q := counted{owner: owner, gen: gen}, scope.Columns(n)
		if m.hist, m.err = trail.Histogram(ctx, q); m.err == nil {
			m.of, m.err = pane.Unfiltered(ctx, trail, q, m.hist.Total)
		}
		return m
	}
}

func (g *graph) take(s *Screen, m counted) tea.Cmd {
	if m.owner != s || m.gen != g.gen {
		return nil
	}
	g.busy = false
	again := g.stale
	g.stale = false
	s.view, g.drawn = "", ""
	g.err = m.err
	var cmds []tea.Cmd
	if m.err == nil {
		g.hist, g.have = m.hist, true
		if s.shown { // who else counts has said so
			cmds = append(cmds, pane.Send(pane.Counted{Total: m.hist.Total, Of: m.of, Exact: m.hist.Exact}))
		}
	}
	if again && s.shown {
		cmds = append(cmds, g.refresh(s.scope, s.trail))
	}
	return tea.Batch(cmds...)
}

func (g *graph) count() string {
	if g.hist.Exact {
		return pane.Full(g.hist.Total)
	}
	return "~" + pane.Full(g.hist.Total)
}

func (g *graph) title() string {
	if g.err != nil {
		return "Frequency · " + g.err.Error()
	}
	if !g.have || g.hist.Step == 0 {
		return "Frequency"
	}
	return "Frequency · " + pane.Exact(time.Duration(g.hist.Step)) + " per column · own scale per row"
}

// lane is one kind's counts and their sum.
func (g *graph) lane(kinds ...event.Kind) (values []uint64, total uint64) {
	values = make([]uint64, len(g.hist.Columns))
	for i := range g.hist.Columns {
		for _, k := range kinds {
			n := uint64(g.hist.Columns[i][k])
			values[i] += n
			total += n
		}
	}
	return values, total
}

// laneKinds are the lanes shown: the usual ones, and another in place of the
// last that is empty when it has something.
func (g *graph) laneKinds() []event.Kind {
	usual := []event.Kind{event.Command, event.Connection, event.File, event.System}
	for _, k := range []event.Kind{event.Kube, event.Cloud, event.Shell} {
		if _, n := g.lane(k); n > 0 {
			return append(usual, k)
		}
	}
	return usual
}

func (g *graph) view(styles *theme.Styles) string {
	if g.drawn == "" || g.styles != styles {
		g.styles, g.drawn = styles, g.draw(styles)
	}
	return g.drawn
}

func (g *graph) draw(styles *theme.Styles) string {
	c := pane.NewCanvas(styles, g.w)
	kinds := g.laneKinds()
	for _, k := range kinds {
		if c.Rows() == g.h-1 {
			break
		}
		values, total := g.lane(k)
		g.drawLane(c, kindRole(k), k.String(), values, total)
	}
	if len(kinds) < g.h-1 {
		all, total := g.lane(event.Command, event.Connection, event.File, event.Kube, event.Cloud, event.Shell, event.System)
		g.drawLane(c, theme.Muted, "all", all, total)
	}
	g.drawAxis(c)
	c.Skip(g.h)
	return c.String()
}

// compact is the graph in two rows without a frame.
func (g *graph) compact(styles *theme.Styles) string {
	c := pane.NewCanvas(styles, g.w)
	values, total := g.lane(event.Command, event.Connection, event.File, event.Kube, event.Cloud, event.Shell, event.System)
	g.drawLane(c, theme.Accent, "all", values, total)
	g.drawAxis(c)
	return c.String()
}

func (g *graph) drawLane(c *pane.Canvas, r theme.Role, label string, values []uint64, total uint64) {
	c.Row(false)
	c.Space(1)
	c.Cell(r, label, laneLabel)
	c.Fill(theme.Border, styleBar(c), 1)
	c.Spark(r, pane.Spread(values, g.columns()), g.columns(), 0)
	c.Fill(theme.Border, styleBar(c), 1)
	c.CellRight(theme.Text, pane.Count(total), laneCount-1)
}

func styleBar(c *pane.Canvas) string { return c.Styles().Glyphs.Plain.Vertical }

func (g *graph) drawAxis(c *pane.Canvas) {
	c.Row(false)
	c.Space(1 + laneLabel)
	c.Axis(pane.Axis{Start: g.hist.Start, Step: g.hist.Step, Columns: len(g.hist.Columns), Live: g.owner.scope.Window.Live()}, g.columns())
}
