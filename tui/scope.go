package tui

import (
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/gumshoe-ir/gumshoe/event"
	"github.com/gumshoe-ir/gumshoe/event/safe"
	"github.com/gumshoe-ir/gumshoe/rules/filter"
	"github.com/gumshoe-ir/gumshoe/tui/pane"
	"github.com/gumshoe-ir/gumshoe/tui/prompt"
)

// undoable is what u takes back: what is looked at, not what was seen.
type undoable struct {
	text   string
	node   filter.Node
	window pane.Window
}

// scope is the filter and the window with what they were before.
type scope struct {
	undoable
	version int // counts changes, so that screens shown later catch up
	past    []undoable
	future  []undoable
}

const undoDepth = 200

// rescope changes the scope and tells the screen that is shown.
func (a *app) rescope(to undoable, what string) tea.Cmd {
	s := &a.scope
	if to.text == s.text && to.window == s.window {
		return nil
	}
	s.past = append(s.past, s.undoable)
	if len(s.past) > undoDepth {
		s.past = s.past[1:]
	}
	s.future = nil
	return a.apply(to, what+" · u takes it back")
}

func (a *app) apply(to undoable, what string) tea.Cmd {
	a.scope.undoable = to
	a.scope.version++
	a.engine.counted = false
	a.said = what
	return a.show(a.at)
}

func (a *app) undo() tea.Cmd {
	s := &a.scope
	if len(s.past) == 0 {
		a.said = "nothing to undo"
		return nil
	}
	to := s.past[len(s.past)-1]
	s.past = s.past[:len(s.past)-1]
	s.future = append(s.future, s.undoable)
	return a.apply(to, "undone · ctrl+r does it again")
}

func (a *app) redo() tea.Cmd {
	s := &a.scope
	if len(s.future) == 0 {
		a.said = "nothing to redo"
		return nil
	}
	to := s.future[len(s.future)-1]
	s.future = s.future[:len(s.future)-1]
	s.past = append(s.past, s.undoable)
	return a.apply(to, "done again · u takes it back")
}

func (a *app) refilter(text string, node filter.Node) tea.Cmd {
	to := a.scope.undoable
	to.text, to.node = text, node
	if text == "" {
		return a.rescope(to, "filter cleared")
	}
	return a.rescope(to, "filtered")
}

func (a *app) rewindow(w pane.Window) tea.Cmd {
	to := a.scope.undoable
	to.window = w
	return a.rescope(to, "window "+w.String())
}

// narrow adds a value under the cursor to the filter.
func (a *app) narrow(n pane.Narrow) tea.Cmd {
	check := prompt.Check(n.Field, n.Value, n.Exclude)
	text := check
	if old := strings.TrimSpace(a.scope.text); old != "" {
		if !a.bar.IsConjunction(old) {
			old = "(" + old + ")"
		}
		text = old + " and " + check
	}
	node, err := prompt.Parse(text)
	if err != nil {
		a.said = "cannot filter by " + n.Field + ": " + err.Error()
		return nil
	}
	return a.refilter(text, node)
}

// yankBytes is how much is copied at most: what terminals take by OSC 52.
const yankBytes = 48 << 10

// yank copies one safe line: pasting it into a shell cannot run a second one.
func (a *app) yank(y pane.Yank) tea.Cmd {
	text := safe.Line(y.Text, yankBytes)
	if text == "" {
		a.said = "nothing to copy here"
		return nil
	}
	a.said = "copied " + y.What + ", " + pane.Size(uint64(len(text))) + ", by OSC 52"
	if text != y.Text {
		a.said += " · made safe to paste"
	}
	return tea.SetClipboard(text)
}

func lossName(i int) string { return event.Cause(i).String() }
