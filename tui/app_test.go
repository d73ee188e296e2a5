package tui

import (
	"context"
	"errors"
	"image/color"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"

	"github.com/gumshoe-ir/gumshoe/event"
	"github.com/gumshoe-ir/gumshoe/internal/faketrail"
	"github.com/gumshoe-ir/gumshoe/tui/pane"
	"github.com/gumshoe-ir/gumshoe/tui/theme"
)

// TestNothingNewIsTheSameFrame promises that an idle console writes nothing.
func TestNothingNewIsTheSameFrame(t *testing.T) {
	drive(t, 10_000, 120, 36, Options{}, func(d *driver) {
		for _, screen := range []string{"1", "2", "3", "5"} {
			d.press(screen)
			d.pass(5 * time.Second)
			before := d.frame()
			d.pass(20 * time.Second)
			if d.frame() != before {
				t.Errorf("screen %s changed by itself:\n%s", screen, diff(picture(before), picture(d.frame())))
			}
		}
	})
}

// TestFollowsAndPauses looks at what comes in.
func TestFollowsAndPauses(t *testing.T) {
	drive(t, 10_000, 120, 36, Options{}, func(d *driver) {
		list := func() string { return d.text() }
		before := list()
		d.trail.Grow(7)
		d.pass(3 * time.Second)
		if list() == before {
			t.Error("seven more activities are not shown")
		}
		d.press("p")
		d.trail.Grow(312)
		d.pass(3 * time.Second)
		d.expect("PAUSED +312")
		d.press("p")
		d.pass(3 * time.Second)
		d.expect("LIVE", "live again")
		d.press("k", "k")
		d.expect("10,319 activities")
		d.expect("scrolled back")
		d.trail.Grow(50)
		at := d.app.screens[2].pane.View()
		d.pass(3 * time.Second)
		d.press("G")
		d.pass(time.Second)
		d.expectNot("scrolled back")
		if at == d.app.screens[2].pane.View() {
			t.Error("G does not show the newest rows")
		}
	})
}

func TestFilterBar(t *testing.T) {
	drive(t, 10_000, 120, 36, Options{}, func(d *driver) {
		d.press("/")
		d.write("proc.nmae=curl")
		d.expect("did you mean proc.name?")
		d.press("enter")
		if !d.app.bar.Editing() {
			t.Error("enter takes a filter that is wrong")
		}
		d.press("ctrl+u")
		d.write("proc.name=cu")
		d.pass(time.Second)
		d.expect("curl")
		d.press("tab", "enter")
		d.pass(2 * time.Second)
		d.expect("⌕ proc.name=curl", "u takes it back")
		d.expectNot("sudo -i")
		d.press("u")
		d.pass(2 * time.Second)
		d.expect("everything", "sudo -i")
		d.press("ctrl+r")
		d.pass(2 * time.Second)
		d.expect("⌕ proc.name=curl")
		d.press("\\")
		d.expect("filter cleared")
		d.press("/", "up")
		d.expect("proc.name=curl")
		d.press("esc")
		d.expect("everything")
	})
}

func TestScreensThatArriveLater(t *testing.T) {
	drive(t, 100, 80, 24, Options{}, func(d *driver) {
		for digit, name := range map[string]string{"4": "Trace", "6": "Insights", "0": "Plugins"} {
			d.press(digit)
			d.expect(name+" arrives later", "Activity")
		}
	})
}

func TestMouse(t *testing.T) {
	drive(t, 10_000, 120, 36, Options{}, func(d *driver) {
		start, _ := d.app.tab(4)
		d.send(tea.MouseClickMsg{X: start + 1, Y: 0, Button: tea.MouseLeft})
		d.pass(2 * time.Second)
		d.expect("Processes 16")
		start, _ = d.app.tab(2)
		d.send(tea.MouseClickMsg{X: start, Y: 0, Button: tea.MouseLeft})
		d.send(tea.MouseWheelMsg{X: 20, Y: 20, Button: tea.MouseWheelUp})
		d.expect("scrolled back")
		d.send(tea.MouseClickMsg{X: 20, Y: 13, Button: tea.MouseLeft})
		d.expect("bash -i(40117)"[:7])
		d.send(tea.MouseClickMsg{X: 20, Y: 1, Button: tea.MouseLeft})
		if !d.app.bar.Editing() {
			t.Error("a click on the filter row does not edit it")
		}
	})
}

// down is a feed that fails, then works, then ends.
type down struct {
	trail *faketrail.Trail
	tries int
}

func (f *down) Status(ctx context.Context) (<-chan event.Status, error) {
	f.tries++
	if f.tries == 1 {
		return nil, errors.New("dial /run/gumshoe.sock: connection refused")
	}
	ch := make(chan event.Status, 1)
	ch <- f.trail.Says()
	if f.tries == 2 {
		close(ch)
	}
	return ch, nil
}

func TestEngineGoneAndBack(t *testing.T) {
	drive(t, 100, 120, 36, Options{Feed: &down{trail: faketrail.New(100, time.Second)}}, func(d *driver) {
		// The first try failed, the second ends at once.
		d.pass(time.Second)
		d.expect("ENGINE GONE")
		d.pass(2 * time.Second)
		d.expect("LIVE")
		d.pass(10 * time.Second)
		d.expect("ENGINE SILENT")
	})
}

func TestThemeFollowsTheTerminal(t *testing.T) {
	drive(t, 100, 120, 36, Options{Theme: "auto"}, func(d *driver) {
		d.send(tea.BackgroundColorMsg{Color: color.White})
		if d.app.styles.Kind != theme.Light {
			t.Error("a white terminal does not get the light theme")
		}
		d.send(tea.ColorProfileMsg{Profile: colorprofile.ANSI})
		if d.app.styles.Kind != theme.Sixteen {
			t.Error("a terminal of sixteen colours gets more")
		}
		d.send(tea.ColorProfileMsg{Profile: colorprofile.Ascii})
		if d.app.styles.Kind != theme.Mono || strings.Contains(d.frame(), "38;2") {
			t.Error("a terminal without colours gets some")
		}
		pane.FitView(t, d.frame(), 120, 36)
	})
}

func TestDumbTerminalsAreRefused(t *testing.T) {
	for _, term := range []string{"TERM=dumb", "TERM=", "HOME=/"} {
		err := Run(t.Context(), Options{Environ: []string{term}})
		if !errors.Is(err, ErrTerminal) || !strings.Contains(err.Error(), "gumshoe activity") {
			t.Errorf("%s: %v", term, err)
		}
	}
}

func TestColorFGBG(t *testing.T) {
	for v, want := range map[string]bool{"15;0": false, "0;15": true, "0;default;7": true, "": false, "x": false} {
		if got := lightGround([]string{"COLORFGBG=" + v}); got != want {
			t.Errorf("COLORFGBG=%s is light: %v", v, got)
		}
	}
}
