package proc

import (
	"net/netip"
	"testing"

	"github.com/gumshoe-ir/gumshoe/event"
)

// line feeds a Table events as a source would.
type line struct {
	t   testing.TB
	tab *Table
	now uint64
}

func newLine(t testing.TB) *line {
	t.Helper()
	return &line{t: t, tab: New(Options{}), now: 1_700_000_000_000_000_000}
}

// send hands the table one batch of events and returns them.
func (l *line) send(events ...event.Event) []event.Event {
	l.t.Helper()
	b := event.NewBatch(nil)
	for _, e := range events {
		if e.ID.NS == 0 {
			l.now += 1000
			e.ID.NS = l.now
		}
		b.Events = append(b.Events, e)
	}
	if err := l.tab.Handle(l.t.Context(), b); err != nil {
		l.t.Fatal(err)
	}
	return b.Events
}

// one sends a single event of typ by tid.
func (l *line) one(typ event.Type, tid int64, values ...any) *event.Event {
	l.t.Helper()
	return &l.send(l.ev(typ, tid, values...))[0]
}

func (l *line) ev(typ event.Type, tid int64, values ...any) event.Event {
	l.t.Helper()
	p, err := event.EncodeParams(typ, values...)
	if err != nil {
		l.t.Fatal(err)
	}
	return event.Event{Type: typ, TID: tid, Params: p}
}

// child is the clone of tid as the child sees it.
func (l *line) child(tid, parent int64, flags uint32) event.Event {
	l.t.Helper()
	pid := tid
	if flags&cloneThread != 0 {
		pid = parent
	}
	return l.ev(event.SyscallCloneV20X, tid, 0, "sh", []string(nil), tid, pid, parent, "/", nil, nil, nil, nil, nil, nil,
		"sh", []string{"cpu=/"}, flags, 0, 0, tid, pid, 0)
}

// image is what an exec in a test says; zero values are ordinary ones.
type execed struct {
	comm, path string
	args, env  []string
	cgroups    []string
	ppid       int64
	uid        uint32
	cwd        string
}

func (l *line) exec(tid int64, x execed) event.Event {
	l.t.Helper()
	if x.cwd == "" {
		x.cwd = "/home"
	}
	if x.cgroups == nil {
		x.cgroups = []string{"cpu=/"}
	}
	return l.ev(event.SyscallExecveV19X, tid, 0, x.comm, x.args, tid, tid, x.ppid, x.cwd, nil, nil, nil, nil, nil, nil,
		x.comm, x.cgroups, x.env, 34816, tid, 1000, 0, 0, 0, 0, 7, 8, 9, x.uid, x.path, tid, x.uid, x.path)
}

// init makes pid 1, and a shell with pid 100 below it.
func (l *line) init() {
	l.t.Helper()
	l.send(l.exec(1, execed{comm: "init", path: "/sbin/init"}),
		l.child(100, 1, 0), l.exec(100, execed{comm: "bash", path: "/bin/bash", ppid: 1, args: []string{"-l"}}))
}

func (l *line) exit(tid int64, reaper int64) event.Event {
	l.t.Helper()
	return l.ev(event.ProcexitV1E, tid, 0, 0, 0, 0, reaper)
}

func TestFirstLight(t *testing.T) {
	l := newLine(t)
	l.init()
	e := l.one(event.SyscallOpenatV2X, 100, 3, -100, "../etc/passwd", 1, 0, 5, 6)
	if e.Process == nil || e.Process.Name != "bash" || e.Process.Parent == nil || e.Process.Parent.Name != "init" {
		t.Fatalf("process %+v", e.Process)
	}
	if e.FD == nil || e.FD.Name != "/etc/passwd" {
		t.Fatalf("descriptor %+v", e.FD)
	}
	peer := netip.MustParseAddrPort("10.0.0.2:443")
	self := netip.MustParseAddrPort("10.0.0.1:5000")
	l.one(event.SocketSocketX, 100, 4, 2, 1, 0, 0)
	e = l.one(event.SocketConnectX, 100, 0, [2]netip.AddrPort{self, peer}, 4, peer)
	if e.FD == nil || e.FD.Name != "10.0.0.1:5000->10.0.0.2:443" || !e.FD.Connected || !e.FD.NameChanged || e.FD.Proto != event.ProtoTCP {
		t.Fatalf("descriptor %+v", e.FD)
	}
}
