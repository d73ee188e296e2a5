package kernel

import (
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/gumshoe-ir/gumshoe/event"
)

// sockaddr is addr as connect(2) takes it.
func sockaddr(addr netip.AddrPort) ([]byte, int) {
	b := make([]byte, 28)
	if addr.Addr().Is4() {
		binary.NativeEndian.PutUint16(b, unix.AF_INET)
		copy(b[4:], addr.Addr().AsSlice())
		binary.BigEndian.PutUint16(b[2:], addr.Port())
		return b, 16
	}
	binary.NativeEndian.PutUint16(b, unix.AF_INET6)
	copy(b[8:], addr.Addr().AsSlice())
	binary.BigEndian.PutUint16(b[2:], addr.Port())
	return b, 28
}

func unixAddr(path string) ([]byte, int) {
	b := make([]byte, 110)
	binary.NativeEndian.PutUint16(b, unix.AF_UNIX)
	copy(b[2:], path)
	return b, 2 + len(path)
}

// local is the address of socket fd, as the kernel tells it.
func local(t *testing.T, fd int64) netip.AddrPort {
	t.Helper()
	switch a := must[unix.Sockaddr](t)(unix.Getsockname(int(fd))).(type) {
	case *unix.SockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4(a.Addr), uint16(a.Port))
	case *unix.SockaddrInet6:
		return netip.AddrPortFrom(netip.AddrFrom16(a.Addr), uint16(a.Port))
	}
	return netip.AddrPort{}
}

