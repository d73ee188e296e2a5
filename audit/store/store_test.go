package store

import (
	"context"
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gumshoe-ir/gumshoe/audit"
	"github.com/gumshoe-ir/gumshoe/event"
)

// noon of 2026-11-20 UTC, the instant most tests begin at.
const noon = uint64(1795176000) * 1e9

func openStore(t testing.TB, opt Options) *DB {
	t.Helper()
	if opt.Dir == "" {
		opt.Dir = t.TempDir()
	}
	db, err := Open(context.Background(), opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// hand gives activities to db in one batch.
func hand(t testing.TB, db *DB, acts ...event.Activity) {
	t.Helper()
	b := event.NewBatch(nil)
	b.Activities = acts
	if err := db.Handle(context.Background(), b); err != nil {
		t.Fatal(err)
	}
}

// settle waits until all that was handed in is stored.
func settle(t testing.TB, db *DB) {
	t.Helper()
	for range 2000 {
		if db.queue.used() == 0 {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatalf("not stored after 10 s: %+v", db.Stats())
}

func page(t testing.TB, db audit.Trail, q audit.Query) audit.Page {
	t.Helper()
	p, err := db.Page(context.Background(), q)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// everything is all rows of db, oldest first, page by page.
func everything(t testing.TB, db audit.Trail) []event.Activity {
	t.Helper()
	var all []event.Activity
	q := audit.Query{Forward: true, Limit: 100}
	for {
		p := page(t, db, q)
		all = append(all, p.Rows...)
		if !p.More {
			return all
		}
		q.After = p.Rows[len(p.Rows)-1].ID
		if !p.Scanned.IsZero() {
			q.After = p.Scanned
		}
	}
}

var sameAddr = cmp.Options{
	cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b }),
	cmp.Comparer(func(a, b netip.Addr) bool { return a == b }),
}

// shell is a login shell in a container with a whole ancestry.
func shell() *event.Process {
	box := &event.Container{
		ID: "0123456789ab", FullID: "0123456789abcdef", Runtime: event.CRI, Name: "web", Image: "docker.io/library/nginx:1.27",
		Labels: map[string]string{"app": "web", "tier": "front"}, Pod: "web-1", PodUID: "u-1", Namespace: "shop",
		IP: netip.MustParseAddr("10.1.2.3"), Created: 5, Mounts: []event.Mount{{Source: "/a", Dest: "/b", Mode: "ro", Propagation: "rprivate", RW: true}},
	}
	top := &event.Process{PID: 1, TID: 1, Name: "systemd", ExePath: "/usr/lib/systemd/systemd", Cmdline: "systemd", LoginUID: event.NoID, StartBoot: 1}
	top.Leader = top
	daemon := &event.Process{PID: 40, TID: 40, PPID: 1, SID: 40, Name: "containerd-shim", ExePath: "/usr/bin/containerd-shim", StartBoot: 2, Parent: top, LoginUID: event.NoID}
	daemon.Leader = daemon
	sh := &event.Process{
		PID: 77, TID: 77, PPID: 40, PGID: 77, SID: 77, VPID: 7, VTID: 7, VPGID: 7, Name: "sh", Exe: "sh", ExePath: "/bin/sh",
		Args: []string{"-c", "id; ls"}, Env: []string{"PATH=/bin", "SECRET=<8 bytes>"}, Cmdline: "sh -c id; ls", Cwd: "/srv/", Root: "/",
		Cgroups: []string{"cpu=/kubepods/x"}, UID: 33, GID: 33, LoginUID: 1000, User: &event.User{UID: 33, GID: 33, Name: "www-data", Home: "/var/www", Shell: "/bin/false"},
		Group: "www-data", LoginUser: "anna", TTY: 34816, CapInh: 1, CapPerm: 1 << 40, CapEff: 1<<63 | 1, ExeFlags: event.ExeUpperLayer, ExeIno: 99, ExeCtime: 1, ExeMtime: 2,
		StartBoot: 3, CloneTime: noon - 9, ExecTime: noon - 8, PidnsStart: 4, PidfsIno: 5, MountNS: 6, Parent: daemon, Container: box,
	}
	sh.Leader = sh
	return sh
}

func TestActivitiesComeBackWhole(t *testing.T) {
	db := openStore(t, Options{})
	want := []event.Activity{
		{
			ID: event.ID{NS: noon, Host: 7, CPU: 1, Ord: 2}, End: noon + 5, Kind: event.Command, Severity: event.Warning, Verb: "exec", Target: "sh -c id; ls",
			Process: shell(), Session: 1<<63 | 5, User: "anna", Result: -1, Count: 3, Origin: event.Raced,
		},
		{
			ID: event.ID{NS: noon + 1, Host: 7}, Kind: event.Connection, Severity: event.NoPriority, Verb: "connect", Target: "1.2.3.4:443", Count: 1,
			Remote: netip.MustParseAddrPort("1.2.3.4:443"), Local: netip.MustParseAddrPort("[::1]:9"), Proto: event.ProtoTCP, Sent: 1 << 62, Received: 3,
			Name: "example.org", Flags: 7, RealPath: "/real",
		},
	}
	hand(t, db, want...)
	settle(t, db)
	if diff := cmp.Diff(want, everything(t, db), sameAddr); diff != "" {
		t.Error(diff)
	}
}

func TestBatchesWithoutActivitiesCostNothing(t *testing.T) {
	db := openStore(t, Options{})
	b := event.NewBatch(nil)
	p := process(7, nil)
	for i := range 256 {
		b.Events = append(b.Events, event.Event{ID: event.ID{NS: noon + uint64(i)}, Type: event.SyscallOpenX, TID: 7, Process: p})
	}
	if n := testing.AllocsPerRun(100, func() { _ = db.Handle(context.Background(), b) }); n != 0 {
		t.Errorf("%v allocations a batch", n)
	}
}
