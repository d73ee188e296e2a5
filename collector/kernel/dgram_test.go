package kernel

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"strings"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/gumshoe-ir/gumshoe/event"
)

// msghdr is one for a message of one piece to or from addr.
func msghdr(data, addr []byte, addrLen int) (*unix.Msghdr, *unix.Iovec) {
	iov := &unix.Iovec{Base: &data[0], Len: uint64(len(data))}
	m := &unix.Msghdr{Iov: iov, Iovlen: 1}
	if addr != nil {
		m.Name, m.Namelen = &addr[0], uint32(addrLen)
	}
	return m, iov
}

func udp(t *testing.T, addr string) (int64, netip.AddrPort) {
	t.Helper()
	a := netip.MustParseAddrPort(addr)
	family := unix.AF_INET
	if a.Addr().Is6() {
		family = unix.AF_INET6
	}
	fd := raw(unix.SYS_SOCKET, family, unix.SOCK_DGRAM, 0)
	p, n := sockaddr(a)
	if res := raw(unix.SYS_BIND, fd, p, n); res != 0 {
		t.Errorf("bind %s: %d", addr, res)
	}
	return fd, local(t, fd)
}

func TestDatagrams(t *testing.T) {
	one := func(name string, typ event.Type, values func() []any) call {
		return call{name, typ, func(*testing.T) []any { return values() }}
	}
	var a, b, c int64
	var at, bt, ct netip.AddrPort
	long := []byte(strings.Repeat("0123456789", 20))
	buf, from := make([]byte, 300), make([]byte, 28)
	checkCalls(t, []call{
		one("sendto", 31, func() []any {
			a, at = udp(t, "127.0.0.1:0")
			b, bt = udp(t, "127.0.0.1:0")
			p, n := sockaddr(bt)
			return []any{raw(unix.SYS_SENDTO, a, long, len(long), 0, p, n), long[:80], a, len(long), [2]netip.AddrPort{at, bt}}
		}),
		one("recvfrom", 35, func() []any {
			n := []byte{28, 0, 0, 0}
			return []any{
				raw(unix.SYS_RECVFROM, b, buf, len(buf), 0, from, n), long[:80],
				[2]netip.AddrPort{at, bt},
				b, len(buf),
			}
		}),
		one("sendmsg over IPv6", 49, func() []any {
			a, at = udp(t, "[::1]:0")
			c, ct = udp(t, "[::1]:0")
			p, n := sockaddr(ct)
			m, _ := msghdr(ptr("six")[:3], p, n)
			return []any{raw(unix.SYS_SENDMSG, a, unsafe.Pointer(m), 0), []byte("six"), a, 3, [2]netip.AddrPort{at, ct}}
		}),
		one("recvmsg over IPv6", 53, func() []any {
			m, _ := msghdr(buf, from, len(from))
			return []any{
				raw(unix.SYS_RECVMSG, c, unsafe.Pointer(m), 0), len(buf), []byte("six"),
				[2]netip.AddrPort{at, ct},
				nil, c,
			}
		}),
		one("sendmmsg on a connected socket", 51, func() []any {
			p, n := sockaddr(bt)
			c, ct = udp(t, "127.0.0.1:0")
			raw(unix.SYS_CONNECT, c, p, n)
			m := struct {
				h   unix.Msghdr
				len uint32
				_   uint32
			}{}
			h, iov := msghdr([]byte("many"), nil, 0)
			m.h, m.h.Iov = *h, iov
			raw(unix.SYS_SENDMMSG, c, unsafe.Pointer(&m), 1, 0)
			return []any{4, c, 4, []byte("many"), [2]netip.AddrPort{ct, bt}}
		}),
	})
}

func TestOnlyTheFirstDatagramToAPeer(t *testing.T) {
	var a int64
	ev := watch(t, Options{}, func() {
		var bt, ct netip.AddrPort
		a, _ = udp(t, "127.0.0.1:0")
		_, bt = udp(t, "127.0.0.1:0")
		_, ct = udp(t, "127.0.0.1:0")
		for _, to := range []netip.AddrPort{bt, bt, bt, ct, ct, bt} {
			p, n := sockaddr(to)
			raw(unix.SYS_SENDTO, a, []byte("."), 1, 0, p, n)
		}
	})
	sent := 0
	for _, e := range ev {
		if fd, _ := e.Params.Int(2); e.Type == 31 && fd == a && bytes.Equal(e.Params.At(1), []byte(".")) {
			sent++
		}
	}
	if sent != 3 {
		t.Errorf("%d events, want 3: to b, to c, to b again", sent)
	}
}

// mmsghdr is struct mmsghdr of recvmmsg(2).
type mmsghdr struct {
	h   unix.Msghdr
	len uint32
	_   uint32
}

