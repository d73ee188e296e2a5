package activity

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"

	"github.com/gumshoe-ir/gumshoe/event"
	"github.com/gumshoe-ir/gumshoe/tui/pane"
	"github.com/gumshoe-ir/gumshoe/tui/theme"
)

func proc(name string, c *event.Container) *event.Process {
	return &event.Process{PID: 7, Name: name, Cmdline: name + " -x", LoginUID: event.NoID, Container: c}
}

func TestRows(t *testing.T) {
	pod := &event.Container{ID: "3f1c", Name: "api", Pod: "api-7c9", Namespace: "billing"}
	to := netip.MustParseAddrPort("203.0.113.9:80")
	tests := []struct {
		name string
		a    event.Activity
		want string // from the type on, spaces folded
	}{
		{"a command that runs", event.Activity{Kind: event.Command, Target: "ls -l", User: "jd", Process: proc("ls", nil)}, "cmd ls -l jd host"},
		{"that ended well", event.Activity{Kind: event.Command, Target: "ls", End: 5, User: "jd", Process: proc("ls", nil)}, "cmd ls jd host"},
		{"that failed", event.Activity{Kind: event.Command, Target: "ls", End: 5, Result: 2 << 8, User: "jd", Process: proc("ls", nil)}, "cmd ls exit 2 jd host"},
		{"that was killed", event.Activity{Kind: event.Command, Target: "ls", End: 5, Result: 9, User: "jd", Process: proc("ls", nil)}, "cmd ls SIGKILL jd host"},
		{"that took long", event.Activity{Kind: event.Command, Target: "make", End: 47e9, User: "jd", Process: proc("make", nil)}, "cmd make 47s jd host"},
		{"of a system directory", event.Activity{Kind: event.Command, Target: "/usr/sbin/x -v", User: "jd", Process: &event.Process{Exe: "/usr/sbin/x"}}, "cmd x -v jd host"},
		{"of another directory", event.Activity{Kind: event.Command, Target: "/tmp/.k/run -d", User: "jd", Process: &event.Process{Exe: "/tmp/.k/run"}}, "cmd /tmp/.k/run -d jd host"},
		{"of a hidden directory", event.Activity{Kind: event.Command, Target: "/usr/lib/.x/run", User: "jd", Process: &event.Process{Exe: "/usr/lib/.x/run"}}, "cmd /usr/lib/.x/run jd host"},
		{"on a terminal", event.Activity{Kind: event.Command, Target: "id", User: "jd", Process: &event.Process{TTY: 0x8803}}, "cmd id jd pts/3 host"},
		{"in a pod", event.Activity{Kind: event.Command, Target: "ls", User: "root", Process: proc("ls", pod)}, "cmd ls root billing/api-7c9/api"},
		{"a connection", event.Activity{Kind: event.Connection, Verb: "connect", Remote: to, Proto: event.ProtoTCP, Sent: 212, Received: 2048, Process: proc("curl", nil)}, "net → 203.0.113.9:80 tcp 212B/2.0KiB curl host"},
		{"by name", event.Activity{Kind: event.Connection, Verb: "connect", Remote: to, Name: "x.example", Process: proc("curl", nil)}, "net → x.example 203.0.113.9:80 curl host"},
		{"accepted", event.Activity{Kind: event.Connection, Verb: "accept", Remote: netip.MustParseAddrPort("[::ffff:10.0.0.1]:5"), Process: proc("nginx", nil)}, "net ← 10.0.0.1:5 nginx host"},
		{"that does not wait", event.Activity{Kind: event.Connection, Verb: "connect", Remote: to, Result: -115, Process: proc("curl", nil)}, "net → 203.0.113.9:80 curl host"},
		{"refused", event.Activity{Kind: event.Connection, Verb: "connect", Remote: to, Result: -111, Process: proc("curl", nil)}, "net → 203.0.113.9:80 ECONNREFUSED curl host"},
		{"a file", event.Activity{Kind: event.File, Verb: "unlink", Target: "/etc/x", Process: proc("rm", nil)}, "file unlink /etc/x rm host"},
		{"denied", event.Activity{Kind: event.File, Verb: "read", Target: "/etc/shadow", Result: -13, Process: proc("cat", nil)}, "file read /etc/shadow EACCES cat host"},
		{"renamed", event.Activity{Kind: event.File, Verb: "rename", Target: "/a", Name: "/b", Process: proc("mv", nil)}, "file rename /a → /b mv host"},
		{"raced", event.Activity{Kind: event.File, Verb: "read", Target: "/x", Origin: event.Raced, Process: proc("cat", nil)}, "file read /x raced cat host"},
		{"many times", event.Activity{Kind: event.File, Verb: "read", Target: "/x", Count: 14, Process: proc("cat", nil)}, "file read /x x14 cat host"},
		{"nobody known", event.Activity{Kind: event.System, Verb: "setns", Target: "mnt"}, "sys setns mnt host"},
	}
	s := New(t.Context(), theme.New(theme.Mono, false), nil)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, w := range []int{1, 10, 40, 80, 110, 200} {
				c := pane.NewCanvas(s.styles, w)
				c.Row(false)
				s.drawRow(c, &tt.a, false)
				pane.FitView(t, c.String(), w, 1)
				_, got, _ := strings.Cut(strings.Join(strings.Fields(ansi.Strip(c.String())), " "), " ")
				if w == 110 && got != tt.want {
					t.Errorf("%q, want %q", got, tt.want)
				}
			}
			if len(facts(&tt.a)) == 0 {
				t.Error("no facts")
			}
		})
	}
}

