package pane

import (
	"slices"

	"charm.land/bubbles/v2/key"
)

// Keys are the bindings that screens with rows have in common.
type Keys struct {
	Up, Down, PageUp, PageDown key.Binding
	Oldest, Newest             key.Binding
	Left, Right                key.Binding
	Include, Exclude           key.Binding
	Open, Back                 key.Binding
	NextPart, Zoom, Flip       key.Binding
	Yank                       key.Binding
}

// Bind makes a binding whose help is what and whose first key is shown unless
// label says otherwise.
func Bind(label, what string, keys ...string) key.Binding {
	if label == "" {
		label = keys[0]
	}
	return key.NewBinding(key.WithKeys(keys...), key.WithHelp(label, what))
}

// DefaultKeys are vi's, less's and the arrows.
func DefaultKeys() Keys {
	return Keys{
		Up:       Bind("k/↑", "up", "k", "up"),
		Down:     Bind("j/↓", "down", "j", "down"),
		PageUp:   Bind("pgup", "page up", "pgup", "ctrl+b"),
		PageDown: Bind("pgdn", "page down", "pgdown", "ctrl+f", "space"),
		Oldest:   Bind("gg", "oldest", "g", "home"),
		Newest:   Bind("G", "newest, and follow", "G", "end"),
		Left:     Bind("h/←", "column to the left", "h", "left"),
		Right:    Bind("l/→", "column to the right", "l", "right"),
		Include:  Bind("=", "only this value", "="),
		Exclude:  Bind("!", "all but this value", "!"),
		Open:     Bind("enter", "open", "enter"),
		Back:     Bind("esc", "back", "esc", "backspace"),
		NextPart: Bind("tab", "next part", "tab", "shift+tab"),
		Zoom:     Bind("z", "zoom this part", "z"),
		Flip:     Bind("|", "detail beside, below, away", "|"),
		Yank:     Bind("y", "copy", "y"),
	}
}

// Reading are the bindings with the one that leads out of a detail first.
func (k Keys) Reading() []key.Binding {
	all := k.All()
	i := slices.IndexFunc(all, func(b key.Binding) bool { return slices.Equal(b.Keys(), k.Back.Keys()) })
	return slices.Insert(slices.Delete(all, i, i+1), 0, k.Back)
}

// All are the bindings in the order of the help.
func (k Keys) All() []key.Binding {
	return []key.Binding{
		k.Open, k.Include, k.Exclude, k.Yank, k.Newest, k.Oldest, k.Up, k.Down, k.PageUp, k.PageDown,
		k.Left, k.Right, k.NextPart, k.Back, k.Zoom, k.Flip,
	}
}
