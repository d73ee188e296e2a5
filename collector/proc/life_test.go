package proc

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/gumshoe-ir/gumshoe/event"
)

// chain is the names of p and its ancestors.
func chain(p *event.Process) string {
	var names []string
	for ; p != nil && len(names) < 500; p = p.Parent {
		names = append(names, p.Name)
	}
	return strings.Join(names, "<")
}

// ask is a harmless event of tid, to see its process.
func (l *line) ask(tid int64) *event.Process {
	l.t.Helper()
	return l.one(event.SyscallFlockX, tid).Process
}

func TestCloneOrders(t *testing.T) {
	parentSide := func(l *line) event.Event {
		return l.ev(event.SyscallCloneV20X, 100, 200, "bash", nil, 100, 100, 1, nil, nil, nil, nil, nil, nil, nil, "bash", nil, 0, 0, 0, 100, 100, 0)
	}
	childSide := func(l *line) event.Event { return l.child(200, 100, 0) }
	tests := []struct {
		name  string
		order func(*line) []event.Event
	}{
		{"parent first", func(l *line) []event.Event { return []event.Event{parentSide(l), childSide(l)} }},
		{"child first", func(l *line) []event.Event { return []event.Event{childSide(l), parentSide(l)} }},
		{"parent only", func(l *line) []event.Event { return []event.Event{parentSide(l)} }},
		{"child only", func(l *line) []event.Event { return []event.Event{childSide(l)} }},
	}
	for _, tt := range tests {
		l := newLine(t)
		l.init()
		l.send(tt.order(l)...)
		p := l.ask(200)
		if p == nil || p.PPID != 100 || p.PID != 200 || p.Parent == nil || p.Parent.PID != 100 || p.CloneTime == 0 {
			t.Errorf("%s: %+v", tt.name, p)
			continue
		}
		if n := l.tab.Stats().Processes; n != 3 {
			t.Errorf("%s: %d processes, want 3", tt.name, n)
		}
		if tt.name == "parent only" && (len(p.Args) != 1 || p.Cmdline != "bash -l") {
			t.Errorf("%s: the child lost its parent's arguments: %q", tt.name, p.Cmdline)
		}
	}
}

func TestLateParentSideRaisesNoDead(t *testing.T) {
	l := newLine(t)
	l.init()
	l.send(l.child(200, 100, 0))
	l.send(l.exit(200, 0))
	l.send(l.ev(event.SyscallCloneV20X, 100, 200, "bash", nil, 100, 100, 1, nil, nil, nil, nil, nil, nil, nil, "bash", nil, 0, 0, 0, 100, 100, 0))
	if p := l.ask(200); p != nil {
		t.Errorf("a dead process came back: %+v", p)
	}
}

func TestNamespacedResultMakesNoChild(t *testing.T) {
	l := newLine(t)
	l.init()
	for _, flags := range []uint32{cloneNewPID, cloneInPidns, cloneParent, cloneVfork} {
		l.send(l.ev(event.SyscallCloneV20X, 100, 7, "bash", nil, 100, 100, 1, nil, nil, nil, nil, nil, nil, nil, "bash", nil, flags, 0, 0, 100, 100, 0))
		if p := l.ask(7); p != nil {
			t.Errorf("flags %#x made process 7", flags)
		}
	}
}

func TestExec(t *testing.T) {
	l := newLine(t)
	l.init()
	l.send(l.child(200, 100, 0))
	before := l.ask(200)
	b := l.send(l.exec(200, execed{comm: "cat", path: "/usr/bin/cat (deleted)", args: []string{"-n", "/etc/shadow"}, env: []string{"LD_PRELOAD=x.so", "TOKEN=secret"}, uid: 33, ppid: 100}))
	p := b[0].Process
	if p.Name != "cat" || p.Cmdline != "cat -n /etc/shadow" || p.ExePath != "/usr/bin/cat" || p.ExeFlags&event.ExeDeleted == 0 ||
		p.UID != 33 || p.LoginUID != 1000 || p.TTY != 34816 || p.ExeIno != 7 || p.ExecTime != b[0].ID.NS || p.Cwd != "/home/" {
		t.Errorf("%+v", p)
	}
	if want := []string{"LD_PRELOAD=x.so", "TOKEN=<6 bytes>"}; !slices.Equal(p.Env, want) {
		t.Errorf("environment %q, want %q", p.Env, want)
	}
	if before.Name != "sh" || before.UID != 0 {
		t.Errorf("an older snapshot changed: %+v", before)
	}
	failed := l.one(event.SyscallExecveV19X, 200, -2, "nope", nil, 200)
	if failed.Process == nil || failed.Process.Name != "cat" {
		t.Errorf("a failed exec shows %+v, want its caller", failed.Process)
	}
}