func TestCellsNarrow(t *testing.T) {
	pod := &event.Container{ID: "3f1c", Pod: "api-7c9"}
	ctr := &event.Container{ID: "3f1c", Name: "web"}
	tests := []struct {
		c           column
		a           event.Activity
		field, want string
	}{
		{timeColumn, event.Activity{}, "", ""},
		{typeColumn, event.Activity{Kind: event.File}, "type", "file"},
		{whatColumn, event.Activity{Kind: event.Command, Process: proc("ls", nil)}, "proc", "ls"},
		{whatColumn, event.Activity{Kind: event.File, Target: "/x"}, "target", "/x"},
		{whatColumn, event.Activity{Kind: event.Connection, Remote: netip.MustParseAddrPort("10.0.0.1:5")}, "remote", "10.0.0.1"},
		{byColumn, event.Activity{User: "jd"}, "who", "jd"},
		{byColumn, event.Activity{Kind: event.File, Process: proc("rm", nil)}, "proc", "rm"},
		{whereColumn, event.Activity{Process: proc("ls", nil)}, "container.id", "host"},
		{whereColumn, event.Activity{Process: proc("ls", pod)}, "pod", "api-7c9"},
		{whereColumn, event.Activity{Process: proc("ls", ctr)}, "container", "web"},
	}
	for _, tt := range tests {
		if field, value := tt.c.narrows(&tt.a); field != tt.field || value != tt.want {
			t.Errorf("column %d of %v narrows to %s=%s, want %s=%s", tt.c, tt.a.Kind, field, value, tt.field, tt.want)
		}
		if _, ok := event.LookupField(tt.field); tt.field != "" && !ok {
			t.Errorf("there is no field %s", tt.field)
		}
	}
}

// TestFactsNarrowToRealFields checks every field that the detail offers.
func TestFactsNarrowToRealFields(t *testing.T) {
	p := proc("curl", &event.Container{ID: "3f1c", Name: "api", Image: "x", Pod: "p", Namespace: "n", Privileged: true, Problem: "gone"})
	p.User, p.LoginUID, p.TTY, p.Leader, p.ExePath, p.Cwd = &event.User{Name: "root"}, 1000, 0x8800, p, "/x", "/"
	p.Parent = proc("bash", nil)
	a := event.Activity{
		Kind: event.Connection, Target: "t", User: "root", Process: p, Name: "n", Remote: netip.MustParseAddrPort("10.0.0.1:5"),
		Local: netip.MustParseAddrPort("10.0.0.2:6"), Sent: 1, Origin: event.Raced | event.IOURing | event.IA32, RealPath: "/r", Count: 2,
	}
	seen := 0
	for _, f := range facts(&a) {
		if f.Field == "" {
			continue
		}
		seen++
		if _, ok := event.LookupField(f.Field); !ok {
			t.Errorf("%s: there is no field %s", f.Label, f.Field)
		}
	}
	if seen < 15 {
		t.Errorf("only %d facts narrow", seen)
	}
}
