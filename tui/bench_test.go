package tui

import (
	"context"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/gumshoe-ir/gumshoe/internal/faketrail"
	"github.com/gumshoe-ir/gumshoe/tui/prompt"
)

// ready is a console that has loaded its screen over ten million rows.
func ready(tb testing.TB, w, h int) *app {
	tb.Helper()
	trail := faketrail.New(10_000_000, 20*time.Millisecond)
	a, err := newApp(context.Background(), Options{Trail: trail, Feed: trail, Theme: "dark", Now: trail.Now})
	if err != nil {
		tb.Fatal(err)
	}
	var run func(cmd tea.Cmd)
	run = func(cmd tea.Cmd) {
		if cmd == nil {
			return
		}
		switch msg := cmd().(type) {
		case nil:
		case tea.BatchMsg:
			for _, c := range msg {
				run(c)
			}
		default:
			_, next := a.Update(msg)
			run(next)
		}
	}
	a.heard(status{Status: trail.Says()})
	_, cmd := a.Update(tea.WindowSizeMsg{Width: w, Height: h})
	run(cmd)
	return a
}

// BenchmarkKey is one key: change, frame and View, without the terminal.
func BenchmarkKey(b *testing.B) {
	for _, size := range []struct {
		name string
		w, h int
	}{{"80x24", 80, 24}, {"120x36", 120, 36}, {"200x60", 200, 60}} {
		b.Run(size.name, func(b *testing.B) {
			a := ready(b, size.w, size.h)
			keys := []tea.KeyPressMsg{prompt.Press("k"), prompt.Press("j")}
			a.Update(prompt.Press("k"))
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				a.Update(keys[i&1])
				_ = a.View()
			}
		})
	}
}

// BenchmarkStatus is one word of the engine that changes nothing but the rate.
func BenchmarkStatus(b *testing.B) {
	a := ready(b, 120, 36)
	s := a.engine.Status
	b.ReportAllocs()
	for b.Loop() {
		a.Update(status{Status: s})
		_ = a.View()
	}
}
