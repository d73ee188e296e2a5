package proc

import (
	"encoding/binary"
	"net/netip"
	"strconv"

	"github.com/gumshoe-ir/gumshoe/event"
)

// Address families of Linux, and socket types.
const (
	afUnix, afInet, afInet6, afNetlink = 1, 2, 10, 16
	sockStream, sockDgram, sockRaw     = 1, 2, 3
	sockCloexec                        = 0x80000
	inProgress                         = -115
	ipTCP, ipUDP, ipICMP, ipICMPv6     = 6, 17, 1, 58
)

// tuple is a decoded socktuple or sockaddr parameter (spec/scap.md §4).
type tuple struct {
	family   uint8
	src, dst netip.AddrPort
	from, to uint64 // unix: addresses of the sockets in the kernel
	path     []byte
}

// parseTuple decodes a socktuple; false when it is absent or of another family.
func parseTuple(b []byte) (u tuple, ok bool) {
	if len(b) == 0 {
		return u, false
	}
	u.family, b = b[0], b[1:]
	switch {
	case u.family == afInet && len(b) == 12:
		u.src, u.dst = addrPort(b[:6]), addrPort(b[6:])
	case u.family == afInet6 && len(b) == 36:
		u.src, u.dst = addrPort(b[:18]), addrPort(b[18:])
		if u.src.Addr().Is4In6() && u.dst.Addr().Is4In6() {
			u.family = afInet
			u.src = netip.AddrPortFrom(u.src.Addr().Unmap(), u.src.Port())
			u.dst = netip.AddrPortFrom(u.dst.Addr().Unmap(), u.dst.Port())
		}
	case u.family == afUnix && len(b) >= 16:
		u.from, u.to = binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[8:])
		u.path = cut(b[16:])
	default:
		return u, false
	}
	return u, true
}

// parseAddr decodes a sockaddr into u.dst or u.path.
func parseAddr(b []byte) (u tuple, ok bool) {
	if len(b) == 0 {
		return u, false
	}
	u.family, b = b[0], b[1:]
	switch {
	case u.family == afInet && len(b) == 6, u.family == afInet6 && len(b) == 18:
		u.dst = addrPort(b)
		if u.dst.Addr().Is4In6() {
			u.family, u.dst = afInet, netip.AddrPortFrom(u.dst.Addr().Unmap(), u.dst.Port())
		}
	case u.family == afUnix:
		u.path = cut(b)
	default:
		return u, false
	}
	return u, true
}

// addrPort reads 4 or 16 address bytes and a little-endian port.
func addrPort(b []byte) netip.AddrPort {
	a, _ := netip.AddrFromSlice(b[:len(b)-2])
	return netip.AddrPortFrom(a, binary.LittleEndian.Uint16(b[len(b)-2:]))
}

// socketKind is the descriptor kind and protocol of a new socket.
func socketKind(domain, typ, proto uint64) (event.FDKind, event.L4Proto) {
	kind := event.FDUnsupported
	switch domain {
	case afUnix:
		return event.FDUnix, event.ProtoNA
	case afNetlink:
		return event.FDNetlink, event.ProtoNA
	case afInet:
		kind = event.FDIPv4
	case afInet6:
		kind = event.FDIPv6
	default:
		return kind, event.ProtoNA
	}
	switch typ & 0xff {
	case sockRaw:
		if proto == ipICMP || proto == ipICMPv6 {
			return kind, event.ProtoICMP
		}
		return kind, event.ProtoRaw
	case sockStream:
		if proto == 0 || proto == ipTCP {
			return kind, event.ProtoTCP
		}
	case sockDgram:
		switch proto {
		case 0, ipUDP:
			return kind, event.ProtoUDP
		case ipICMP, ipICMPv6:
			return kind, event.ProtoICMP
		}
	}
	return kind, event.ProtoUnknown
}

func socketX(t *Table, th *thread, e *event.Event) *event.FD {
	num, ok := e.Params.Int(0)
	if !ok || num < 0 {
		return nil
	}
	domain, _ := e.Params.Uint(1)
	typ, _ := e.Params.Uint(2)
	proto, _ := e.Params.Uint(3)
	fd := &event.FD{Num: num, Family: uint8(domain), Socket: cookie(e)}
	fd.Kind, fd.Proto = socketKind(domain, typ, proto)
	if flags, _ := e.Params.Uint(4); flags&closeOnExec != 0 || typ&sockCloexec != 0 {
		fd.Flags = closeOnExec
	}
	t.put(th.group, fd)
	return fd
}

