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
	"github.com/charmbracelet/x/ansi"

	"github.com/gumshoe-ir/gumshoe/audit"
	"github.com/gumshoe-ir/gumshoe/event"
	"github.com/gumshoe-ir/gumshoe/internal/faketrail"
	"github.com/gumshoe-ir/gumshoe/rules/filter"
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
		d.expect("everything", "10,000 activities")
	})
}

// picky is a trail of which a tenth matches any filter but one.
type picky struct{ *faketrail.Trail }

func (p picky) Histogram(ctx context.Context, q audit.HistogramQuery) (audit.Histogram, error) {
	h, err := p.Trail.Histogram(ctx, q)
	if c, ok := q.Filter.(*filter.Check); ok {
		h.Total /= 10
		if c.Values[0] == "nobody" {
			h.Total = 0
		}
	}
	return h, err
}

func TestFilterBarCountsBeforeEnter(t *testing.T) {
	drive(t, 10_000, 120, 36, Options{Trail: picky{faketrail.New(10_000, 20*time.Millisecond)}}, func(d *driver) {
		d.press("/")
		d.write("proc=nobody")
		d.pass(time.Second)
		d.expect("matches 0 in window")
		d.press("ctrl+u")
		d.write("type=cmd")
		d.pass(time.Second)
		d.expectNot("matches 0")
		d.expect("matches 335")
		d.press("enter")
		d.pass(2 * time.Second)
		d.expect("855 of 8,552")
		d.press("u", "/")
		d.send(tea.PasteMsg{Content: strings.Repeat("proc.name=a or ", 600)})
		d.expect("not pasted: a filter has at most 4096 characters")
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

// TestEscapeInOnePacket takes what terminals write for alt for esc and a key.
func TestEscapeInOnePacket(t *testing.T) {
	drive(t, 1000, 120, 36, Options{}, func(d *driver) {
		d.press("/")
		d.write("proc")
		d.send(tea.KeyPressMsg{Code: '?', Mod: tea.ModAlt})
		d.expect("type to find a key")
		d.send(tea.KeyPressMsg{Code: '5', Mod: tea.ModAlt})
		d.pass(2 * time.Second)
		d.expectNot("type to find a key")
		d.expect("Processes 16", "everything")
	})
}

func TestProcessesHide(t *testing.T) {
	drive(t, 1000, 120, 36, Options{}, func(d *driver) {
		d.press("5")
		d.pass(time.Second)
		d.expectNot("kthreadd")
		d.press("i")
		d.pass(2 * time.Second)
		d.expect("kthreadd", "Processes 17")
		d.press("o", "i")
		d.pass(2 * time.Second)
		d.expect("Processes 20", "ended 5m ago too")
		d.expectNot("kthreadd")
	})
}

// attaching is the feed of an engine that does not see anything yet.
type attaching struct{ *faketrail.Trail }

func (f attaching) Status(context.Context) (<-chan event.Status, error) {
	ch := make(chan event.Status, 1)
	s := f.Says()
	s.Source = ""
	ch <- s
	return ch, nil
}

func TestAttachingIsNotLive(t *testing.T) {
	drive(t, 100, 120, 36, Options{Feed: attaching{faketrail.New(100, time.Second)}}, func(d *driver) {
		d.expect("ATTACHING")
		d.expectNot("LIVE")
	})
}

func TestAnEmptyListSaysWhatToDo(t *testing.T) {
	drive(t, 100, 80, 24, Options{Filter: "proc=nobody"}, func(d *driver) {
		d.expect("nothing in the last 15m matches the filter", `\ clears the filter`)
		d.press("<")
		d.pass(time.Second)
		d.expect("nothing in the 15m to Nov 20")
		d.press("\\", "<", "<", "<")
		d.pass(time.Second)
		d.expect("nothing happened in the 15m to Nov 20", "- looks further back")
	})
}

func TestFramesAreOnePieceOverSSH(t *testing.T) {
	starts := func(env string) int {
		trail := faketrail.New(1, 1)
		a, err := newApp(t.Context(), Options{Trail: trail, Feed: trail, Environ: []string{env}})
		if err != nil {
			t.Fatal(err)
		}
		return len(a.Init()().(tea.BatchMsg))
	}
	if over, here := starts("SSH_TTY=/dev/pts/1"), starts("TERM=xterm"); over != here+1 {
		t.Errorf("over ssh %d commands begin the program, here %d", over, here)
	}
	if m, ok := synchronized().(tea.ModeReportMsg); !ok || m.Mode != ansi.ModeSynchronizedOutput {
		t.Errorf("%v", m)
	}
}

func TestLocaleDecidesGlyphs(t *testing.T) {
	for _, tt := range []struct {
		env  string
		want bool
	}{
		{"", false},
		{"LANG=C", true},
		{"LANG=C.UTF-8", false},
		{"LANG=de_DE.utf8", false},
		{"LC_ALL=C LANG=en_US.UTF-8", true},
		{"LC_CTYPE=en_US.UTF-8 LANG=C", false},
		{"LANG=en_US.ISO-8859-1", true},
	} {
		if got := asciiLocale(strings.Fields(tt.env)); got != tt.want {
			t.Errorf("%q: ASCII is %v", tt.env, got)
		}
	}
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
