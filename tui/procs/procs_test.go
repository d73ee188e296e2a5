package procs

import (
	"strings"
	"testing"

	"github.com/gumshoe-ir/gumshoe/event"
)

func TestWarnings(t *testing.T) {
	c := &event.Container{ID: "3f1c"}
	tests := []struct {
		name string
		p    event.Process
		want string
	}{
		{"nothing odd", event.Process{Name: "bash"}, ""},
		{"from memory", event.Process{Name: "x", ExeFlags: event.ExeFromMemfd}, "runs from memory"},
		{"written in a container", event.Process{Name: "x", ExeFlags: event.ExeUpperLayer, Container: c}, "not in the image"},
		{"an overlay on the host is no image", event.Process{Name: "x", ExeFlags: event.ExeUpperLayer}, ""},
		{"deleted", event.Process{Name: "x", ExeFlags: event.ExeDeleted}, "executable deleted"},
		{"a kernel thread", event.Process{Name: "[kworker/0:1]", KernelTask: true}, ""},
		{"one that poses", event.Process{Name: "[kworker/0:1]"}, "poses as a kernel thread"},
		{"one that poses by argv", event.Process{Name: "sleep", Exe: "[kworker/0:1]", ExePath: "/bin/sleep"}, "poses as a kernel thread"},
		{"another name", event.Process{Name: "sleep", Exe: "/usr/sbin/cron", ExePath: "/bin/sleep"}, "calls itself /usr/sbin/cron"},
		{"a login shell", event.Process{Name: "bash", Exe: "-bash", ExePath: "/bin/bash"}, ""},
		{"by a link", event.Process{Name: "sh", Exe: "sh", ExePath: "/bin/dash"}, ""},
		{"a script", event.Process{Name: "run.sh", Exe: "/bin/bash", ExePath: "/usr/bin/bash"}, ""},
		{"a title", event.Process{Name: "sshd", Exe: "sshd: jd@pts/0", ExePath: "/usr/sbin/sshd"}, ""},
		{"a long name", event.Process{Name: "systemd-journal", Exe: "/lib/systemd/systemd-journald-x", ExePath: "/x/y"}, ""},
	}
	for _, tt := range tests {
		if got := strings.Join(warnings(&tt.p), ", "); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestFactsNarrowToRealFields(t *testing.T) {
	p := &event.Process{
		PID: 7, VPID: 3, Name: "x", Cmdline: "x -y", ExePath: "/x", Exe: "y", Cwd: "/", User: &event.User{Name: "root"}, LoginUID: 1000, TTY: 0x8801,
		Container: &event.Container{ID: "3f1c", Image: "i"}, Parent: &event.Process{PID: 1, Name: "init"}, Env: []string{"A=1"}, CapEff: 1,
	}
	seen := 0
	for _, f := range facts(p) {
		if f.Field == "" {
			continue
		}
		seen++
		if _, ok := event.LookupField(f.Field); !ok {
			t.Errorf("%s: there is no field %s", f.Label, f.Field)
		}
	}
	if seen < 9 {
		t.Errorf("only %d facts narrow", seen)
	}
	if facts(nil) != nil {
		t.Error("nothing has facts")
	}
}
