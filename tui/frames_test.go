package tui

import (
	"fmt"
	"testing"
)

// TestFrames compares whole frames of every screen in every size and theme.
func TestFrames(t *testing.T) {
	for _, look := range []string{"dark", "light", "16", "mono"} {
		for _, size := range [][2]int{{120, 36}, {80, 24}} {
			for _, s := range []struct{ name, key string }{
				{"overview", "1"}, {"events", "2"}, {"activity", "3"}, {"processes", "5"},
			} {
				if look == "16" && size[0] == 80 {
					continue
				}
				name := fmt.Sprintf("%s-%dx%d-%s", s.name, size[0], size[1], look)
				t.Run(name, func(t *testing.T) {
					drive(t, 10_000_000, size[0], size[1], Options{Theme: look}, func(d *driver) {
						d.press(s.key)
						d.pass(4e9)
						d.golden(name)
					})
				})
			}
		}
	}
}

func TestFramesASCII(t *testing.T) {
	drive(t, 1000, 120, 36, Options{Theme: "mono", ASCII: true}, func(d *driver) { d.golden("activity-120x36-ascii") })
}

func TestFramesSmallest(t *testing.T) {
	drive(t, 1000, 60, 16, Options{}, func(d *driver) { d.golden("activity-60x16-dark") })
	drive(t, 1000, 40, 10, Options{}, func(d *driver) {
		d.golden("too-small-40x10")
		d.press("q")
		if !d.quit {
			t.Error("q does not quit where the terminal is too small")
		}
	})
}

// TestScripts presses keys and compares what they lead to.
func TestScripts(t *testing.T) {
	tests := []struct {
		name  string
		w, h  int
		press []string
	}{
		{"help", 120, 36, []string{"?"}},
		{"scrolled-back", 120, 36, []string{"pgup", "pgup", "k"}},
		{"oldest", 120, 36, []string{"g", "g"}},
		{"zoomed-detail", 120, 36, []string{"k", "k", "tab", "z"}},
		{"detail-below", 120, 36, []string{"k", "|"}},
		{"detail-80", 80, 24, []string{"k", "k", "enter"}},
		{"narrowed", 120, 36, []string{"l", "l", "l", "="}},
		{"excluded", 120, 36, []string{"l", "!"}},
		{"wider", 120, 36, []string{"-", "-"}},
		{"earlier", 120, 36, []string{"<", "<"}},
		{"paused", 80, 24, []string{"p"}},
		{"folded", 120, 36, []string{"5", "j", "h"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			drive(t, 1_000_000, tt.w, tt.h, Options{}, func(d *driver) {
				d.press(tt.press...)
				d.pass(2e9)
				d.golden("script-" + tt.name)
			})
		})
	}
}