func TestAncestryFollowsExec(t *testing.T) {
	l := newLine(t)
	l.init()
	l.send(l.child(200, 100, 0), l.child(300, 200, 0))
	old := l.ask(300)
	l.send(l.exec(100, execed{comm: "python3", ppid: 1}))
	if got := chain(l.ask(300)); got != "sh<sh<python3<init" {
		t.Errorf("after the exec of an ancestor: %s", got)
	}
	if got := chain(old); got != "sh<sh<bash<init" {
		t.Errorf("the older snapshot shows %s", got)
	}
}

func TestExit(t *testing.T) {
	l := newLine(t)
	l.init()
	l.send(l.child(200, 100, 0), l.child(300, 200, 0))
	b := l.send(l.exit(200, 1), l.ev(event.SyscallSetsidX, 300, -1))
	if p := b[0].Process; p == nil || p.PID != 200 || p.ExitTime != b[0].ID.NS {
		t.Errorf("the exit shows %+v", p)
	}
	if p := b[1].Process; p == nil || p.PPID != 1 || chain(p) != "sh<init" {
		t.Errorf("the orphan shows %s, parent %d", chain(p), p.PPID)
	}
	if l.ask(200) != nil {
		t.Error("the dead process stayed")
	}
	if n := l.tab.Stats().Processes; n != 3 {
		t.Errorf("%d processes, want 3", n)
	}
}

