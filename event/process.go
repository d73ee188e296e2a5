package event

import "net/netip"

// NoID is the value of a user or group id that is not set (loginuid -1).
const NoID uint32 = 0xFFFFFFFF

// Process is a snapshot of a thread's process as of one event. It never
// changes: whoever holds one may keep it and read it from any goroutine.
// Which process it is, across pid reuse and restarts, Key says.
type Process struct {
	PID, TID   int32
	PPID       int32 // thread group of the parent
	PGID, SID  int32
	VPID, VTID int32 // inside the innermost pid namespace
	VPGID      int32

	Name    string   // comm as of the last exec or clone
	Exe     string   // argv[0]
	ExePath string   // the executable as the kernel holds it, "(deleted)" removed
	Args    []string // argv[1:]
	Env     []string // allow-listed NAME=value, others NAME=<n bytes>
	Cmdline string   // Name and Args joined by spaces, as proc.cmdline shows it
	Cwd     string   // with trailing slash
	Root    string
	Cgroups []string // "subsys=path"

	UID, GID  uint32 // effective, host's user namespace
	LoginUID  uint32 // audit login uid, NoID when unset
	User      *User  // by UID in its container or host; nil when unknown
	Group     string
	LoginUser string

	TTY                        uint32 // encoded device, 0 when none
	CapInh, CapPerm, CapEff    uint64
	ExeFlags                   ExeFlags
	ExeIno, ExeCtime, ExeMtime uint64 // ns since the epoch

	StartBoot  uint64 // ns since boot when the thread group started
	CloneTime  uint64 // ns since the epoch
	ExecTime   uint64 // ns since the epoch of the last exec, 0 when none was seen
	ExitTime   uint64 // ns since the epoch, 0 while it lives
	PidnsStart uint64 // start of the pid namespace's init
	PidfsIno   uint64
	MountNS    uint64
	KernelTask bool // a kernel thread

	Parent    *Process // current parent as of the event; nil when unknown or none
	Leader    *Process // session leader (pid == sid); nil when unknown, may be itself
	Container *Container
}

// ExeFlags say where an executable came from.
type ExeFlags uint8

// Flags of the executable (execve parameter "flags" of the capture format).
const (
	ExeWritable ExeFlags = 1 << iota
	ExeUpperLayer
	ExeFromMemfd
	ExeLowerLayer
	ArgsCut    ExeFlags = 1 << 6 // ours: argv was longer than Exe and Args are
	ExeDeleted ExeFlags = 1 << 7 // ours: unlinked when looked at
)

// ProcessKey names a process for ever, also after its pid was reused.
type ProcessKey struct {
	Host      uint32
	PID       int32
	StartBoot uint64
}

// Key is p's name on host.
func (p *Process) Key(host uint32) ProcessKey { return ProcessKey{host, p.PID, p.StartBoot} }

// User is one line of a user table.
type User struct {
	UID, GID          uint32
	Name, Home, Shell string
}

// Container is what is known of a container. It never changes; a later answer
// of the runtime makes another one, which replaces it in new snapshots.
type Container struct {
	ID      string // first 12 characters, as the runtime's commands print it
	FullID  string
	Runtime Runtime
	Name    string
	Image   string // as configured: "docker.io/library/nginx:1.27"
	Repo    string
	Tag     string
	ImageID string
	Digest  string

	Labels     map[string]string
	Pod        string
	PodUID     string
	Namespace  string
	PodSandbox bool
	Privileged bool
	IP         netip.Addr
	Created    int64 // ns since the epoch, 0 when unknown
	Mounts     []Mount
	Pending    bool   // the runtime has not answered yet
	Problem    string // why metadata is missing, for people; empty when complete
}

// Mount is one mount of a container.
type Mount struct {
	Source, Dest, Mode, Propagation string
	RW                              bool
}

// Runtime is the kind of a container, with the capture format's numbers.
type Runtime uint8

// Container runtimes. Nspawn is ours; the format has no number for it.
const (
	Docker     Runtime = 0
	LXC        Runtime = 1
	LibvirtLXC Runtime = 2
	Mesos      Runtime = 3
	Rkt        Runtime = 4
	Custom     Runtime = 5
	CRI        Runtime = 6
	Containerd Runtime = 7
	CRIO       Runtime = 8
	BPM        Runtime = 9
	Static     Runtime = 10
	Podman     Runtime = 11
	Nspawn     Runtime = 100
)

// String is the runtime as container.type shows it.
func (r Runtime) String() string {
	switch r {
	case Docker:
		return "docker"
	case LXC:
		return "lxc"
	case LibvirtLXC:
		return "libvirt-lxc"
	case Mesos:
		return "mesos"
	case Rkt:
		return "rkt"
	case CRI:
		return "cri"
	case Containerd:
		return "containerd"
	case CRIO:
		return "cri-o"
	case BPM:
		return "bpm"
	case Static:
		return "static"
	case Podman:
		return "podman"
	case Nspawn:
		return "nspawn"
	}
	return "custom"
}
