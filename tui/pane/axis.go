package pane

import (
	"strings"
	"time"

	"github.com/gumshoe-ir/gumshoe/audit"
	"github.com/gumshoe-ir/gumshoe/tui/theme"
)

// Columns asks for the scope's counts in at most n whole round columns, so that
// the graph of a moving window changes only where something happened. The last
// column of a live window is the one that fills now.
func (s Scope) Columns(n int) audit.HistogramQuery {
	n = min(max(n, 2), 1000)
	q := audit.HistogramQuery{Selection: s.Selection(), Columns: n}
	span := s.Window.Span
	if span == 0 {
		return q
	}
	step := Step(span, n-1) // one more column than the span has: it begins within one
	end := s.Window.Until
	if s.Window.Live() {
		end = s.Now()
	}
	if whole := end.Truncate(step); whole.Before(end) || s.Window.Live() {
		end = whole.Add(step)
	}
	q.Columns = min(int((span+step-1)/step)+1, n)
	q.Range = audit.Range{
		Since: uint64(end.Add(-step * time.Duration(q.Columns)).UnixNano()),
		Until: uint64(end.UnixNano()),
	}
	return q
}

// Spread lays columns out over n cells, each the same whole number of cells
// wide, the last one at the right end. Of more columns than cells the last are
// shown.
func Spread(values []uint64, n int) []uint64 {
	pad, wide := spread(len(values), n)
	out := make([]uint64, max(n, 0))
	skip := max(len(values)-n, 0)
	for i := pad; i < len(out); i++ {
		out[i] = values[skip+(i-pad)/wide]
	}
	return out
}

// spread is how many cells stay free on the left, and how wide a column is.
func spread(columns, n int) (pad, wide int) {
	if columns <= 0 || n <= 0 {
		return max(n, 0), 1
	}
	wide = max(n/columns, 1)
	return max(n-wide*columns, 0), wide
}

// Axis is the foot of a graph: what its columns stand for.
type Axis struct {
	Start, Step uint64 // ns
	Columns     int
	Live        bool // the last column is now
}

// ticks are the distances between two labels.
var ticks = []time.Duration{
	5 * time.Second, 10 * time.Second, 15 * time.Second, 30 * time.Second,
	time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 15 * time.Minute, 30 * time.Minute,
	time.Hour, 2 * time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour, 24 * time.Hour,
	2 * 24 * time.Hour, 7 * 24 * time.Hour, 28 * 24 * time.Hour, 364 * 24 * time.Hour,
}

// label stands from a cell on.
type label struct {
	at   int
	text string
}

// Axis draws the foot of a graph that Spread has laid out over n cells: round
// times begin at the cell of their column, and the right end has its name.
func (c *Canvas) Axis(a Axis, n int) {
	box := &c.styles.Glyphs.Plain
	c.Fill(theme.Border, box.BottomLeft, 1)
	at := 0
	for _, l := range a.labels(n) {
		c.Fill(theme.Border, box.Horizontal, l.at-at)
		c.Put(theme.Muted, l.text)
		at = l.at + len(l.text)
	}
	c.Fill(theme.Border, box.Horizontal, n-at)
	c.Fill(theme.Border, box.BottomRight, 1)
}

// labels are the round times that find room, from left to right, and the end.
func (a Axis) labels(n int) []label {
	if a.Step == 0 || a.Columns <= 0 || n <= 0 {
		return nil
	}
	pad, wide := spread(a.Columns, n)
	skip := max(a.Columns-n, 0)
	step := time.Duration(a.Step)
	start := time.Unix(0, int64(a.Start)).UTC().Add(step * time.Duration(skip))
	tick := tickOf(step, wide)
	end := label{text: "now"}
	if !a.Live {
		end.text = stampOf(start.Add(step*time.Duration(a.Columns-skip)), min(tick, time.Minute))
	}
	end.at = n - len(end.text)
	if end.at < 0 {
		return nil
	}
	var out []label
	free := 0 // the first cell that no label has
	for t := start.Truncate(tick); ; t = t.Add(tick) {
		if t.Before(start) {
			continue
		}
		cell := pad + int(t.Sub(start)/step)*wide
		text := stampOf(t, tick)
		if cell+len(text) >= end.at {
			break
		}
		if cell >= free {
			out = append(out, label{cell, text})
			free = cell + len(text) + 1
		}
	}
	return append(out, end)
}

// tickOf is the shortest round time that leaves room for a label and a gap.
func tickOf(step time.Duration, wide int) time.Duration {
	const room = 9
	for _, t := range ticks {
		need := room
		if t < time.Minute {
			need += len(":05")
		}
		if t >= step && int(t/step)*wide >= need {
			return t
		}
	}
	return max(step*room, ticks[len(ticks)-1])
}

// stampOf is a time as exact as labels of that distance need it.
func stampOf(t time.Time, tick time.Duration) string {
	switch {
	case tick >= 24*time.Hour, tick >= time.Hour && t.Equal(t.Truncate(24*time.Hour)):
		return t.Format("Jan 2")
	case tick < time.Minute:
		return t.Format("15:04:05")
	}
	return t.Format("15:04")
}

// Exact is the length of a column in full: 10s, 1m, 1h30m.
func Exact(d time.Duration) string {
	if d >= time.Second {
		d = d.Round(100 * time.Millisecond)
	}
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = s[:len(s)-2]
	}
	if strings.HasSuffix(s, "h0m") {
		s = s[:len(s)-2]
	}
	if h := d / time.Hour; d >= 48*time.Hour && d%(24*time.Hour) == 0 {
		s = Short(h * time.Hour)
	}
	return s
}
