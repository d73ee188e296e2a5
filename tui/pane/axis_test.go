package pane

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"

	"github.com/gumshoe-ir/gumshoe/audit"
	"github.com/gumshoe-ir/gumshoe/rules/filter"
)

var noon = time.Date(2026, 11, 20, 12, 0, 7, 0, time.UTC)

func TestColumnsFitTheirCells(t *testing.T) {
	for _, span := range spans {
		for n := 2; n < 200; n++ {
			for _, until := range []time.Time{{}, noon.Add(-time.Hour)} {
				s := Scope{Window: Window{Span: span, Until: until}, Now: func() time.Time { return noon }}
				q := s.Columns(n)
				step := (q.Range.Until - q.Range.Since) / uint64(q.Columns)
				end := noon
				if !until.IsZero() {
					end = until
				}
				switch {
				case q.Columns > n:
					t.Fatalf("%v over %d cells asks for %d columns", span, n, q.Columns)
				case q.Range.Until%step != 0 && step < uint64(time.Hour):
					t.Fatalf("%v over %d cells: columns of %v begin at odd times", span, n, time.Duration(step))
				case q.Range.Until < uint64(end.UnixNano()) || q.Range.Until > uint64(end.UnixNano())+step:
					t.Fatalf("%v over %d cells: the last column does not hold the end", span, n)
				case q.Range.Since > uint64(end.Add(-span).UnixNano()):
					t.Fatalf("%v over %d cells begins too late", span, n)
				}
			}
		}
	}
}

func TestSpread(t *testing.T) {
	tests := []struct {
		name   string
		values []uint64
		n      int
		want   string
	}{
		{"as many", []uint64{1, 2, 3}, 3, "123"},
		{"at the right end", []uint64{1, 2, 3}, 5, "..123"},
		{"each as wide", []uint64{1, 2, 3}, 7, ".112233"},
		{"the last of more", []uint64{1, 2, 3}, 2, "23"},
		{"nothing", nil, 3, "..."},
		{"no room", []uint64{1}, 0, ""},
	}
	for _, tt := range tests {
		var b strings.Builder
		for _, v := range Spread(tt.values, tt.n) {
			b.WriteByte(".123"[v])
		}
		if b.String() != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, b.String(), tt.want)
		}
	}
}

func TestAxis(t *testing.T) {
	at := func(clock string) uint64 {
		u, err := time.Parse("2006-01-02 15:04:05", "2026-11-20 "+clock)
		if err != nil {
			t.Fatal(err)
		}
		return uint64(u.UnixNano())
	}
	tests := []struct {
		name string
		axis Axis
		n    int
		want string
	}{
		{"labels stand at their columns", Axis{at("11:59:50"), 10e9, 30, true}, 30, "└─12:00───────12:02─────────now┘"},
		{"wide columns", Axis{at("12:00:00"), 60e9, 15, false}, 30, "└12:00─────12:05──────────12:15┘"},
		{"seconds", Axis{at("12:00:03"), 1e9, 30, false}, 30, "└────────────12:00:15──12:00:33┘"},
		{"midnight is a day", Axis{at("22:00:00"), 3600e9, 30, true}, 30, "└──Nov 21──────12:00────────now┘"},
		{"room at the left", Axis{at("12:00:00"), 60e9, 20, true}, 25, "└─────12:00─────12:10──now┘"},
		{"nothing counted", Axis{}, 10, "└──────────┘"},
		{"no room", Axis{at("12:00:00"), 60e9, 20, true}, 2, "└──┘"},
	}
	for _, tt := range tests {
		c := NewCanvas(styles, tt.n+2)
		c.Row(false)
		c.Axis(tt.axis, tt.n)
		FitView(t, c.String(), tt.n+2, 1)
		if got := ansi.Strip(c.String()); got != tt.want {
			t.Errorf("%s:\n%s, want\n%s", tt.name, got, tt.want)
		}
	}
}

func TestExact(t *testing.T) {
	for d, want := range map[time.Duration]string{
		time.Second: "1s", 90 * time.Second: "1m30s", time.Minute: "1m", 90 * time.Minute: "1h30m", 12 * time.Hour: "12h",
		72 * time.Hour: "3d", 13700 * time.Millisecond: "13.7s", 20 * time.Minute: "20m",
	} {
		if got := Exact(d); got != want {
			t.Errorf("Exact(%v) = %s, want %s", d, got, want)
		}
	}
}

func TestUnfiltered(t *testing.T) {
	for _, tt := range []struct {
		node filter.Node
		want uint64
	}{{nil, 3}, {&filter.Check{}, 40}} {
		q := audit.HistogramQuery{Selection: audit.Selection{Filter: tt.node}, Columns: 1}
		if got, err := Unfiltered(t.Context(), forty{}, q, 3); got != tt.want || err != nil {
			t.Errorf("with filter %v: %d, %v", tt.node, got, err)
		}
	}
}

// forty counts 40 of everything, and nothing of a filter.
type forty struct{}

func (forty) Histogram(_ context.Context, q audit.HistogramQuery) (audit.Histogram, error) {
	if q.Filter != nil {
		return audit.Histogram{}, errors.New("has a filter")
	}
	return audit.Histogram{Total: 40}, nil
}
