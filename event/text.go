package event

import (
	"encoding/binary"
	"math"
	"net/netip"
	"strconv"
	"time"
)

// AppendArgs appends all parameters of e as name=value, joined by blanks, with
// what a value means behind it in brackets (spec/rules.md §3.4). The bytes are
// as hostile as the event: only data buffers have theirs made printable.
func (e *Event) AppendArgs(dst []byte) []byte {
	info, ok := e.Type.Info()
	if !ok || e.isGeneric() {
		return dst
	}
	for i := range min(len(info.Params), e.Params.Len()) {
		if i > 0 {
			dst = append(dst, ' ')
		}
		dst = append(dst, info.Params[i].Name...)
		dst = append(dst, '=')
		dst = e.appendPlain(dst, info, i)
		before := len(dst)
		dst = append(dst, '(')
		dst = e.appendMeaning(dst, info, i)
		if len(dst) == before+1 {
			dst = dst[:before]
			continue
		}
		dst = append(dst, ')')
	}
	return dst
}

// argText is evt.arg: what the value means if there is something to say, else
// the value itself.
func (e *Event) argText(arg string) (Value, bool) {
	info, i := e.argIndex(arg)
	if i < 0 {
		return Value{}, false
	}
	dst := e.appendMeaning(make([]byte, 0, 64), info, i)
	if len(dst) == 0 {
		dst = e.appendPlain(dst, info, i)
	}
	return text(str(dst)), true
}

// argValue is evt.rawarg: the value in the parameter's own type; an empty one
// is missing.
func (e *Event) argValue(arg string) (Value, bool) {
	info, i := e.argIndex(arg)
	b := e.Params.At(i)
	if i < 0 || len(b) == 0 {
		return Value{}, false
	}
	switch t := info.Params[i].Type; t {
	case TypeCharbuf, TypeFSPath, TypeFSRelPath:
		return text(str(cut(b))), true
	case TypeBytebuf, TypeSockaddr, TypeSocktuple, TypeFDList, TypeDyn, TypeCharbufArray:
		return Value{Kind: Bytes, Str: str(b)}, true
	case TypeBool:
		n, ok := e.Params.Uint(i)
		return boolean(n != 0), ok
	case TypeReltime:
		n, ok := e.Params.Uint(i)
		return Value{Kind: Reltime, Num: n}, ok
	case TypeAbstime:
		n, ok := e.Params.Uint(i)
		return abstime(n), ok
	default:
		if t.signed() {
			n, ok := e.Params.Int(i)
			return integer(n), ok
		}
		n, ok := e.Params.Uint(i)
		return number(n), ok
	}
}

// argIndex finds a parameter by name or position, -1 when e has none such.
func (e *Event) argIndex(arg string) (*Info, int) {
	info, ok := e.Type.Info()
	if !ok {
		return nil, -1
	}
	i, numbered := index(arg)
	if !numbered {
		i = e.param(arg)
	}
	if i >= min(len(info.Params), e.Params.Len()) {
		return nil, -1
	}
	return info, i
}

func (t ParamType) signed() bool {
	switch t {
	case TypeInt8, TypeInt16, TypeInt32, TypeInt64, TypeErrno, TypeFD, TypePID, TypeFD32, TypePID32:
		return true
	}
	return false
}

// appendPlain appends parameter i as a value without interpretation.
func (e *Event) appendPlain(dst []byte, info *Info, i int) []byte {
	p, b := &info.Params[i], e.Params.At(i)
	if len(b) == 0 {
		switch p.Type {
		case TypeCharbuf, TypeFSPath, TypeFSRelPath, TypeSockaddr:
			return append(dst, unresolved...)
		case TypeBytebuf, TypeSocktuple, TypeFDList, TypeDyn, TypeSigset, TypeCharbufArray:
			return append(dst, "NULL"...)
		}
		return append(dst, unresolved...)
	}
	switch p.Type {
	case TypeCharbuf, TypeFSPath, TypeFSRelPath:
		return append(dst, cut(b)...)
	case TypeBytebuf, TypeCharbufArray:
		return appendPrintable(dst, b)
	case TypeSockaddr:
		return appendSockaddr(dst, b)
	case TypeSocktuple:
		return appendTuple(dst, b)
	case TypeFDList:
		return e.appendFDList(dst, b)
	case TypeDyn:
		return e.appendDyn(dst, p, b)
	case TypeIPv4Addr, TypeIPv6Addr, TypeIPAddr:
		if a, ok := netip.AddrFromSlice(b); ok {
			return a.AppendTo(dst)
		}
		return append(dst, unresolved...)
	case TypeDouble:
		if n, ok := e.Params.Uint(i); ok {
			return strconv.AppendFloat(dst, math.Float64frombits(n), 'f', 1, 64)
		}
		return append(dst, unresolved...)
	}
	return e.appendNumber(dst, p, i)
}

