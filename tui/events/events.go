// Package events is the screen of rule hits. It has its place from the start
// and fills once rules are loaded.
package events

import (
	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"github.com/gumshoe-ir/gumshoe/tui/pane"
	"github.com/gumshoe-ir/gumshoe/tui/theme"
)

// Screen is the pane. Make one with New.
type Screen struct {
	styles *theme.Styles
	w, h   int
}

// New makes the screen.
func New(styles *theme.Styles) *Screen { return &Screen{styles: styles} }

// Keys implements pane.Pane.
func (s *Screen) Keys() []key.Binding { return nil }

// Resize implements pane.Pane.
func (s *Screen) Resize(w, h int) { s.w, s.h = w, h }

// Update implements pane.Pane.
func (s *Screen) Update(msg tea.Msg) tea.Cmd {
	if styles, ok := msg.(*theme.Styles); ok {
		s.styles = styles
	}
	return nil
}

// View implements pane.Pane.
func (s *Screen) View() string {
	c := pane.NewCanvas(s.styles, s.w-2)
	c.Skip((s.h - 2) / 3)
	for _, l := range []struct {
		role theme.Role
		text string
	}{
		{theme.Strong, "No rules are loaded yet"},
		{theme.Text, ""},
		{theme.Muted, "Events are hits of rules on what this host does. They appear here"},
		{theme.Muted, "once rules are loaded; everything is recorded meanwhile."},
		{theme.Text, ""},
		{theme.Text, "3  Activity    who did what, live and as far back as the store reaches"},
		{theme.Text, "5  Processes   what runs now, and from whom it stems"},
	} {
		if c.Rows() >= s.h-2 {
			break
		}
		c.Row(false)
		c.Space(3)
		c.Put(l.role, l.text)
	}
	c.Skip(s.h - 2)
	return pane.Frame(s.styles, s.w, s.h, "Events", "", true, c.String())
}
