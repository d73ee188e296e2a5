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
	case l.list.h == 0 && l.detail.h > 0:
		parts = append(parts, s.viewDetail(l.framed))
	case l.detail.h == 0 || l.detail.w == 0:
		parts = append(parts, s.viewList())
	case l.where() == beside:
		parts = append(parts, pane.Beside(s.viewList(), s.viewDetail(l.framed)))
	default:
		parts = append(parts, s.viewList(), s.viewDetail(true))
	}
	return pane.Stack(parts...)
}

func (s *Screen) viewGraph() string {
	if !s.layout.framed {
		return s.graph.compact(s.styles)
	}
	return pane.Frame(s.styles, s.layout.w, s.layout.graph.h+2, s.graph.title(), "+ - zoom  < > pan  . now", false, s.graph.view(s.styles))
}

func (s *Screen) viewList() string {
	l := &s.layout
	c := pane.NewCanvas(s.styles, l.list.w)
	if l.list.h > 0 {
		c.Row(false)
		s.drawHeads(c)
	}
	body := pane.Stack(c.String(), s.list.View())
	if !l.framed {
		return body
	}
	title, foot := "Activity", "= only  ! without  enter detail"
	if s.graph.have {
		title += " " + s.graph.count()
	}
	if !s.list.Following() {
		title += " · scrolled back"
		foot = "G newest  " + foot
	}
	return pane.Frame(s.styles, l.list.w+2, l.list.h+2, title, foot, l.focus == onList, body)
}

func (s *Screen) viewDetail(framed bool) string {
	l := &s.layout
	if !framed {
		return s.detail.View()
	}
	title := "Detail"
	if a := s.list.Selected(); a != nil {
		title = strings.TrimSpace(a.Kind.String() + " " + a.Verb)
	}
	return pane.Frame(s.styles, l.detail.w+2, l.detail.h+2, title, "y copy  z zoom  esc back", l.focus == onDetail, s.detail.View())
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
