package audit

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/gumshoe-ir/gumshoe/event"
)

func TestTable(t *testing.T) {
	tab := newTable[int, string](3)
	for _, step := range []struct {
		do      string
		k       int
		dropped bool
		left    string
	}{
		{"put", 1, false, "1"},
		{"put", 2, false, "12"},
		{"put", 3, false, "123"},
		{"put", 2, false, "123"},
		{"put", 4, true, "234"},
		{"remove", 3, false, "24"},
		{"remove", 9, false, "24"},
		{"put", 5, false, "245"},
		{"put", 6, true, "456"},
	} {
		dropped := false
		if step.do == "put" {
			dropped = tab.put(step.k, fmt.Sprint(step.k))
		} else {
			tab.remove(step.k)
		}
		left := ""
		for e := tab.ends.next; e != &tab.ends; e = e.next {
			left += e.value
		}
		if dropped != step.dropped || left != step.left || tab.len() != len(left) {
			t.Fatalf("%s %d: dropped %v, left %s of %d", step.do, step.k, dropped, left, tab.len())
		}
	}
}

// TestBoundedUnderStorm feeds processes that never end, with pids used again
// and again, connections that never close, and files that are written once.
func TestBoundedUnderStorm(t *testing.T) {
	l := newLine(t)
	parent := l.process(1, nil, "init")
	fork, _ := event.EncodeParams(event.SyscallCloneV20X, 0)
	execve, _ := event.EncodeParams(event.SyscallExecveV19X, 0)
	open, _ := event.EncodeParams(event.SyscallOpenatV2X, 3)
	connect, _ := event.EncodeParams(event.SocketConnectX, 0)
	remote := ap("203.0.113.9:80")
	const n = 300_000
	b := event.NewBatch(nil)
	for i := range n {
		p := &event.Process{PID: int32(i % 32768), TID: int32(i % 32768), StartBoot: uint64(i), Name: "x", Exe: "x", Parent: parent}
		id := event.ID{NS: start + uint64(i)*1000, Host: 7}
		b.Reset()
		b.Events = append(b.Events,
			event.Event{ID: id, TID: int64(p.TID), Type: event.SyscallCloneV20X, Params: fork, Process: p},
			event.Event{ID: id, TID: int64(p.TID), Type: event.SyscallExecveV19X, Params: execve, Process: p},
			event.Event{ID: id, TID: int64(p.TID), Type: event.SyscallOpenatV2X, Params: open, Process: p, FD: &event.FD{Kind: event.FDFile, Name: "/tmp/x", Flags: openWrite}},
			event.Event{ID: id, TID: int64(p.TID), Type: event.SocketConnectX, Params: connect, Process: p, FD: &event.FD{Kind: event.FDIPv4, Proto: event.ProtoTCP, Dest: remote, Socket: uint64(i + 1)}},
		)
		if err := l.s.Handle(t.Context(), b); err != nil {
			t.Fatal(err)
		}
		if len(b.Activities) != 3 {
			t.Fatalf("%d activities", len(b.Activities))
		}
	}
	s := l.s
	if s.actors.byKey.len() > maxActors || s.commands.len() > maxCommands || s.connections.len() > maxConnections || s.folds.byKey.len() > maxFolds {
		t.Errorf("%d actors, %d commands, %d connections, %d folds", s.actors.byKey.len(), s.commands.len(), s.connections.len(), s.folds.byKey.len())
	}
	if len(s.folds.queue) > 2*(maxFolds+maxConnections) {
		t.Errorf("%d wait to be handed on", len(s.folds.queue))
	}
	st := s.Stats()
	if want := uint64(n-maxCommands) + uint64(n-maxConnections) + uint64(2*n-maxFolds); st.Forgotten != want {
		t.Errorf("%d forgotten, want %d", st.Forgotten, want)
	}
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	t.Logf("heap %d MiB with all tables full", m.HeapAlloc>>20)
	if m.HeapAlloc > 96<<20 {
		t.Errorf("heap %d MiB", m.HeapAlloc>>20)
	}
	runtime.KeepAlive(l)
}

