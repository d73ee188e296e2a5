package tui

import (
	"charm.land/bubbles/v2/key"

	"github.com/gumshoe-ir/gumshoe/tui/pane"
)

// keys are the bindings that hold on every screen. What a screen binds itself
// goes first; a test forbids that both bind the same key.
type keys struct {
	Screens, Filter, Clear, Pause  key.Binding
	Closer, Wider, Earlier, Later  key.Binding
	Now, Undo, Redo, Help, Suspend key.Binding
	Redraw, Quit                   key.Binding
}

func defaultKeys() keys {
	return keys{
		Screens: pane.Bind("1-5", "screens", "1", "2", "3", "4", "5", "6", "7", "8", "9", "0"),
		Filter:  pane.Bind("/", "filter", "/"),
		Clear:   pane.Bind("\\", "clear the filter", "\\"),
		Pause:   pane.Bind("p", "pause", "p"),
		Closer:  pane.Bind("+", "closer in time", "+"),
		Wider:   pane.Bind("-", "wider in time", "-"),
		Earlier: pane.Bind("<", "half a window earlier", "<"),
		Later:   pane.Bind(">", "half a window later", ">"),
		Now:     pane.Bind(".", "window back to now", "."),
		Undo:    pane.Bind("u", "undo filter or window", "u"),
		Redo:    pane.Bind("ctrl+r", "redo", "ctrl+r"),
		Help:    pane.Bind("?", "help", "?"),
		Suspend: pane.Bind("ctrl+z", "suspend", "ctrl+z"),
		Redraw:  pane.Bind("ctrl+l", "redraw", "ctrl+l"),
		Quit:    pane.Bind("q", "quit", "q", "ctrl+c"),
	}
}

func (k keys) all() []key.Binding {
	return []key.Binding{
		k.Screens, k.Filter, k.Clear, k.Pause, k.Closer, k.Wider, k.Earlier, k.Later, k.Now,
		k.Undo, k.Redo, k.Help, k.Redraw, k.Suspend, k.Quit,
	}
}