func (e *Event) appendNumber(dst []byte, p *Param, i int) []byte {
	n, ok := e.Params.Uint(i)
	if !ok {
		return append(dst, unresolved...)
	}
	switch p.Type {
	case TypeFlags8, TypeFlags16, TypeFlags32, TypeEnumFlags8, TypeEnumFlags16, TypeEnumFlags32:
		return strconv.AppendUint(dst, n, 10)
	case TypeUID, TypeGID:
		return strconv.AppendInt(dst, int64(int32(n)), 10)
	case TypeUint32:
		if p.Format == "dec" { // as the peers do: -1 marks "unchanged" in many calls
			return strconv.AppendInt(dst, int64(int32(n)), 10)
		}
	case TypeBool:
		return strconv.AppendBool(dst, n != 0)
	case TypeAbstime:
		return time.Unix(int64(n/1e9), int64(n%1e9)).UTC().AppendFormat(dst, "2006-01-02 15:04:05.000000000")
	case TypeMode:
		return appendOctal(dst, n)
	}
	switch {
	case p.Type.signed():
		s, _ := e.Params.Int(i)
		return strconv.AppendInt(dst, s, 10)
	case p.Format == "hex":
		return appendHex(dst, n)
	case p.Format == "oct":
		return appendOctal(dst, n)
	}
	return strconv.AppendUint(dst, n, 10)
}

func appendHex(dst []byte, n uint64) []byte {
	const digits = "0123456789ABCDEF"
	shift := 60
	for shift > 0 && n>>shift == 0 {
		shift -= 4
	}
	for ; shift >= 0; shift -= 4 {
		dst = append(dst, digits[n>>shift&15])
	}
	return dst
}

func appendOctal(dst []byte, n uint64) []byte {
	if n != 0 {
		dst = append(dst, '0')
	}
	return strconv.AppendUint(dst, n, 8)
}

// appendMeaning appends what parameter i's value stands for: flag names, an
// error, a path, a user; nothing when there is no more to say than the value.
func (e *Event) appendMeaning(dst []byte, info *Info, i int) []byte {
	p := &info.Params[i]
	switch p.Type {
	case TypeFSPath, TypeFSRelPath:
		return e.appendWhole(dst, info, i)
	}
	n, ok := e.Params.Int(i)
	if !ok {
		return dst
	}
	u, _ := e.Params.Uint(i)
	switch p.Type {
	case TypeFD, TypeFD32:
		return e.appendFD(dst, n)
	case TypeErrno:
		if n < 0 {
			return append(dst, errnoName(-n)...)
		}
	case TypePID, TypePID32:
		return append(dst, e.comm(n)...)
	case TypeFlags8, TypeFlags16, TypeFlags32, TypeMode:
		return p.Flags.appendBits(dst, u)
	case TypeEnumFlags8, TypeEnumFlags16, TypeEnumFlags32:
		return p.Flags.appendEqual(dst, u)
	case TypeUID:
		return append(dst, e.userName(uint32(u))...)
	case TypeGID:
		return append(dst, e.groupName(uint32(u))...)
	case TypeSigtype:
		if u > 0 && u < uint64(len(signalNames)) {
			return append(dst, signalNames[u]...)
		}
	case TypeSyscallID:
		return append(dst, SyscallName(uint16(u))...)
	case TypeReltime:
		dst = strconv.AppendFloat(dst, float64(u)/1e9, 'g', -1, 64)
		return append(dst, 's')
	}
	return dst
}

// appendBits appends the names of t whose bits are in n, in table order; the
// bits of a name are taken out before the next is tried.
func (t FlagTable) appendBits(dst []byte, n uint64) []byte {
	start := len(dst)
	rest := n
	for _, f := range t {
		if f.Value == 0 && n != 0 || rest&f.Value != f.Value {
			continue
		}
		if len(dst) > start {
			dst = append(dst, '|')
		}
		dst = append(dst, f.Name...)
		rest &^= f.Value
	}
	return dst
}

// appendEqual appends every name of t with the value n.
func (t FlagTable) appendEqual(dst []byte, n uint64) []byte {
	start := len(dst)
	for _, f := range t {
		if f.Value != n {
			continue
		}
		if len(dst) > start {
			dst = append(dst, '|')
		}
		dst = append(dst, f.Name...)
	}
	return dst
}

// appendFD appends what descriptor n is: <type>name, AT_FDCWD, or an error.
func (e *Event) appendFD(dst []byte, n int64) []byte {
	const cwd = -100
	switch fd := e.FD; {
	case n == cwd:
		return append(dst, "AT_FDCWD"...)
	case n < 0:
		return append(dst, errnoName(-n)...)
	case fd != nil && fd.Num == n:
		dst = append(dst, '<')
		dst = append(dst, fd.Kind.char()...)
		if fd.Kind.IsInet() {
			switch fd.Proto {
			case ProtoTCP:
				dst = append(dst, 't')
			case ProtoUDP:
				dst = append(dst, 'u')
			case ProtoICMP:
				dst = append(dst, 'i')
			case ProtoRaw:
				dst = append(dst, 'r')
			}
		}
		dst = append(dst, '>')
		return append(dst, fd.Name...)
	}
	return dst
}

