package tui

import (
	"context"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	tea "charm.land/bubbletea/v2"

	"github.com/gumshoe-ir/gumshoe/audit"
	"github.com/gumshoe-ir/gumshoe/event"
	"github.com/gumshoe-ir/gumshoe/internal/faketrail"
	"github.com/gumshoe-ir/gumshoe/tui/pane"
	"github.com/gumshoe-ir/gumshoe/tui/prompt"
)

// nasty are names that attackers give to things.
var nasty = []string{
	"\x1b[2J\x1b[Hgone", "\x1b]52;c;cm0gLXJmIC8=\a", "\x1b]0;title\x07", "\x1bP1;2|payload\x1b\\",
	"line\r\nbreak\x0b\x0c", "\u202egpj.exe\u2066", "\xff\xfe\xc0\xaf\xed\xa0\x80", "a\u0301\u0302\u0303\u0304\u0305b",
	"\u009b31m\u0090", "日本語のプロセス名がとても長い場合", "👩‍👩‍👧‍👦🇩🇪👍🏽", "\u200b\u200d\ufeff\u00ad", "tab\tnul\x00del\x7f",
	"$(reboot)`reboot`; reboot", "%s%n%d", strings.Repeat("A", 1<<20), strings.Repeat("\x1b", 5000), "", " ", "क्षि नमस्ते", "ﷺ﷽",
	"[kworker/0:1]", "\u0301starts with a mark", "▌│ looks like the frame ┃",
}

// villain answers with hostile text wherever there is text.
type villain struct{ *faketrail.Trail }

func (v villain) Page(ctx context.Context, q audit.Query) (audit.Page, error) {
	p, err := v.Trail.Page(ctx, q)
	for i := range p.Rows {
		a := &p.Rows[i]
		n := int(a.ID.NS/20e6) % len(nasty)
		a.Target, a.User, a.Name, a.Verb = nick(n), nick(n+1), nick(n+2), nick(n+3)
		a.RealPath = nick(n + 4)
		a.Process = disguised(a.Process, n)
	}
	return p, err
}

func (v villain) Tree(ctx context.Context, q audit.TreeQuery) ([]*event.Process, error) {
	procs, err := v.Trail.Tree(ctx, q)
	out := make([]*event.Process, len(procs))
	for i, p := range procs {
		out[i] = disguised(p, i)
	}
	return out, err
}

func (v villain) Facets(context.Context, audit.FacetQuery) ([]audit.Facet, error) {
	var out []audit.Facet
	for i := range nasty {
		out = append(out, audit.Facet{Value: nick(i), Count: 7})
	}
	return out, nil
}

func (v villain) Status(ctx context.Context) (<-chan event.Status, error) {
	ch := make(chan event.Status, 1)
	s := v.Says()
	s.Host, s.Source, s.Notes = nasty[0], "live", []string{nasty[1], nasty[4]}
	s.Lost[event.LostRing] = 1234
	ch <- s
	return ch, nil
}

func nick(n int) string { return nasty[n%len(nasty)] }

func disguised(p *event.Process, n int) *event.Process {
	q := *p
	q.Name, q.Cmdline, q.Exe, q.ExePath, q.Cwd = nick(n), nick(n+5), nick(n+6), nick(n+7), nick(n+8)
	q.User = &event.User{Name: nick(n + 9)}
	q.LoginUser = nick(n + 10)
	q.Env = []string{nick(n + 11)}
	if n%2 == 0 {
		q.Container = &event.Container{
			ID: nick(n + 1), Name: nick(n + 2), Image: nick(n + 3), Pod: nick(n + 4), Namespace: nick(n + 5), Problem: nick(n + 6),
		}
	}
	return &q
}

// styling is the only escape sequence that a frame may hold.
var styling = regexp.MustCompile("\x1b\\[[0-9;]*m")

// harmless reports what in a frame could act on a terminal.
func harmless(frame string) string {
	bare := styling.ReplaceAllString(frame, "")
	if !utf8.ValidString(bare) {
		return "not UTF-8"
	}
	for i, r := range bare {
		if r != '\n' && !unicode.IsPrint(r) || unicode.Is(unicode.Cf, r) {
			return string(bare[max(0, i-20):i]) + " is followed by " + unicode16(r)
		}
	}
	return ""
}

