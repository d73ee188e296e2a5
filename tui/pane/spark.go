package pane

import "github.com/gumshoe-ir/gumshoe/tui/theme"

// Spark draws values as a row of n bars scaled to top, or to their own highest
// when that is 0. Of more values than cells the highest show, fewer are stretched;
// anything above nothing is seen.
func (c *Canvas) Spark(r theme.Role, values []uint64, n int, top uint64) {
	n = min(n, c.left)
	if n <= 0 {
		return
	}
	cells := Resample(values, n)
	if top == 0 {
		for _, v := range cells {
			top = max(top, v)
		}
	}
	levels := &c.styles.Glyphs.Levels
	c.style(r)
	for _, v := range cells {
		level := 0
		if v > 0 && top > 0 {
			level = min(1+int(float64(v)*7.999/float64(top)), len(levels)-1)
		}
		c.b = append(c.b, levels[level]...)
	}
	c.left -= n
}

// Resample spreads values over n cells: the highest of those that fall into
// one, or the one that covers it. Sums would draw combs where the numbers do
// not divide.
func Resample(values []uint64, n int) []uint64 {
	if len(values) == n || n <= 0 {
		return values
	}
	out := make([]uint64, n)
	if len(values) == 0 {
		return out
	}
	if len(values) < n {
		for i := range out {
			out[i] = values[i*len(values)/n]
		}
		return out
	}
	for i, v := range values {
		at := i * n / len(values)
		out[at] = max(out[at], v)
	}
	return out
}
