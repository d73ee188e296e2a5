package socket_test

import (
	"context"
	"errors"
	"net"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/gumshoe-ir/gumshoe/audit"
	"github.com/gumshoe-ir/gumshoe/audit/store"
	"github.com/gumshoe-ir/gumshoe/event"
	"github.com/gumshoe-ir/gumshoe/fleet/socket"
	"github.com/gumshoe-ir/gumshoe/internal/trailtest"
)

// serve answers over one connection until the test ends, and is the client.
func serve(t *testing.T, trail audit.Trail, feed *socket.Feed) (client *socket.Client, stop func()) {
	t.Helper()
	engine, console := pair(t)
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := socket.Serve(ctx, socket.Once(engine), socket.Options{Trail: trail, Feed: feed, Version: "test"}); err != nil {
			t.Errorf("Serve = %v", err)
		}
	})
	stop = func() { cancel(); wg.Wait() }
	t.Cleanup(stop)
	client, err := socket.Dial(t.Context(), console, "test")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := client.Close(); err != nil {
			t.Error(err)
		}
	})
	return client, stop
}

// pair is two ends of a unix connection.
func pair(t *testing.T) (engine, console net.Conn) {
	t.Helper()
	l, err := net.Listen("unix", filepath.Join(t.TempDir(), "s"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if console, err = net.Dial("unix", l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if engine, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	return engine, console
}

// stored is a store that holds the fixture.
func stored(t *testing.T, f trailtest.Fixture) *store.DB {
	t.Helper()
	db, err := store.Open(t.Context(), store.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	b := event.NewBatch(nil)
	b.Activities, b.State = f.Activities, f.Processes
	if err := db.Handle(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(30 * time.Second); db.Stats().Stored < uint64(len(f.Activities)); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d of %d activities stored", db.Stats().Stored, len(f.Activities))
		}
	}
	return db
}

func TestTheClientIsATrail(t *testing.T) {
	trailtest.Run(t, func(t *testing.T, f trailtest.Fixture) audit.Trail {
		client, _ := serve(t, stored(t, f), socket.NewFeed(event.Status{}))
		return client
	})
}

func TestTheStoreIsATrail(t *testing.T) {
	trailtest.Run(t, func(t *testing.T, f trailtest.Fixture) audit.Trail { return stored(t, f) })
}

// answers is a trail whose pages and trees a test chooses.
type answers struct {
	audit.Trail
	page audit.Page
	tree []*event.Process
	err  error
}

func (a answers) Page(context.Context, audit.Query) (audit.Page, error) { return a.page, a.err }

func (a answers) Tree(context.Context, audit.TreeQuery) ([]*event.Process, error) {
	return a.tree, a.err
}

func TestALargePageIsCutAndSaysSo(t *testing.T) {
	huge := make([]byte, 1<<20)
	var page audit.Page
	for i := range 100 {
		p := &event.Process{PID: int32(i), Args: []string{string(huge)}}
		page.Rows = append(page.Rows, event.Activity{ID: event.ID{NS: uint64(i + 1)}, Process: p})
	}
	client, _ := serve(t, answers{page: page}, socket.NewFeed(event.Status{}))
	got, err := client.Page(t.Context(), audit.Query{Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	if n := len(got.Rows); n < 10 || n >= 100 || !got.More {
		t.Errorf("%d rows, more %v; want some of 100 and more", n, got.More)
	}
	if n := len(got.Rows[0].Process.Args[0]); n != 1<<20 {
		t.Errorf("the argument has %d bytes, want all", n)
	}
}

func TestProcessesOfOneAnswerAreShared(t *testing.T) {
	shell := &event.Process{PID: 1, Name: "sh"}
	shell.Leader = shell
	child := &event.Process{PID: 2, Parent: shell, Leader: shell}
	client, _ := serve(t, answers{tree: []*event.Process{shell, child}}, socket.NewFeed(event.Status{}))
	got, err := client.Tree(t.Context(), audit.TreeQuery{})
	if err != nil || len(got) != 2 {
		t.Fatalf("%d processes, %v", len(got), err)
	}
	if got[0].Leader != got[0] || got[1].Parent != got[0] || got[1].Leader != got[0] {
		t.Error("parent and leader are not the process listed before")
	}
}

func TestProcessesInACircleDoNotHang(t *testing.T) {
	a, b := &event.Process{PID: 1}, &event.Process{PID: 2}
	a.Parent, b.Parent = b, a
	client, _ := serve(t, answers{tree: []*event.Process{a, b}}, socket.NewFeed(event.Status{}))
	if got, err := client.Tree(t.Context(), audit.TreeQuery{}); err != nil || len(got) != 2 {
		t.Errorf("%d processes, %v; want 2", len(got), err)
	}
}

func TestErrorsOfTheTrailCrossTheBoundary(t *testing.T) {
	broken := errors.New("day 2026-01-01 is damaged")
	client, _ := serve(t, answers{err: broken}, socket.NewFeed(event.Status{}))
	if _, err := client.Page(t.Context(), audit.Query{}); err == nil || err.Error() != broken.Error() {
		t.Errorf("Page = %v, want the trail's words", err)
	}
}

func TestAnEngineThatEndsIsGone(t *testing.T) {
	client, stop := serve(t, answers{}, socket.NewFeed(event.Status{}))
	statuses, err := client.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	stop()
	<-client.Gone()
	for range statuses { // closed, or the test hangs
	}
	if _, err := client.Page(t.Context(), audit.Query{}); !errors.Is(err, socket.ErrGone) {
		t.Errorf("Page = %v, want ErrGone", err)
	}
}

func TestTheNewestStatusArrives(t *testing.T) {
	feed := socket.NewFeed(event.Status{Host: "h\xff", Notes: []string{"no BTF"}})
	client, _ := serve(t, answers{}, feed)
	statuses, err := client.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	b := event.NewBatch(nil)
	b.Events, b.Activities = make([]event.Event, 3), make([]event.Activity, 1)
	b.Lost[event.LostRing] = 5
	for range 10 {
		if err := feed.Handle(t.Context(), b); err != nil {
			t.Fatal(err)
		}
	}
	var s event.Status
	for s.Events != 30 {
		s = <-statuses
	}
	if s.Host != "h\xff" || len(s.Notes) != 1 || s.Activities != 10 || s.Lost[event.LostRing] != 50 {
		t.Errorf("status %+v", s)
	}
}
