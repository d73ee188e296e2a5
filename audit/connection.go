package audit

import (
	"bytes"
	"encoding/binary"
	"net/netip"

	"github.com/gumshoe-ir/gumshoe/event"
)

// Address families (Linux) and errors of connecting that are no outcome.
const (
	afUnix, afInet, afInet6 = 1, 2, 10

	errAgain, errIsConnected, errAlready, errInProgress = 11, 106, 114, 115
)

// States of a TCP socket (include/net/tcp_states.h).
const (
	tcpEstablished = 1
	tcpSynSent     = 2
	tcpClosed      = 7
)

func (s *Sessions) connected(e *event.Event) {
	res, ok := e.Result()
	if !ok || res == -errAgain || res == -errAlready || res == -errIsConnected {
		return
	}
	fd, addr := e.FD, e.Params.At(3)
	if len(addr) > 0 && addr[0] == afUnix || fd != nil && fd.Kind == event.FDUnix {
		s.connectedUnix(e, addr)
		return
	}
	local, remote := ends(e.Params.At(1))
	if begun := res == 0 || res == -errInProgress; begun && fd != nil && fd.Dest.IsValid() {
		local, remote = fd.Source, fd.Dest
	}
	if !remote.IsValid() {
		remote = sockaddr(addr)
	}
	proto := event.ProtoTCP
	if fd != nil && fd.Proto != event.ProtoUnknown {
		proto = fd.Proto
	}
	if !remote.IsValid() || remote.Port() == 0 && proto != event.ProtoRaw && proto != event.ProtoICMP {
		return
	}
	cookie := cookieOf(e)
	if before := s.connections.get(cookie); before != nil && (*before).a.Verb == "connect" && (*before).a.Remote == remote {
		(*before).a.Result = max(-res, 0) // the second call on a socket that does not block
		s.touch(*before, e.ID.NS)
		return
	}
	a := s.connection(e, "connect", proto, local, remote)
	if a.Result == errInProgress && s.early.get(cookie) != nil {
		a.Result = 0
		s.early.remove(cookie)
	}
	lasting := proto == event.ProtoTCP && (res == 0 || res == -errInProgress)
	s.noteConnection(&a, cookie, lasting)
}

// connectedUnix notes who talks to a container runtime: that is a way into
// every container and to root. Other unix sockets are left out.
func (s *Sessions) connectedUnix(e *event.Event, addr []byte) {
	if len(addr) < 2 || addr[0] != afUnix || !s.sensitive.socket(cut(addr[1:])) {
		return
	}
	a := s.activity(e, event.Connection, "connect", string(cut(addr[1:])))
	a.Proto = event.ProtoNA
	s.note(&a)
}

func (s *Sessions) accepted(e *event.Event) {
	if res, ok := e.Result(); !ok || res < 0 {
		return
	}
	remote, local := ends(e.Params.At(1))
	if fd := e.FD; fd != nil && fd.Source.IsValid() && fd.Dest.IsValid() {
		remote, local = fd.Source, fd.Dest
	}
	if !remote.IsValid() {
		return
	}
	a := s.connection(e, "accept", event.ProtoTCP, local, remote)
	s.noteConnection(&a, cookieOf(e), true)
}

func (s *Sessions) listened(e *event.Event) {
	res, ok := e.Result()
	if !ok || e.FD == nil || !e.FD.Kind.IsInet() {
		return
	}
	local := e.FD.Dest
	if !e.FD.Server {
		local = e.FD.Source
	}
	proto := e.FD.Proto
	if proto == event.ProtoUnknown {
		proto = event.ProtoTCP // over several paths (MPTCP)
	}
	a := s.connection(e, "listen", proto, local, netip.AddrPort{})
	s.noteConnection(&a, cookieOf(e), res == 0)
}

// closed ends listeners of MPTCP, of whose sockets no state is told.
func (s *Sessions) closed(e *event.Event) {
	fd := e.FD
	if fd == nil || !fd.Server || fd.Proto != event.ProtoUnknown || e.Process == nil || !fd.Dest.IsValid() {
		return
	}
	k := foldKey{process: e.Process.Key(e.ID.Host), remote: plain(fd.Dest), verb: "listen"}
	if r := s.folds.byKey.get(k); r != nil && (*r).a.End == 0 {
		(*r).a.End = e.ID.NS
		s.touch(*r, e.ID.NS)
	}
}

