package proc

import (
	"bytes"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/gumshoe-ir/gumshoe/event"
	"github.com/gumshoe-ir/gumshoe/internal/need"
)

func TestParseStat(t *testing.T) {
	tail := " S 1 2 3 34816 -1 4194560 1 2 3 4 5 6 7 8 20 0 9 0 12345 1 2 18446744073709551615 4"
	tests := []struct {
		name, in, comm string
		ok             bool
	}{
		{"ordinary", "10 (bash)" + tail, "bash", true},
		{"a name made to confuse", "10 (a) R 9 9 (b)" + tail, "a) R 9 9 (b", true},
		{"a newline in the name", "10 (a\nb)" + tail, "a\nb", true},
		{"cut", "10 (bash) S 1 2", "bash", false},
		{"no name", "10 bash S", "", false},
		{"empty", "", "", false},
	}
	for _, tt := range tests {
		s := parseStat([]byte(tt.in))
		if s.ok != tt.ok || s.comm != tt.comm {
			t.Errorf("%s: %+v", tt.name, s)
		}
		if tt.ok && (s.ppid != 1 || s.pgrp != 2 || s.session != 3 || s.tty != 34816 || s.threads != 9 || s.start != 12345*tick || s.kernel) {
			t.Errorf("%s: %+v", tt.name, s)
		}
	}
}

