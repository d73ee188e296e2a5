package pane

import (
	"time"

	"github.com/gumshoe-ir/gumshoe/audit"
	"github.com/gumshoe-ir/gumshoe/tui/theme"
)

// Columns asks for the scope's counts in about n whole round columns, so that
// the graph of a moving window changes only where something happened.
func (s Scope) Columns(n int) audit.HistogramQuery {
	q := audit.HistogramQuery{Selection: s.Selection(), Columns: n}
	span := s.Window.Span
	if span == 0 {
		return q
	}
	step := Step(span, n)
	end := s.Window.Until
	if s.Window.Live() {
		end = s.Now().Truncate(step).Add(step)
	}
	q.Columns = min(int((span+step-1)/step)+1, 1000)
	q.Range = audit.Range{
		Since: uint64(end.Add(-step * time.Duration(q.Columns)).UnixNano()),
		Until: uint64(end.UnixNano()),
	}
	return q
}

// Axis draws the foot of a graph of n cells over columns of step ns from
// start, with as many times as find room, and the corners at both ends.
func (c *Canvas) Axis(start, step uint64, columns, n int) {
	box := &c.styles.Glyphs.Plain
	c.Fill(theme.Border, box.BottomLeft, 1)
	if step == 0 || columns == 0 {
		c.Fill(theme.Border, box.Horizontal, n)
		c.Fill(theme.Border, box.BottomRight, 1)
		return
	}
	span := time.Duration(step) * time.Duration(columns)
	layout := "15:04"
	switch {
	case span <= 10*time.Minute:
		layout = "15:04:05"
	case span > 24*time.Hour:
		layout = "Jan _2"
	}
	labels := max(min(n/18, 8), 1)
	begin := time.Unix(0, int64(start)).UTC()
	for i := range labels {
		from, to := i*n/labels, (i+1)*n/labels
		text := begin.Add(span / time.Duration(n) * time.Duration(from)).Format(layout)
		if len(text)+1 > to-from {
			text = ""
		}
		c.Put(theme.Muted, text)
		c.Fill(theme.Border, box.Horizontal, to-from-len(text))
	}
	c.Fill(theme.Border, box.BottomRight, 1)
}
