package event

import "strings"

const (
	procName uint16 = firstProc + iota
	procExe
	procExePath
	procCmdline
	procExeline
	procArgs
	procEnv
	procCwd
	procPID
	procPPID
	procVPID
	procPVPID
	procSID
	procPGID
	procVPGID
	procTTY
	procPName
	procPExe
	procPExePath
	procPCmdline
	procSName
	procSIDExe
	procSIDExePath
	procAName
	procAExe
	procAExePath
	procACmdline
	procAArgs
	procAPID
	procAEnv
	procNArgs
	procLenArgs
	procLoginShell
	procDuration
	procPDuration
	procPIDTime
	procPPIDTime
	procPidnsStart
	procExeIno
	procExeCtime
	procExeMtime
	procExeCtimeStart
	procExeCtimePidns
	procExeWritable
	procExeUpper
	procExeLower
	procExeMemfd
	procSIDLeader
	procPGIDLeader
	procVPGIDLeader
)

const (
	onProcess  = OnEvent | OnActivity | OnProcess
	walks      = Walks | NoRightSide | NoTransform
	ancestor   = " of an ancestor: [1] is the parent. Without a number a comparison holds when it does for any ancestor."
	maxJoined  = 4096 // bytes of proc.args and proc.env
	maxShells  = 1024 // ancestors looked at for a login shell
	unresolved = "<NA>"
)