func TestParseCgroup(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"v1", "2:cpu,cpuacct:/a\n1:name=systemd:/b\n", "cpu=/a|cpuacct=/a|name=systemd=/b|"},
		{"v2", "0::/x.scope\n", "cpuset=/x.scope|cpu=/x.scope|cpuacct=/x.scope|io=/x.scope|memory=/x.scope|"},
		{"both", "1:cpu:/a\n0::/u\n", "cpu=/a|unified=/u|"},
		{"colons in a path", "1:cpu:/a:cri-containerd:b\n", "cpu=/a:cri-containerd:b|"},
		{"damaged", "nothing\n", ""},
	}
	for _, tt := range tests {
		if got := strings.ReplaceAll(string(parseCgroup([]byte(tt.in))), "\x00", "|"); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

// TestScanThisHost compares what a scan finds of this very process, and of a
// child with a socket, with what they know of themselves.
func TestScanThisHost(t *testing.T) {
	server, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	client, err := net.Dial("tcp", server.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	sleep := exec.Command(need.Program(t, "sleep"), "60")
	sleep.Dir, sleep.Env = "/tmp", []string{"SSH_TTY=x", "TOKEN=secret"}
	if err := sleep.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = sleep.Process.Kill()
		_ = sleep.Wait()
	}()
	tab := New(Options{Root: "/"})
	defer tab.Close()
	b := event.NewBatch(nil)
	if err := tab.Handle(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	byPID := make(map[int32]*event.Process)
	for _, p := range b.State {
		byPID[p.PID] = p
	}
	p := byPID[int32(sleep.Process.Pid)]
	if p == nil {
		t.Fatal("the child is not in the batch's state")
	}
	if p.Name != "sleep" || p.Cmdline != "sleep 60" || p.Cwd != "/tmp/" || p.UID != uint32(os.Geteuid()) || p.ExeIno == 0 || p.StartBoot == 0 || p.StartBoot%tick != 0 ||
		p.Parent == nil || p.Parent != byPID[int32(os.Getpid())] || strings.Join(p.Env, " ") != "SSH_TTY=x TOKEN=<6 bytes>" {
		t.Errorf("%+v", p)
	}
	self := p.Parent
	if self.Leader == nil && self.SID != 0 && byPID[self.SID] != nil {
		t.Errorf("no session leader, though %d is there", self.SID)
	}
	if want := strconv.FormatUint(self.MountNS, 10); !strings.Contains(readlink(t, "/proc/self/ns/mnt"), "["+want+"]") {
		t.Errorf("mount namespace %s", want)
	}
	g := tab.threads[self.PID].group
	var names []string
	g.files.set.each(func(fd *event.FD) { names = append(names, about(fd)) })
	all := strings.Join(names, "\n")
	for _, want := range []string{
		server.Addr().String() + " ipv4server tcp server",
		client.LocalAddr().String() + "->" + client.RemoteAddr().String() + " ipv4 tcp connected",
	} {
		if !strings.Contains(all, want) {
			t.Errorf("no descriptor %q", want)
		}
	}
	tasks, err := os.ReadDir("/proc/self/task")
	if err != nil {
		t.Fatal(err)
	}
	e := event.Event{Type: event.SyscallFlockX, TID: number([]byte(tasks[len(tasks)-1].Name())), ID: event.ID{NS: tab.now()}}
	b = event.NewBatch(nil)
	b.Events = append(b.Events, e)
	if err := tab.Handle(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	if p := b.Events[0].Process; p == nil || int(p.PID) != os.Getpid() {
		t.Errorf("an event of a thread is given to %+v", p)
	}
	if len(b.State) != 0 {
		t.Error("the state was sent twice")
	}
}

func readlink(t *testing.T, path string) string {
	t.Helper()
	s, err := os.Readlink(path)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// fakeProc writes what a scan reads of one process below root.
func fakeProc(t *testing.T, root string, pid, ppid, start int, comm string, cwd string) {
	t.Helper()
	dir := filepath.Join(root, "proc", strconv.Itoa(pid))
	id := strconv.Itoa(pid)
	write(t, dir+"/stat", id+" ("+comm+") S "+strconv.Itoa(ppid)+" "+id+" "+id+" 0 -1 0 1 2 3 4 5 6 7 8 20 0 1 0 "+strconv.Itoa(start)+" 1 2 3 4")
	write(t, dir+"/status", "Name:\tx\nTgid:\t"+id+"\nUid:\t1\t2\t3\t4\nGid:\t1\t5\t3\t4\nNStgid:\t"+id+"\nNSpid:\t"+id+"\nNSpgid:\t"+id+"\nCapEff:\t00000000000000ff\n")
	write(t, dir+"/cmdline", comm+"\x00-x\x00")
	write(t, dir+"/environ", "A=b\x00")
	write(t, dir+"/cgroup", "0::/docker/"+idA+"\n")
	write(t, dir+"/loginuid", "1000")
	if err := firstOf(os.Symlink(cwd, dir+"/cwd"), os.Symlink("/", dir+"/root"), os.Symlink("/bin/"+comm, dir+"/exe"), os.Mkdir(dir+"/fd", 0o755)); err != nil {
		t.Fatal(err)
	}
}

// TestRaceWithScan feeds events from before and after a scan.
func TestRaceWithScan(t *testing.T) {
	root := t.TempDir()
	fakeProc(t, root, 1, 0, 100, "init", "/")
	fakeProc(t, root, 50, 1, 5000, "app", "/srv/www")
	var told int
	tab := New(Options{Root: root, OnContainer: func(*event.Container) { told++ }})
	if err := tab.Scan(t.Context()); err != nil {
		t.Fatal(err)
	}
	l := &line{t: t, tab: tab, now: tab.now()}
	at := func(e event.Event, ns uint64) event.Event { e.ID.NS = ns; return e }
	started := tab.boot + 5000*tick
	before := max(started+10*tick, tab.threads[50].group.scanned-1e6)
	if before >= tab.threads[50].group.scanned {
		t.Skip("this host booted less than a minute ago")
	}
	b := l.send(at(l.ev(event.SyscallChdirX, 50, 0, "www"), before),
		at(l.ev(event.SyscallSetuidX, 50, 0, 77), before),
		at(l.exec(50, execed{comm: "older", ppid: 1}), before),
		at(l.exit(50, 1), before),
		at(l.ev(event.SyscallOpenX, 50, 3, "f", 1), before),
		at(l.ev(event.SyscallFlockX, 50, 0, 3, 0), before),
		at(l.ev(event.SyscallFlockX, 50, 0, 3, 0), started-1e9))
	if p := b[1].Process; p == nil || p.UID != 77 {
		t.Errorf("a setuid before the scan shows %+v", p)
	}
	if p := b[2].Process; p == nil || p.Name != "older" {
		t.Errorf("an exec before the scan shows %+v", p)
	}
	if fd := b[4].FD; fd == nil || fd.Name != "/srv/www/f" {
		t.Errorf("an open before the scan shows %+v", fd)
	}
	if b[5].FD != nil {
		t.Errorf("it was kept, though it may be closed by now: %+v", b[5].FD)
	}
	if b[6].Process != nil {
		t.Errorf("an event from before its start is given to %+v", b[6].Process)
	}
	p := l.ask(50)
	if p == nil || p.Name != "app" || p.Cwd != "/srv/www/" || p.UID != 2 || p.GID != 5 || p.LoginUID != 1000 || p.CapEff != 0xff || chain(p) != "app<init" || p.ExePath != "/bin/app" {
		t.Fatalf("events before the scan changed it: %+v", p)
	}
	if p.Container == nil || p.Container.ID != idA[:12] || told != 1 {
		t.Errorf("container %+v, told %d times", p.Container, told)
	}
	l.one(event.SyscallChdirX, 50, 0, "..")
	if p := l.ask(50); p.Cwd != "/srv/" {
		t.Errorf("an event after the scan: %s", p.Cwd)
	}
	fakeProc(t, root, 60, 50, 6000, "late", "/")
	if p := l.ask(60); p == nil || chain(p) != "late<app<init" {
		t.Errorf("a process that no event told of: %s", chain(p))
	}
	if p := l.ask(61); p != nil {
		t.Errorf("a process that is not there: %+v", p)
	}
}

func TestVanishedProcesses(t *testing.T) {
	root := t.TempDir()
	fakeProc(t, root, 1, 0, 100, "init", "/")
	fakeProc(t, root, 50, 1, 5000, "app", "/")
	l := &line{t: t, tab: New(Options{Root: root})}
	l.now = l.tab.now()
	l.ask(50)
	if err := os.RemoveAll(root + "/proc/50"); err != nil {
		t.Fatal(err)
	}
	for range 20 {
		l.now += 1e9
		l.ask(1)
	}
	if s := l.tab.Stats(); s.Processes != 1 || s.Vanished != 1 {
		t.Errorf("%+v", s)
	}
}

func TestScanWithoutProc(t *testing.T) {
	tab := New(Options{Root: t.TempDir()})
	b := event.NewBatch(nil)
	if err := tab.Handle(t.Context(), b); err != nil || tab.Stats().Problem == "" {
		t.Errorf("error %v, problem %q", err, tab.Stats().Problem)
	}
}

func TestNetTables(t *testing.T) {
	var n nets
	n.by, n.listening = make(map[uint64]event.FD), make(map[uint16]bool)
	for line := range bytes.Lines([]byte("  sl  local_address rem_address   st\n" +
		"   0: 0100007F:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 11 1\n" +
		"   1: 0100007F:0016 0200007F:C001 01 00000000:00000000 00:00000000 00000000     0        0 12 1\n" +
		"   2: 0100007F:C002 0300007F:0050 01 00000000:00000000 00:00000000 00000000     0        0 13 1\n" +
		"   3: zz:0016 0:0 0A\n")) {
		n.inet(line, event.ProtoTCP, false)
	}
	for line := range bytes.Lines([]byte("   0: 0000000000000000FFFF00000100007F:0050 0000000000000000FFFF00000200007F:C002 01 0:0 00:0 0 0 0 14 1\n" +
		"   1: 00000000000000000000000001000000:0051 00000000000000000000000000000000:0000 0A 0:0 00:0 0 0 0 15 1\n")) {
		n.inet(line, event.ProtoTCP, true)
	}
	n.unix([]byte("0000000000000000: 00000002 00000000 00010000 0001 01 16 /run/x\n"))
	n.netlink([]byte("0000000000000000 0   1 00000113 0 0 0 2 0 17\n"))
	for ino, want := range map[uint64]string{
		11: "127.0.0.1:22 ipv4server tcp server",
		12: "127.0.0.2:49153->127.0.0.1:22 ipv4 tcp server connected",
		13: "127.0.0.1:49154->127.0.0.3:80 ipv4 tcp connected",
		14: "127.0.0.1:80->127.0.0.2:49154 ipv4 tcp connected",
		15: "::1:81  tcp server",
		16: "0->0 /run/x unix <NA>",
		17: "  <NA>",
	} {
		fd := n.by[ino]
		if got := about(&fd); got != want {
			t.Errorf("socket %d: %q, want %q", ino, got, want)
		}
	}
}
