// Package procs is to come.
package procs

import (
	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"github.com/gumshoe-ir/gumshoe/audit"
	"github.com/gumshoe-ir/gumshoe/tui/pane"
	"github.com/gumshoe-ir/gumshoe/tui/theme"
)

// Screen is the pane.
type Screen struct{ w, h int }

// New makes the screen.
func New(*theme.Styles, audit.Trail) *Screen { return &Screen{} }

// Keys implements pane.Pane.
func (s *Screen) Keys() []key.Binding { return nil }

// Resize implements pane.Pane.
func (s *Screen) Resize(w, h int) { s.w, s.h = w, h }

// Update implements pane.Pane.
func (s *Screen) Update(tea.Msg) tea.Cmd { return nil }

// View implements pane.Pane.
func (s *Screen) View() string { return pane.Blank(s.w, s.h) }