func cookie(e *event.Event) uint64 {
	v, _ := e.Detail.Uint(event.DetailSocket)
	return v
}

func socketpairX(t *Table, th *thread, e *event.Event) *event.FD {
	if res, ok := e.Params.Int(0); !ok || res < 0 {
		return nil
	}
	for i := range 2 {
		num, _ := e.Params.Int(1 + i)
		from, _ := e.Params.Uint(3 + i)
		to, _ := e.Params.Uint(4 - i)
		fd := &event.FD{Num: num, Kind: event.FDUnix, Proto: event.ProtoNA, Family: afUnix, Name: unixName(from, to, nil)}
		if typ, _ := e.Params.Uint(6); typ&sockCloexec != 0 {
			fd.Flags = closeOnExec
		}
		t.put(th.group, fd)
	}
	return th.group.usedFD(e, 1)
}

func bindX(t *Table, th *thread, e *event.Event) *event.FD {
	old := usedSocket(th.group, e, 2)
	u, ok := parseAddr(e.Params.At(1))
	if res, _ := e.Params.Int(0); res != 0 || !ok {
		return old
	}
	fd := socketBase(e, 2, old, u.family)
	if u.family == afUnix {
		fd.Name = unixName(0, 0, u.path)
		return t.renamed(th.group, old, fd)
	}
	if u.dst.Port() == 0 {
		return old
	}
	fd.Kind = serverKind(u.family)
	fd.Server, fd.Source, fd.Dest = true, netip.AddrPort{}, u.dst
	fd.Name = endName(u.dst)
	return t.renamed(th.group, old, fd)
}

func serverKind(family uint8) event.FDKind {
	if family == afInet {
		return event.FDIPv4Server
	}
	return event.FDIPv6Server
}

// socketBase is a copy of old to change, or a new socket where none is known.
func socketBase(e *event.Event, param int, old *event.FD, family uint8) *event.FD {
	fd := &event.FD{Family: family}
	if old != nil && isSocketOf(old, e) {
		*fd = *old
	} else {
		fd.Num, _ = e.Params.Int(param)
	}
	if !fd.Kind.IsSocket() {
		fd.Kind, fd.Proto = socketKind(uint64(family), 0, 0)
	}
	if c := cookie(e); c != 0 {
		fd.Socket = c
	}
	fd.NameChanged = false
	return fd
}

// isSocketOf tells whether fd is the socket that e is about: closing is not
// always seen, and numbers are used again.
func isSocketOf(fd *event.FD, e *event.Event) bool {
	c := cookie(e)
	return fd.Kind.IsSocket() && (c == 0 || fd.Socket == 0 || c == fd.Socket)
}

// usedSocket is the socket that parameter i of e names.
func usedSocket(g *group, e *event.Event, i int) *event.FD {
	if fd := g.usedFD(e, i); fd != nil && isSocketOf(fd, e) {
		return fd
	}
	return nil
}

// renamed keeps fd in place of old, and is what the event shows: fd with its
// change of name marked.
func (t *Table) renamed(g *group, old, fd *event.FD) *event.FD {
	t.put(g, fd)
	if old != nil && old.Name == fd.Name {
		return fd
	}
	shown := new(event.FD)
	*shown = *fd
	shown.NameChanged = true
	return shown
}

func connectX(t *Table, th *thread, e *event.Event) *event.FD {
	old := usedSocket(th.group, e, 2)
	in := th.entered(e)
	if in != nil && e.Params.Len() < 3 {
		old = th.group.usedFD(in, 0)
	}
	th.enter = nil
	res, ok := e.Params.Int(0)
	if !ok || res < 0 && res != inProgress {
		return old
	}
	u, ok := parseTuple(e.Params.At(1))
	if !ok {
		u, ok = parseTuple(e.Detail.At(event.DetailTuple))
	}
	if !ok {
		u, ok = parseAddr(e.Params.At(3))
	}
	if !ok && in != nil {
		u, ok = parseAddr(in.Params.At(1))
	}
	if !ok {
		return old
	}
	fd := socketBase(e, 2, old, u.family)
	if in != nil && old == nil && fd.Num == 0 {
		fd.Num, _ = in.Params.Int(0)
	}
	setTuple(fd, u)
	if fd.Proto == event.ProtoUnknown && u.family != afUnix && old == nil {
		fd.Proto = event.ProtoTCP
	}
	fd.Server, fd.Connected = false, true
	return t.renamed(th.group, old, fd)
}