func TestSockets(t *testing.T) {
	one := func(name string, typ event.Type, values func() []any) call {
		return call{name, typ, func(*testing.T) []any { return values() }}
	}
	at4, at6 := netip.MustParseAddrPort("127.0.0.1:0"), netip.MustParseAddrPort("[::1]:0")
	var server, client, server6, client6 int64
	checkCalls(t, []call{
		one("socket", 19, func() []any {
			server = raw(unix.SYS_SOCKET, unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
			return []any{server, 2, unix.SOCK_STREAM | unix.SOCK_CLOEXEC, 0, 4096}
		}),
		one("socket that cannot be", 19, func() []any { return []any{raw(unix.SYS_SOCKET, 99, 1, 7), 99, 1, 7, 0} }),
		one("bind to any port", 21, func() []any {
			p, n := sockaddr(at4)
			res := raw(unix.SYS_BIND, server, p, n)
			return []any{res, local(t, server), server}
		}),
		one("listen", 25, func() []any { return []any{raw(unix.SYS_LISTEN, server, 7), server, 7} }),
		one("connect", 23, func() []any {
			client = raw(unix.SYS_SOCKET, unix.AF_INET, unix.SOCK_STREAM, 0)
			p, n := sockaddr(local(t, server))
			res := raw(unix.SYS_CONNECT, client, p, n)
			return []any{res, [2]netip.AddrPort{local(t, client), local(t, server)}, client, local(t, server)}
		}),
		one("accept", 247, func() []any {
			fd := raw(unix.SYS_ACCEPT, server, 0, 0)
			return []any{fd, [2]netip.AddrPort{local(t, client), local(t, server)}, 0, 0, 7}
		}),
		one("connect that is refused", 23, func() []any {
			fd := raw(unix.SYS_SOCKET, unix.AF_INET, unix.SOCK_STREAM, 0)
			to := netip.MustParseAddrPort("127.0.0.1:1")
			p, n := sockaddr(to)
			return []any{raw(unix.SYS_CONNECT, fd, p, n), nil, fd, to}
		}),
		one("bind over IPv6", 21, func() []any {
			server6 = raw(unix.SYS_SOCKET, unix.AF_INET6, unix.SOCK_STREAM, 0)
			p, n := sockaddr(at6)
			res := raw(unix.SYS_BIND, server6, p, n)
			raw(unix.SYS_LISTEN, server6, 1)
			return []any{res, local(t, server6), server6}
		}),
		one("connect over IPv6", 23, func() []any {
			client6 = raw(unix.SYS_SOCKET, unix.AF_INET6, unix.SOCK_STREAM, 0)
			p, n := sockaddr(local(t, server6))
			res := raw(unix.SYS_CONNECT, client6, p, n)
			return []any{res, [2]netip.AddrPort{local(t, client6), local(t, server6)}, client6, local(t, server6)}
		}),
		one("accept4 over IPv6", 389, func() []any {
			fd := raw(unix.SYS_ACCEPT4, server6, 0, 0, unix.SOCK_CLOEXEC)
			return []any{fd, [2]netip.AddrPort{local(t, client6), local(t, server6)}, 0, 0, 1, unix.SOCK_CLOEXEC}
		}),
		one("connect of a mapped address", 23, func() []any {
			fd := raw(unix.SYS_SOCKET, unix.AF_INET6, unix.SOCK_STREAM, 0)
			a := local(t, server)
			mapped := netip.AddrPortFrom(netip.AddrFrom16(a.Addr().As16()), a.Port())
			p, n := sockaddr(mapped)
			res := raw(unix.SYS_CONNECT, fd, p, n)
			return []any{res, [2]netip.AddrPort{local(t, fd), mapped}, fd, mapped}
		}),
		one("shutdown", 37, func() []any { return []any{raw(unix.SYS_SHUTDOWN, client, unix.SHUT_WR), client, 1} }),
		one("close", 5, func() []any { return []any{raw(unix.SYS_CLOSE, client), client} }),
	})
}

// Addresses of kernel objects cannot be known here: family, path and that the
// ends name one another are checked.
func TestUnixSockets(t *testing.T) {
	path := temp(t)("server")
	var pair [2]int32
	ev := watch(t, Options{}, func() {
		for _, name := range []string{path, "\x00hidden" + path} {
			s := raw(unix.SYS_SOCKET, unix.AF_UNIX, unix.SOCK_STREAM, 0)
			p, n := unixAddr(name)
			raw(unix.SYS_BIND, s, p, n)
			raw(unix.SYS_LISTEN, s, 1)
			c := raw(unix.SYS_SOCKET, unix.AF_UNIX, unix.SOCK_STREAM, 0)
			if res := raw(unix.SYS_CONNECT, c, p, n); res != 0 {
				t.Errorf("connect %q: %d", name, res)
			}
			raw(unix.SYS_ACCEPT, s, 0, 0)
		}
		raw(unix.SYS_SOCKETPAIR, unix.AF_UNIX, unix.SOCK_DGRAM, 0, unsafe.Pointer(&pair[0]))
	})
	for _, name := range []string{path, "hidden" + path} {
		bound, connected, accepted := false, false, false
		var ends []byte
		for _, e := range ev {
			tail := append([]byte(name), 0)
			switch {
			case e.Type == 21 && slices.Equal(e.Params.At(1), append([]byte{1}, tail...)):
				bound = true
			case e.Type == 23 && len(e.Params.At(1)) > 17 && slices.Equal(e.Params.At(1)[17:], tail):
				connected = slices.Equal(e.Params.At(3), append([]byte{1}, tail...))
				ends = e.Params.At(1)[1:17]
			case e.Type == 247 && len(e.Params.At(1)) > 17 && slices.Equal(e.Params.At(1)[17:], tail):
				accepted = slices.Equal(e.Params.At(1)[1:17], ends)
			}
		}
		if !bound || !connected || !accepted {
			t.Errorf("%q: bound %v, connected %v, accepted from that end %v", name, bound, connected, accepted)
		}
	}
	i := slices.IndexFunc(ev, func(e *event.Event) bool {
		fd, _ := e.Params.Int(1)
		return e.Type == 43 && fd == int64(pair[0])
	})
	if i < 0 || ev[i].Params.Len() != 8 || ev[i].Origin != 0 {
		t.Fatal("no socketpair, or a raced one")
	}
	if fd, _ := ev[i].Params.Int(2); fd != int64(pair[1]) {
		t.Errorf("second end %d, want %d", fd, pair[1])
	}
}

// tcpState is what the test wants of a TCPState.
type tcpState struct {
	cookie         uint64
	after          uint64
	sent, received uint64
}

func TestTCPStates(t *testing.T) {
	for _, host := range []string{"127.0.0.1", "::1"} {
		t.Run(host, func(t *testing.T) { tcpStates(t, host) })
	}
}

func tcpStates(t *testing.T, host string) {
	var from, to netip.AddrPort
	ev := watch(t, Options{}, func() {
		l := must[net.Listener](t)(net.Listen("tcp", net.JoinHostPort(host, "0")))
		c := must[net.Conn](t)(net.Dial("tcp", l.Addr().String()))
		s := must[net.Conn](t)(l.Accept())
		from = c.LocalAddr().(*net.TCPAddr).AddrPort()
		to = l.Addr().(*net.TCPAddr).AddrPort()
		buf := make([]byte, 4096)
		must[int](t)(c.Write([]byte(strings.Repeat("x", 1000))))
		must[int](t)(s.Read(buf))
		must[int](t)(s.Write([]byte("seven..")))
		must[int](t)(c.Read(buf))
		ok(t, c.Close())
		s.Read(buf) // the end
		ok(t, s.Close())
		ok(t, l.Close())
	})
	states := map[string]tcpState{}
	for _, e := range ev {
		if e.Type != event.TCPState {
			continue
		}
		tuple := e.Params.At(event.TCPTuple)
		var s tcpState
		s.cookie, _ = e.Params.Uint(event.TCPSocket)
		s.after, _ = e.Params.Uint(event.TCPNew)
		s.sent, _ = e.Params.Uint(event.TCPSent)
		s.received, _ = e.Params.Uint(event.TCPReceived)
		for end, ports := range map[string][2]uint16{"client": {from.Port(), to.Port()}, "server": {to.Port(), from.Port()}, "listener": {to.Port(), 0}} {
			if a, b := tuplePorts(tuple); a == ports[0] && b == ports[1] {
				states[fmt.Sprintf("%s %d", end, s.after)] = s
			}
		}
	}
	for _, want := range []struct {
		what           string
		sent, received uint64
	}{
		{"listener 10", 0, 0},
		{"listener 7", 0, 0},
		{"client 1", 0, 0},
		{"server 1", 0, 0},
		{"client 7", 1000, 7},
		{"server 7", 7, 1000},
	} {
		s, ok := states[want.what]
		if !ok || s.sent != want.sent || s.received != want.received || s.cookie == 0 {
			t.Errorf("%s: there %v, cookie %d, sent %d, received %d; want %d and %d", want.what, ok, s.cookie, s.sent, s.received, want.sent, want.received)
		}
	}
	sameCookie(t, ev, 23, from, to, states["client 1"].cookie)
	sameCookie(t, ev, 389, from, to, states["server 1"].cookie)
	if states["client 1"].cookie != states["client 7"].cookie {
		t.Error("a connection closes with another cookie than it began with")
	}
}

func tuplePorts(tuple []byte) (source, dest uint16) {
	switch len(tuple) {
	case 13:
		return binary.LittleEndian.Uint16(tuple[5:]), binary.LittleEndian.Uint16(tuple[11:])
	case 37:
		return binary.LittleEndian.Uint16(tuple[17:]), binary.LittleEndian.Uint16(tuple[35:])
	}
	return 0, 0
}

// sameCookie finds the connect or accept with these ends, whose Detail must
// name the socket by want.
func sameCookie(t *testing.T, ev []*event.Event, typ event.Type, from, to netip.AddrPort, want uint64) {
	t.Helper()
	for _, e := range ev {
		if a, b := tuplePorts(e.Params.At(1)); e.Type == typ && a == from.Port() && b == to.Port() {
			if got, _ := e.Detail.Uint(event.DetailSocket); got != want {
				t.Errorf("event %d names socket %d, its state %d", typ, got, want)
			}
			return
		}
	}
	t.Errorf("no event %d of the connection", typ)
}
