// Program demo shows the console over a computed trail, to look at it.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"time"

	"github.com/gumshoe-ir/gumshoe/internal/faketrail"
	"github.com/gumshoe-ir/gumshoe/tui"
)

func main() {
	rows := flag.Uint64("rows", 10_000_000, "activities in the trail")
	grow := flag.Uint64("grow", 0, "activities per second that come in")
	look := flag.String("theme", "", "auto, dark, light, 16, mono")
	ascii := flag.Bool("ascii", false, "no boxes and blocks")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
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