func (s *Sessions) bound(e *event.Event) {
	local := sockaddr(e.Params.At(1))
	if _, ok := e.Result(); !ok || !local.IsValid() || local.Port() == 0 {
		return
	}
	proto := event.ProtoUnknown
	if e.FD != nil {
		proto = e.FD.Proto
	}
	a := s.connection(e, "bind", proto, local, netip.AddrPort{})
	s.note(&a)
}

// datagram makes the handler of a call that sends to or receives from the peer
// in parameter tuple. What goes over a connected socket belongs to its connect.
func datagram(verb string, tuple int) func(*Sessions, *event.Event) {
	return func(s *Sessions, e *event.Event) {
		fd := e.FD
		if fd == nil || fd.Connected || fd.Proto == event.ProtoTCP || !fd.Kind.IsInet() {
			return
		}
		local, remote := ends(e.Params.At(tuple))
		if verb == "recv" {
			local, remote = remote, local
		}
		if res, ok := e.Result(); !ok || res < 0 || !remote.IsValid() {
			return
		}
		proto := fd.Proto
		if proto == event.ProtoUnknown {
			proto = event.ProtoUDP
		}
		a := s.connection(e, verb, proto, local, remote)
		s.note(&a)
	}
}

// connection is an activity between local and remote, which is invalid where
// nobody is there yet.
func (s *Sessions) connection(e *event.Event, verb string, proto event.L4Proto, local, remote netip.AddrPort) event.Activity {
	a := s.activity(e, event.Connection, verb, "")
	a.Local, a.Remote, a.Proto = plain(local), plain(remote), proto
	if remote.IsValid() {
		a.Name = s.names.lookup(e.Process, a.Remote.Addr(), e.ID.NS)
	}
	return a
}

// noteConnection notes a, and where it lasts, remembers its socket until that
// is closed.
func (s *Sessions) noteConnection(a *event.Activity, cookie uint64, lasting bool) {
	if lasting {
		a.End = 0
	}
	r := s.note(a)
	if lasting && cookie != 0 {
		s.forgot(s.connections.put(cookie, r))
	}
}

// tcpState follows remembered sockets: how connecting ended, and what was
// moved when they closed. The thread of such an event is whoever was running.
func (s *Sessions) tcpState(e *event.Event) {
	cookie, _ := e.Params.Uint(event.TCPSocket)
	state, _ := e.Params.Uint(event.TCPNew)
	found := s.connections.get(cookie)
	if found == nil || cookie == 0 {
		if state == tcpEstablished && cookie != 0 {
			s.early.put(cookie, struct{}{})
		}
		return
	}
	r := *found
	switch state {
	case tcpEstablished:
		if r.a.Result != errInProgress {
			return
		}
		r.a.Result = 0
	case tcpClosed:
		sent, _ := e.Params.Uint(event.TCPSent)
		received, _ := e.Params.Uint(event.TCPReceived)
		r.a.Sent += sent
		r.a.Received += received
		r.a.End = e.ID.NS
		if before, _ := e.Params.Uint(event.TCPOld); before != tcpSynSent && r.a.Result == errInProgress {
			r.a.Result = 0
		}
		s.connections.remove(cookie)
	default:
		return
	}
	s.touch(r, e.ID.NS)
}

func cookieOf(e *event.Event) uint64 {
	if c, ok := e.Detail.Uint(event.DetailSocket); ok && c != 0 {
		return c
	}
	if e.FD != nil {
		return e.FD.Socket
	}
	return 0
}

// ends decodes a socktuple of IP sockets (spec/scap.md §4), source first.
func ends(b []byte) (source, dest netip.AddrPort) {
	switch {
	case len(b) == 13 && b[0] == afInet:
		return addrPort(b[1:7]), addrPort(b[7:])
	case len(b) == 37 && b[0] == afInet6:
		return addrPort(b[1:19]), addrPort(b[19:])
	}
	return source, dest
}

// sockaddr decodes the address of an IP socket (spec/scap.md §4).
func sockaddr(b []byte) netip.AddrPort {
	if len(b) == 7 && b[0] == afInet || len(b) == 19 && b[0] == afInet6 {
		return addrPort(b[1:])
	}
	return netip.AddrPort{}
}

// addrPort reads 4 or 16 address bytes and a little-endian port.
func addrPort(b []byte) netip.AddrPort {
	a, _ := netip.AddrFromSlice(b[:len(b)-2])
	return plain(netip.AddrPortFrom(a, binary.LittleEndian.Uint16(b[len(b)-2:])))
}

// plain shows IPv4 as such also on sockets of both families.
func plain(a netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
}

func cut(b []byte) []byte {
	if i := bytes.IndexByte(b, 0); i >= 0 {
		return b[:i]
	}
	return b
}
