package event

const (
	ourHost uint16 = firstGumshoe + iota
	ourRaced
	ourIOURing
	ourIA32
	ourRealPath
	ourPidfs
	ourMountNS
	ourStart
	ourKernelTask
	ourSession
	ourKind
	ourVerb
	ourTarget
	ourUser
	ourName
	ourResult
	ourCount
	ourSent
	ourReceived
	ourDuration
	ourArgsCut
)

var gumshoeFields = []Field{
	{num: ourHost, Name: "gumshoe.host", Kind: Uint, Type: TypeUint32, Alias: "host", On: onWire, Doc: "Number of the host on which it happened."},
	{num: ourRaced, Name: "gumshoe.raced", Kind: Bool, Type: TypeBool, Alias: "raced", On: onWire, Doc: "Whether the caller's memory contradicted the kernel's own file or socket: someone changed an argument during the call."},
	{num: ourIOURing, Name: "gumshoe.io_uring", Kind: Bool, Type: TypeBool, On: onWire, Doc: "Whether it went through io_uring instead of a system call."},
	{num: ourIA32, Name: "gumshoe.ia32", Kind: Bool, Type: TypeBool, On: onWire, Doc: "Whether it was a 32-bit system call."},
	{num: ourRealPath, Name: "gumshoe.realpath", Kind: String, Type: TypeFSPath, Alias: "realpath", On: onWire, Doc: "Path of the opened file as the kernel holds it, links resolved; missing where it is the same as the path asked for."},
	{num: ourPidfs, Name: "gumshoe.pidfs", Kind: Uint, Type: TypeUint64, On: onWire, Doc: "Inode of the process in pidfs: names it also after its id was reused (Linux 6.9)."},
	{num: ourMountNS, Name: "gumshoe.mntns", Kind: Uint, Type: TypeUint64, On: onWire, Doc: "Inode of the process' mount namespace."},
	{num: ourStart, Name: "gumshoe.start", Kind: Uint, Type: TypeUint64, On: onWire, Doc: "When the process began, in ns since boot."},
	{num: ourKernelTask, Name: "gumshoe.kernel_task", Kind: Bool, Type: TypeBool, On: onWire, Doc: "Whether a thread of the kernel did it."},
	{num: ourSession, Name: "gumshoe.session", Kind: Uint, Type: TypeUint64, Alias: "session", On: OnActivity, Doc: "Number of the session: an ssh login, a container exec, a cron job, … with all that came of it."},
	{num: ourKind, Name: "gumshoe.activity.kind", Kind: String, Type: TypeCharbuf, Alias: "type", On: OnActivity, Doc: "Kind of the activity: cmd, net, file, k8s, cloud, shell or sys."},
	{num: ourVerb, Name: "gumshoe.activity.verb", Kind: String, Type: TypeCharbuf, Alias: "verb", On: OnActivity, Doc: "What was done: exec, connect, accept, write, unlink, …"},
	{num: ourTarget, Name: "gumshoe.activity.target", Kind: String, Type: TypeCharbuf, Alias: "target", On: OnActivity, Doc: "What it was done to: a command line, a path, an address, …"},
	{num: ourUser, Name: "gumshoe.activity.user", Kind: String, Type: TypeCharbuf, Alias: "who", On: OnActivity, Doc: "Whom to name for it: the login user, else the effective one."},
	{num: ourName, Name: "gumshoe.activity.name", Kind: String, Type: TypeCharbuf, Alias: "domain", On: OnActivity, Doc: "DNS name of the other side, or the second path of rename and link."},
	{num: ourResult, Name: "gumshoe.activity.result", Kind: Int, Type: TypeInt64, Alias: "result", On: OnActivity, Doc: "Error number, 0 for success; of a command that ended, its wait status."},
	{num: ourCount, Name: "gumshoe.activity.count", Kind: Uint, Type: TypeUint32, On: OnActivity, Doc: "How many equal activities this line stands for."},
	{num: ourSent, Name: "gumshoe.activity.sent", Kind: Uint, Type: TypeUint64, Alias: "sent", On: OnActivity, Doc: "Bytes sent over the connection."},
	{num: ourReceived, Name: "gumshoe.activity.received", Kind: Uint, Type: TypeUint64, Alias: "received", On: OnActivity, Doc: "Bytes received over the connection."},
	{num: ourDuration, Name: "gumshoe.activity.duration", Kind: Reltime, Type: TypeReltime, Alias: "duration", On: OnActivity, Doc: "How long it lasted, in ns; missing while it lasts."},
	{num: ourArgsCut, Name: "gumshoe.args_cut", Kind: Bool, Type: TypeBool, On: onWire, Doc: "Whether the process' arguments were longer than what is shown: over 2 MiB, or lost."},
}

func (e *Event) gumshoeValue(n uint16) (Value, bool) {
	switch n {
	case ourRealPath:
		if e.FD != nil && e.FD.RealPath != "" {
			return text(e.FD.RealPath), true
		}
		b := cut(e.Detail.At(DetailRealPath))
		return text(str(b)), len(b) > 0
	case ourSession:
		return Value{}, false
	}
	return common(n, e.ID.Host, e.Origin, e.Process)
}

// common is the value of gumshoe.* fields that events and activities share.
func common(n uint16, host uint32, from Origin, p *Process) (Value, bool) {
	switch n {
	case ourHost:
		return number(uint64(host)), true
	case ourRaced:
		return boolean(from&Raced != 0), true
	case ourIOURing:
		return boolean(from&IOURing != 0), true
	case ourIA32:
		return boolean(from&IA32 != 0), true
	}
	if p == nil {
		return Value{}, false
	}
	switch n {
	case ourPidfs:
		return number(p.PidfsIno), p.PidfsIno != 0
	case ourMountNS:
		return number(p.MountNS), p.MountNS != 0
	case ourStart:
		return number(p.StartBoot), p.StartBoot != 0
	case ourKernelTask:
		return boolean(p.KernelTask), true
	case ourArgsCut:
		return boolean(p.ExeFlags&ArgsCut != 0), true
	}
	return Value{}, false
}
