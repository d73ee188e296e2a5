package tui

import (
	"context"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/gumshoe-ir/gumshoe/internal/faketrail"
	"github.com/gumshoe-ir/gumshoe/tui/pane"
	"github.com/gumshoe-ir/gumshoe/tui/prompt"
)

var update = flag.Bool("update", false, "write the golden files anew")

// driver runs the console without a terminal, inside a synctest bubble: it
// presses keys, lets time pass and waits until nothing is under way.
type driver struct {
	t     *testing.T
	app   *app
	trail *faketrail.Trail
	msgs  chan tea.Msg
	quit  bool
}

// drive runs script with a console of w by h cells over rows activities.
func drive(t *testing.T, rows uint64, w, h int, o Options, script func(d *driver)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer synctest.Wait()
		defer cancel()
		trail := faketrail.New(rows, 20*time.Millisecond)
		trail.Match = faketrail.Compiled
		o.Now = trail.Now
		if o.Trail == nil {
			o.Trail = trail
		}
		if o.Feed == nil {
			o.Feed = trail
		}
		if o.Theme == "" {
			o.Theme = "dark"
		}
		a, err := newApp(ctx, o)
		if err != nil {
			t.Fatal(err)
		}
		d := &driver{t: t, app: a, trail: trail, msgs: make(chan tea.Msg, 1024)}
		d.do(a.Init())
		d.send(tea.WindowSizeMsg{Width: w, Height: h})
		d.pass(2 * time.Second)
		script(d)
	})
}

// do runs a command beside, as the program does.
func (d *driver) do(cmd tea.Cmd) {
	if cmd == nil {
		return
	}
	go func() {
		if msg := cmd(); msg != nil {
			d.msgs <- msg
		}
	}()
}

// settle takes in messages until none is under way.
func (d *driver) settle() {
	for {
		synctest.Wait()
		select {
		case msg := <-d.msgs:
			d.take(msg)
		default:
			return
		}
	}
}

func (d *driver) take(msg tea.Msg) {
	switch msg := msg.(type) {
	case tea.BatchMsg:
		for _, cmd := range msg {
			d.do(cmd)
		}
		return
	case tea.QuitMsg:
		d.quit = true
		return
	}
	_, cmd := d.app.Update(msg)
	d.do(cmd)
}

func (d *driver) send(msg tea.Msg) {
	d.take(msg)
	d.settle()
}

// pass lets time go by.
func (d *driver) pass(t time.Duration) {
	d.settle()
	for end := time.Now().Add(t); time.Now().Before(end); {
		time.Sleep(50 * time.Millisecond)
		d.settle()
	}
}

// press presses keys by name.
func (d *driver) press(names ...string) {
	for _, n := range names {
		d.send(prompt.Press(n))
	}
}

// write types text.
func (d *driver) write(text string) {
	for _, r := range text {
		if r == ' ' {
			d.send(tea.KeyPressMsg{Code: tea.KeySpace, Text: " "})
			continue
		}
		d.send(tea.KeyPressMsg{Code: r, Text: string(r)})
	}
}

// frame is what is on the screen.
func (d *driver) frame() string { return d.app.View().Content }

// text is the frame without colours.
func (d *driver) text() string { return ansi.Strip(d.frame()) }

func (d *driver) expect(parts ...string) {
	d.t.Helper()
	for _, p := range parts {
		if !strings.Contains(d.text(), p) {
			d.t.Errorf("the frame lacks %q:\n%s", p, d.text())
		}
	}
}

func (d *driver) expectNot(part string) {
	d.t.Helper()
	if strings.Contains(d.text(), part) {
		d.t.Errorf("the frame has %q:\n%s", part, d.text())
	}
}

// golden compares the frame with a file of text and attributes.
func (d *driver) golden(name string) {
	d.t.Helper()
	pane.FitView(d.t, d.frame(), d.app.w, d.app.h)
	path := filepath.Join("testdata", "frames", name+".txt")
	got := picture(d.frame())
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			d.t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			d.t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		d.t.Fatal(err)
	}
	if string(want) != got {
		d.t.Errorf("%s differs (go test ./tui -update accepts it):\n%s", path, diff(string(want), got))
	}
}

// diff shows the lines that differ.
func diff(want, got string) string {
	var b strings.Builder
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range max(len(w), len(g)) {
		var x, y string
		if i < len(w) {
			x = w[i]
		}
		if i < len(g) {
			y = g[i]
		}
		if x != y {
			b.WriteString("- " + x + "\n+ " + y + "\n")
		}
	}
	return b.String()
}

// picture writes a frame so that people can review it: below each row of text
// one of letters, a letter for each look, with a legend at the end.
func picture(frame string) string {
	var out, legend strings.Builder
	looks := map[string]byte{"": ' '}
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	for row := range strings.SplitSeq(frame, "\n") {
		var text, attrs strings.Builder
		look, state := "", byte(0)
		for len(row) > 0 {
			seq, width, n, next := ansi.DecodeSequence(row, state, nil)
			state, row = next, row[n:]
			if width == 0 && strings.HasPrefix(seq, "\x1b[") {
				look = strings.TrimPrefix(strings.TrimSuffix(seq[2:], "m"), ";")
				continue
			}
			letter, ok := looks[look]
			if !ok {
				letter = letters[(len(looks)-1)%len(letters)]
				looks[look] = letter
				legend.WriteString(string(letter) + " " + look + "\n")
			}
			text.WriteString(seq)
			attrs.WriteString(strings.Repeat(string(letter), width))
		}
		out.WriteString("S " + strings.TrimRight(text.String(), " ") + "\n")
		if a := strings.TrimRight(attrs.String(), " "); a != "" {
			out.WriteString("A " + a + "\n")
		}
	}
	return out.String() + "\n" + legend.String()
}