var procFields = []Field{
	{num: procName, Name: "proc.name", Kind: String, Type: TypeCharbuf, Alias: "proc", On: onProcess, Doc: "Name of the process, at most 15 bytes, as of its last exec or fork."},
	{num: procExe, Name: "proc.exe", Kind: String, Type: TypeCharbuf, On: onProcess, Doc: "First argument (argv[0]), as the caller chose it."},
	{num: procExePath, Name: "proc.exepath", Kind: String, Type: TypeFSPath, Alias: "exe", On: onProcess, Doc: "Path of the executable as the kernel knows it."},
	{num: procCmdline, Name: "proc.cmdline", Kind: String, Type: TypeCharbuf, Alias: "cmd", On: onProcess, Doc: "Name and arguments in one line."},
	{num: procExeline, Name: "proc.exeline", Kind: String, Type: TypeCharbuf, On: onProcess, Doc: "argv[0] and the other arguments in one line."},
	{num: procArgs, Name: "proc.args", Kind: String, Type: TypeCharbuf, Arg: OptionalIndex, On: onProcess, Doc: "Arguments after the first, joined by blanks, or one of them by position. Empty when there are none."},
	{num: procEnv, Name: "proc.env", Kind: String, Type: TypeCharbuf, Arg: OptionalKey, On: onProcess, Doc: "Environment, or one variable of it. Values outside the allow-list are kept as their length."},
	{num: procCwd, Name: "proc.cwd", Kind: String, Type: TypeFSPath, Alias: "cwd", On: onProcess, Doc: "Working directory, with a slash at the end."},
	{num: procPID, Name: "proc.pid", Kind: Int, Type: TypePID, Alias: "pid", On: onProcess, Doc: "Process id on the host."},
	{num: procPPID, Name: "proc.ppid", Kind: Int, Type: TypePID, Alias: "ppid", On: onProcess, Doc: "Process id of the parent."},
	{num: procVPID, Name: "proc.vpid", Kind: Int, Type: TypePID, On: onProcess, Doc: "Process id inside its own pid namespace."},
	{num: procPVPID, Name: "proc.pvpid", Kind: Int, Type: TypePID, On: onProcess, Doc: "Process id of the parent inside the parent's pid namespace."},
	{num: procSID, Name: "proc.sid", Kind: Int, Type: TypePID, On: onProcess, Doc: "Session id (setsid(2))."},
	{num: procPGID, Name: "proc.pgid", Kind: Int, Type: TypePID, On: onProcess, Doc: "Process group on the host."},
	{num: procVPGID, Name: "proc.vpgid", Kind: Int, Type: TypePID, On: onProcess, Doc: "Process group inside its own pid namespace."},
	{num: procTTY, Name: "proc.tty", Kind: Uint, Type: TypeUint32, Alias: "tty", On: onProcess, Doc: "Device number of the controlling terminal, 0 when there is none."},
	{num: procPName, Name: "proc.pname", Kind: String, Type: TypeCharbuf, Alias: "parent", On: onProcess, Doc: "Name of the parent."},
	{num: procPExe, Name: "proc.pexe", Kind: String, Type: TypeCharbuf, On: onProcess, Doc: "argv[0] of the parent."},
	{num: procPExePath, Name: "proc.pexepath", Kind: String, Type: TypeFSPath, On: onProcess, Doc: "Path of the parent's executable."},
	{num: procPCmdline, Name: "proc.pcmdline", Kind: String, Type: TypeCharbuf, On: onProcess, Doc: "Command line of the parent."},
	{num: procSName, Name: "proc.sname", Kind: String, Type: TypeCharbuf, On: onProcess, Doc: "Name of the session's leader; empty when unknown."},
	{num: procSIDExe, Name: "proc.sid.exe", Kind: String, Type: TypeCharbuf, On: onProcess, Doc: "argv[0] of the session's leader."},
	{num: procSIDExePath, Name: "proc.sid.exepath", Kind: String, Type: TypeFSPath, On: onProcess, Doc: "Path of the session leader's executable."},
	{num: procAName, Name: "proc.aname", Kind: String, Type: TypeCharbuf, Arg: OptionalIndex, Traits: walks, On: onProcess, Doc: "Name" + ancestor},
	{num: procAExe, Name: "proc.aexe", Kind: String, Type: TypeCharbuf, Arg: OptionalIndex, Traits: walks, On: onProcess, Doc: "argv[0]" + ancestor},
	{num: procAExePath, Name: "proc.aexepath", Kind: String, Type: TypeFSPath, Arg: OptionalIndex, Traits: walks, On: onProcess, Doc: "Path of the executable" + ancestor},
	{num: procACmdline, Name: "proc.acmdline", Kind: String, Type: TypeCharbuf, Arg: OptionalIndex, Traits: walks, On: onProcess, Doc: "Command line" + ancestor},
	{num: procAArgs, Name: "proc.aargs", Kind: String, Type: TypeCharbuf, Arg: OptionalIndex, On: onProcess, Doc: "Arguments of an ancestor after the first: [1] is the parent."},
	{num: procAPID, Name: "proc.apid", Kind: Int, Type: TypePID, Arg: OptionalIndex, Traits: walks, On: onProcess, Doc: "Process id" + ancestor},
	{num: procAEnv, Name: "proc.aenv", Kind: String, Type: TypeCharbuf, Arg: OptionalKey, Traits: walks, On: onProcess, Doc: "Environment of an ancestor by number, or a variable of the nearest ancestor that has it. Without an argument a comparison holds when it does for any ancestor."},
	{num: procNArgs, Name: "proc.cmdnargs", Kind: Uint, Type: TypeUint64, On: onProcess, Doc: "How many arguments there are after the first."},
	{num: procLenArgs, Name: "proc.cmdlenargs", Kind: Uint, Type: TypeUint64, On: onProcess, Doc: "Length of these arguments together, in bytes."},
	{num: procLoginShell, Name: "proc.loginshellid", Kind: Int, Type: TypePID, On: onProcess, Doc: "Process id of the oldest ancestor whose name ends in \"sh\"."},
	{num: procDuration, Name: "proc.duration", Kind: Reltime, Type: TypeReltime, On: OnEvent | OnActivity, Doc: "Age of the process at the event, in ns."},
	{num: procPDuration, Name: "proc.ppid.duration", Kind: Reltime, Type: TypeReltime, On: OnEvent | OnActivity, Doc: "Age of the parent at the event, in ns."},
	{num: procPIDTime, Name: "proc.pid.ts", Kind: Reltime, Type: TypeReltime, On: onProcess, Doc: "When the process was made, in ns since the epoch."},
	{num: procPPIDTime, Name: "proc.ppid.ts", Kind: Reltime, Type: TypeReltime, On: onProcess, Doc: "When the parent was made, in ns since the epoch."},
	{num: procPidnsStart, Name: "proc.pidns_init_start_ts", Kind: Uint, Type: TypeUint64, On: onProcess, Doc: "When the first process of its pid namespace began, in ns since the epoch."},
	{num: procExeIno, Name: "proc.exe_ino", Kind: Int, Type: TypeInt64, On: onProcess, Doc: "Inode of the executable."},
	{num: procExeCtime, Name: "proc.exe_ino.ctime", Kind: Abstime, Type: TypeAbstime, On: onProcess, Doc: "When the executable's inode was last changed."},
	{num: procExeMtime, Name: "proc.exe_ino.mtime", Kind: Abstime, Type: TypeAbstime, On: onProcess, Doc: "When the executable's content was last changed."},
	{num: procExeCtimeStart, Name: "proc.exe_ino.ctime_duration_proc_start", Kind: Abstime, Type: TypeAbstime, On: onProcess, Doc: "Time from the inode's change to the start of the process, in ns."},
	{num: procExeCtimePidns, Name: "proc.exe_ino.ctime_duration_pidns_start", Kind: Abstime, Type: TypeAbstime, On: onProcess, Doc: "Time from the start of the pid namespace to the inode's change, in ns."},
	{num: procExeWritable, Name: "proc.is_exe_writable", Kind: Bool, Type: TypeBool, On: onProcess, Doc: "Whether who started the executable could have written to it."},
	{num: procExeUpper, Name: "proc.is_exe_upper_layer", Kind: Bool, Type: TypeBool, On: onProcess, Doc: "Whether the executable is not part of the image (upper layer of overlayfs)."},
	{num: procExeLower, Name: "proc.is_exe_lower_layer", Kind: Bool, Type: TypeBool, On: onProcess, Doc: "Whether the executable is part of the image (lower layer of overlayfs)."},
	{num: procExeMemfd, Name: "proc.is_exe_from_memfd", Kind: Bool, Type: TypeBool, On: onProcess, Doc: "Whether the executable exists in memory only (memfd_create(2))."},
	{num: procSIDLeader, Name: "proc.is_sid_leader", Kind: Bool, Type: TypeBool, On: onProcess, Doc: "Whether the process leads its session."},
	{num: procPGIDLeader, Name: "proc.is_pgid_leader", Kind: Bool, Type: TypeBool, On: onProcess, Doc: "Whether the process leads its process group."},
	{num: procVPGIDLeader, Name: "proc.is_vpgid_leader", Kind: Bool, Type: TypeBool, On: onProcess, Doc: "The same, judged inside its own pid namespace."},
}

