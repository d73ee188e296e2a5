package pane

import (
	"strings"

	"charm.land/lipgloss/v2"
)

// reporter is the part of a test that Fit needs.
type reporter interface {
	Helper()
	Errorf(format string, args ...any)
}

// Fit checks p's promise to fill exactly its rectangle, from one cell up.
// Every pane's test calls it.
func Fit(t reporter, p Pane) {
	t.Helper()
	for _, w := range []int{1, 2, 3, 20, 59, 60, 72, 80, 99, 100, 120, 160, 200} {
		for _, h := range []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 15, 16, 17, 18, 20, 25, 26, 32, 60} {
			p.Resize(w, h)
			FitView(t, p.View(), w, h)
		}
	}
}

// FitView checks that view is exactly h rows of w cells.
func FitView(t reporter, view string, w, h int) {
	t.Helper()
	rows := strings.Split(view, "\n")
	if len(rows) != h {
		t.Errorf("view of %dx%d has %d rows", w, h, len(rows))
	}
	for i, row := range rows {
		if n := lipgloss.Width(row); n != w {
			t.Errorf("row %d of %dx%d is %d cells wide: %q", i, w, h, n, row)
			return
		}
	}
}
