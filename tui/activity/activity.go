// Package activity is the screen of the audit trail: how much happened when,
// what, by whom and where, and one line of it whole. It asks for rows and
// counts and changes nothing.
package activity

import (
	"context"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"github.com/gumshoe-ir/gumshoe/audit"
	"github.com/gumshoe-ir/gumshoe/event"
	"github.com/gumshoe-ir/gumshoe/tui/list"
	"github.com/gumshoe-ir/gumshoe/tui/pane"
	"github.com/gumshoe-ir/gumshoe/tui/theme"
)

// Trail is what the screen asks; audit.Trail has it.
type Trail interface {
	Page(ctx context.Context, q audit.Query) (audit.Page, error)
	Histogram(ctx context.Context, q audit.HistogramQuery) (audit.Histogram, error)
}

// Screen is the pane. Make one with New.
type Screen struct {
	styles *theme.Styles
	trail  Trail
	keys   pane.Keys
	list   *list.List[event.Activity]
	graph  graph
	detail *pane.Facts
	of     detailed
	scope  pane.Scope
	layout layout
	column column
	shown  bool
	g      bool // g was pressed once
	view   string
}

// detailed names the activity in the detail pane and what of it may come
// later.
type detailed struct {
	id             event.ID
	end            uint64
	sent, received uint64
	where, problem string
}

func detailOf(a *event.Activity) detailed {
	d := detailed{id: a.ID, end: a.End, sent: a.Sent, received: a.Received, where: pane.Where(a.Process)}
	if a.Process != nil && a.Process.Container != nil {
		d.problem = a.Process.Container.Problem
	}
	return d
}

// New makes the screen; it asks for nothing before it is shown, and for
// nothing more when ctx ends.
func New(ctx context.Context, styles *theme.Styles, trail Trail) *Screen {
	s := &Screen{styles: styles, trail: trail, keys: pane.DefaultKeys(), detail: pane.NewFacts(styles)}
	s.list = list.New(ctx, styles, list.Source[event.Activity]{
		ID:    func(a *event.Activity) event.ID { return a.ID },
		Draw:  s.drawRow,
		Empty: s.empty,
	})
	s.graph.owner, s.graph.base = s, ctx
	return s
}

// Keys implements pane.Pane.
func (s *Screen) Keys() []key.Binding {
	if s.layout.focus == onDetail {
		return s.keys.Reading()
	}
	return s.keys.All()
}

// Resize implements pane.Pane.
func (s *Screen) Resize(w, h int) {
	if w == s.layout.w && h == s.layout.h {
		return
	}
	s.layout.w, s.layout.h = w, h
	s.arrange()
}

func (s *Screen) arrange() tea.Cmd {
	s.view = ""
	l := &s.layout
	l.compute()
	graph, rows, detail := l.graph.inside(), l.list.inside(), l.detail.inside()
	s.graph.resize(graph.w, graph.h)
	s.detail.Resize(detail.w, detail.h)
	s.detail.Focus(l.focus == onDetail)
	return s.list.Resize(rows.w, max(rows.h-1, 0))
}

// Update implements pane.Pane.
func (s *Screen) Update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case *theme.Styles:
		s.restyle(msg)
	case pane.Scope:
		return s.rescope(msg)
	case pane.Shown:
		return s.show(bool(msg))
	case pane.Changed:
		if s.shown {
			return tea.Batch(s.list.Refresh(), s.graph.refresh(s.scope, s.trail))
		}
	case tea.KeyPressMsg:
		s.view = ""
		return tea.Batch(s.press(msg), s.look())
	case tea.MouseWheelMsg, tea.MouseClickMsg:
		s.view = ""
		return tea.Batch(s.mouse(msg.(tea.MouseMsg)), s.look())
	case counted:
		return s.graph.take(s, msg)
	default:
		cmd := s.list.Update(msg)
		if s.list.Took(msg) {
			s.view = ""
			return tea.Batch(cmd, s.look())
		}
		return cmd
	}
	return nil
}

func (s *Screen) restyle(styles *theme.Styles) {
	s.styles, s.view = styles, ""
	s.list.Restyle(styles)
	s.detail.Restyle(styles)
	s.of = detailed{}
	s.look()
}

func (s *Screen) show(on bool) tea.Cmd {
	if on == s.shown {
		return nil
	}
	s.shown = on
	if !on {
		return nil
	}
	return tea.Batch(s.list.Refresh(), s.graph.refresh(s.scope, s.trail))
}

