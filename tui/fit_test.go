package tui

import (
	"testing"

	"github.com/gumshoe-ir/gumshoe/tui/pane"
)

// TestEveryPaneFits resizes each screen as it is after some keys, empty and
// full.
func TestEveryPaneFits(t *testing.T) {
	for _, rows := range []uint64{1, 10_000} {
		for _, digit := range []string{"1", "2", "3", "5"} {
			for _, keys := range [][]string{nil, {"tab"}, {"z"}, {"|"}, {"|", "|"}, {"enter"}, {"enter", "z"}, {"|", "tab"}} {
				drive(t, rows, 120, 36, Options{}, func(d *driver) {
					d.press(digit)
					d.pass(4e9)
					d.press(keys...)
					pane.Fit(t, d.app.screens[d.app.at].pane)
					if t.Failed() {
						t.Fatalf("screen %s after %q", digit, keys)
					}
				})
			}
		}
	}
}
