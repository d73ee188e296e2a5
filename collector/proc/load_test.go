package proc

import (
	"fmt"
	"net/netip"
	"runtime"
	"testing"

	"github.com/gumshoe-ir/gumshoe/event"
)

// TestNoAllocation promises that events which change nothing make no garbage.
func TestNoAllocation(t *testing.T) {
	self, peer := netip.MustParseAddrPort("10.0.0.1:5000"), netip.MustParseAddrPort("10.0.0.2:53")
	tests := []struct {
		name   string
		typ    event.Type
		tid    int64
		values []any
	}{
		{"a call on a descriptor", event.SyscallFlockX, 100, []any{0, 3, 0}},
		{"an open that fails", event.SyscallOpenatV2X, 100, []any{-2, -100, "lib/none.so", 1, 0, 0, 0}},
		{"the same file opened again", event.SyscallOpenatV2X, 100, []any{3, -100, "/lib/libc.so.6", 1, 0, 5, 6}},
		{"a datagram to the same peer", event.SocketSendtoX, 100, []any{1, nil, 4, 1, [2]netip.AddrPort{self, peer}}},
		{"a refused connect", event.SocketConnectX, 100, []any{-111, nil, 4, peer}},
		{"a failed exec", event.SyscallExecveV19X, 100, []any{-2, "x", nil, 100, 100, 1}},
		{"ids set to what they are", event.SyscallSetuidX, 100, []any{0, 0}},
		{"a thread's call", event.SyscallFlockX, 101, []any{0, 3, 0}},
		{"closing what is not known", event.SyscallCloseX, 100, []any{0, 77}},
		{"a call of nobody", event.SyscallFlockX, 99999, []any{0, 3, 0}},
	}
	for _, tt := range tests {
		l := newLine(t)
		l.init()
		l.send(l.child(101, 100, cloneThread))
		l.one(event.SyscallOpenX, 100, 3, "/f", 1)
		l.one(event.SocketSocketX, 100, 4, 2, 2, 0, 0)
		b := event.NewBatch(nil)
		for range 16 {
			b.Events = append(b.Events, l.ev(tt.typ, tt.tid, tt.values...))
		}
		ctx := t.Context()
		if n := testing.AllocsPerRun(100, func() {
			for i := range b.Events {
				b.Events[i].Process, b.Events[i].FD = nil, nil
				b.Events[i].ID.NS = l.now
			}
			if err := l.tab.Handle(ctx, b); err != nil {
				t.Fatal(err)
			}
		}); n != 0 {
			t.Errorf("%s: %v allocations for 16 events", tt.name, n)
		}
	}
}

// TestForkStorm makes many processes out of few numbers; half of their exits
// are lost.
func TestForkStorm(t *testing.T) {
	l := newLine(t)
	l.init()
	const pids, rounds = 2000, 30
	var heap [2]uint64
	for round := range rounds {
		for pid := int64(1000); pid < 1000+pids; pid++ {
			l.now += 3e9 / pids
			l.send(l.child(pid, 100, 0), l.exec(pid, execed{comm: "x", ppid: 100, args: []string{fmt.Sprint(round)}}),
				l.ev(event.SyscallOpenatV2X, pid, 3, -100, "/etc/passwd", 1, 0, 5, 6))
			if (pid+int64(round))%2 == 0 {
				l.send(l.exit(pid, 1))
			}
		}
		if round == 10 || round == rounds-1 {
			var m runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&m)
			heap[min(round-10, 1)] = m.HeapAlloc
		}
	}
	s := l.tab.Stats()
	if s.Processes > pids+2 || s.Threads > pids+2 || len(l.tab.slots) != s.Threads || l.tab.hand.text < 0 || l.tab.hand.text > 10<<20 {
		t.Errorf("%+v, %d bytes of text", s, l.tab.hand.text)
	}
	if s.Vanished == 0 {
		t.Error("lost exits are not counted")
	}
	if heap[1] > heap[0]+heap[0]/4+1<<20 {
		t.Errorf("memory grew from %d to %d bytes", heap[0], heap[1])
	}
}

// TestTableIsBounded makes more threads than the table keeps.
func TestTableIsBounded(t *testing.T) {
	if testing.Short() {
		t.Skip("makes 300,000 processes")
	}
	l := newLine(t)
	l.init()
	b := event.NewBatch(nil)
	for i := range int64(maxThreads + 5000) {
		e := l.child(1000+i, 100, 0)
		l.now++
		e.ID.NS = l.now
		b.Events = append(b.Events[:0], e, l.ev(event.SyscallFlockX, 100))
		b.Events[1].ID.NS = l.now
		if err := l.tab.Handle(t.Context(), b); err != nil {
			t.Fatal(err)
		}
	}
	s := l.tab.Stats()
	if s.Threads > maxThreads || s.EvictedThreads < 5000 || s.Processes > maxThreads {
		t.Errorf("%+v", s)
	}
	if p := l.ask(100); p == nil || chain(p) != "bash<init" {
		t.Errorf("a busy process was evicted: %+v", p)
	}
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	t.Logf("%d processes in %d MiB", s.Processes, m.HeapAlloc>>20)
	runtime.KeepAlive(l)
}

