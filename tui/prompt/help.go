package prompt

import (
	"strings"
	"unicode/utf8"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"github.com/gumshoe-ir/gumshoe/tui/pane"
	"github.com/gumshoe-ir/gumshoe/tui/theme"
)

// Help lists what keys do here; typing filters the list, enter presses the key.
type Help struct {
	styles  *theme.Styles
	entries []entry
	line    Line
	cursor  int
	top     int
}

type entry struct {
	group   string
	binding key.Binding
}

// NewHelp lists a screen's own bindings, then the global ones.
func NewHelp(styles *theme.Styles, screen string, own, global []key.Binding) *Help {
	h := &Help{styles: styles}
	for _, b := range own {
		h.entries = append(h.entries, entry{screen, b})
	}
	for _, b := range global {
		h.entries = append(h.entries, entry{"everywhere", b})
	}
	return h
}

func (h *Help) matches() []entry {
	word := strings.ToLower(h.line.String())
	var out []entry
	for _, e := range h.entries {
		help := e.binding.Help()
		if strings.Contains(strings.ToLower(help.Key+" "+help.Desc+" "+e.group), word) {
			out = append(out, e)
		}
	}
	return out
}

// Update moves, filters, runs or closes.
func (h *Help) Update(msg tea.KeyPressMsg) tea.Cmd {
	found := h.matches()
	switch msg.String() {
	case "esc", "?":
		return pane.Send(Cancelled{})
	case "up", "ctrl+p":
		h.cursor--
	case "down", "ctrl+n":
		h.cursor++
	case "pgup":
		h.cursor -= 10
	case "pgdown":
		h.cursor += 10
	case "enter":
		if h.cursor < len(found) {
			return pane.Send(Chosen{Press(found[h.cursor].binding.Keys()[0])})
		}
	default:
		if h.line.Press(msg) {
			h.cursor, h.top = 0, 0
			found = h.matches()
		}
	}
	h.cursor = min(max(h.cursor, 0), max(len(found)-1, 0))
	return nil
}

// View is the help as a frame of at most w by h cells.
func (h *Help) View(w, height int) string {
	found := h.matches()
	w = min(w, 72)
	rows := min(len(h.entries)+2, height-2)
	c := pane.NewCanvas(h.styles, w-2)
	c.Row(false)
	c.Put(theme.Accent, " "+h.styles.Glyphs.Prompt+" ")
	if h.line.String() == "" {
		c.Put(theme.Ghost, "type to find a key")
	}
	c.Put(theme.Text, h.line.String())
	c.Row(false)
	visible := max(rows-2, 1)
	h.top = max(min(h.top, h.cursor), h.cursor-visible+1)
	for i := h.top; i < len(found) && c.Rows() < rows; i++ {
		e := found[i]
		c.Row(i == h.cursor)
		c.Space(2)
		c.Cell(theme.Accent, e.binding.Help().Key, 10)
		c.Cell(theme.Text, e.binding.Help().Desc, max(c.Left()-14, 1))
		c.Put(theme.Muted, e.group)
	}
	c.Skip(rows)
	return pane.Frame(h.styles, w, rows+2, "Keys", "enter presses it  esc closes", true, c.String())
}

// Press is the message of a key by its name, as bindings spell it.
func Press(name string) tea.KeyPressMsg {
	for _, k := range []struct {
		name string
		code rune
	}{
		{"enter", tea.KeyEnter},
		{"esc", tea.KeyEscape},
		{"tab", tea.KeyTab},
		{"up", tea.KeyUp},
		{"down", tea.KeyDown},
		{"left", tea.KeyLeft},
		{"right", tea.KeyRight},
		{"pgup", tea.KeyPgUp},
		{"pgdown", tea.KeyPgDown},
		{"home", tea.KeyHome},
		{"end", tea.KeyEnd},
		{"backspace", tea.KeyBackspace},
		{"space", tea.KeySpace},
	} {
		if k.name == name {
			return tea.KeyPressMsg{Code: k.code}
		}
	}
	if rest, ok := strings.CutPrefix(name, "ctrl+"); ok && rest != "" {
		return tea.KeyPressMsg{Code: []rune(rest)[0], Mod: tea.ModCtrl}
	}
	r, _ := utf8.DecodeRuneInString(name)
	return tea.KeyPressMsg{Code: r, Text: name}
}
