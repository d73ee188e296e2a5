package activity

import (
	"strings"

	"github.com/gumshoe-ir/gumshoe/tui/pane"
	"github.com/gumshoe-ir/gumshoe/tui/theme"
)

// View implements pane.Pane.
func (s *Screen) View() string {
	if s.view == "" {
		s.view = s.draw()
	}
	return s.view
}

func (s *Screen) draw() string {
	l := &s.layout
	if l.w < 1 || l.h < 1 {
		return pane.Blank(l.w, l.h)
	}
	var parts []string
	if l.graph.h > 0 {
		parts = append(parts, s.viewGraph())
	}
	switch {
	case l.list.h == 0:
		parts = append(parts, s.viewDetail())
	case l.detail.h == 0:
		parts = append(parts, s.viewList())
	case l.detail.y == l.list.y:
		parts = append(parts, pane.Beside(s.viewList(), s.viewDetail()))
	default:
		parts = append(parts, s.viewList(), s.viewDetail())
	}
	return pane.Stack(parts...)
}

func (s *Screen) frame(b box, title, foot string, focus bool, body string) string {
	if !b.framed {
		return body
	}
	return pane.Frame(s.styles, b.w, b.h, title, foot, focus, body)
}

func (s *Screen) viewGraph() string {
	b := s.layout.graph
	if !b.framed {
		return s.graph.compact(s.styles)
	}
	return s.frame(b, s.graph.title(), "+ - zoom  < > pan  . now", false, s.graph.view(s.styles))
}

func (s *Screen) viewList() string {
	l := &s.layout
	inside := l.list.inside()
	c := pane.NewCanvas(s.styles, inside.w)
	if inside.h > 0 {
		c.Row(false)
		s.drawHeads(c)
	}
	body := c.String()
	if inside.h > 1 {
		body = pane.Stack(body, s.list.View())
	}
	title, foot := "Activity", "= only  ! without  enter detail"
	if s.graph.have {
		title += " " + s.graph.count()
	}
	if !s.list.Following() {
		title += " · scrolled back"
		foot = "G newest  " + foot
	}
	return s.frame(l.list, title, foot, l.focus == onList, body)
}

// empty says that nothing was found, and what can be done.
func (s *Screen) empty() []string {
	w := s.scope.Window
	span := "so far"
	switch {
	case w.Span != 0 && w.Live():
		span = "in the last " + pane.Short(w.Span)
	case w.Span != 0:
		span = "in the " + w.String()
	}
	if s.scope.Filter == nil {
		return []string{"nothing happened " + span, "- looks further back"}
	}
	return []string{"nothing " + span + " matches the filter", `- looks further back`, `\ clears the filter, / edits it, u takes it back`}
}

func (s *Screen) viewDetail() string {
	title := "Detail"
	if a := s.list.Selected(); a != nil {
		title = strings.TrimSpace(a.Kind.String() + " " + a.Verb)
	}
	return s.frame(s.layout.detail, title, "y copy  z zoom  esc back", s.layout.focus == onDetail, s.detail.View())
}

// drawHeads names the columns; the one under the cell cursor is marked.
func (s *Screen) drawHeads(c *pane.Canvas) {
	widths := columnWidths(c.Left())
	c.Space(2)
	for col := column(0); col < columns; col++ {
		if widths[col] == 0 {
			continue
		}
		role := theme.Muted
		if col == s.column && s.layout.focus == onList {
			role = theme.Match
		}
		n := pane.Width(heads[col])
		c.Put(role, heads[col])
		c.Space(widths[col] - n + 1)
	}
}
