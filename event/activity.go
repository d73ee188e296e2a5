package event

import "net/netip"

// Activity is one line of the audit trail: a command, a connection, a change
// to a file, later also an API call or a response shell. The same ID may be
// handed on again with more known (a command that ended, a connection that
// closed); the last one counts.
type Activity struct {
	ID       ID
	End      uint64 // ns since the epoch; 0 while it lasts
	Kind     Kind
	Severity Priority // highest of the alerts it is part of, NoPriority when none
	Verb     string   // exec, connect, accept, listen, send, read, write, unlink, rename, chmod, …
	Target   string   // command line, path, remote address, …: one value, hostile bytes kept
	Process  *Process // who did it
	Session  SessionID
	User     string // whom to name: login user, else user, else the number
	Result   int64  // errno or exit status: 0 success; commands: wait status once ended
	Count    uint32 // identical repetitions folded in, at least 1
	Origin   Origin

	Remote   netip.AddrPort // connections
	Local    netip.AddrPort
	Proto    L4Proto
	Sent     uint64 // bytes, 0 when unknown
	Received uint64
	Name     string // DNS name of Remote, or the second path of rename and link
	Flags    uint32 // PPM_O_* of an open, mode of a chmod, signal of a kill
	RealPath string // the kernel's own path where it differs
}

// Kind is the lane of an activity.
type Kind uint8

// Kinds of activity.
const (
	Command Kind = iota
	Connection
	File
	Kube
	Cloud
	Shell
	System // identity and kernel: setuid, setns, mount, ptrace, bpf, modules
	Kinds  // how many there are
)

// String is the kind as the screen and filters name it.
func (k Kind) String() string {
	switch k {
	case Command:
		return "cmd"
	case Connection:
		return "net"
	case File:
		return "file"
	case Kube:
		return "k8s"
	case Cloud:
		return "cloud"
	case Shell:
		return "shell"
	case System:
		return "sys"
	}
	return "other"
}

// SessionID names a session for ever: a hash of host, boot id, root pid and
// its start, 0 when none is known.
type SessionID uint64

// Priority is a rule's, with Falco's order: lower is worse.
type Priority uint8

// Priorities.
const (
	Emergency Priority = iota
	AlertPriority
	Critical
	Error
	Warning
	Notice
	Informational
	Debug
	NoPriority Priority = 255
)

// Alert is a rule's hit on an event; analysts say "event".
type Alert struct {
	Event    *Event
	Rule     string
	Priority Priority
	Output   string
	Tags     []string
	Session  SessionID
}
