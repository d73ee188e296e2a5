package overview

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/gumshoe-ir/gumshoe/audit"
	"github.com/gumshoe-ir/gumshoe/event"
	"github.com/gumshoe-ir/gumshoe/internal/faketrail"
	"github.com/gumshoe-ir/gumshoe/tui/pane"
	"github.com/gumshoe-ir/gumshoe/tui/theme"
)

func TestBarsRise(t *testing.T) {
	tests := []struct {
		v, top  uint64
		y, bars int
		want    int
	}{
		{0, 100, 0, 4, 0},
		{0, 0, 0, 4, 0},
		{1, 1000, 0, 4, 1}, // anything is seen
		{100, 100, 3, 4, 8},
		{50, 100, 1, 4, 8},
		{50, 100, 2, 4, 0},
		{60, 100, 2, 4, 3},
	}
	for _, tt := range tests {
		if got := level(tt.v, tt.top, tt.y, tt.bars); got != tt.want {
			t.Errorf("level(%d of %d at %d of %d) = %d, want %d", tt.v, tt.top, tt.y, tt.bars, got, tt.want)
		}
	}
}

// broken is a trail whose store does not answer.
type broken struct{ *faketrail.Trail }

func (broken) Histogram(context.Context, audit.HistogramQuery) (audit.Histogram, error) {
	return audit.Histogram{}, errors.New("store: disk is gone")
}

// filled is a screen that has counted.
func filled(t *testing.T, trail Trail, fake *faketrail.Trail) *Screen {
	s := New(t.Context(), theme.New(theme.Mono, false), trail)
	s.Resize(120, 32)
	s.Update(pane.Shown(true))
	cmd := s.Update(pane.Scope{Window: pane.Window{Span: time.Hour}, Now: fake.Now})
	if cmd == nil {
		t.Fatal("a new scope asks for nothing")
	}
	s.Update(cmd())
	return s
}

func TestOverview(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := faketrail.New(1_000_000, 20*time.Millisecond)
		s := filled(t, fake, fake)
		status := fake.Says()
		status.Lost[event.LostRing], status.Lost[event.Thinned] = 12_345, 99
		s.Update(status)
		text := ansi.Strip(s.View())
		for _, want := range []string{"12,345 lost, ring 12.3k", "left out 99", "Programs", "curl", "198.51.100.7", "410 system events/s"} {
			if !strings.Contains(text, want) {
				t.Errorf("lacks %q:\n%s", want, text)
			}
		}
		s.Update(tea.KeyPressMsg{Code: 'l', Text: "l"})
		s.Update(tea.KeyPressMsg{Code: 'j', Text: "j"})
		got := s.Update(tea.KeyPressMsg{Code: '!', Text: "!"})()
		if want := (pane.Narrow{Field: "proc", Value: "bash", Exclude: true}); got != want {
			t.Errorf("! wants %v, want %v", got, want)
		}
		s.Update(tea.MouseClickMsg{X: 95, Y: 19, Button: tea.MouseLeft})
		got = s.Update(tea.KeyPressMsg{Code: '=', Text: "="})()
		if want := (pane.Narrow{Field: "remote", Value: "198.51.100.7"}); got != want {
			t.Errorf("a click and = want %v, want %v", got, want)
		}
		pane.Fit(t, s)
	})
}

func TestOverviewSaysWhatWentWrong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := faketrail.New(10, time.Second)
		s := filled(t, broken{fake}, fake)
		if text := ansi.Strip(s.View()); !strings.Contains(text, "store: disk is gone") {
			t.Errorf("shows\n%s", text)
		}
		pane.Fit(t, s)
	})
}

func TestTopFieldsExist(t *testing.T) {
	for _, top := range tops {
		long, ok := event.LookupField(top.field)
		short, also := event.LookupField(top.short)
		if !ok || !also || long != short {
			t.Errorf("%s and %s are not one field", top.field, top.short)
		}
	}
}
