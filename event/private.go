package event

// PrivateBase is the first of our own event types. Other readers of a capture
// skip them (design: one vocabulary, spec/scap.md §3.2).
const PrivateBase Type = 0xF000

// Private event types. The first travels directly before the event that it
// completes; the others stand alone.
const (
	Detail   Type = PrivateBase + iota // what the format cannot say of the next event of this thread
	TCPState                           // a TCP socket changed its state
	DNS                                // an answer from port 53 reached a socket
	Lost                               // a number of events were dropped here
	Clock                              // the wall clock was stepped
	ExecArgs                           // a piece of an argv too long for the exec that follows on the same thread
)

// Parameters of Detail. A parameter that has nothing to say is empty.
const (
	DetailOrigin    = iota // Origin
	DetailStartBoot        // ns since boot when the process (thread group) started
	DetailPidfsIno         // inode of the process in pidfs, 0 before Linux 6.9
	DetailRealPath         // path of the opened file as the kernel holds it
	DetailSocket           // cookie of the socket behind the descriptor
	DetailTuple            // the kernel's own addresses of that socket
	DetailMountNS          // mount namespace inode of the process
)

// Parameters of TCPState.
const (
	TCPSocket   = iota // cookie, as DetailSocket
	TCPOld             // state before: 1 established … 7 close, 10 listen (tcp_states.h)
	TCPNew             // state after
	TCPTuple           // local address first
	TCPSent            // bytes acknowledged by the peer
	TCPReceived        // bytes received
)

// Parameters of DNS.
const (
	DNSTuple   = iota // local address first
	DNSPayload        // the message, at most 512 bytes
)

// Parameters of Lost.
const (
	LostCount = iota
	LostCause // Cause
)

// Parameters of Clock.
const (
	ClockBefore = iota // ns since the epoch by our offset
	ClockAfter         // ns since the epoch by the stepped clock
)

// Parameters of ExecArgs. Pieces come in order, from argv[0] on, and end after
// 2 MiB also where the whole is longer.
const (
	ArgsOffset = iota // of the piece's first byte
	ArgsTotal         // bytes of the whole, with the NUL behind each argument
	ArgsPiece         // at most 32 KiB
)

var private = [...]Info{
	{Name: "gumshoe_detail", Category: 256, FD: -1, Params: []Param{
		{"origin", TypeFlags8, "hex", -1, originFlags, nil},
		{"start_boottime", TypeUint64, "dec", -1, nil, nil},
		{"pidfs_ino", TypeUint64, "dec", -1, nil, nil},
		{"realpath", TypeFSPath, "na", -1, nil, nil},
		{"socket", TypeUint64, "hex", -1, nil, nil},
		{"tuple", TypeSocktuple, "na", -1, nil, nil},
		{"mnt_ns", TypeUint64, "dec", -1, nil, nil},
	}},
	{Name: "tcp_state", Category: 3, FD: -1, Params: []Param{
		{"socket", TypeUint64, "hex", -1, nil, nil},
		{"old", TypeUint8, "dec", -1, nil, nil},
		{"new", TypeUint8, "dec", -1, nil, nil},
		{"tuple", TypeSocktuple, "na", -1, nil, nil},
		{"sent", TypeUint64, "dec", -1, nil, nil},
		{"received", TypeUint64, "dec", -1, nil, nil},
	}},
	{Name: "dns", Category: 3, FD: -1, Params: []Param{
		{"tuple", TypeSocktuple, "na", -1, nil, nil},
		{"payload", TypeBytebuf, "na", -1, nil, nil},
	}},
	{Name: "lost", Category: 256, FD: -1, Params: []Param{
		{"count", TypeUint64, "dec", -1, nil, nil},
		{"cause", TypeUint8, "dec", -1, nil, nil},
	}},
	{Name: "clock", Category: 256, FD: -1, Params: []Param{
		{"before", TypeAbstime, "dec", -1, nil, nil},
		{"after", TypeAbstime, "dec", -1, nil, nil},
	}},
	{Name: "exec_args", Category: 256, FD: -1, Params: []Param{
		{"offset", TypeUint32, "dec", -1, nil, nil},
		{"total", TypeUint32, "dec", -1, nil, nil},
		{"piece", TypeBytebuf, "na", -1, nil, nil},
	}},
}

var originFlags = FlagTable{{"raced", uint64(Raced)}, {"io_uring", uint64(IOURing)}, {"ia32", uint64(IA32)}}