// Value is field f's value for p (Record): proc.*, user.*, group.*, thread.*,
// container.* and k8s.*.
func (p *Process) Value(f *Field, arg string) (Value, bool) {
	if f.num < firstProc || f.num >= firstFD {
		return Value{}, false
	}
	return p.value(f.num, arg, 0)
}

// Actor is p itself.
func (p *Process) Actor() *Process { return p }

// Ancestor is the process n generations above p: 0 is p itself. It is nil when
// the chain is shorter.
func (p *Process) Ancestor(n int) *Process {
	for ; p != nil && n > 0; n-- {
		p = p.Parent
	}
	return p
}

// AncestorField is the field that f asks of each ancestor ("proc.name" for
// "proc.aname"), and false when f is not one that walks.
func AncestorField(f *Field) (*Field, bool) {
	name := ""
	switch f.num {
	case procAName:
		name = "proc.name"
	case procAExe:
		name = "proc.exe"
	case procAExePath:
		name = "proc.exepath"
	case procACmdline:
		name = "proc.cmdline"
	case procAPID:
		name = "proc.pid"
	case procAEnv:
		name = "proc.env"
	default:
		return nil, false
	}
	return LookupField(name)
}

// value is the value of a process field at a moment, 0 when that is not known.
func (p *Process) value(n uint16, arg string, at uint64) (Value, bool) {
	switch {
	case p == nil:
		return Value{}, false
	case n >= firstContainer:
		return p.containerValue(n, arg, at)
	case n >= firstThread:
		return p.threadValue(n, arg)
	case n >= procExeIno:
		return p.exeValue(n)
	case n >= procNArgs:
		return p.timeValue(n, at)
	case n >= procAName:
		return p.ancestorValue(n, arg)
	case n >= procPName:
		return p.relativeValue(n)
	}
	switch n {
	case procName:
		return text(p.Name), true
	case procExe:
		return text(p.Exe), true
	case procExePath:
		return text(p.ExePath), true
	case procCmdline:
		return text(p.Cmdline), true
	case procExeline:
		return text(joined(p.Exe, p.Args)), true
	case procArgs:
		return p.args(arg), true
	case procEnv:
		return p.env(arg), true
	case procCwd:
		return text(p.Cwd), true
	case procPID:
		return integer(int64(p.PID)), true
	case procPPID:
		return integer(int64(p.PPID)), true
	case procVPID:
		return integer(int64(p.VPID)), p.VPID >= 0
	case procPVPID:
		if p.Parent == nil {
			return Value{}, false
		}
		return integer(int64(p.Parent.VPID)), p.Parent.VPID >= 0
	case procSID:
		return integer(int64(p.SID)), true
	case procPGID:
		return integer(int64(p.PGID)), true
	case procVPGID:
		return integer(int64(p.VPGID)), true
	case procTTY:
		return number(uint64(p.TTY)), true
	}
	return Value{}, false
}

func (p *Process) relativeValue(n uint16) (Value, bool) {
	if n < procSName {
		if p.Parent == nil {
			return Value{}, false
		}
		return p.Parent.value(n-procPName+procName, "", 0) // same order: name, exe, exepath, cmdline
	}
	leader := p.Leader
	switch {
	case leader == nil:
		return text(""), n == procSName
	case n == procSName:
		return text(leader.Name), true
	case n == procSIDExe:
		return text(leader.Exe), true
	}
	return text(leader.ExePath), true
}

