package tui

import (
	"context"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/gumshoe-ir/gumshoe/event"
)

// Feed tells that something changed; fleet/socket's client has it.
type Feed interface {
	// Status sends what the engine says of itself: when something changed, at
	// least once a second while things happen, only the newest when the reader
	// is slow. The channel closes when the engine or ctx ends.
	Status(ctx context.Context) (<-chan event.Status, error)
}

const (
	// pace is the least time between two changes that the screen takes in.
	pace = 100 * time.Millisecond
	// silence is after how long an engine that says nothing is called silent.
	silence = 5 * time.Second
	// settle is after how many statuses that count nothing new everything
	// counted is taken to be stored.
	settle = 5
	// retry is the time between two tries to reach an engine that is gone.
	retry = 2 * time.Second
)

// Messages of the feed.
type (
	opened struct{ ch <-chan event.Status }
	status struct {
		event.Status
		ch <-chan event.Status
	}
	silent struct{ ch <-chan event.Status }
	gone   struct{ err error }
)

// openFeed asks for the engine's status, after wait.
func openFeed(ctx context.Context, f Feed, wait time.Duration) tea.Cmd {
	return func() tea.Msg {
		if !sleep(ctx, wait) {
			return nil
		}
		ch, err := f.Status(ctx)
		if err != nil {
			return gone{err}
		}
		return opened{ch}
	}
}

// nextStatus waits for what the engine says next, but no shorter than pace: of
// what comes in between only the newest counts.
func nextStatus(ctx context.Context, ch <-chan event.Status, wait time.Duration) tea.Cmd {
	return func() tea.Msg {
		if !sleep(ctx, wait) {
			return nil
		}
		quiet := time.NewTimer(silence)
		defer quiet.Stop()
		select {
		case <-ctx.Done():
			return nil
		case <-quiet.C:
			return silent{ch}
		case s, ok := <-ch:
			if !ok {
				return gone{}
			}
			for {
				select {
				case newer, ok := <-ch:
					if !ok {
						return status{s, ch}
					}
					s = newer
				default:
					return status{s, ch}
				}
			}
		}
	}
}

// minute comes when the clock's minute changes: between two of them an idle
// console writes nothing.
type minute struct{}

func nextMinute(ctx context.Context, now time.Time) tea.Cmd {
	return func() tea.Msg {
		if !sleep(ctx, now.Truncate(time.Minute).Add(time.Minute).Sub(now)) {
			return nil
		}
		return minute{}
	}
}

// sleep reports whether d passed before ctx ended.
func sleep(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