func unicode16(r rune) string {
	return strings.ToUpper("u+" + string("0123456789abcdef"[r>>4&15]) + string("0123456789abcdef"[r&15]))
}

func TestHostileTextIsShownSafe(t *testing.T) {
	for _, size := range [][2]int{{120, 36}, {80, 24}, {200, 60}} {
		v := villain{faketrail.New(10_000, 20*time.Millisecond)}
		drive(t, 10_000, size[0], size[1], Options{Trail: v, Feed: v}, func(d *driver) {
			check := func(what string) {
				if bad := harmless(d.frame()); bad != "" {
					t.Fatalf("after %s: %s", what, bad)
				}
				pane.FitView(t, d.frame(), size[0], size[1])
			}
			for _, keys := range []string{"1", "j", "3", "k", "tab", "j", "j", "|", "z", "z", "esc", "pgup", "5", "j", "j", "enter", "j", "esc", "/", "tab", "esc"} {
				d.press(keys)
				d.pass(3 * time.Second)
				check(keys)
			}
			d.press("3")
			for range len(nasty) {
				d.press("k", "=", "\\", "y")
				check("narrowing and copying")
			}
		})
	}
}

func TestPastedTextIsOneLine(t *testing.T) {
	drive(t, 1000, 80, 24, Options{}, func(d *driver) {
		d.press("/")
		d.send(tea.PasteMsg{Content: "a\nb\x1b[31m\r" + strings.Repeat("c", 10_000)})
		if bad := harmless(d.frame()); bad != "" {
			t.Error(bad)
		}
		pane.FitView(t, d.frame(), 80, 24)
		d.press("esc")
	})
}

// TestRandomInputAlwaysFits presses random keys, clicks, and resizes.
func TestRandomInputAlwaysFits(t *testing.T) {
	for seed := range uint64(6) {
		v := villain{faketrail.New(5000, 20*time.Millisecond)}
		drive(t, 5000, 120, 36, Options{Trail: v, Feed: v}, func(d *driver) { storm(d, seed, 400) })
	}
}

func FuzzInput(f *testing.F) {
	f.Add(uint64(1))
	f.Fuzz(func(t *testing.T, seed uint64) {
		v := villain{faketrail.New(500, 20*time.Millisecond)}
		drive(t, 500, 100, 30, Options{Trail: v, Feed: v}, func(d *driver) { storm(d, seed, 200) })
	})
}

// storm sends n random inputs and checks the frame after each.
func storm(d *driver, seed uint64, n int) {
	rnd := rand.New(rand.NewPCG(seed, 1))
	names := []string{
		"1", "2", "3", "4", "5", "9", "/", "\\", "=", "!", "p", "j", "k", "up", "down", "pgup", "pgdown", "g", "g", "G", "home", "end",
		"enter", "esc", "backspace", "tab", "+", "-", "<", ">", ".", "z", "|", "u", "ctrl+r", "y", "?", "h", "l", "left", "right", "a", "proc",
		"space", "ctrl+w", "ctrl+l",
	}
	for range n {
		switch k := rnd.IntN(20); {
		case k == 0:
			d.send(tea.WindowSizeMsg{Width: 1 + rnd.IntN(220), Height: 1 + rnd.IntN(70)})
		case k == 1:
			d.send(tea.MouseClickMsg{X: rnd.IntN(220), Y: rnd.IntN(70), Button: tea.MouseLeft})
		case k == 2:
			d.send(tea.MouseWheelMsg{X: rnd.IntN(220), Y: rnd.IntN(70), Button: tea.MouseWheelUp + tea.MouseButton(rnd.IntN(2))})
		case k == 3:
			d.trail.Grow(uint64(rnd.IntN(50)))
			d.pass(200 * time.Millisecond)
		default:
			d.send(prompt.Press(names[rnd.IntN(len(names))]))
		}
		pane.FitView(d.t, d.frame(), d.app.w, d.app.h)
		if bad := harmless(d.frame()); bad != "" {
			d.t.Fatal(bad)
		}
		if d.t.Failed() {
			d.t.Fatalf("seed %d, %dx%d", seed, d.app.w, d.app.h)
		}
	}
}
