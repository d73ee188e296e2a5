package event

import "net/netip"

// Actor is the process that did a; nil when unknown.
func (a *Activity) Actor() *Process { return a.Process }

// Value is field f's value for a (Record). A connection answers fd.* of its
// addresses, a file activity those of its path.
func (a *Activity) Value(f *Field, arg string) (Value, bool) {
	switch n := f.num; {
	case n == 0:
	case n < fsName:
		return a.evtValue(n)
	case n < firstProc:
		return a.pathValue(n)
	case n < firstFD:
		return a.Process.value(n, arg, a.ID.NS)
	case n < firstGumshoe:
		return a.fdValue(n)
	case n < ourSession && n != ourRealPath:
		return common(n, a.ID.Host, a.Origin, a.Process)
	case n < endFields:
		return a.gumshoeValue(n)
	}
	return Value{}, false
}

func (a *Activity) evtValue(n uint16) (Value, bool) {
	ended := a.Kind == Command && a.End != 0 // then Result is a wait status
	switch n {
	case evtTime, evtTimeS, evtTimeISO, evtDatetime, evtDatetimeS, evtRawtime, evtRawtimeS, evtRawtimeNS:
		return timeValue(n, a.ID.NS), true
	case evtType:
		return text(a.Verb), true
	case evtCount:
		return number(uint64(a.Count)), true
	case evtRawres:
		return integer(-a.Result), !ended
	case evtRes:
		return text(resultName(-a.Result)), !ended
	case evtFailed:
		return boolean(a.Result != 0), true
	}
	return Value{}, false
}

func (a *Activity) pathValue(n uint16) (Value, bool) {
	two := a.Name != ""
	switch {
	case a.Kind != File:
	case n == fsName:
		return text(a.Target), !two
	case n == fsSource:
		return text(a.Target), two
	case n == fsTarget:
		return text(a.Name), two
	}
	return Value{}, false
}

func (a *Activity) fdValue(n uint16) (Value, bool) {
	switch a.Kind {
	case File:
		switch n {
		case fdName:
			return text(a.Target), true
		case fdDirectory:
			return text(directoryOf(a.Target)), true
		case fdFilename:
			return text(lastPart(a.Target)), true
		case fdType:
			return text("file"), true
		case fdTypeChar:
			return text("f"), true
		}
	case Connection:
		return a.socketValue(n)
	}
	return Value{}, false
}

func (a *Activity) socketValue(n uint16) (Value, bool) {
	server := a.Verb == "accept" || a.Verb == "listen"
	from, to := a.Local, a.Remote
	if server {
		from, to = a.Remote, a.Local
	}
	kind := FDIPv4
	if a.Remote.Addr().Is6() && !a.Remote.Addr().Is4In6() || !a.Remote.IsValid() && a.Local.Addr().Is6() {
		kind = FDIPv6
	}
	if !from.IsValid() && !to.IsValid() {
		kind = FDUnix
	}
	switch n {
	case fdName:
		return text(connectionName(from, to, a.Target)), true
	case fdType:
		return text(kind.String()), true
	case fdTypeChar:
		return text(kind.char()), true
	case fdL4Proto:
		return text(a.Proto.String()), true
	case fdSockFamily:
		if kind == FDUnix {
			return text("unix"), true
		}
		return text("ip"), true
	case fdIsServer:
		return boolean(server), kind != FDUnix
	}
	return side(n, from, to, a.Local, a.Remote)
}

func connectionName(from, to netip.AddrPort, otherwise string) string {
	switch {
	case from.IsValid() && to.IsValid():
		return from.String() + "->" + to.String()
	case to.IsValid():
		return to.String()
	}
	return otherwise
}

func (a *Activity) gumshoeValue(n uint16) (Value, bool) {
	switch n {
	case ourRealPath:
		return text(a.RealPath), a.RealPath != ""
	case ourSession:
		return number(uint64(a.Session)), a.Session != 0
	case ourKind:
		return text(a.Kind.String()), true
	case ourVerb:
		return text(a.Verb), true
	case ourTarget:
		return text(a.Target), true
	case ourUser:
		return text(a.User), a.User != ""
	case ourName:
		return text(a.Name), a.Name != ""
	case ourResult:
		return integer(a.Result), true
	case ourCount:
		return number(uint64(a.Count)), true
	case ourSent:
		return number(a.Sent), a.Kind == Connection
	case ourReceived:
		return number(a.Received), a.Kind == Connection
	case ourDuration:
		return Value{Kind: Reltime, Num: a.End - a.ID.NS}, a.End >= a.ID.NS && a.End != 0
	}
	return Value{}, false
}
