package event

import "net/netip"

// FD is a snapshot of a descriptor as of one event. It never changes.
type FD struct {
	Num      int64
	Kind     FDKind
	Name     string // path, "sip:sport->dip:dport", … as fd.name shows it
	NameRaw  string // as the caller passed it
	Flags    uint32 // PPM_O_* of the open
	Mode     uint32
	Dev      uint32
	Ino      uint64
	RealPath string // the kernel's own path where it differs from Name, else empty

	Proto       L4Proto
	Source      netip.AddrPort // local end of a client, remote end of an accepted connection (spec/scap.md §4)
	Dest        netip.AddrPort // the other end; a bound or listening socket has only this
	Server      bool           // this end accepted or listens
	Connected   bool
	NameChanged bool   // by this event
	Socket      uint64 // kernel's cookie, 0 when unknown
	Family      uint8  // Linux AF_*
}

// FDKind is a descriptor's type, with the capture format's numbers (spec/scap.md §2.6).
type FDKind uint8

// Descriptor kinds.
const (
	FDUnknown     FDKind = 0
	FDFile        FDKind = 1
	FDDirectory   FDKind = 2
	FDIPv4        FDKind = 3
	FDIPv6        FDKind = 4
	FDIPv4Server  FDKind = 5
	FDIPv6Server  FDKind = 6
	FDFifo        FDKind = 7
	FDUnix        FDKind = 8
	FDEvent       FDKind = 9
	FDUnsupported FDKind = 10
	FDSignal      FDKind = 11
	FDEventpoll   FDKind = 12
	FDInotify     FDKind = 13
	FDTimer       FDKind = 14
	FDNetlink     FDKind = 15
	FDFileV2      FDKind = 16
	FDBPF         FDKind = 17
	FDUserfault   FDKind = 18
	FDIOURing     FDKind = 19
	FDMemfd       FDKind = 20
	FDPidfd       FDKind = 21
)

// IsSocket reports whether k is a network or unix socket.
func (k FDKind) IsSocket() bool {
	return k >= FDIPv4 && k <= FDIPv6Server || k == FDUnix || k == FDNetlink
}

// IsInet reports whether k has addresses and ports.
func (k FDKind) IsInet() bool { return k >= FDIPv4 && k <= FDIPv6Server }

// L4Proto is a socket's protocol, with the capture format's numbers.
type L4Proto uint8

// Protocols.
const (
	ProtoUnknown L4Proto = iota
	ProtoNA
	ProtoTCP
	ProtoUDP
	ProtoICMP
	ProtoRaw
)

// String is the protocol as fd.l4proto shows it.
func (p L4Proto) String() string {
	switch p {
	case ProtoTCP:
		return "tcp"
	case ProtoUDP:
		return "udp"
	case ProtoICMP:
		return "icmp"
	case ProtoRaw:
		return "raw"
	}
	return "<NA>"
}
