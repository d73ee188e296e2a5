package pane

import (
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"

	"github.com/gumshoe-ir/gumshoe/event/safe"
	"github.com/gumshoe-ir/gumshoe/tui/theme"
)

// Canvas draws rows of styled text, each exactly as wide as was asked for.
// Whatever is put on it is made safe and cut to its place first: no byte of an
// event reaches a terminal by another way. Its zero value is not usable.
type Canvas struct {
	styles   *theme.Styles
	b        []byte
	w        int // of a row
	left     int // cells still free in this row
	rows     int
	selected bool
	open     string // the sequence in force
}

// NewCanvas makes a canvas for rows of w cells.
func NewCanvas(styles *theme.Styles, w int) *Canvas {
	return &Canvas{styles: styles, w: max(w, 0), left: -1}
}

// Reset empties the canvas and keeps its memory.
func (c *Canvas) Reset(w int) {
	c.b, c.w, c.left, c.rows, c.open = c.b[:0], max(w, 0), -1, 0, ""
}

// Styles are the canvas's.
func (c *Canvas) Styles() *theme.Styles { return c.styles }

// Row begins a row; the one before is filled up. A selected row is drawn on
// the selection's ground.
func (c *Canvas) Row(selected bool) {
	c.end()
	if c.rows > 0 {
		c.b = append(c.b, '\n')
	}
	c.rows++
	c.left, c.selected = c.w, selected
}

// Rows is how many rows were begun.
func (c *Canvas) Rows() int { return c.rows }

// Left is how many cells of the row are free.
func (c *Canvas) Left() int { return max(c.left, 0) }

// Put writes s, cut with an ellipsis where the row ends.
func (c *Canvas) Put(r theme.Role, s string) { c.put(r, s, c.left, false) }

// Cell writes s into w cells, cut at its end or filled up.
func (c *Canvas) Cell(r theme.Role, s string, w int) {
	w = min(w, c.left)
	c.pad(w - c.put(r, s, w, false))
}

// CellEnd writes s into w cells, cut at its beginning, where it says least.
func (c *Canvas) CellEnd(r theme.Role, s string, w int) {
	w = min(w, c.left)
	c.pad(w - c.put(r, s, w, true))
}

// CellMiddle writes s into w cells, cut in its middle: where a path begins and
// ends says most.
func (c *Canvas) CellMiddle(r theme.Role, s string, w int) {
	w = min(w, c.left)
	if len(s) <= w || w < 12 || !plain(s) {
		c.Cell(r, s, w)
		return
	}
	head := w / 3
	c.Cell(r, s[:head], head)
	c.Put(r, "…")
	c.Cell(r, s[len(s)-(w-head-1):], w-head-1)
}

// CellRight writes s at the right of w cells.
func (c *Canvas) CellRight(r theme.Role, s string, w int) {
	w = min(w, c.left)
	if n := Width(s); n < w {
		c.pad(w - n)
		w = n
	}
	c.put(r, s, w, false)
}

// Space leaves n cells free.
func (c *Canvas) Space(n int) { c.pad(min(n, c.left)) }

// Fill writes the one-cell glyph g n times.
func (c *Canvas) Fill(r theme.Role, g string, n int) {
	n = min(n, c.left)
	if n <= 0 {
		return
	}
	c.style(r)
	for range n {
		c.b = append(c.b, g...)
	}
	c.left -= n
}

// Skip begins empty rows until there are n.
func (c *Canvas) Skip(n int) {
	for c.rows < n {
		c.Row(false)
	}
}

// Join writes a row that another canvas has drawn, which must be w cells wide.
func (c *Canvas) Join(row string, w int) {
	if w > c.left {
		return
	}
	c.close()
	c.b = append(c.b, row...)
	c.left -= w
}

// String is all rows, the last one filled up.
func (c *Canvas) String() string {
	c.end()
	return string(c.b)
}

func (c *Canvas) end() {
	if c.left > 0 {
		c.pad(c.left)
	}
	c.close()
	c.left = -1
}

func (c *Canvas) close() {
	if c.open != "" {
		c.b = append(c.b, theme.Reset...)
		c.open = ""
	}
}

func (c *Canvas) style(r theme.Role) {
	st := c.styles.Of(r)
	seq := st.Plain
	if c.selected {
		seq = st.Selected
	}
	if seq != c.open {
		c.b = append(c.b, seq...)
		c.open = seq
	}
}

// pad leaves n cells free, underlined by nothing.
func (c *Canvas) pad(n int) {
	if n <= 0 {
		return
	}
	if c.selected || c.open != "" {
		c.style(theme.Text)
	}
	for range n {
		c.b = append(c.b, ' ')
	}
	c.left -= n
}

// put writes s into at most w cells and says how many it took.
func (c *Canvas) put(r theme.Role, s string, w int, end bool) int {
	if w <= 0 || s == "" {
		return 0
	}
	c.style(r)
	if len(s) <= w && plain(s) {
		c.b = append(c.b, s...)
		c.left -= len(s)
		return len(s)
	}
	s, n := fit(s, w, end)
	c.b = append(c.b, s...)
	c.left -= n
	return n
}

// fit is s made safe and cut to w cells, and its width.
func fit(s string, w int, end bool) (string, int) {
	if end {
		return fitEnd(s, w)
	}
	// A cell holds at most a wide character or one with two marks on it.
	bound := w*3*utf8.UTFMax + utf8.UTFMax
	s = safe.Line(s, bound)
	if plain(s) {
		if len(s) <= w {
			return s, len(s)
		}
		return s[:w-1] + "…", w
	}
	if ansi.StringWidth(s) > w {
		s = ansi.Truncate(s, w, "…")
	}
	return s, ansi.StringWidth(s)
}

func fitEnd(s string, w int) (string, int) {
	tail := safe.Tail(s, w*3*utf8.UTFMax+utf8.UTFMax)
	cut := len(tail) < len(s)
	tail = safe.Line(tail, len(tail)*12)
	n := ansi.StringWidth(tail)
	if n <= w && !cut {
		return tail, n
	}
	// A wide character that stands across the edge is left in: then one more.
	out := tail
	for drop := max(n-w+1, 0); ; drop++ {
		out = ansi.TruncateLeft(tail, drop, "…")
		if n = ansi.StringWidth(out); n <= w || drop > len(tail) {
			return out, n
		}
	}
}

// Width is how many cells s takes once made safe.
func Width(s string) int {
	if plain(s) {
		return len(s)
	}
	return ansi.StringWidth(safe.Line(s, len(s)*12))
}

// plain reports whether s is printable ASCII: a byte is a cell.
func plain(s string) bool {
	for i := range len(s) {
		if s[i] < 0x20 || s[i] >= 0x7f {
			return false
		}
	}
	return true
}
