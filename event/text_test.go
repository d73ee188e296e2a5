package event_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/gumshoe-ir/gumshoe/event"
)

// TestParametersAsText covers each encoding of parameters once: what it is, and
// what it means in brackets (spec/rules.md §3.4).
func TestParametersAsText(t *testing.T) {
	user := &event.Process{
		PID: 20, TID: 20, Name: "bash", UID: 33, User: &event.User{UID: 33, Name: "www"}, GID: 4, Group: "adm",
		Parent: &event.Process{PID: 10, TID: 10, Name: "sshd", UID: 1000, User: &event.User{UID: 1000, Name: "alice"}},
	}
	inet := []byte{2, 10, 0, 0, 5, 0x40, 0x9c, 192, 0, 2, 7, 0xbb, 0x01}
	socket := &event.FD{Num: 3, Kind: event.FDIPv4, Proto: event.ProtoTCP, Name: "10.0.0.5:40000->192.0.2.7:443"}
	inet6 := append(append([]byte{10}, netip.MustParseAddr("2001:db8::1").AsSlice()...), 0x35, 0)
	mapped := append(append([]byte{10}, netip.MustParseAddr("::ffff:1.2.3.4").AsSlice()...), 0x35, 0)
	unix := append([]byte{1, 0x34, 0x12, 0, 0, 0, 0, 0, 0, 0xff, 0, 0, 0, 0, 0, 0, 0}, "/run/x\x00"...)
	for _, c := range []struct {
		typ    event.Type
		fd     *event.FD
		params event.Params
		want   string
	}{
		{event.SyscallSetuidX, nil, params(int64(0), uint32(33)), "res=0 uid=33(www)"},
		{event.SyscallSetuidX, nil, params(int64(-1), uint32(1000)), "res=-1(EPERM) uid=1000(alice)"},
		{event.SyscallSetuidX, nil, params(int64(-1000), uint32(0)), "res=-1000 uid=0(root)"},
		{event.SyscallSetuidX, nil, params(int64(0), uint32(77)), "res=0 uid=77(<NA>)"},
		{event.SyscallSetuidX, nil, params(int64(0), event.NoID), "res=0 uid=-1(<NONE>)"},
		{event.SyscallKillX, nil, params(int64(0), int64(10), []byte{9}), "res=0 pid=10(sshd) sig=9(SIGKILL)"},
		{event.SyscallKillX, nil, params(int64(0), int64(99), []byte{200}), "res=0 pid=99 sig=200"},
		{event.SyscallNanosleepX, nil, params(int64(0), int64(1_500_000_000)), "res=0 interval=1500000000(1.5s)"},
		{event.SyscallPtraceX, nil, params(int64(0), []byte{0, 255, 0, 0, 0, 0, 0, 0, 0}, []byte{1, 9}, []byte{16, 0}, int64(10)), "res=0 addr=FF data=9 request=16(PTRACE_GETSIGINFO) pid=10(sshd)"},
		{event.SyscallPtraceX, nil, params(int64(0), []byte{}, []byte{7, 9}, []byte{0, 0}, int64(0)), "res=0 addr=NULL data=NULL request=0(PTRACE_UNKNOWN) pid=0"},
		{event.SyscallBpfX, nil, params([]byte{1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}), "res_or_fd=EPERM"},
		{event.SocketConnectX, socket, params(int64(0), inet, int64(3), inet6), "res=0 tuple=10.0.0.5:40000->192.0.2.7:443 fd=3(<4t>10.0.0.5:40000->192.0.2.7:443) addr=[2001:db8::1]:53"},
		{event.SocketConnectX, nil, params(int64(0), unix, int64(3), mapped), "res=0 tuple=1234->ff /run/x fd=3 addr=1.2.3.4:53"},
		{event.SocketConnectX, nil, params(int64(0), []byte{16, 1}, int64(-9), []byte{16, 1}), "res=0 tuple=family 16 fd=-9(EBADF) addr=family 16"},
		{event.SocketConnectX, nil, params(int64(0), inet[:9], int64(3), []byte("\x01/dev/log\x00")), "res=0 tuple=NULL fd=3 addr=/dev/log"},
		{event.SocketSocketX, nil, params(int64(4), uint32(1), uint32(2), uint32(0), uint32(64)), "fd=4 domain=1(AF_LOCAL|AF_UNIX) type=2 proto=0 flags=64(O_NONBLOCK)"},
		{event.SyscallPollX, &event.FD{Num: 5, Kind: event.FDFifo}, params(int64(1), []byte{2, 0, 5, 0, 0, 0, 0, 0, 0, 0, 1, 0, 6, 0, 0, 0, 0, 0, 0, 0, 4, 0}), "res=1 fds=5:p1 6:?4"},
		{event.SyscallUnlinkV2X, nil, params(int64(-2), []byte{}), "res=-2(ENOENT) path=<NA>"},
		{event.GenericX, nil, params([]byte{1, 0}, []byte{2, 0}), ""},
		{event.Type(50000), nil, params(int64(1)), ""},
	} {
		e := &event.Event{Type: c.typ, Process: user, FD: c.fd, Params: c.params}
		if got := string(e.AppendArgs(nil)); got != c.want {
			t.Errorf("%s: %s\nwant %s", c.typ, got, c.want)
		}
	}
}

