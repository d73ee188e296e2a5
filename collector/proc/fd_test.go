package proc

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/gumshoe-ir/gumshoe/event"
)

func TestJoin(t *testing.T) {
	tests := []struct{ name, dir, path, want string }{
		{"absolute wins", "/home/", "/etc/passwd", "/etc/passwd"},
		{"relative", "/home/", "x", "/home/x"},
		{"dot and double slash", "/home/", ".//./x/", "/home/x"},
		{"up", "/home/user/", "../../etc/./shadow", "/etc/shadow"},
		{"never above the root", "/", "../../..", "/"},
		{"names of dots are names", "/", "a/.../..b", "/a/.../..b"},
		{"the folder itself", "/home/", "", "/home"},
		{"unknown folder", unknown, "x/../y", unknown + "/y"},
		{"never above an unknown folder", unknown, "../../y", unknown + "/y"},
		{"hostile bytes stay", "/", "a\x1b[31m\xff\n", "/a\x1b[31m\xff\n"},
		{"1024 bytes are too long", "/", strings.Repeat("a", maxPath), tooLong},
	}
	for _, tt := range tests {
		if got := join(tt.dir, []byte(tt.path)); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

// Each of the two paths of a call may begin at a folder of its own.
func TestBothPathsOfACallAreWhole(t *testing.T) {
	l := newLine(t)
	l.init()
	l.one(event.SyscallOpenX, 100, 4, "/srv", openDirectory)
	l.one(event.SyscallOpenX, 100, 5, "/var", openDirectory)
	for _, tt := range []struct {
		name     string
		typ      event.Type
		values   []any
		from, to string
	}{
		{"below two descriptors", event.SyscallRenameat2X, []any{0, 4, "a", 5, "b/../c", 0}, "/srv/a", "/var/c"},
		{"one of them absolute", event.SyscallRenameatX, []any{0, 4, "/etc/a", 5, "b"}, "/etc/a", "/var/b"},
		{"from the working directory", event.SyscallLinkatV2X, []any{0, -100, "a", 5, "b", 0}, "/home/a", "/var/b"},
		{"to the working directory", event.SyscallLinkatV2X, []any{0, 4, "a", -100, "b", 0}, "/srv/a", "/home/b"},
		{"below nothing known", event.SyscallLinkatV2X, []any{0, 44, "a", 4, "b", 0}, "<UNKNOWN>a", "/srv/b"},
	} {
		e := l.one(tt.typ, 100, tt.values...)
		if from, to := e.Path(2), e.Path(4); from != tt.from || to != tt.to {
			t.Errorf("%s: %q to %q, want %q to %q", tt.name, from, to, tt.from, tt.to)
		}
		if e.FD != nil {
			t.Errorf("%s: acts on descriptor %+v", tt.name, e.FD)
		}
	}
}

func TestOpens(t *testing.T) {
	tests := []struct {
		name   string
		typ    event.Type
		values []any
		want   event.FD
	}{
		{"open", event.SyscallOpenX, []any{5, "f", 2, 0o644, 8, 9}, event.FD{Num: 5, Kind: event.FDFile, Name: "/home/f", NameRaw: "f", Flags: 2, Mode: 0o644, Dev: 8, Ino: 9}},
		{"creat", event.SyscallCreatX, []any{5, "f", 0o644, 8, 9, 0}, event.FD{Num: 5, Kind: event.FDFile, Name: "/home/f", NameRaw: "f", Flags: 262, Mode: 0o644, Dev: 8, Ino: 9}},
		{"openat below a descriptor", event.SyscallOpenatV2X, []any{5, 4, "f", 1, 0, 8, 9}, event.FD{Num: 5, Kind: event.FDFile, Name: "/srv/f", NameRaw: "f", Flags: 1, Dev: 8, Ino: 9}},
		{"openat below nothing known", event.SyscallOpenatV2X, []any{5, 44, "f", 1, 0, 8, 9}, event.FD{Num: 5, Kind: event.FDFile, Name: "<UNKNOWN>/f", NameRaw: "f", Flags: 1, Dev: 8, Ino: 9}},
		{"openat2 of a folder", event.SyscallOpenat2X, []any{5, -100, "/d", openDirectory | 1, 0, 0, 8, 9}, event.FD{Num: 5, Kind: event.FDDirectory, Name: "/d", NameRaw: "/d", Flags: openDirectory | 1, Dev: 8, Ino: 9}},
		{"by handle", event.SyscallOpenByHandleAtX, []any{5, 4, 1, "/x", 8, 9}, event.FD{Num: 5, Kind: event.FDFile, Name: "/x", NameRaw: "/x", Flags: 1, Dev: 8, Ino: 9}},
		{"a failure has a name and no kind", event.SyscallOpenX, []any{-2, "none", 1}, event.FD{Num: -1, Name: "/home/none", NameRaw: "none"}},
	}
	for _, tt := range tests {
		l := newLine(t)
		l.init()
		l.one(event.SyscallOpenX, 100, 4, "/srv", openDirectory)
		e := l.one(tt.typ, 100, tt.values...)
		if e.FD == nil || *e.FD != tt.want {
			t.Errorf("%s:\n%+v, want\n%+v", tt.name, e.FD, tt.want)
		}
		if kept := l.one(event.SyscallFlockX, 100, 0, tt.want.Num, 0).FD; tt.want.Num > 0 && kept != e.FD {
			t.Errorf("%s: kept %+v", tt.name, kept)
		}
	}
}

func TestEnterEventsFeedState(t *testing.T) {
	peer := netip.MustParseAddrPort("10.0.0.2:443")
	l := newLine(t)
	l.init()
	l.one(event.SyscallOpenatE, 100, -100, "/asked", 1, 0)
	if e := l.one(event.SyscallOpenatX, 100, 3); e.FD == nil || e.FD.Name != "/asked" {
		t.Errorf("the old openat: %+v", e.FD)
	}
	l.one(event.SyscallOpenE, 100, "/asked", 1, 0)
	if e := l.one(event.SyscallOpenX, 100, 3, "/changed", 1, 0); e.FD == nil || e.FD.Name != "/asked" {
		t.Errorf("a path changed during the call: %+v", e.FD)
	}
	l.one(event.SyscallOpenE, 100, "/other", 1, 0)
	if e := l.one(event.SyscallOpenatV2X, 100, 3, -100, "/own", 1); e.FD == nil || e.FD.Name != "/own" {
		t.Errorf("another call's enter was taken: %+v", e.FD)
	}
	l.one(event.SocketSocketX, 100, 6, 2, 1, 0)
	l.one(event.SocketConnectE, 100, 6, peer)
	if e := l.one(event.SocketConnectX, 100, 0, nil); e.FD == nil || e.FD.Dest != peer {
		t.Errorf("the old connect: %+v", e.FD)
	}
}

func TestSockets(t *testing.T) {
	self, peer := netip.MustParseAddrPort("10.0.0.1:5000"), netip.MustParseAddrPort("10.0.0.2:443")
	other := netip.MustParseAddrPort("10.0.0.3:53")
	six, six2 := netip.MustParseAddrPort("[fe80::1]:1"), netip.MustParseAddrPort("[fe80::2]:2")
	m1, m2 := netip.MustParseAddrPort("[::ffff:10.0.0.1]:1"), netip.MustParseAddrPort("[::ffff:10.0.0.2]:2")
	pair := func(a, b netip.AddrPort) [2]netip.AddrPort { return [2]netip.AddrPort{a, b} }
	udp := []any{4, 2, 2, 0, 0}
	tcp := []any{4, 2, 1, 0, 0}
	tests := []struct {
		name   string
		socket []any
		typ    event.Type
		values []any
		want   string // name, kind, protocol, flags
	}{
		{"connect", tcp, event.SocketConnectX, []any{0, pair(self, peer), 4, peer}, "10.0.0.1:5000->10.0.0.2:443 ipv4 tcp connected changed"},
		{"connect in progress", tcp, event.SocketConnectX, []any{-115, pair(self, peer), 4, peer}, "10.0.0.1:5000->10.0.0.2:443 ipv4 tcp connected changed"},
		{"refused", tcp, event.SocketConnectX, []any{-111, nil, 4, peer}, " ipv4 tcp"},
		{"connect with the address alone", tcp, event.SocketConnectX, []any{0, nil, 4, peer}, "0.0.0.0:0->10.0.0.2:443 ipv4 tcp connected changed"},
		{"connect of a socket nobody saw made", nil, event.SocketConnectX, []any{0, pair(self, peer), 4, peer}, "10.0.0.1:5000->10.0.0.2:443 ipv4 tcp connected changed"},
		{"ipv6 has no brackets", []any{4, 10, 1, 0, 0}, event.SocketConnectX, []any{0, pair(six, six2), 4, six2}, "fe80::1:1->fe80::2:2 ipv6 tcp connected changed"},
		{"mapped addresses are ipv4", []any{4, 10, 1, 0, 0}, event.SocketConnectX, []any{0, pair(m1, m2), 4, m2}, "10.0.0.1:1->10.0.0.2:2 ipv4 tcp connected changed"},
		{"bind", tcp, event.SocketBindX, []any{0, self, 4}, "10.0.0.1:5000 ipv4server tcp server changed"},
		{"bind of any port", tcp, event.SocketBindX, []any{0, netip.MustParseAddrPort("10.0.0.1:0"), 4}, " ipv4 tcp"},
		{"accept", tcp, event.SocketAccept4V6X, []any{5, pair(peer, self), 0, 0, 0, 0}, "10.0.0.2:443->10.0.0.1:5000 ipv4 tcp server connected"},
		{"first datagram sent", udp, event.SocketSendtoX, []any{1, nil, 4, 1, pair(self, other)}, "10.0.0.1:5000->10.0.0.3:53 ipv4 udp changed"},
		{"first datagram received", udp, event.SocketRecvfromX, []any{1, nil, pair(other, self), 4, 1}, "10.0.0.1:5000->10.0.0.3:53 ipv4 udp changed"},
		{"ping", []any{4, 2, 3, 1, 0}, event.SocketSendtoX, []any{1, nil, 4, 1, pair(self, other)}, "10.0.0.1:5000->10.0.0.3:53 ipv4 icmp changed"},
		{"unix", []any{4, 1, 1, 0, 0}, event.SocketConnectX, []any{0, unixTuple(0xabc, 0xdef, "/run/x"), 4, nil}, "abc->def /run/x unix <NA> connected changed"},
		{"garbage is no tuple", tcp, event.SocketConnectX, []any{0, []byte{2, 1, 2}, 4, []byte{99}}, " ipv4 tcp"},
	}
	for _, tt := range tests {
		l := newLine(t)
		l.init()
		if tt.socket != nil {
			l.one(event.SocketSocketX, 100, tt.socket...)
		}
		if got := about(l.one(tt.typ, 100, tt.values...).FD); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

func unixTuple(from, to uint64, path string) []byte {
	b := []byte{1}
	for _, v := range []uint64{from, to} {
		for i := range 8 {
			b = append(b, byte(v>>(8*i)))
		}
	}
	return append(append(b, path...), 0)
}

var kindNames = map[event.FDKind]string{event.FDIPv4: "ipv4", event.FDIPv6: "ipv6", event.FDIPv4Server: "ipv4server", event.FDUnix: "unix"}

func about(fd *event.FD) string {
	if fd == nil {
		return "none"
	}
	s := fd.Name + " " + kindNames[fd.Kind] + " " + fd.Proto.String()
	for _, f := range []struct {
		on   bool
		text string
	}{{fd.Server, " server"}, {fd.Connected, " connected"}, {fd.NameChanged, " changed"}} {
		if f.on {
			s += f.text
		}
	}
	return s
}

func TestDatagramPeers(t *testing.T) {
	self := netip.MustParseAddrPort("10.0.0.1:53")
	a, b := netip.MustParseAddrPort("10.0.0.7:1000"), netip.MustParseAddrPort("10.0.0.8:1000")
	l := newLine(t)
	l.init()
	l.one(event.SocketSocketX, 100, 4, 2, 2, 0, 0)
	l.one(event.SocketBindX, 100, 0, self, 4)
	for _, tt := range []struct {
		name string
		typ  event.Type
		peer netip.AddrPort
		want string
	}{
		{"a client's datagram", event.SocketRecvfromX, a, "10.0.0.7:1000->10.0.0.1:53 ipv4 udp server changed"},
		{"the answer to it", event.SocketSendtoX, a, "10.0.0.7:1000->10.0.0.1:53 ipv4 udp server"},
		{"another client", event.SocketRecvfromX, b, "10.0.0.8:1000->10.0.0.1:53 ipv4 udp server changed"},
	} {
		values := []any{1, nil, [2]netip.AddrPort{tt.peer, self}, 4, 1}
		if tt.typ == event.SocketSendtoX {
			values = []any{1, nil, 4, 1, [2]netip.AddrPort{self, tt.peer}}
		}
		if got := about(l.one(tt.typ, 100, values...).FD); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

// TestUnseenClose uses a number again whose closing nobody saw.
func TestUnseenClose(t *testing.T) {
	self, peer := netip.MustParseAddrPort("10.0.0.1:5000"), netip.MustParseAddrPort("10.0.0.2:443")
	l := newLine(t)
	l.init()
	l.one(event.SyscallOpenX, 100, 4, "/etc/hosts", 1)
	e := l.one(event.SocketSendtoX, 100, 1, nil, 4, 1, [2]netip.AddrPort{self, peer})
	if got := about(e.FD); got != "10.0.0.1:5000->10.0.0.2:443 ipv4 udp changed" || e.FD.Flags != 0 || e.FD.NameRaw != "" {
		t.Errorf("%q %+v", got, e.FD)
	}
}

func TestDescriptorCalls(t *testing.T) {
	// each case acts on 3, an open file that closes on exec, and names what is at 3 and at 9
	type call struct {
		typ    event.Type
		values []any
	}
	tests := []struct {
		name        string
		calls       []call
		three, nine string
	}{
		{"close", []call{{event.SyscallCloseX, []any{0, 3}}}, "", ""},
		{"a failed close", []call{{event.SyscallCloseX, []any{-9, 3}}}, "/f cloexec", ""},
		{"dup clears close on exec", []call{{event.SyscallDupV1X, []any{9, 3}}}, "/f cloexec", "/f"},
		{"dup2", []call{{event.SyscallDup2X, []any{9, 3, 9}}}, "/f cloexec", "/f"},
		{"dup3 with O_CLOEXEC", []call{{event.SyscallDup3X, []any{9, 3, 9, closeOnExec}}}, "/f cloexec", "/f cloexec"},
		{"F_DUPFD", []call{{event.SyscallFcntlX, []any{9, 3, fDupFD, 9}}}, "/f cloexec", "/f"},
		{"F_DUPFD_CLOEXEC", []call{{event.SyscallFcntlX, []any{9, 3, fDupFDCloexec, 9}}}, "/f cloexec", "/f cloexec"},
		{"F_SETFD", []call{{event.SyscallFcntlX, []any{0, 3, fSetFD, 0}}}, "/f", ""},
		{"dup of the unknown forgets what was there", []call{{event.SyscallDup2X, []any{3, 77, 3}}}, "", ""},
		{"close_range", []call{{event.SyscallCloseRangeX, []any{0, 3, 0xffffffff, 0}}}, "", ""},
		{"close_range elsewhere", []call{{event.SyscallCloseRangeX, []any{0, 4, 10, 0}}}, "/f cloexec", ""},
		{"close_range marks", []call{{event.SyscallDupV1X, []any{9, 3}}, {event.SyscallCloseRangeX, []any{0, 4, 10, rangeCloexec}}}, "/f cloexec", "/f cloexec"},
		{"memfd", []call{{event.SyscallMemfdCreateX, []any{9, "x", 1}}}, "/f cloexec", "x cloexec"},
		{"pidfd_open", []call{{event.SyscallPidfdOpenX, []any{9, 1, 0}}}, "/f cloexec", "/proc/1 cloexec"},
		{"pidfd_getfd", []call{{event.SyscallPidfdOpenX, []any{5, 100, 0}}, {event.SyscallPidfdGetfdX, []any{9, 5, 3, 0}}}, "/f cloexec", "/f cloexec"},
		{"bpf that makes none", []call{{event.SyscallBpfV2X, []any{9, 2}}}, "/f cloexec", ""},
	}
	for _, tt := range tests {
		l := newLine(t)
		l.init()
		l.one(event.SyscallOpenX, 100, 3, "/f", 1|closeOnExec)
		for _, c := range tt.calls {
			l.one(c.typ, 100, c.values...)
		}
		if got := l.at(100, 3); got != tt.three {
			t.Errorf("%s: 3 is %q, want %q", tt.name, got, tt.three)
		}
		if got := l.at(100, 9); got != tt.nine {
			t.Errorf("%s: 9 is %q, want %q", tt.name, got, tt.nine)
		}
	}
}

// at describes descriptor num of tid.
func (l *line) at(tid, num int64) string {
	l.t.Helper()
	fd := l.one(event.SyscallFlockX, tid, 0, num, 0).FD
	if fd == nil {
		return ""
	}
	if fd.Flags&closeOnExec != 0 {
		return fd.Name + " cloexec"
	}
	return fd.Name
}

func TestDescriptorsAcrossForkAndExec(t *testing.T) {
	l := newLine(t)
	l.init()
	l.one(event.SyscallOpenX, 100, 3, "/kept", 1)
	l.one(event.SyscallOpenX, 100, 4, "/closed", 1|closeOnExec)
	l.send(l.child(200, 100, 0), l.child(300, 100, cloneFiles))
	l.one(event.SyscallOpenX, 200, 5, "/copy", 1)
	l.one(event.SyscallOpenX, 300, 6, "/shared", 1)
	for _, tt := range []struct {
		name     string
		tid, num int64
		want     string
	}{
		{"a fork has its parent's", 200, 3, "/kept"},
		{"a fork's own stay its own", 100, 5, ""},
		{"the parent's later ones too", 200, 6, ""},
		{"CLONE_FILES shares both ways", 100, 6, "/shared"},
	} {
		if got := l.at(tt.tid, tt.num); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
	l.send(l.exec(300, execed{comm: "x", ppid: 100}))
	for _, tt := range []struct {
		name     string
		tid, num int64
		want     string
	}{
		{"exec closes", 300, 4, ""},
		{"exec keeps the others", 300, 6, "/shared"},
		{"exec ends sharing", 100, 4, "/closed cloexec"},
	} {
		if got := l.at(tt.tid, tt.num); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
	l.send(l.exit(100, 1), l.exit(200, 1), l.exit(300, 1))
	l.send()
	if n := l.tab.Stats().FDs; n != 0 {
		t.Errorf("%d descriptors left of dead processes", n)
	}
}

func TestDescriptorLimits(t *testing.T) {
	l := newLine(t)
	l.init()
	for i := range int64(maxFDs + 100) {
		l.one(event.SyscallOpenX, 100, 3+i, "/f", 1)
	}
	if s := l.tab.Stats(); s.FDs != maxFDs || s.RefusedFDs != 100 {
		t.Errorf("%d kept, %d refused", s.FDs, s.RefusedFDs)
	}
	e := l.one(event.SyscallOpenX, 100, 1<<40, "/huge", 1)
	if e.FD == nil || e.FD.Name != "/huge" {
		t.Errorf("a descriptor that is not kept is not shown either: %+v", e.FD)
	}
}