func TestReaper(t *testing.T) {
	tests := []struct {
		name   string
		reaper int64
		want   string
	}{
		{"named by the event", 100, "sh<bash<init"},
		{"found by Linux' rules: the sub-reaper above", 0, "sh<bash<init"},
		{"a descendant of the dead is no reaper", 300, "sh"},
	}
	for _, tt := range tests {
		l := newLine(t)
		l.init()
		l.one(event.SyscallPrctlX, 100, 0, subreaper, nil, 1)
		l.send(l.child(200, 100, 0), l.child(300, 200, 0))
		l.send(l.exit(200, tt.reaper))
		if got := chain(l.ask(300)); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}

func TestThreads(t *testing.T) {
	l := newLine(t)
	l.init()
	l.send(l.child(101, 100, cloneThread|cloneFiles))
	p := l.ask(101)
	if p.PID != 100 || p.TID != 101 || p.Name != "bash" || chain(p) != "bash<init" {
		t.Fatalf("%+v", p)
	}
	l.one(event.SyscallOpenX, 101, 3, "/etc/hosts", 1)
	if fd := l.one(event.SyscallFchdirX, 100, -20, 3).FD; fd == nil || fd.Name != "/etc/hosts" {
		t.Errorf("the leader sees %+v at 3", fd)
	}
	l.one(event.SyscallSetuidX, 101, 0, 1000)
	if a, b := l.ask(101), l.ask(100); a.UID != 1000 || b.UID != 0 {
		t.Errorf("a thread's setuid gave %d to it and %d to its leader", a.UID, b.UID)
	}
	l.one(event.SyscallChdirX, 101, 0, "/tmp")
	if a, b := l.ask(101), l.ask(100); a.Cwd != "/tmp/" || b.Cwd != "/tmp/" {
		t.Errorf("folders %s and %s", a.Cwd, b.Cwd)
	}
	l.send(l.exit(100, 0))
	if p := l.ask(101); p == nil || p.ExitTime != 0 {
		t.Errorf("a thread ended with its leader: %+v", p)
	}
	if b := l.send(l.exit(101, 0)); b[0].Process.ExitTime == 0 {
		t.Error("the last thread's exit does not end the process")
	}
	l.send()
	if s := l.tab.Stats(); s.Threads != 1 || s.Processes != 1 {
		t.Errorf("left over: %+v", s)
	}
}

func TestExecKillsThreads(t *testing.T) {
	l := newLine(t)
	l.init()
	l.send(l.child(101, 100, cloneThread), l.child(102, 100, cloneThread), l.exit(100, 0))
	l.send(l.exec(100, execed{comm: "new", ppid: 1})) // by 101, which takes its leader's number
	if p := l.ask(100); p == nil || p.Name != "new" {
		t.Errorf("%+v", p)
	}
	if s := l.tab.Stats(); s.Threads != 2 || s.Processes != 2 {
		t.Errorf("%+v", s)
	}
	if b := l.send(l.exit(100, 1)); b[0].Process.ExitTime == 0 {
		t.Error("its exit does not end it")
	}
}

func TestSessionLeader(t *testing.T) {
	l := newLine(t)
	l.init()
	l.one(event.SyscallSetsidX, 100, 100)
	l.send(l.child(200, 100, 0), l.child(300, 200, 0))
	if p := l.ask(100); p.Leader != p || p.SID != 100 {
		t.Errorf("a leader's leader is %+v", p.Leader)
	}
	p := l.ask(300)
	if p.Leader == nil || p.Leader.PID != 100 || p.SID != 100 || p.Leader != p.Parent.Parent {
		t.Errorf("leader %+v", p.Leader)
	}
	l.send(l.exec(100, execed{comm: "zsh", ppid: 1}))
	if p := l.ask(300); p.Leader.Name != "zsh" {
		t.Errorf("leader %s after its exec", p.Leader.Name)
	}
	l.send(l.exit(100, 1))
	if p := l.ask(300); p.Leader != nil {
		t.Errorf("leader %+v after its end", p.Leader)
	}
}

func TestReusedPIDs(t *testing.T) {
	l := newLine(t)
	l.init()
	l.send(l.child(200, 100, 0), l.exec(200, execed{comm: "old", ppid: 100}))
	l.now += 3600e9 // its exit is lost
	l.send(l.child(200, 1, 0))
	if p := l.ask(200); p == nil || p.PPID != 1 || p.Name == "old" {
		t.Errorf("%+v", p)
	}
	if s := l.tab.Stats(); s.Vanished != 1 || s.Processes != 3 {
		t.Errorf("%+v", s)
	}
}

// TestIdentity gives a process another start than the table knows.
func TestIdentity(t *testing.T) {
	detail := func(ns uint64) event.Params {
		p, err := event.EncodeParams(event.Detail, nil, ns, 77, nil, nil, nil, 4026531841)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	at := func(l *line, ns uint64) *event.Process {
		e := l.ev(event.SyscallSetsidX, 200, -1)
		e.Detail = detail(ns)
		return l.send(e)[0].Process
	}
	l := newLine(t)
	l.init()
	c := l.child(200, 100, 0)
	c.Detail = detail(50_000_000_123)
	l.send(c)
	p := at(l, 50_000_000_123)
	if p == nil || p.StartBoot != 50_000_000_000 || p.PidfsIno != 77 || p.MountNS != 4026531841 {
		t.Errorf("the same process: %+v", p)
	}
	if p := at(l, 40_000_000_000); p != nil {
		t.Errorf("an event of an earlier process was given to %+v", p)
	}
	if p := at(l, 90_000_000_000); p != nil {
		t.Errorf("an event of a later process was given to %+v", p)
	}
	if s := l.tab.Stats(); s.Vanished != 1 {
		t.Errorf("the earlier process stayed: %+v", s)
	}
}

func TestNoCircles(t *testing.T) {
	l := newLine(t)
	l.init()
	for i := range int64(20) { // each says that the other is its parent
		l.send(l.exec(200, execed{comm: "a", ppid: 300}), l.exec(300, execed{comm: "b", ppid: 200}),
			l.child(400+i, 300, 0), l.exit(300, 400+i), l.exit(200, 300))
	}
	for _, p := range l.tab.Processes() {
		if n := strings.Count(chain(p), "<"); n > 50 {
			t.Fatalf("%d levels above %d", n, p.PID)
		}
	}
}

func TestDeepAncestry(t *testing.T) {
	l := newLine(t)
	l.init()
	const deep = 3 * maxDepth
	for i := range int64(deep) {
		l.send(l.child(1000+i, cmpParent(i), 0))
	}
	l.send(l.exec(1000, execed{comm: "changed", ppid: 100}))
	if got := strings.Count(chain(l.ask(1000+deep-1)), "<"); got != deep+1 {
		t.Errorf("%d ancestors, want %d", got, deep+1)
	}
	if got := chain(l.ask(1000 + maxDepth - 2)); !strings.Contains(got, "changed") {
		t.Error("an exec within reach does not show")
	}
}

func cmpParent(i int64) int64 {
	if i == 0 {
		return 100
	}
	return 999 + i
}

func TestIDs(t *testing.T) {
	tests := []struct {
		name   string
		typ    event.Type
		values []any
		want   func(*event.Process) string
		is     string
	}{
		{"setuid", event.SyscallSetuidX, []any{0, 5}, uids, "5:0"},
		{"setgid", event.SyscallSetgidX, []any{0, 5}, uids, "0:5"},
		{"setresuid takes the effective one", event.SyscallSetresuidX, []any{0, 1, 2, 3}, uids, "2:0"},
		{"setresgid takes the effective one", event.SyscallSetresgidX, []any{0, 1, 2, 3}, uids, "0:2"},
		{"setreuid takes the effective one", event.SyscallSetreuidX, []any{0, 1, 2}, uids, "2:0"},
		{"setregid takes the effective one", event.SyscallSetregidX, []any{0, 1, 2}, uids, "0:2"},
		{"-1 leaves an id", event.SyscallSetresuidX, []any{0, 1, event.NoID, 3}, uids, "0:0"},
		{"a failure changes nothing", event.SyscallSetuidX, []any{-1, 5}, uids, "0:0"},
		{"capset", event.SyscallCapsetX, []any{0, 1, 2, 3}, caps, "1 2 3"},
		{"unshare of users gives all capabilities", event.SyscallUnshareX, []any{0, cloneNewUser}, caps, "0 1ffffffffff 1ffffffffff"},
		{"setns of users gives all capabilities", event.SyscallSetnsX, []any{0, 3, cloneNewUser}, caps, "0 1ffffffffff 1ffffffffff"},
		{"setns of others gives none", event.SyscallSetnsX, []any{0, 3, 1 << 5}, caps, "0 0 0"},
		{"chdir", event.SyscallChdirX, []any{0, "../tmp/./x"}, dirs, "/tmp/x/ "},
		{"getcwd corrects", event.SyscallGetcwdX, []any{0, "/srv"}, dirs, "/srv/ "},
		{"chroot", event.SyscallChrootX, []any{0, "jail"}, dirs, "/home/ /home/jail"},
		{"setpgid of itself", event.SyscallSetpgidX, []any{0, 0, 0}, func(p *event.Process) string { return fmt.Sprint(p.PGID, p.VPGID) }, "100 100"},
		{"prctl does not rename", event.SyscallPrctlX, []any{0, 15, "evil", 0}, func(p *event.Process) string { return p.Name }, "bash"},
	}
	for _, tt := range tests {
		l := newLine(t)
		l.init()
		p := l.one(tt.typ, 100, tt.values...).Process
		if got := tt.want(p); got != tt.is {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.is)
		}
	}
}

func uids(p *event.Process) string { return fmt.Sprintf("%d:%d", p.UID, p.GID) }
func caps(p *event.Process) string { return fmt.Sprintf("%x %x %x", p.CapInh, p.CapPerm, p.CapEff) }
func dirs(p *event.Process) string { return p.Cwd + " " + p.Root }
