package filter

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/gumshoe-ir/gumshoe/event"
)

// shell is a shell in a container, started by sshd, itself started by systemd.
func shell() *event.Process {
	systemd := &event.Process{PID: 1, TID: 1, Name: "systemd", Exe: "/sbin/init", Cmdline: "systemd"}
	sshd := &event.Process{PID: 100, TID: 100, Name: "sshd", Exe: "sshd:", Cmdline: "sshd -D", Parent: systemd}
	return &event.Process{
		PID: 200, TID: 200, PPID: 100, Name: "bash", Exe: "-bash", ExePath: "/usr/bin/bash", Args: []string{"-i"},
		Cmdline: "bash -i", Cwd: "/root/", UID: 0, LoginUID: 1000, LoginUser: "alice", TTY: 34816, Parent: sshd,
		User: &event.User{Name: "root", Home: "/root", Shell: "/bin/bash"},
		Container: &event.Container{
			ID: "0123456789ab", Name: "web", Image: "nginx:1.27", Repo: "nginx", Tag: "1.27", Pod: "api-7c9", Namespace: "billing",
		},
	}
}

func connection() *event.Activity {
	return &event.Activity{
		ID: event.ID{NS: 1_700_000_000_000_000_000, Host: 7}, Kind: event.Connection, Verb: "connect", Target: "192.0.2.7:443",
		User: "alice", Process: shell(), Count: 1, Name: "evil.example", Proto: event.ProtoTCP,
		Local: netip.MustParseAddrPort("10.0.0.5:40000"), Remote: netip.MustParseAddrPort("192.0.2.7:443"),
	}
}

func socketEvent(kind event.FDKind, from, to string) *event.Event {
	fd := &event.FD{Num: 3, Kind: kind, Proto: event.ProtoTCP}
	if from != "" {
		fd.Source = netip.MustParseAddrPort(from)
	}
	if to != "" {
		fd.Dest = netip.MustParseAddrPort(to)
	}
	return &event.Event{Type: event.SocketConnectX, Process: shell(), FD: fd}
}

func matches(t *testing.T, src string, r event.Record) bool {
	t.Helper()
	n, err := ParseBar(src)
	if err != nil {
		t.Fatalf("ParseBar(%q): %v", src, err)
	}
	p, err := Compile(n)
	if err != nil {
		t.Fatalf("Compile(%q): %v", src, err)
	}
	return p.Match(r)
}

func TestMatchActivities(t *testing.T) {
	for _, c := range []struct {
		src  string
		want bool
	}{
		{"", true},
		{"type=net and verb=connect", true},
		{"user.name=root and user.loginname=alice", true},
		{"pod=api-7c9 ns=billing container=web", true},
		{"ip=192.0.2.7", true},
		{"ip!=192.0.2.7", false},
		{"net=192.0.2.0/24", true},
		{"net!=192.0.2.0/24", false},
		{"net!=2001:db8::/32", true},
		{"fd.rport=https", true},
		{"port in (22, 443)", true},
		{"port>40000", false},
		{"fd.sip=192.0.2.7 and fd.cip=10.0.0.5", true},
		{"fd.l4proto=tcp", true},
		{"fd.name = 10.0.0.5:40000->192.0.2.7:443", true},
		{"proc.aname=sshd", true},
		{"proc.aname=bash", false},
		{"proc.aname!=sshd", true},
		{"not proc.aname=sshd", false},
		{"proc.aname[2]=systemd", true},
		{"proc.aname[3]=systemd", false},
		{"not proc.aname[3]=systemd", true},
		{"proc.apid=1", true},
		{"proc.args=-i", true},
		{"proc.args[0]=-i and proc.args[5]=''", true},
		{"evt.num=1", false},
		{"evt.num!=1", false},
		{"not evt.num=1", true},
		{"evt.num exists", false},
		{"NGINX", true},
		{"evil.exam", true},
		{"192.0.2.7:443", true},
		{"10.0.0.5:40", true},
		{"nowhere", false},
		{"alice not nowhere", true},
		{"host=7", true},
	} {
		if got := matches(t, c.src, connection()); got != c.want {
			t.Errorf("%s: %t, want %t", c.src, got, c.want)
		}
	}
}

func TestMatchSockets(t *testing.T) {
	client := socketEvent(event.FDIPv4, "10.0.0.5:40000", "192.0.2.7:443")
	listener := socketEvent(event.FDIPv4Server, "0.0.0.0:80", "")
	file := &event.Event{Type: event.SocketConnectX, FD: &event.FD{Num: 3, Kind: event.FDFile, Name: "/etc/passwd"}}
	none := &event.Event{Type: event.SyscallUnlinkV2X}
	for _, c := range []struct {
		src                        string
		client, listens, file, not bool
	}{
		{"fd.ip=10.0.0.5", true, false, false, false},
		{"fd.ip!=10.0.0.5", false, true, false, false},
		{"fd.ip exists", true, true, true, false},
		{"fd.ip in (10.0.0.5, 1.1.1.1)", true, false, false, false},
		{"fd.port=80", false, true, false, false},
		{"fd.port!=80", true, false, false, false},
		{"fd.port<=443", true, true, false, false},
		{"fd.net=10.0.0.0/8", true, false, false, false},
		{"fd.net!=10.0.0.0/8", false, true, false, false},
		{"fd.net!=2001:db8::/32", true, true, false, false},
		{"fd.net in (172.16.0.0/12, 192.0.2.0/24)", true, false, false, false},
		{"fd.snet=192.0.2.0/24", true, false, false, false},
		{"fd.snet!=2001:db8::/32", true, true, false, false},
		{"fd.lport=40000", true, false, false, false},
		{"fd.sport=80", false, true, false, false},
		{"fd.name exists", true, true, true, false},
		{"fd.filename=passwd and fd.directory=/etc", false, false, true, false},
	} {
		for i, r := range []*event.Event{client, listener, file, none} {
			want := []bool{c.client, c.listens, c.file, c.not}[i]
			if got := matches(t, c.src, r); got != want {
				t.Errorf("%s on %d: %t, want %t", c.src, i, got, want)
			}
		}
	}
}

