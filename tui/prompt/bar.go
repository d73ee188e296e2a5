package prompt

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"github.com/gumshoe-ir/gumshoe/audit"
	"github.com/gumshoe-ir/gumshoe/rules/filter"
	"github.com/gumshoe-ir/gumshoe/tui/pane"
	"github.com/gumshoe-ir/gumshoe/tui/theme"
)

// Values tells which values a field has; audit.Trail does.
type Values interface {
	pane.Counter
	Facets(ctx context.Context, q audit.FacetQuery) ([]audit.Facet, error)
}

// Intents of prompts.
type (
	// Accepted is a filter that was typed and is valid.
	Accepted struct {
		Text string
		Node filter.Node
	}
	// Cancelled closes whatever is open and changes nothing.
	Cancelled struct{}
	// Chosen is a key that was picked from the help.
	Chosen struct{ Key tea.KeyPressMsg }
)

// Bar is the filter row: it shows the filter and the window, and lets the
// filter be edited.
type Bar struct {
	base    context.Context // of the console
	styles  *theme.Styles
	values  Values
	line    Line
	editing bool
	scope   pane.Scope
	err     error
	node    filter.Node
	choices choices
	preview preview
	history []string
	back    int // how far history was gone back
}

const maxHistory = 100

// NewBar makes a closed bar; what it asks ends with ctx.
func NewBar(ctx context.Context, styles *theme.Styles, values Values) *Bar {
	return &Bar{base: ctx, styles: styles, values: values}
}

// Editing reports whether the bar has the keyboard.
func (b *Bar) Editing() bool { return b.editing }

// Open begins to edit text.
func (b *Bar) Open(text string, scope pane.Scope) tea.Cmd {
	b.editing, b.scope, b.back = true, scope, 0
	b.line.Set(text)
	return b.changed()
}

// Close ends editing.
func (b *Bar) Close() {
	b.editing = false
	b.preview.forget()
}

// IsConjunction reports whether text can be narrowed by appending "and …".
func (b *Bar) IsConjunction(text string) bool {
	node, err := Parse(text)
	if err != nil {
		return false
	}
	_, or := node.(*filter.Or)
	return !or
}

// Keys are what can be pressed while editing.
func (b *Bar) Keys() []key.Binding {
	return []key.Binding{
		pane.Bind("enter", "apply", "enter"), pane.Bind("tab", "complete", "tab"),
		pane.Bind("↓", "next choice", "down"), pane.Bind("↑", "history", "up"), pane.Bind("esc", "leave", "esc"),
	}
}

// Update takes keys while editing, and completions at any time.
func (b *Bar) Update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case *theme.Styles:
		b.styles = msg
	case tea.PasteMsg:
		if !b.line.Insert(msg.Content) {
			return pane.Send(pane.Say{Text: "not pasted: a filter has at most " + strconv.Itoa(maxLine) + " characters"})
		}
		return b.changed()
	case tea.KeyPressMsg:
		return b.press(msg)
	case valued:
		b.take(msg)
	case previewed:
		b.preview.take(b, msg)
	}
	return nil
}

func (b *Bar) press(msg tea.KeyPressMsg) tea.Cmd {
	switch msg.String() {
	case "esc":
		return pane.Send(Cancelled{})
	case "enter":
		return b.accept()
	case "tab":
		return b.pick()
	case "down", "ctrl+n":
		if b.back > 0 {
			return b.recall(-1)
		}
		b.choices.picked = min(b.choices.picked+1, max(len(b.choices.list)-1, 0))
		return nil
	case "up", "ctrl+p":
		if b.choices.picked == 0 {
			return b.recall(1)
		}
		b.choices.picked--
		return nil
	}
	if b.line.Press(msg) {
		return b.changed()
	}
	return nil
}

// accept states the filter; one that is wrong or unfinished stays in the bar.
func (b *Bar) accept() tea.Cmd {
	if b.err != nil {
		return nil
	}
	text := strings.TrimSpace(b.line.String())
	if n := len(b.history); text != "" && (n == 0 || b.history[n-1] != text) {
		b.history = append(b.history, text)
		if len(b.history) > maxHistory {
			b.history = b.history[1:]
		}
	}
	return pane.Send(Accepted{text, b.node})
}

// recall goes n filters back in the history.
func (b *Bar) recall(n int) tea.Cmd {
	b.back = min(max(b.back+n, 0), len(b.history))
	text := ""
	if b.back > 0 {
		text = b.history[len(b.history)-b.back]
	}
	b.line.Set(text)
	return b.changed()
}

func (b *Bar) changed() tea.Cmd {
	b.node, b.err = Parse(b.line.String())
	return tea.Batch(b.complete(), b.count())
}

// Row is the bar as one row of w cells; shown says how much the scope has.
func (b *Bar) Row(w int, scope pane.Scope, shown string) string {
	c := pane.NewCanvas(b.styles, w)
	c.Row(false)
	right := "window " + scope.Window.String()
	if shown != "" {
		right += "   " + shown
	}
	if b.editing {
		right = "window " + scope.Window.String()
		if text := b.preview.text(); text != "" {
			right += "   " + text
		}
	}
	rw := pane.Width(right) + 2
	c.Put(theme.Accent, " "+b.styles.Glyphs.Prompt+" ")
	room := max(c.Left()-rw, 0)
	switch {
	case b.editing:
		b.drawLine(c, room)
	case scope.Text == "":
		c.Cell(theme.Ghost, "everything · / filters", room)
	default:
		c.Cell(theme.Text, scope.Text, room)
	}
	c.Space(c.Left() - rw + 1)
	role := theme.Muted
	if !scope.Window.Live() {
		role = theme.Warn // what is shown is not now
	}
	if b.editing && b.preview.none() {
		role = theme.Warn
	}
	c.Put(role, right)
	return c.String()
}

func (b *Bar) drawLine(c *pane.Canvas, room int) {
	text, at := b.line.String(), b.line.Cursor()
	head, tail := text[:at], text[at:]
	role := theme.Good
	var e *filter.Error
	switch {
	case errors.As(b.err, &e) && e.Incomplete:
		role = theme.Text
	case b.err != nil:
		role = theme.Danger
	case b.preview.none():
		role = theme.Warn
	}
	end := c.Left() - room
	if n := pane.Width(head); n > room-2 {
		c.CellEnd(role, head, room-2)
	} else {
		c.Put(role, head)
	}
	c.Put(theme.Accent, "▏")
	c.Cell(role, tail, c.Left()-end)
}
