package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gumshoe-ir/gumshoe/audit"
	"github.com/gumshoe-ir/gumshoe/audit/store"
	"github.com/gumshoe-ir/gumshoe/event"
)

// ids is a rowWriter that notes which rows are printed, and whether with an end.
func ids(got *[]string) *rowWriter {
	return &rowWriter{w: &bytes.Buffer{}, form: func(dst []byte, a *event.Activity) ([]byte, error) {
		*got = append(*got, fmt.Sprintf("%d %t", a.ID.NS, a.End != 0))
		return dst, nil
	}}
}

func command(ns, end uint64) event.Activity {
	return event.Activity{ID: event.ID{NS: ns}, Kind: event.Command, End: end, Process: &event.Process{PID: 1, TID: 1}}
}

func TestAFollowerPrints(t *testing.T) {
	for _, c := range []struct {
		rule  string
		looks [][]event.Activity
		want  []string
	}{
		{"what overlaps once", [][]event.Activity{{command(5, 9)}, {command(5, 9), command(6, 9)}}, []string{"5 true", "6 true"}},
		{"a command again when it has ended", [][]event.Activity{{command(5, 0)}, {command(5, 0)}, {command(5, 9)}, {command(5, 9)}}, []string{"5 false", "5 true"}},
		{"what is stored late", [][]event.Activity{{command(50, 51)}, {command(5, 51), command(50, 51)}}, []string{"50 true", "5 true"}},
	} {
		t.Run(c.rule, func(t *testing.T) {
			var got []string
			f := newFollower(ids(&got), 0)
			for _, rows := range c.looks {
				if _, err := f.take(slices.Clone(rows)); err != nil {
					t.Fatal(err)
				}
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("printed %v, want %v", got, c.want)
			}
		})
	}
}

func TestAFollowerForgetsAndNeverRepeats(t *testing.T) {
	var got []string
	f := newFollower(ids(&got), 0)
	const n = 4 * seenAtOnce
	for ns := uint64(1); ns <= n; ns++ {
		f.wanted(&event.Activity{ID: event.ID{NS: ns}, Kind: event.Command})
	}
	if len(f.seen)+len(f.old) > 2*seenAtOnce || len(f.open) > openAtOnce {
		t.Errorf("%d ids and %d open ones remembered", len(f.seen)+len(f.old), len(f.open))
	}
	for ns := uint64(1); ns <= n; ns++ {
		if f.wanted(&event.Activity{ID: event.ID{NS: ns}, Kind: event.Command}) {
			t.Fatalf("%d twice", ns)
		}
	}
}

func TestAFollowerLooksBackFromTimeToTime(t *testing.T) {
	var got []string
	f := newFollower(ids(&got), 0)
	hour := uint64(time.Hour)
	if _, err := f.take([]event.Activity{command(hour, hour)}); err != nil {
		t.Fatal(err)
	}
	now := f.looked
	for _, want := range []struct{ after, since uint64 }{{0, hour - disorder}, {uint64(lookBack), hour - lateness}, {uint64(lookBack) + 1, hour - disorder}} {
		if since := f.since(now.Add(time.Duration(want.after))); since != want.since {
			t.Errorf("after %v from %v, want %v", time.Duration(want.after), time.Duration(since), time.Duration(want.since))
		}
	}
}

func TestFollowPrintsTheEndOfALongCommand(t *testing.T) {
	committed := make(chan struct{}, 100)
	db, err := store.Open(t.Context(), store.Options{Dir: t.TempDir(), Committed: func() { committed <- struct{}{} }})
	if err != nil {
		t.Fatal(err)
	}
	put := func(rows ...event.Activity) {
		b := event.NewBatch(nil)
		b.Activities = rows
		if err := db.Handle(t.Context(), b); err != nil {
			t.Fatal(err)
		}
		<-committed
	}
	start := uint64(time.Now().UnixNano())
	long, later := command(start+1, 0), command(start+uint64(time.Hour), 1)
	ctx, cancel := context.WithCancel(t.Context())
	changed, seen := make(chan struct{}), make(chan string)
	out := &rowWriter{w: &bytes.Buffer{}, form: func(dst []byte, a *event.Activity) ([]byte, error) {
		seen <- fmt.Sprintf("%d %t", a.ID.NS-start, a.End != 0)
		return dst, nil
	}}
	done := make(chan error, 1)
	go func() {
		done <- followActivity(ctx, db, changed, audit.Selection{Range: audit.Range{Since: start}}, 0, out)
	}()
	put(long)
	changed <- struct{}{}
	first := <-seen
	put(later) // the next looks begin long after the first
	changed <- struct{}{}
	second := <-seen
	long.End, long.Result = start+9, 256
	put(long)
	changed <- struct{}{}
	third := <-seen
	if first != "1 false" || second != fmt.Sprint(uint64(time.Hour), " true") || third != "1 true" {
		t.Errorf("printed %s, %s, %s", first, second, third)
	}
	cancel()
	if err := errors.Join(<-done, db.Close()); err != nil {
		t.Fatal(err)
	}
}

func TestAReaderThatLeavesIsNoticedWithoutARow(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	ctx, stop := whileRead(t.Context(), w)
	defer stop()
	if ctx.Err() != nil {
		t.Fatal("gone while there was a reader")
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	<-ctx.Done()
	if !errors.Is(context.Cause(ctx), syscall.EPIPE) {
		t.Errorf("ended by %v", context.Cause(ctx))
	}
}

func TestFieldsThatNeverAnswerAreRefused(t *testing.T) {
	for _, c := range []struct {
		text string
		on   event.Applies
		ok   bool
	}{
		{"evt.type=connect", event.OnEvent, true},
		{"type=cmd", event.OnEvent, false},
		{"type=cmd", event.OnActivity, true},
		{"proc.name=sh", event.OnProcess, true},
		{"fd.name=/x", event.OnProcess, false},
	} {
		if _, err := condition(c.text, c.on); (err == nil) != c.ok || err != nil && !strings.Contains(err.Error(), "--filter: ") {
			t.Errorf("%s: %v", c.text, err)
		}
	}
}
