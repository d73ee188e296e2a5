// Package overview is the screen to begin with: how much happens, how well the
// engine keeps up, and who and what stands out in the window.
package overview

import (
	"context"
	"strconv"
	"time"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"github.com/gumshoe-ir/gumshoe/audit"
	"github.com/gumshoe-ir/gumshoe/event"
	"github.com/gumshoe-ir/gumshoe/tui/pane"
	"github.com/gumshoe-ir/gumshoe/tui/theme"
)

// Trail is what the screen asks; audit.Trail has it.
type Trail interface {
	Histogram(ctx context.Context, q audit.HistogramQuery) (audit.Histogram, error)
	Facets(ctx context.Context, q audit.FacetQuery) ([]audit.Facet, error)
}

// tops are the fields whose commonest values are shown, by rank.
var tops = [...]struct{ title, field, short string }{
	{"Who", "gumshoe.activity.user", "who"},
	{"Programs", "proc.name", "proc"},
	{"Containers", "container.name", "container"},
	{"Remote addresses", "fd.rip", "remote"},
}

// pace is the least time between two counts while things happen.
const pace = 3 * time.Second

// Screen is the pane. Make one with New.
type Screen struct {
	base   context.Context // of the console
	styles *theme.Styles
	trail  Trail
	keys   pane.Keys
	engine event.Status
	hist   audit.Histogram
	facets [len(tops)][]audit.Facet
	scope  pane.Scope
	load   load
	w, h   int
	top    int // the list with the cursor
	row    int
	view   string
}

type load struct {
	gen         int
	busy, stale bool
	asked       bool
	shown       bool
	err         error
	cancel      context.CancelFunc
}

type counted struct {
	screen *Screen
	gen    int
	hist   audit.Histogram
	of     uint64 // activities in the window, whatever the filter
	facets [len(tops)][]audit.Facet
	err    error
}

// New makes the screen; it asks for nothing before it is shown, and for
// nothing more when ctx ends.
func New(ctx context.Context, styles *theme.Styles, trail Trail) *Screen {
	s := &Screen{base: ctx, styles: styles, trail: trail, keys: pane.DefaultKeys()}
	s.keys.Left = pane.Bind("h/←", "list to the left", "h", "left")
	s.keys.Right = pane.Bind("l/→", "list to the right", "l", "right", "tab")
	return s
}

// Keys implements pane.Pane.
func (s *Screen) Keys() []key.Binding {
	k := &s.keys
	return []key.Binding{k.Include, k.Exclude, k.Right, k.Yank, k.Left, k.Up, k.Down}
}

// Resize implements pane.Pane.
func (s *Screen) Resize(w, h int) { s.w, s.h, s.view = max(w, 0), max(h, 0), "" }

// Update implements pane.Pane.
func (s *Screen) Update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case *theme.Styles:
		s.styles, s.view = msg, ""
	case event.Status:
		s.engine, s.view = msg, ""
	case pane.Scope:
		s.scope, s.view = msg, ""
		if s.load.cancel != nil {
			s.load.cancel()
		}
		s.load = load{gen: s.load.gen + 1, shown: s.load.shown}
		return s.refresh()
	case pane.Shown:
		s.load.shown = bool(msg)
		return s.refresh()
	case pane.Changed:
		return s.refresh()
	case counted:
		return s.take(msg)
	case tea.KeyPressMsg:
		s.view = ""
		return s.press(msg)
	case tea.MouseClickMsg:
		s.view = ""
		s.click(msg.X, msg.Y)
	}
	return nil
}

func (s *Screen) refresh() tea.Cmd {
	l := &s.load
	if !l.shown || s.scope.Now == nil {
		return nil
	}
	if l.busy {
		l.stale = true
		return nil
	}
	var wait time.Duration
	if l.asked {
		wait = pace
	}
	ctx, cancel := context.WithCancel(s.base)
	l.busy, l.asked, l.cancel = true, true, cancel
	gen, trail, scope, columns := l.gen, s.trail, s.scope, max(min(s.w-10, 1000), 10)
	return func() tea.Msg {
		defer cancel()
		t := time.NewTimer(wait)
		defer t.Stop()
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
		}
		m := counted{screen: s, gen: gen}
		sel := scope.Selection()
		q := scope.Columns(columns)
		if m.hist, m.err = trail.Histogram(ctx, q); m.err == nil {
			m.of, m.err = pane.Unfiltered(ctx, trail, q, m.hist.Total)
		}
		for i, top := range tops {
			if m.err == nil {
				m.facets[i], m.err = trail.Facets(ctx, audit.FacetQuery{Selection: sel, Field: top.field, Limit: 12})
			}
		}
		return m
	}
}

func (s *Screen) take(m counted) tea.Cmd {
	if m.screen != s || m.gen != s.load.gen {
		return nil
	}
	again := s.load.stale
	s.load.busy, s.load.stale, s.load.err = false, false, m.err
	s.view = ""
	var cmds []tea.Cmd
	if m.err == nil {
		s.hist, s.facets = m.hist, m.facets
		s.clamp()
		if s.load.shown { // who else counts has said so
			cmds = append(cmds, pane.Send(pane.Counted{Total: m.hist.Total, Of: m.of, Exact: m.hist.Exact}))
		}
	}
	if again {
		cmds = append(cmds, s.refresh())
	}
	return tea.Batch(cmds...)
}

func (s *Screen) press(msg tea.KeyPressMsg) tea.Cmd {
	k := &s.keys
	switch {
	case key.Matches(msg, k.Up):
		s.row--
	case key.Matches(msg, k.Down):
		s.row++
	case key.Matches(msg, k.Left):
		s.top--
	case key.Matches(msg, k.Right):
		s.top++
		if msg.String() == "tab" {
			s.top %= s.lists()
		}
	case key.Matches(msg, k.Include), key.Matches(msg, k.Exclude):
		if f := s.selected(); f != nil {
			return pane.Send(pane.Narrow{Field: tops[s.top].short, Value: f.Value, Exclude: key.Matches(msg, k.Exclude)})
		}
	case key.Matches(msg, k.Yank):
		if f := s.selected(); f != nil {
			return pane.Send(pane.Yank{Text: f.Value, What: "the value"})
		}
	}
	s.clamp()
	return nil
}

func (s *Screen) clamp() {
	s.top = min(max(s.top, 0), s.lists()-1)
	s.row = min(max(s.row, 0), max(len(s.facets[s.top])-1, 0))
}

func (s *Screen) selected() *audit.Facet {
	if s.row >= len(s.facets[s.top]) {
		return nil
	}
	return &s.facets[s.top][s.row]
}

func (s *Screen) click(x, y int) {
	_, graph, lists := s.heights()
	if y < s.h-lists || lists == 0 || s.w == 0 || graph < 0 {
		return
	}
	s.top = x * s.lists() / s.w
	s.row = y - (s.h - lists) - 1
	s.clamp()
}

func share(f float64) string { return strconv.Itoa(int(f*100+0.5)) + "%" }