// TestTextsAreBounded gives processes more arguments and environment than the
// table keeps of all together.
func TestTextsAreBounded(t *testing.T) {
	l := newLine(t)
	l.init()
	args := make([]string, 5000)
	for i := range args {
		args[i] = "0123456789"
	}
	for i := range int64(1500) {
		l.send(l.child(1000+i, 100, 0), l.exec(1000+i, execed{comm: "x", ppid: 100, args: args, env: args}))
	}
	if n := l.tab.hand.text; n > maxAllText || n < maxAllText/2 {
		t.Errorf("%d bytes of text", n)
	}
	if l.tab.Stats().CutTexts == 0 {
		t.Error("what was cut is not counted")
	}
	for i := range int64(1500) {
		l.send(l.exit(1000+i, 1))
	}
	l.send()
	if n := l.tab.hand.text; n > 1<<10 {
		t.Errorf("%d bytes of text of dead processes", n)
	}
}

// TestNoEventIsExpensive acts on a process with 10,000 children: what it costs
// must not depend on them.
func TestNoEventIsExpensive(t *testing.T) {
	const children = 10_000
	tests := []struct {
		name string
		make func(*line) event.Event
		most uint64 // allocations, besides the sweep's
	}{
		{"chdir", func(l *line) event.Event { return l.ev(event.SyscallChdirX, 200, 0, fmt.Sprint(l.now)) }, 8},
		{"exec", func(l *line) event.Event { return l.exec(200, execed{comm: "x", ppid: 100, args: []string{"a"}}) }, 12},
		{"fork", func(l *line) event.Event { return l.child(int64(500_000+l.now%100_000), 200, 0) }, 12},
		{"exit", func(l *line) event.Event { return l.exit(200, 1) }, 8},
	}
	for _, tt := range tests {
		l := newLine(t)
		l.init()
		l.send(l.child(200, 100, 0))
		for i := range int64(children) {
			l.send(l.child(1000+i, 200, 0))
		}
		e := tt.make(l)
		e.ID.NS = l.now + 1
		b := event.NewBatch(nil)
		b.Events = append(b.Events, e)
		var before, after runtime.MemStats
		ctx := t.Context()
		runtime.ReadMemStats(&before)
		if err := l.tab.Handle(ctx, b); err != nil {
			t.Fatal(err)
		}
		runtime.ReadMemStats(&after)
		if n := after.Mallocs - before.Mallocs; n > tt.most+2*children/sweepRounds {
			t.Errorf("%s: %d allocations with %d children", tt.name, n, children)
		}
		if p := l.ask(1000 + children - 1); tt.name == "exit" && (p == nil || p.PPID != 1) {
			t.Errorf("after the exit the last child has %+v", p)
		}
	}
}

