package pane

import (
	"strings"

	"github.com/charmbracelet/x/ansi"

	"github.com/gumshoe-ir/gumshoe/tui/theme"
)

// Frame draws a border around body, which must be h-2 rows of w-2 cells.
// Title stands in its upper edge, foot at the right of its lower one; both are
// left out when they do not fit. Too small a rectangle is left empty.
func Frame(styles *theme.Styles, w, h int, title, foot string, focus bool, body string) string {
	if w < 2 || h < 2 {
		return Blank(w, h)
	}
	c := NewCanvas(styles, w)
	box, edge, head := styles.Glyphs.Plain, theme.Border, theme.Muted
	if focus {
		box, edge, head = styles.Glyphs.Heavy, theme.Focus, theme.Strong
	}
	c.Row(false)
	c.Fill(edge, box.TopLeft, 1)
	if title != "" && w > 8 {
		c.Fill(edge, box.Horizontal, 1)
		c.Put(head, " ")
		c.put(head, title, w-6, false)
		c.Put(head, " ")
	}
	c.Fill(edge, box.Horizontal, c.Left()-1)
	c.Fill(edge, box.TopRight, 1)
	for row := range strings.SplitSeq(body, "\n") {
		if c.Rows() == h-1 {
			break
		}
		c.Row(false)
		c.Fill(edge, box.Vertical, 1)
		c.Join(row, w-2)
		c.Fill(edge, box.Vertical, 1)
	}
	c.Row(false)
	c.Fill(edge, box.BottomLeft, 1)
	if n := Width(foot); foot != "" && n+5 < w {
		c.Fill(edge, box.Horizontal, w-5-n)
		c.Put(theme.Muted, " "+foot+" ")
	}
	c.Fill(edge, box.Horizontal, c.Left()-1)
	c.Fill(edge, box.BottomRight, 1)
	return c.String()
}

// Blank is h rows of w spaces.
func Blank(w, h int) string {
	row := strings.Repeat(" ", max(w, 0))
	return strings.TrimSuffix(strings.Repeat(row+"\n", max(h, 0)), "\n")
}

// Beside puts views of the same height next to one another.
func Beside(views ...string) string {
	if len(views) == 1 {
		return views[0]
	}
	split := make([][]string, len(views))
	size := 0
	for i, v := range views {
		split[i] = strings.Split(v, "\n")
		size += len(v)
	}
	var b strings.Builder
	b.Grow(size)
	for i := range split[0] {
		if i > 0 {
			b.WriteByte('\n')
		}
		for _, s := range split {
			if i < len(s) {
				b.WriteString(s[i])
			}
		}
	}
	return b.String()
}

// Stack puts views of the same width below one another; empty ones are left out.
func Stack(views ...string) string {
	out := views[:0:0]
	for _, v := range views {
		if v != "" {
			out = append(out, v)
		}
	}
	return strings.Join(out, "\n")
}

// Over lays a view on another at cell x of row y. What reaches beyond base is
// cut off.
func Over(base, view string, x, y int) string {
	if view == "" {
		return base
	}
	rows := strings.Split(base, "\n")
	for i, v := range strings.Split(view, "\n") {
		if y+i < 0 || y+i >= len(rows) {
			continue
		}
		row := rows[y+i]
		w, n := ansi.StringWidth(row), ansi.StringWidth(v)
		if x+n > w {
			v = ansi.Truncate(v, max(w-x, 0), "")
			n = max(w-x, 0)
		}
		rows[y+i] = left(row, x) + theme.Reset + v + theme.Reset + right(row, x+n, w-x-n)
	}
	return strings.Join(rows, "\n")
}

// left is the first n cells of a styled row; half of a wide character becomes
// a space.
func left(row string, n int) string {
	row = ansi.Truncate(row, n, "")
	return row + theme.Reset + strings.Repeat(" ", max(n-ansi.StringWidth(row), 0))
}

// right is the last n cells of a styled row, those from at on.
func right(row string, at, n int) string {
	if n <= 0 {
		return ""
	}
	out := ansi.TruncateLeft(row, at, "")
	if ansi.StringWidth(out) > n {
		out = ansi.TruncateLeft(row, at+1, "")
	}
	return strings.Repeat(" ", max(n-ansi.StringWidth(out), 0)) + out
}