func (p *Process) ancestorValue(n uint16, arg string) (Value, bool) {
	level, numbered := index(arg)
	if n == procAEnv && arg != "" && !numbered {
		for q, i := p.Parent, 0; q != nil && i < 20; q, i = q.Parent, i+1 {
			if v := q.env(arg); v.Str != "" {
				return v, true
			}
		}
		return Value{}, false
	}
	base := [...]uint16{procName, procExe, procExePath, procCmdline, procArgs, procPID, procEnv}[n-procAName]
	if arg != "" {
		if q := p.Ancestor(level); numbered && q != nil {
			return q.value(base, "", 0)
		}
		return Value{}, false
	}
	if base == procPID {
		if p.Parent == nil {
			return Value{}, false
		}
		return integer(int64(p.Parent.PID)), true
	}
	var all []string
	for q := p.Parent; q != nil && len(all) < maxShells; q = q.Parent {
		v, _ := q.value(base, "", 0)
		all = append(all, v.Str)
	}
	return text(strings.Join(all, " ")), len(all) > 0
}

func (p *Process) timeValue(n uint16, at uint64) (Value, bool) {
	switch n {
	case procNArgs:
		return number(uint64(len(p.Args))), true
	case procLenArgs:
		total := 0
		for _, a := range p.Args {
			total += len(a)
		}
		return number(uint64(total)), true
	case procLoginShell:
		shell := int64(0)
		for q, i := p, 0; q != nil && i < maxShells; q, i = q.Parent, i+1 {
			if hasSuffix(q.Name, "sh") {
				shell = int64(q.PID)
			}
		}
		return integer(shell), shell != 0
	case procDuration:
		return Value{Kind: Reltime, Num: at - p.CloneTime}, p.CloneTime > 0 && at >= p.CloneTime
	case procPIDTime:
		return Value{Kind: Reltime, Num: p.CloneTime}, p.CloneTime > 0
	case procPidnsStart:
		return number(p.PidnsStart), p.PidnsStart > 0
	}
	switch parent := p.Parent; {
	case parent == nil || parent.CloneTime == 0:
	case n == procPPIDTime:
		return Value{Kind: Reltime, Num: parent.CloneTime}, true
	case n == procPDuration && at >= parent.CloneTime:
		return Value{Kind: Reltime, Num: at - parent.CloneTime}, true
	}
	return Value{}, false
}

func (p *Process) exeValue(n uint16) (Value, bool) {
	switch n {
	case procExeIno:
		return integer(int64(p.ExeIno)), p.ExeIno != 0
	case procExeCtime:
		return abstime(p.ExeCtime), p.ExeCtime != 0
	case procExeMtime:
		return abstime(p.ExeMtime), p.ExeMtime != 0
	case procExeCtimeStart:
		return abstime(p.CloneTime - p.ExeCtime), p.CloneTime != 0 && p.ExeCtime != 0
	case procExeCtimePidns:
		return abstime(p.ExeCtime - p.PidnsStart), p.ExeCtime != 0 && p.PidnsStart != 0
	case procExeWritable:
		return boolean(p.ExeFlags&ExeWritable != 0), true
	case procExeUpper:
		return boolean(p.ExeFlags&ExeUpperLayer != 0), true
	case procExeLower:
		return boolean(p.ExeFlags&ExeLowerLayer != 0), true
	case procExeMemfd:
		return boolean(p.ExeFlags&ExeFromMemfd != 0), true
	case procSIDLeader:
		return boolean(p.SID == p.VPID || p.SID == p.PID), true
	case procPGIDLeader:
		return boolean(p.PGID == p.PID), true
	case procVPGIDLeader:
		return boolean(p.VPGID == p.VPID), true
	}
	return Value{}, false
}

func (p *Process) args(arg string) Value {
	if i, ok := index(arg); ok {
		if i < len(p.Args) {
			return text(p.Args[i])
		}
		return text("")
	}
	return text(joined("", p.Args))
}

func (p *Process) env(name string) Value {
	if name == "" {
		return text(joined("", p.Env))
	}
	for _, v := range p.Env {
		if len(v) > len(name) && v[len(name)] == '=' && v[:len(name)] == name {
			return text(strings.Trim(v[len(name)+1:], " "))
		}
	}
	return text("")
}

// joined is first and rest separated by blanks, at most maxJoined bytes.
func joined(first string, rest []string) string {
	if len(rest) == 0 {
		return first
	}
	if first == "" && len(rest) == 1 {
		return rest[0][:min(len(rest[0]), maxJoined)]
	}
	b := append(make([]byte, 0, 128), first...)
	for i, s := range rest {
		if i > 0 || first != "" {
			b = append(b, ' ')
		}
		b = append(b, s...)
		if len(b) > maxJoined {
			b = b[:maxJoined]
			break
		}
	}
	return string(b)
}