func (s *Screen) rescope(scope pane.Scope) tea.Cmd {
	stay := scope.Text == s.scope.Text
	s.scope, s.view = scope, ""
	s.graph.restart()
	trail := s.trail
	fetch := func(ctx context.Context, forward bool, after event.ID, limit int) (list.Page[event.Activity], error) {
		p, err := trail.Page(ctx, audit.Query{Selection: scope.Selection(), Forward: forward, After: after, Limit: limit})
		return list.Page[event.Activity]{Rows: p.Rows, More: p.More, Scanned: p.Scanned}, err
	}
	return tea.Batch(s.list.Restart(fetch, stay), s.graph.refresh(scope, trail))
}

// look keeps the detail on the row under the cursor.
func (s *Screen) look() tea.Cmd {
	a := s.list.Selected()
	switch {
	case a == nil:
		s.of = detailed{}
		s.detail.Set(nil)
	case a.ID == s.of.id && detailOf(a) != s.of:
		s.of = detailOf(a)
		s.detail.Renew(facts(a))
	case a.ID != s.of.id:
		s.of = detailOf(a)
		s.detail.Set(facts(a))
	}
	return nil
}

func (s *Screen) press(msg tea.KeyPressMsg) tea.Cmd {
	k, l := &s.keys, &s.layout
	g := s.g
	s.g = false
	switch {
	case key.Matches(msg, k.Oldest):
		if msg.String() == "g" && !g {
			s.g = true
			return nil
		}
		return s.list.Oldest()
	case key.Matches(msg, k.Newest):
		return s.list.Newest()
	case key.Matches(msg, k.NextPart):
		l.next()
	case key.Matches(msg, k.Zoom):
		l.zoom = !l.zoom
	case key.Matches(msg, k.Flip):
		l.flip()
	case key.Matches(msg, k.Open):
		l.open()
	case key.Matches(msg, k.Back):
		l.back()
	case key.Matches(msg, k.Include), key.Matches(msg, k.Exclude):
		return s.narrow(key.Matches(msg, k.Exclude))
	case key.Matches(msg, k.Yank):
		return s.yank()
	case key.Matches(msg, k.Left):
		s.column = s.column.moved(-1)
	case key.Matches(msg, k.Right):
		s.column = s.column.moved(1)
	default:
		return s.move(msg)
	}
	return s.arrange()
}

func (s *Screen) move(msg tea.KeyPressMsg) tea.Cmd {
	n, page := 0, 0
	switch k := &s.keys; {
	case key.Matches(msg, k.Up):
		n = -1
	case key.Matches(msg, k.Down):
		n = 1
	case key.Matches(msg, k.PageUp):
		page = -1
	case key.Matches(msg, k.PageDown):
		page = 1
	}
	switch {
	case s.layout.focus == onDetail && page != 0:
		s.detail.Scroll(page * max(s.layout.detail.h-1, 1))
	case s.layout.focus == onDetail:
		s.detail.Move(n)
	case page != 0:
		return s.list.Page(page)
	case n != 0:
		return s.list.Move(n)
	}
	return nil
}

func (s *Screen) mouse(msg tea.MouseMsg) tea.Cmd {
	m, l := msg.Mouse(), &s.layout
	switch {
	case l.detail.has(m.X, m.Y):
		switch m.Button {
		case tea.MouseWheelUp:
			s.detail.Scroll(-3)
		case tea.MouseWheelDown:
			s.detail.Scroll(3)
		case tea.MouseLeft:
			l.focus = onDetail
			s.arrange()
		}
	case l.list.has(m.X, m.Y) || l.graph.has(m.X, m.Y):
		switch m.Button {
		case tea.MouseWheelUp:
			return s.list.Move(-3)
		case tea.MouseWheelDown:
			return s.list.Move(3)
		case tea.MouseLeft:
			l.focus = onList
			s.arrange()
			return s.list.Click(m.Y - l.list.inside().y - 1)
		}
	}
	return nil
}

func (s *Screen) narrow(exclude bool) tea.Cmd {
	field, value := "", ""
	if s.layout.focus == onDetail {
		if f := s.detail.Selected(); f != nil {
			field, value = f.Field, f.Value
		}
	} else if a := s.list.Selected(); a != nil {
		field, value = s.column.narrows(a)
	}
	if field == "" {
		return pane.Send(pane.Say{Text: "nothing to filter by here: h and l choose a column, tab the detail"})
	}
	return pane.Send(pane.Narrow{Field: field, Value: value, Exclude: exclude})
}

func (s *Screen) yank() tea.Cmd {
	if f := s.detail.Selected(); s.layout.focus == onDetail && f != nil {
		return pane.Send(pane.Yank{Text: f.Text, What: "the line"})
	}
	if a := s.list.Selected(); a != nil {
		return pane.Send(pane.Yank{Text: a.Target, What: "the target"})
	}
	return nil
}