func TestDNSAnswersHoweverTheyAreRead(t *testing.T) {
	answer := []byte(strings.Repeat("answer! ", 80)) // 640 bytes
	buf := make([]byte, 1024)
	tests := []struct {
		name      string
		connected bool
		read      func(fd int64) int64
	}{
		{"recvfrom", false, func(fd int64) int64 {
			return raw(unix.SYS_RECVFROM, fd, buf, len(buf), 0, make([]byte, 28), []byte{28, 0, 0, 0})
		}},
		{"recvmsg", false, func(fd int64) int64 {
			m, _ := msghdr(buf, make([]byte, 28), 28)
			return raw(unix.SYS_RECVMSG, fd, unsafe.Pointer(m), 0)
		}},
		{"recvmmsg", false, func(fd int64) int64 {
			h, iov := msghdr(buf, make([]byte, 28), 28)
			m := mmsghdr{h: *h}
			m.h.Iov = iov
			if raw(unix.SYS_RECVMMSG, fd, unsafe.Pointer(&m), 1, 0, 0) != 1 {
				return -1
			}
			return int64(m.len)
		}},
		{"recvfrom without address", true, func(fd int64) int64 { return raw(unix.SYS_RECVFROM, fd, buf, len(buf), 0, 0, 0) }},
		{"read", true, func(fd int64) int64 { return raw(unix.SYS_READ, fd, buf, len(buf)) }},
	}
	for _, host := range []string{"127.0.0.53:53", "[::1]:53"} {
		for _, tt := range tests {
			var client, server netip.AddrPort
			ev := watch(t, Options{}, func() {
				var s, c int64
				s, server = udp(t, host)
				c, client = udp(t, netip.AddrPortFrom(server.Addr(), 0).String())
				if tt.connected {
					p, n := sockaddr(server)
					raw(unix.SYS_CONNECT, c, p, n)
				}
				to, n := sockaddr(client)
				for range 2 {
					raw(unix.SYS_SENDTO, s, answer, len(answer), 0, to, n)
					if res := tt.read(c); res != int64(len(answer)) {
						t.Errorf("%s from %s: received %d", tt.name, host, res)
					}
				}
				raw(unix.SYS_CLOSE, s)
				raw(unix.SYS_CLOSE, c)
			})
			want, err := event.EncodeParams(event.DNS, [2]netip.AddrPort{client, server}, answer[:512])
			ok(t, err)
			answers := 0
			for _, e := range ev {
				if e.Type == event.DNS && same(e.Params, want) {
					answers++
				}
			}
			if answers != 2 {
				t.Errorf("%s from %s: %d answers, want 2", tt.name, host, answers)
			}
		}
	}
}

func TestReadsThatAreNoAnswers(t *testing.T) {
	buf := []byte(strings.Repeat("x", 64))
	ev := watch(t, Options{}, func() {
		s, server := udp(t, "127.0.0.53:53")
		c, client := udp(t, "127.0.0.53:0")
		p, n := sockaddr(server)
		raw(unix.SYS_CONNECT, c, p, n)
		to, n := sockaddr(client)
		raw(unix.SYS_SENDTO, s, buf, 11, 0, to, n) // shorter than a message
		raw(unix.SYS_READ, c, buf, len(buf))
		fd := must[[2]int](t)(unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0))
		ok(t, unix.Dup3(fd[0], int(c), 0)) // the number is another socket's now
		for range 2 {
			raw(unix.SYS_WRITE, fd[1], buf, 64)
			raw(unix.SYS_READ, c, buf, len(buf))
		}
	})
	for _, e := range ev {
		if e.Type == event.DNS {
			t.Error(show(e.Type, e.Params))
		}
	}
}

func TestDescriptorsSentOverASocket(t *testing.T) {
	var got int64 = -1
	ev := watch(t, Options{}, func() {
		pair := must[[2]int](t)(unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0))
		s := must[int](t)(unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0))
		ok(t, unix.Sendmsg(pair[0], []byte("x"), unix.UnixRights(s), nil, 0))
		oob := make([]byte, 64)
		_, n, _, _, err := unix.Recvmsg(pair[1], make([]byte, 1), oob, 0)
		ok(t, err)
		if n >= 20 {
			got = int64(binary.NativeEndian.Uint32(oob[16:]))
		}
		raw(unix.SYS_CLOSE, got)
	})
	received, closed := false, false
	for _, e := range ev {
		fd, _ := e.Params.Int(1)
		received = received || e.Type == 53 && len(e.Params.At(4)) >= 20
		closed = closed || e.Type == 5 && fd == got
	}
	if !received || !closed {
		t.Errorf("received %v, its closing as a socket seen %v", received, closed)
	}
}
