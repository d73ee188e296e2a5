package pane

import (
	"slices"
	"time"

	"github.com/gumshoe-ir/gumshoe/audit"
)

// Window is the span of time that all screens show. Zero is everything, up to
// now.
type Window struct {
	Span  time.Duration // 0: everything
	Until time.Time     // zero: now, and moving with it
}

var spans = []time.Duration{
	time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour, 6 * time.Hour,
	24 * time.Hour, 3 * 24 * time.Hour, 7 * 24 * time.Hour, 30 * 24 * time.Hour,
}

var steps = []time.Duration{
	time.Second, 2 * time.Second, 3 * time.Second, 4 * time.Second, 5 * time.Second, 6 * time.Second,
	10 * time.Second, 12 * time.Second, 15 * time.Second, 20 * time.Second, 30 * time.Second,
	time.Minute, 2 * time.Minute, 3 * time.Minute, 4 * time.Minute, 5 * time.Minute, 6 * time.Minute,
	10 * time.Minute, 12 * time.Minute, 15 * time.Minute, 20 * time.Minute, 30 * time.Minute, 45 * time.Minute,
	time.Hour, 90 * time.Minute, 2 * time.Hour, 3 * time.Hour, 4 * time.Hour, 6 * time.Hour, 8 * time.Hour, 12 * time.Hour, 24 * time.Hour,
}

// Live reports whether the window moves with time.
func (w Window) Live() bool { return w.Until.IsZero() }

// Zoomed is the window one step closer or wider, around at unless that is
// zero. A live window stays live.
func (w Window) Zoomed(in bool, at time.Time) Window {
	i, found := slices.BinarySearch(spans, w.Span)
	switch {
	case w.Span == 0 && in:
		i = len(spans) - 1
	case w.Span == 0:
		return w
	case in && i == 0:
		return w
	case in:
		i--
	case found && i == len(spans)-1, !found && i == len(spans):
		return Window{}
	case found:
		i++
	}
	out := Window{Span: spans[i], Until: w.Until}
	if !w.Live() && !at.IsZero() {
		out.Until = at.Add(out.Span / 2)
	}
	return out
}

// Middle is the time in the middle of a window that does not move, else zero.
func (w Window) Middle() time.Time {
	if w.Live() {
		return time.Time{}
	}
	return w.Until.Add(-w.Span / 2)
}

// Panned is the window half its span earlier or later; one that reaches now
// becomes live again.
func (w Window) Panned(later bool, now time.Time) Window {
	if w.Span == 0 {
		return w
	}
	end, half := w.Until, w.Span/2
	if w.Live() {
		if later {
			return w
		}
		end = now.Truncate(Step(w.Span, 60))
	}
	if later {
		end = end.Add(half)
	} else {
		end = end.Add(-half)
	}
	if !end.Before(now) {
		return Window{Span: w.Span}
	}
	return Window{Span: w.Span, Until: end}
}

// Range is the window as the trail is asked for it: a live one has no end.
func (w Window) Range(now time.Time) audit.Range {
	var r audit.Range
	if !w.Live() {
		r.Until = uint64(w.Until.UnixNano())
		now = w.Until
	}
	if w.Span > 0 {
		since := now.Add(-w.Span)
		if w.Live() {
			since = since.Truncate(Step(w.Span, 60))
		}
		r.Since = uint64(max(since.UnixNano(), 0))
	}
	return r
}

// String is the window as the filter row shows it: "15m", "all", "1h to Nov 20 17:44".
func (w Window) String() string {
	if w.Span == 0 {
		return "all"
	}
	s := Short(w.Span)
	if !w.Live() {
		layout := "Jan 2 15:04"
		if w.Span <= 15*time.Minute {
			layout = "Jan 2 15:04:05"
		}
		s += " to " + w.Until.UTC().Format(layout)
	}
	return s
}

// Step is the shortest round length of a column with which span fits into
// columns.
func Step(span time.Duration, columns int) time.Duration {
	for _, s := range steps {
		if span <= s*time.Duration(max(columns, 1)) {
			return s
		}
	}
	return (span/time.Duration(max(columns, 1)) + 24*time.Hour).Truncate(24 * time.Hour)
}