// comm is the name of thread tid as far as this event's snapshots know it.
func (e *Event) comm(tid int64) string {
	for p, i := e.Process, 0; p != nil && i < maxShells; p, i = p.Parent, i+1 {
		if int64(p.TID) == tid || int64(p.PID) == tid {
			return p.Name
		}
	}
	if p := e.Process; p != nil && p.Leader != nil && int64(p.Leader.PID) == tid {
		return p.Leader.Name
	}
	return ""
}

func (e *Event) userName(uid uint32) string {
	if uid == NoID {
		return "<NONE>"
	}
	for p, i := e.Process, 0; p != nil && i < maxShells; p, i = p.Parent, i+1 {
		if p.User != nil && p.User.UID == uid {
			return p.User.Name
		}
	}
	return nameOr("", uid)
}

func (e *Event) groupName(gid uint32) string {
	if gid == NoID {
		return "<NONE>"
	}
	if p := e.Process; p != nil && p.GID == gid {
		return nameOr(p.Group, gid)
	}
	return nameOr("", gid)
}

func appendPrintable(dst, b []byte) []byte {
	for _, c := range b {
		if c < ' ' || c > '~' {
			c = '.'
		}
		dst = append(dst, c)
	}
	return dst
}

// Families of addresses, as Linux numbers them.
const (
	familyUnix  = 1
	familyInet  = 2
	familyInet6 = 10
)

func appendSockaddr(dst, b []byte) []byte {
	switch family, rest := b[0], b[1:]; {
	case family == familyUnix:
		return append(dst, cut(rest)...)
	case family == familyInet && len(rest) >= 6:
		return addrPort(rest[:6]).AppendTo(dst)
	case family == familyInet6 && len(rest) >= 18:
		return addrPort(rest[:18]).AppendTo(dst)
	default:
		return strconv.AppendUint(append(dst, "family "...), uint64(family), 10)
	}
}

func appendTuple(dst, b []byte) []byte {
	family, rest := b[0], b[1:]
	size := 6
	switch {
	case family == familyUnix && len(rest) >= 16:
		dst = strconv.AppendUint(dst, binary.LittleEndian.Uint64(rest), 16)
		dst = append(dst, "->"...)
		dst = strconv.AppendUint(dst, binary.LittleEndian.Uint64(rest[8:]), 16)
		if path := cut(rest[16:]); len(path) > 0 {
			dst = append(append(dst, ' '), path...)
		}
		return dst
	case family == familyInet6:
		size = 18
	case family != familyInet:
		return strconv.AppendUint(append(dst, "family "...), uint64(family), 10)
	}
	if len(rest) < 2*size {
		return append(dst, "NULL"...)
	}
	dst = addrPort(rest[:size]).AppendTo(dst)
	dst = append(dst, "->"...)
	return addrPort(rest[size : 2*size]).AppendTo(dst)
}

// addrPort reads an address in network order and a little-endian port.
func addrPort(b []byte) netip.AddrPort {
	n := len(b) - 2
	a, _ := netip.AddrFromSlice(b[:n])
	return netip.AddrPortFrom(a.Unmap(), binary.LittleEndian.Uint16(b[n:]))
}

// appendFDList appends the descriptors of poll as 3:n1 4:?0: number, kind as
// far as it is known here, and the events asked for or seen.
func (e *Event) appendFDList(dst, b []byte) []byte {
	if len(b) < 2 {
		return append(dst, "NULL"...)
	}
	const entry = 10
	n := min(int(binary.LittleEndian.Uint16(b)), (len(b)-2)/entry)
	for i := range n {
		at := b[2+entry*i:]
		if i > 0 {
			dst = append(dst, ' ')
		}
		fd := binary.LittleEndian.Uint64(at)
		dst = append(strconv.AppendUint(dst, fd, 10), ':')
		if e.FD != nil && e.FD.Num == int64(fd) {
			dst = append(dst, e.FD.Kind.char()...)
		} else {
			dst = append(dst, '?')
		}
		dst = strconv.AppendUint(dst, uint64(binary.LittleEndian.Uint16(at[8:])), 16)
	}
	return dst
}

// appendDyn appends a value that says its own type.
func (e *Event) appendDyn(dst []byte, p *Param, b []byte) []byte {
	if int(b[0]) >= len(p.Dyn) || len(b) == 1 {
		return append(dst, "NULL"...)
	}
	inner := Event{Process: e.Process, FD: e.FD}
	as := Info{Params: []Param{{Name: p.Name, Type: p.Dyn[b[0]], Format: p.Format}}}
	lens := [4]byte{}
	binary.LittleEndian.PutUint32(lens[:], uint32(len(b)-1))
	inner.Params = Params{lens: lens[:], data: b[1:], wide: true}
	if as.Params[0].Type == TypeErrno {
		if before := len(dst); len(inner.appendMeaning(dst, &as, 0)) > before {
			return inner.appendMeaning(dst, &as, 0)
		}
	}
	return inner.appendPlain(dst, &as, 0)
}

func decimal(n int64) string { return strconv.FormatInt(n, 10) }