func TestFieldsOfActivities(t *testing.T) {
	local, remote := netip.MustParseAddrPort("10.0.0.5:40000"), netip.MustParseAddrPort("192.0.2.7:443")
	out := &event.Activity{
		ID: event.ID{NS: 1000, Host: 7}, End: 5000, Kind: event.Connection, Verb: "connect", Target: "192.0.2.7:443", Local: local, Remote: remote,
		Proto: event.ProtoTCP, Sent: 5, Received: 6, Name: "evil.example", Session: 9, User: "alice", Count: 2, Origin: event.IOURing,
	}
	in := &event.Activity{Kind: event.Connection, Verb: "accept", Local: local, Remote: remote}
	file := &event.Activity{Kind: event.File, Verb: "rename", Target: "/a/b", Name: "/c", Result: 13, RealPath: "/z"}
	command := &event.Activity{Kind: event.Command, Verb: "exec", Target: "ls /", End: 3, Result: 256}
	for _, c := range []struct {
		a          *event.Activity
		name, want string
	}{
		{out, "fd.sip", "192.0.2.7"},
		{out, "fd.cport", "40000"},
		{out, "fd.rip", "192.0.2.7"},
		{out, "fd.name", "10.0.0.5:40000->192.0.2.7:443"},
		{out, "fd.l4proto", "tcp"},
		{out, "fd.type", "ipv4"},
		{out, "fd.is_server", "false"},
		{out, "gumshoe.activity.kind", "net"},
		{out, "gumshoe.activity.sent", "5"},
		{out, "gumshoe.activity.duration", "4000"},
		{out, "gumshoe.activity.name", "evil.example"},
		{out, "gumshoe.session", "9"},
		{out, "gumshoe.io_uring", "true"},
		{out, "gumshoe.host", "7"},
		{out, "evt.type", "connect"},
		{out, "evt.count", "2"},
		{out, "fs.path.name", "∅"},
		{out, "proc.name", "∅"},
		{in, "fd.sip", "10.0.0.5"},
		{in, "fd.cip", "192.0.2.7"},
		{in, "fd.lip", "10.0.0.5"},
		{in, "fd.is_server", "true"},
		{in, "gumshoe.activity.duration", "∅"},
		{file, "fd.name", "/a/b"},
		{file, "fd.directory", "/a"},
		{file, "fd.filename", "b"},
		{file, "fs.path.source", "/a/b"},
		{file, "fs.path.target", "/c"},
		{file, "fs.path.name", "∅"},
		{file, "evt.res", "EACCES"},
		{file, "evt.rawres", "-13"},
		{file, "gumshoe.realpath", "/z"},
		{file, "fd.sip", "∅"},
		{command, "evt.res", "∅"},
		{command, "evt.failed", "true"},
		{command, "gumshoe.activity.result", "256"},
		{command, "gumshoe.activity.target", "ls /"},
		{command, "fd.name", "∅"},
	} {
		if got := ask(t, c.a, c.name); got != c.want {
			t.Errorf("%s of %s: %q, want %q", c.name, c.a.Verb, got, c.want)
		}
	}
}

func TestLongTextIsCut(t *testing.T) {
	p := &event.Process{Args: []string{strings.Repeat("a", 5000), "b"}}
	if got := ask(t, p, "proc.args"); len(got) != 4096 {
		t.Errorf("proc.args has %d bytes, want 4096", len(got))
	}
	e := &event.Event{Type: event.SyscallUnlinkV2X, Params: params(int64(0), "/"+strings.Repeat("a", 2000))}
	if got := ask(t, e, "fs.path.name"); got != "/DIR_TOO_LONG/FILENAME_TOO_LONG" {
		t.Errorf("fs.path.name is %.40q…", got)
	}
}