// setTuple gives fd both ends and their name.
func setTuple(fd *event.FD, u tuple) {
	switch fd.Family = u.family; u.family {
	case afUnix:
		fd.Kind, fd.Name = event.FDUnix, unixName(u.from, u.to, u.path)
		return
	case afInet:
		fd.Kind = event.FDIPv4
	default:
		fd.Kind = event.FDIPv6
	}
	fd.Source, fd.Dest = u.src, u.dst
	fd.Name = pairName(u.src, u.dst)
}

// accepts makes the handler of accept and its kin.
func accepts(t *Table, th *thread, e *event.Event) *event.FD {
	num, ok := e.Params.Int(0)
	if !ok || num < 0 {
		return nil
	}
	u, ok := parseTuple(e.Params.At(1))
	if !ok {
		u, ok = parseTuple(e.Detail.At(event.DetailTuple))
		u.src, u.dst = u.dst, u.src // the kernel's has our end first
	}
	fd := &event.FD{Num: num, Kind: event.FDUnsupported, Server: true, Connected: true, Socket: cookie(e)}
	if ok {
		setTuple(fd, u)
	}
	if fd.Kind.IsInet() {
		fd.Proto = event.ProtoTCP
	} else {
		fd.Proto = event.ProtoNA
	}
	if flags, _ := e.Params.Int(5); flags&sockCloexec != 0 {
		fd.Flags = closeOnExec
	}
	t.put(th.group, fd)
	return fd
}

// datagrams makes the handler of a send or receive: one to or from a peer
// other than the last renames a socket that is not connected.
func datagrams(fdParam, tupleParam int, receive bool) handler {
	return func(t *Table, th *thread, e *event.Event) *event.FD {
		old := usedSocket(th.group, e, fdParam)
		if res, ok := e.Params.Int(0); !ok || res < 0 || old != nil && (old.Connected || old.Proto == event.ProtoTCP) {
			return old
		}
		u, ok := parseTuple(e.Params.At(tupleParam))
		if !ok {
			return old
		}
		if u.family == afUnix {
			return t.unixPeer(th, e, fdParam, old, u)
		}
		bound := old != nil && old.Server
		if receive != bound { // a client's own end comes first, a server's last
			u.src, u.dst = u.dst, u.src
		}
		if old != nil && old.Source == u.src && old.Dest == u.dst {
			return old
		}
		fd := socketBase(e, fdParam, old, u.family)
		if setTuple(fd, u); fd.Proto == event.ProtoUnknown {
			fd.Proto = event.ProtoUDP
		}
		return t.renamed(th.group, old, fd)
	}
}

func (t *Table) unixPeer(th *thread, e *event.Event, param int, old *event.FD, u tuple) *event.FD {
	if old != nil && old.Name != "" {
		return old
	}
	fd := socketBase(e, param, old, u.family)
	setTuple(fd, u)
	return t.renamed(th.group, old, fd)
}

// pairName is "ip:port->ip:port".
func pairName(a, b netip.AddrPort) string {
	var buf [100]byte
	out := appendEnd(buf[:0], a)
	out = append(out, "->"...)
	return string(appendEnd(out, b))
}

// endName is "ip:port" of a server.
func endName(a netip.AddrPort) string {
	var buf [64]byte
	return string(appendEnd(buf[:0], a))
}

// appendEnd writes one end without brackets, as other readers of the format do.
func appendEnd(b []byte, a netip.AddrPort) []byte {
	if addr := a.Addr(); addr.IsValid() {
		b = addr.WithZone("").AppendTo(b)
	} else {
		b = append(b, "0.0.0.0"...)
	}
	return strconv.AppendUint(append(b, ':'), uint64(a.Port()), 10)
}

// unixName is "source->peer path", the sockets by their kernel addresses.
func unixName(from, to uint64, path []byte) string {
	if len(path) > maxPath {
		path = path[:maxPath]
	}
	var buf [64]byte
	b := strconv.AppendUint(buf[:0], from, 16)
	b = strconv.AppendUint(append(b, "->"...), to, 16)
	if len(path) > 0 {
		b = append(append(b, ' '), path...)
	}
	return string(b)
}
