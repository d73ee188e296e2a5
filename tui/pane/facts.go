package pane

import (
	"strings"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/gumshoe-ir/gumshoe/event/safe"
	"github.com/gumshoe-ir/gumshoe/tui/theme"
)

// factBytes is how much of one fact is shown: more than a kernel's argument
// list is kept long.
const factBytes = 64 << 10

// Fact is one statement of a detail pane. Its text is hostile.
type Fact struct {
	Label string // heads the line when it differs from the fact before
	Role  theme.Role
	Text  string
	Raw   bool   // keep Text in one row, cut at its end
	Field string // what = and ! narrow to, empty when nothing
	Value string
}

// Facts is a pane that shows facts, wrapped, with a cursor on one of them.
type Facts struct {
	styles *theme.Styles
	facts  []Fact
	lines  []factLine
	w, h   int
	top    int
	cursor int // index into facts
	focus  bool
	view   string
}

type factLine struct {
	fact  int
	first bool
	text  string
}

const labelWidth = 9

// NewFacts makes an empty pane.
func NewFacts(styles *theme.Styles) *Facts { return &Facts{styles: styles} }

// Set shows other facts, from their beginning.
func (f *Facts) Set(facts []Fact) {
	f.facts = facts
	f.cursor, f.top = 0, 0
	f.wrap()
}

// Renew sets what has become of the same facts; who reads on stays there.
func (f *Facts) Renew(facts []Fact) {
	f.facts = facts
	f.cursor = min(f.cursor, max(len(facts)-1, 0))
	f.wrap()
}

// Restyle draws in other styles from now on.
func (f *Facts) Restyle(styles *theme.Styles) { f.styles, f.view = styles, "" }

// Focus shows or hides the cursor.
func (f *Facts) Focus(on bool) {
	if f.focus != on {
		f.focus, f.view = on, ""
	}
}

// Selected is the fact under the cursor, nil when there is none.
func (f *Facts) Selected() *Fact {
	if f.cursor >= len(f.facts) {
		return nil
	}
	return &f.facts[f.cursor]
}

// Resize implements Pane.
func (f *Facts) Resize(w, h int) {
	if w != f.w || h != f.h {
		f.w, f.h = max(w, 0), max(h, 0)
		f.wrap()
	}
}

// Keys implements Pane: whoever owns the facts moves them.
func (f *Facts) Keys() []key.Binding { return nil }

// Update implements Pane.
func (f *Facts) Update(tea.Msg) tea.Cmd { return nil }

// Move moves the cursor by n facts, or scrolls within one that is longer than
// the pane.
func (f *Facts) Move(n int) {
	if len(f.facts) == 0 {
		return
	}
	f.cursor = min(max(f.cursor+n, 0), len(f.facts)-1)
	f.reveal(n)
	f.view = ""
}

// Scroll moves what is shown by n rows.
func (f *Facts) Scroll(n int) {
	f.top = min(max(f.top+n, 0), max(len(f.lines)-f.h, 0))
	f.view = ""
}

func (f *Facts) reveal(n int) {
	first, last := -1, 0
	for i, l := range f.lines {
		if l.fact == f.cursor {
			if first < 0 {
				first = i
			}
			last = i
		}
	}
	switch {
	case n >= 0 && last >= f.top+f.h:
		f.top = min(last-f.h+1, first)
	case first < f.top:
		f.top = first
	}
	f.top = min(max(f.top, 0), max(len(f.lines)-1, 0))
}

func (f *Facts) wrap() {
	f.lines, f.view = f.lines[:0], ""
	label := ""
	for i, fact := range f.facts {
		w := f.w - labelWidth
		if fact.Label == "" {
			w = f.w - 1
		}
		w = max(w, 1)
		first := fact.Label != "" && fact.Label != label
		label = fact.Label
		if fact.Raw {
			f.lines = append(f.lines, factLine{i, first, fact.Text})
			continue
		}
		text := safe.Line(fact.Text, factBytes)
		for {
			head, rest := breakLine(text, w)
			f.lines = append(f.lines, factLine{i, first, head})
			if first, text = false, rest; text == "" {
				break
			}
		}
	}
	f.top = min(f.top, max(len(f.lines)-f.h, 0))
}

// breakLine cuts s behind at most w cells, at a space when one is near.
func breakLine(s string, w int) (head, rest string) {
	if len(s) <= w && plain(s) {
		return s, ""
	}
	n, cells := 0, 0
	if ahead := s[:min(len(s), w)]; plain(ahead) { // a byte is a cell
		n, cells = len(ahead), len(ahead)
	}
	for n < len(s) {
		cluster, width := ansi.FirstGraphemeCluster(s[n:], ansi.GraphemeWidth)
		if cells+width > w && n > 0 {
			break
		}
		n, cells = n+len(cluster), cells+width
	}
	if n == len(s) {
		return s, ""
	}
	if i := strings.LastIndexByte(s[:n], ' '); i > n*2/3 {
		return s[:i], s[i+1:]
	}
	return s[:n], s[n:]
}

// View implements Pane.
func (f *Facts) View() string {
	if f.view != "" {
		return f.view
	}
	c := NewCanvas(f.styles, f.w)
	for i := f.top; i < len(f.lines) && c.Rows() < f.h; i++ {
		l := f.lines[i]
		fact := f.facts[l.fact]
		c.Row(f.focus && l.fact == f.cursor)
		switch {
		case fact.Label == "":
			c.Space(1)
		case l.first:
			c.Space(1)
			c.Cell(theme.Muted, fact.Label, labelWidth-1)
		default:
			c.Space(labelWidth)
		}
		c.Put(fact.Role, l.text)
	}
	c.Skip(f.h)
	f.view = c.String()
	return f.view
}
