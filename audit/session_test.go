package audit

import (
	"testing"

	"github.com/gumshoe-ir/gumshoe/event"
)

func TestRootOfASession(t *testing.T) {
	l := newLine(t)
	proc := func(pid int32, parent *event.Process, name string, change ...func(*event.Process)) *event.Process {
		p := l.process(pid, parent, name)
		for _, c := range change {
			c(p)
		}
		return p
	}
	login := func(uid uint32) func(*event.Process) { return func(p *event.Process) { p.LoginUID = uid } }
	in := func(id string) func(*event.Process) {
		return func(p *event.Process) { p.Container = &event.Container{ID: id} }
	}
	init := proc(1, nil, "systemd")
	sshd := proc(10, init, "sshd")
	conn := proc(11, sshd, "sshd")
	user := proc(12, conn, "sshd", login(1000))
	bash := proc(13, user, "bash", login(1000))
	late := proc(14, conn, "bash", login(1000)) // its sshd's login uid is not known
	sudo := proc(15, bash, "sudo", login(1000))
	root := proc(16, sudo, "bash", login(1000))
	cron := proc(20, init, "cron")
	job := proc(21, cron, "cron")
	sh := proc(22, job, "sh", login(0))
	shim := proc(30, init, "containerd-shim")
	main := proc(31, shim, "nginx", in("aaa"))
	worker := proc(32, main, "nginx", in("aaa"))
	execd := proc(33, shim, "sh", in("aaa"))
	inner := proc(34, worker, "sh", in("bbb"))
	manager := proc(40, init, "systemd", login(1000))
	manager.Args = []string{"--user"}
	unit := proc(41, manager, "app", login(1000))
	liar := proc(50, bash, "sshd", login(1000)) // a name that it chose
	liar.ExePath = "/tmp/x"
	liarChild := proc(51, liar, "sh", login(1000))
	for _, tt := range []struct {
		name string
		p    *event.Process
		want *event.Process
	}{
		{"ssh: the process of the connection", bash, conn},
		{"ssh: also before its login uid is known", late, conn},
		{"sudo stays", root, conn},
		{"cron: the process of the job", sh, job},
		{"a service", worker.Parent.Parent, shim},
		{"the listener is a service", sshd, sshd},
		{"a container", worker, main},
		{"an exec into a container", execd, execd},
		{"a container in a container", inner, inner},
		{"a user's service", unit, unit},
		{"an unknown parent", proc(60, nil, "x"), nil},
		{"a process named as a daemon", liarChild, conn},
	} {
		want := tt.want
		if want == nil {
			want = tt.p
		}
		got, inherited := newActors("boot").root(tt.p)
		if got != want || inherited != nil {
			t.Errorf("%s: root %d, want %d", tt.name, got.PID, want.PID)
		}
	}
}

func TestSessionsAreInheritedAtBirth(t *testing.T) {
	l := newLine(t)
	init := l.process(1, nil, "systemd")
	bash := l.process(100, init, "bash")
	mid := l.process(101, bash, "bash")
	daemon := l.process(102, mid, "bash")
	for _, p := range []*event.Process{bash, mid, daemon} {
		l.give(p, nil, event.SyscallCloneV20X, 0)
	}
	exit(l, mid, 0)
	orphan := *daemon
	orphan.Parent = init
	want := l.s.actors.session(bash)
	if got := exec(l, &orphan)[0].Session; got != want {
		t.Errorf("a daemon that forked twice is in session %x, want %x", got, want)
	}
	moved := orphan
	moved.Container = &event.Container{ID: "aaa"}
	got := exec(l, &moved)
	if s := got[len(got)-1].Session; s == want || s != l.s.actors.id(&moved) {
		t.Errorf("after it entered a container: %x", s)
	}
	again := moved
	again.LoginUID = 1000
	got = exec(l, &again)
	if s := got[len(got)-1].Session; s != l.s.actors.id(&moved) {
		t.Errorf("a login in the same process: %x", s)
	}
}

func TestSessionIDs(t *testing.T) {
	p := &event.Process{PID: 100, StartBoot: 5}
	a := newActors("boot\n")
	id := a.id(p)
	if b := newActors("boot"); b.id(p) != id || id == 0 {
		t.Error("not the same after a restart")
	}
	other := newActors("boot")
	other.host = 1
	for name, got := range map[string]event.SessionID{
		"host": other.id(p), "boot": newActors("x").id(p),
		"pid": a.id(&event.Process{PID: 101, StartBoot: 5}), "start": a.id(&event.Process{PID: 100, StartBoot: 6}),
	} {
		if got == id {
			t.Errorf("another %s is the same session", name)
		}
	}
}

func TestCyclicParentsEnd(t *testing.T) {
	l := newLine(t)
	a, b := l.process(1000, nil, "a"), l.process(1001, nil, "b")
	a.Parent, b.Parent = b, a
	if l.s.actors.session(a) == 0 {
		t.Error("no session")
	}
}

func TestUser(t *testing.T) {
	a := newActors("")
	for _, tt := range []struct {
		name string
		p    event.Process
		want string
	}{
		{"who logged in", event.Process{LoginUID: 1000, LoginUser: "ann", User: &event.User{Name: "root"}}, "ann"},
		{"the login's number", event.Process{LoginUID: 1000, User: &event.User{Name: "root"}}, "1000"},
		{"who it runs as", event.Process{LoginUID: event.NoID, UID: 33, User: &event.User{Name: "www-data"}}, "www-data"},
		{"the number", event.Process{LoginUID: event.NoID, UID: 33}, "33"},
	} {
		if got := a.user(&tt.p); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}
