// Program demo shows the console over a computed trail, to look at it and to
// measure it beside a program that shows nothing.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/gumshoe-ir/gumshoe/internal/faketrail"
	"github.com/gumshoe-ir/gumshoe/tui"
)

func main() {
	rows := flag.Uint64("rows", 10_000_000, "activities in the trail")
	grow := flag.Uint64("grow", 0, "activities per second that come in")
	look := flag.String("theme", "", "auto, dark, light, 16, mono")
	ascii := flag.Bool("ascii", false, "no boxes and blocks")
	empty := flag.Bool("empty", false, "run a program of the same frame rate that shows nothing")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if *empty {
		if _, err := tea.NewProgram(nothing{}, tea.WithContext(ctx), tea.WithFPS(120)).Run(); err != nil {
			fmt.Fprintln(os.Stderr, "demo:", err)
		}
		return
	}
	trail := faketrail.New(*rows, 20*time.Millisecond)
	trail.Match = faketrail.Compiled
	if *grow > 0 {
		go func() {
			for range time.Tick(10 * time.Millisecond) {
				trail.Grow(max(*grow/100, 1))
			}
		}()
	}
	err := tui.Run(ctx, tui.Options{
		Trail: trail, Feed: trail, Theme: *look, ASCII: *ascii, Now: trail.Now, Environ: os.Environ(),
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

// nothing is the empty program.
type nothing struct{}

func (nothing) Init() tea.Cmd                         { return nil }
func (n nothing) Update(tea.Msg) (tea.Model, tea.Cmd) { return n, nil }

func (nothing) View() tea.View {
	v := tea.NewView("nothing")
	v.AltScreen = true
	return v
}