func TestOperatorsOnText(t *testing.T) {
	for _, c := range []struct {
		op, with, value string
		want            bool
	}{
		{"glob", "/etc/*", "/etc/a/b", true},
		{"glob", "*.so", ".so", true},
		{"glob", "/etc/?", "/etc//", true},
		{"glob", "[!a-c]x", "dx", true},
		{"glob", "[!a-c]x", "bx", false},
		{"glob", "[[:digit:]]*", "7up", true},
		{"glob", "[]]", "]", true},
		{"glob", "[", "[", true},
		{"glob", `"\\*"`, "*", true},
		{"glob", `"\\*"`, "a", false},
		{"glob", "a*b*c", "aXbYbZc", true},
		{"glob", "a*b*c", "aXbYbZ", false},
		{"iglob", "ETC*", "etc/x", true},
		{"regex", "a+", "aaa", true},
		{"regex", "a+", "baaa", false},
		{"regex", `"(a|ab)(c|bcd)"`, "abcd", true},
		{"regex", "^a$", "a", true},
		{"startswith", `""`, "x", true},
		{"endswith", "z", "xyz", true},
		{"icontains", "YZ", "xyz", true},
		{"icontains", "YZ", "xy", false},
		{"<", "5", "45", true},
		{"pmatch", "(/var)", "/var/x", true},
		{"pmatch", "(/var)", "/variable", false},
		{"pmatch", "(/)", "/x", true},
		{"pmatch", "(/a/*/c, /a/b*/d)", "/a/bb/d", true},
		{"pmatch", "(//var//log)", "var/log/x", true},
		{"in", "(a,b,c,d,e,f,g,h)", "h", true},
		{"in", "()", "", false},
		{"!=", "x", "", true},
	} {
		src := "proc.name " + c.op + " " + c.with
		if got := matches(t, src, &event.Process{Name: c.value}); got != c.want {
			t.Errorf("%s on %q: %t, want %t", src, c.value, got, c.want)
		}
	}
}

// TestRegexStaysLinear: a pattern that makes backtracking matchers explode.
func TestRegexStaysLinear(t *testing.T) {
	if matches(t, `proc.name regex "(a*)*(a|aa)*b"`, &event.Process{Name: strings.Repeat("a", 100_000)}) {
		t.Error("matched a text without b")
	}
}

const busy = `evt.type in (open, openat, creat, accept, sendto, execve) or proc.name startswith ba and ` +
	`not proc.exepath glob "/usr/*/x*" and proc.aname in (sshd, cron) and proc.pid > 3 and fd.sip != 1.2.3.4 and ` +
	`fd.net = 192.0.2.0/24 and container.id != host and proc.exepath pmatch (/usr/bin, /opt) and not evil42 and ` +
	`proc.cmdline icontains BASH and fd.rport in (1, 443) and proc.exepath regex "/usr/.*sh" and k8s.ns.name = billing`

func TestMatchAllocatesNothing(t *testing.T) {
	n, err := ParseBar(busy)
	if err != nil {
		t.Fatal(err)
	}
	p, err := Compile(n)
	if err != nil {
		t.Fatal(err)
	}
	for name, r := range map[string]event.Record{"activity": connection(), "event": socketEvent(event.FDIPv4, "10.0.0.5:40000", "192.0.2.7:443")} {
		if !p.Match(r) {
			t.Errorf("%s does not match: the test would prove nothing", name)
		}
		if got := testing.AllocsPerRun(100, func() { p.Match(r) }); got != 0 {
			t.Errorf("%s: %v allocations a match", name, got)
		}
	}
}

func BenchmarkMatch(b *testing.B) {
	for _, c := range []struct{ name, src string }{
		{"name", "proc.name=zsh"},
		{"chips", "user=root; ns=billing; proc.name in (sh, bash, zsh); verb=exec"},
		{"word", "nowhere"},
		{"busy", busy},
	} {
		b.Run(c.name, func(b *testing.B) {
			n, err := ParseBar(c.src)
			if err != nil {
				b.Fatal(err)
			}
			p, err := Compile(n)
			if err != nil {
				b.Fatal(err)
			}
			r := connection()
			b.ReportAllocs()
			for b.Loop() {
				p.Match(r)
			}
		})
	}
}

func BenchmarkParse(b *testing.B) {
	long := strings.Repeat(busy+" or ", 9) + busy
	for _, c := range []struct{ name, src string }{{"short", "user=root and ns=billing"}, {"long", long}, {"wrong", long + " or proc.nmae=x"}} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(c.src)))
			for b.Loop() {
				_, _ = ParseBar(c.src)
			}
		})
	}
}

func BenchmarkComplete(b *testing.B) {
	src := strings.Repeat(busy+" or ", 9) + "pro"
	b.ReportAllocs()
	for b.Loop() {
		Complete(src, len(src))
	}
}