// TestOldLineagesGo changes the top of a deep ancestry again and again, and
// lets another of many processes below it look each time.
func TestOldLineagesGo(t *testing.T) {
	l := newLine(t)
	l.init()
	const deep, wide = 100, 2000
	for i := range int64(deep) {
		l.send(l.child(1000+i, cmpParent(i), 0))
	}
	for i := range int64(wide) {
		l.send(l.child(5000+i, 1000+deep-1, 0))
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for i := range int64(2 * wide) {
		l.one(event.SyscallSetuidX, 1000, 0, i%2)
		l.ask(5000 + i%wide)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 40<<20 {
		t.Errorf("%d MiB of lineages are kept", grown>>20)
	}
	runtime.KeepAlive(l)
}

// BenchmarkDeepLineage is the worst that ancestry can cost: a change at the
// top before each look from far below.
func BenchmarkDeepLineage(b *testing.B) {
	l := &line{t: b, tab: New(Options{}), now: 1_700_000_000_000_000_000}
	l.init()
	const deep = 3 * maxDepth
	for i := range int64(deep) {
		l.send(l.child(1000+i, cmpParent(i), 0))
	}
	batch := event.NewBatch(nil)
	for i := range int64(128) {
		batch.Events = append(batch.Events, l.ev(event.SyscallSetuidX, 1000+deep-maxDepth/2+2, 0, i%2), l.ev(event.SyscallFlockX, 1000+deep-1, 0, 3, 0))
	}
	ctx := b.Context()
	b.ReportAllocs()
	b.ResetTimer()
	for n := 0; n < b.N; n += len(batch.Events) {
		for i := range batch.Events {
			batch.Events[i].Process, batch.Events[i].FD = nil, nil
		}
		if err := l.tab.Handle(ctx, batch); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkHandle is a host at work: of 100 events 60 open files, 10 connect,
// 20 use descriptors, 5 fork, exec and exit.
func BenchmarkHandle(b *testing.B) {
	l := &line{t: b, tab: New(Options{}), now: 1_700_000_000_000_000_000}
	l.init()
	self, peer := netip.MustParseAddrPort("10.0.0.1:5000"), netip.MustParseAddrPort("10.0.0.2:443")
	l.one(event.SocketSocketX, 100, 4, 2, 1, 0, 0)
	batch := event.NewBatch(nil)
	for i := range int64(5) {
		for j := range 12 {
			batch.Events = append(batch.Events, l.ev(event.SyscallOpenatV2X, 100, 3-5*(j%2), -100, fmt.Sprintf("/usr/lib/x86_64-linux-gnu/lib%d.so", j), 1, 0, 5, 6+j))
		}
		for range 2 {
			batch.Events = append(batch.Events, l.ev(event.SocketConnectX, 100, 0, [2]netip.AddrPort{self, peer}, 4, peer))
		}
		for range 3 {
			batch.Events = append(batch.Events, l.ev(event.SyscallFlockX, 100, 0, 3, 0))
		}
		batch.Events = append(batch.Events, l.child(1000+i, 100, 0),
			l.exec(1000+i, execed{comm: "cat", path: "/bin/cat", ppid: 100, args: []string{"/etc/hosts"}, env: []string{"PATH=/bin", "HOME=/", "SSH_TTY=/dev/pts/0"}}),
			l.exit(1000+i, 1))
	}
	ctx := b.Context()
	b.ReportAllocs()
	b.ResetTimer()
	for n := 0; n < b.N; n += len(batch.Events) {
		for i := range batch.Events {
			e := &batch.Events[i]
			l.now += 1000
			e.ID.NS, e.Process, e.FD = l.now, nil, nil
		}
		if err := l.tab.Handle(ctx, batch); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkHandleUnchanged are events that only ask who acted and on what.
func BenchmarkHandleUnchanged(b *testing.B) {
	l := &line{t: b, tab: New(Options{}), now: 1_700_000_000_000_000_000}
	l.init()
	l.one(event.SyscallOpenX, 100, 3, "/f", 1)
	batch := event.NewBatch(nil)
	for range 256 {
		batch.Events = append(batch.Events, l.ev(event.SyscallFlockX, 100, 0, 3, 0))
	}
	ctx := b.Context()
	b.ReportAllocs()
	b.ResetTimer()
	for n := 0; n < b.N; n += len(batch.Events) {
		for i := range batch.Events {
			batch.Events[i].Process, batch.Events[i].FD = nil, nil
		}
		if err := l.tab.Handle(ctx, batch); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkScan reads this host's processes.
func BenchmarkScan(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		tab := New(Options{Root: "/"})
		if err := tab.Scan(b.Context()); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(len(tab.start)), "processes")
	}
}

// FuzzHandle reads its input as a list of events: type, thread and parameters.
func FuzzHandle(f *testing.F) {
	l := newLine(f)
	for _, e := range []event.Event{
		l.child(100, 1, 0), l.exec(100, execed{comm: "x", args: []string{"a"}, env: []string{"A=b"}}), l.exit(100, 1),
		l.ev(event.SyscallOpenatV2X, 100, 3, -100, "../a", 1, 0, 5, 6),
		l.ev(event.SocketConnectX, 100, 0, unixTuple(1, 2, "/x"), 4, nil),
		l.ev(event.SyscallCloseRangeX, 100, 0, 3, 9, 2), l.ev(event.SyscallDup3X, 100, 9, 3, 9, 0),
		l.ev(event.SyscallSetpgidX, 100, 0, 0, 0),
	} {
		lens, data := e.Params.Raw()
		one := append([]byte{byte(e.Type), byte(e.Type >> 8), byte(e.TID), byte(e.Params.Len())}, append(lens, data...)...)
		f.Add(append(one, one...))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		l := newLine(t)
		l.init()
		for range 200 {
			if len(in) < 4 {
				break
			}
			typ := event.Type(in[0]) | event.Type(in[1])<<8
			tid, n := int64(int8(in[2])), int(in[3])
			p, ok := event.NewParams(in[4:], n, typ.Has(event.LargePayload))
			if !ok {
				break
			}
			lens, data := p.Raw()
			in = in[4+len(lens)+len(data):]
			e := event.Event{Type: typ, TID: tid, Params: p}
			l.send(e)
		}
		check(t, l.tab)
	})
}

// check looks for what must hold of every table.
func check(t *testing.T, tab *Table) {
	t.Helper()
	used := make(map[*fdSet]bool)
	fds := 0
	for i, th := range tab.slots {
		if th.slot != i || tab.threads[th.tid] != th {
			t.Fatalf("thread %d is misplaced", th.tid)
		}
		g := th.group
		if g.children < 0 || g.members < 0 || g.alive < 0 {
			t.Fatalf("process %d counts %d children, %d members, %d threads", g.pid, g.children, g.members, g.alive)
		}
		if descends(g.living(), g) && g.living() != nil {
			t.Fatalf("process %d is its own ancestor", g.pid)
		}
		if g.files != nil && !used[g.files.set] {
			used[g.files.set] = true
			fds += g.files.set.n
		}
	}
	if fds != tab.files.used {
		t.Fatalf("%d descriptors are kept, %d counted", fds, tab.files.used)
	}
	for _, p := range tab.Processes() {
		for n := 0; p != nil; p, n = p.Parent, n+1 {
			if n > 1000 {
				t.Fatal("endless ancestry")
			}
		}
	}
}