// noise is what makes no activity, and most of what a host does.
func noise(t testing.TB) []event.Event {
	l := newLine(t)
	p := l.process(100, l.process(1, nil, "init"), "cc1")
	return []event.Event{
		l.ev(p, file("/usr/include/stdio.h", 1), event.SyscallOpenatV2X, 3, -100, "x"),
		l.ev(p, failed("/usr/include/nope.h"), event.SyscallOpenatV2X, -2, -100, "x", 1),
		l.ev(p, file("/home/ann/.cache/x/y", 1), event.SyscallOpenatV2X, 3, -100, "x"),
		l.ev(p, file("/dev/null", 2), event.SyscallOpenatV2X, 3, -100, "x"),
		l.ev(p, nil, event.SyscallCloseX, 0, 3),
		l.ev(p, nil, event.SyscallPrctlX, 0),
		l.ev(p, nil, event.SyscallKillX, 0, 42, 0),
		l.ev(p, nil, event.SyscallCloneV20X, 200),
		l.ev(p, nil, event.TCPState, 5, 8, tcpClosed, nil, 1, 1),
		l.ev(p, &event.FD{Kind: event.FDUnix}, event.SocketConnectX, 0, nil, 5, []byte("\x01/run/systemd/journal/socket\x00")),
		l.ev(p, nil, event.SyscallUnlinkV2X, -2, "b"),
	}
}

func TestNoiseDoesNotAllocate(t *testing.T) {
	s := New(Options{})
	b := event.NewBatch(nil)
	b.Events = noise(t)
	ctx := t.Context()
	if n := testing.AllocsPerRun(100, func() { s.Handle(ctx, b) }); n != 0 {
		t.Errorf("%v allocations for %d events that make no activity", n, len(b.Events))
	}
	if len(b.Activities) != 0 {
		t.Errorf("noise: %q", brief(b.Activities))
	}
}

func TestLivesOfQuietProcessesDoNotAllocate(t *testing.T) {
	s := New(Options{})
	l := newLine(t)
	p := l.process(100, l.process(1, nil, "init"), "sh")
	p.ExitTime = 1
	b := event.NewBatch(nil)
	b.Events = []event.Event{
		l.ev(p, nil, event.SyscallCloneV20X, 0),
		l.ev(p, nil, event.ProcexitV1E, 0),
	}
	ctx := t.Context()
	if n := testing.AllocsPerRun(1000, func() { s.Handle(ctx, b) }); n != 0 {
		t.Errorf("%v allocations for a fork and an exit", n)
	}
}

func TestRepetitionsDoNotAllocate(t *testing.T) {
	s := New(Options{})
	l := newLine(t)
	p := l.process(100, nil, "sh")
	b := event.NewBatch(nil)
	b.Events = []event.Event{
		l.ev(p, file("/tmp/x", openWrite), event.SyscallOpenatV2X, 3, -100, "x"),
		l.ev(p, inet(event.ProtoUDP, "", ""), event.SocketSendtoX, 10, nil, 5, 10, pair("10.0.0.1:999", "10.0.0.2:53")),
		l.ev(p, nil, event.SyscallUnlinkV2X, 0, "/tmp/x"),
	}
	ctx := t.Context()
	if n := testing.AllocsPerRun(1000, func() { b.Activities = b.Activities[:0]; s.Handle(ctx, b) }); n != 0 {
		t.Errorf("%v allocations for repetitions", n)
	}
}

func BenchmarkHandle(b *testing.B) {
	run := func(name string, events []event.Event, each func(i int, e []event.Event)) {
		b.Run(name, func(b *testing.B) {
			s := New(Options{})
			batch := event.NewBatch(nil)
			ctx := b.Context()
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if each != nil {
					each(i, events)
				}
				batch.Events, batch.Activities = events, batch.Activities[:0]
				s.Handle(ctx, batch)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(events)), "ns/event")
		})
	}
	l := newLine(b)
	p := l.process(100, l.process(1, nil, "init"), "cc1", "-o", "x.o", "x.c")
	run("noise", noise(b), nil)
	run("life", []event.Event{
		l.ev(p, nil, event.SyscallCloneV20X, 0),
		l.ev(p, nil, event.SyscallExecveV19X, 0),
		l.ev(p, nil, event.ProcexitV1E, 0),
	}, func(i int, e []event.Event) {
		fresh, gone := *p, *p
		fresh.StartBoot, gone.StartBoot, gone.ExitTime = uint64(i), uint64(i), 1
		e[0].Process, e[1].Process, e[2].Process = &fresh, &fresh, &gone
	})
	fd := file("/tmp/x", openWrite)
	run("write", []event.Event{l.ev(p, fd, event.SyscallOpenatV2X, 3, -100, "x")}, func(i int, e []event.Event) {
		e[0].ID.NS += 61 * second // each is new
	})
	run("repeated", []event.Event{l.ev(p, fd, event.SyscallOpenatV2X, 3, -100, "x")}, nil)
}
