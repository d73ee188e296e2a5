package event

import (
	"time"
	"unsafe"
)

const (
	evtNum uint16 = firstEvt + iota
	evtTime
	evtTimeS
	evtTimeISO
	evtDatetime
	evtDatetimeS
	evtRawtime
	evtRawtimeS
	evtRawtimeNS
	evtType
	evtTypeIs
	syscallType
	evtCategory
	evtCPU
	evtDir
	evtSource
	evtArgs
	evtInfo
	evtArg
	evtRawArg
	evtRes
	evtRawres
	evtFailed
	evtCount
	evtCountError
	evtCountErrorFile
	evtCountErrorNet
	evtCountErrorMemory
	evtCountErrorOther
	evtCountExit
	evtBuffer
	evtBuflen
	evtBuflenIn
	evtBuflenOut
	evtBuflenFile
	evtBuflenFileIn
	evtBuflenFileOut
	evtBuflenNet
	evtBuflenNetIn
	evtBuflenNetOut
	evtLatency
	evtLatencyHuman
	evtIsIO
	evtIsIORead
	evtIsIOWrite
	evtIODir
	evtIsWait
	evtIsSyslog
	evtIsAsync
	evtAsyncType
	evtIsOpenRead
	evtIsOpenWrite
	evtIsOpenExec
	evtIsOpenCreate
	evtAbspath
	fsName
	fsNameRaw
	fsSource
	fsSourceRaw
	fsTarget
	fsTargetRaw
)

var evtFields = []Field{
	{num: evtNum, Name: "evt.num", Kind: Uint, Type: TypeUint64, On: OnEvent, Doc: "Running number of the event within its source, from 1."},
	{num: evtTime, Name: "evt.time", Kind: String, Type: TypeCharbuf, On: OnEvent | OnActivity, Doc: "Local time of day with nanoseconds."},
	{num: evtTimeS, Name: "evt.time.s", Kind: String, Type: TypeCharbuf, On: OnEvent | OnActivity, Doc: "Local time of day in whole seconds."},
	{num: evtTimeISO, Name: "evt.time.iso8601", Kind: String, Type: TypeCharbuf, On: OnEvent | OnActivity, Doc: "UTC date and time in ISO 8601 with nanoseconds."},
	{num: evtDatetime, Name: "evt.datetime", Kind: String, Type: TypeCharbuf, On: OnEvent | OnActivity, Doc: "Local date and time with nanoseconds."},
	{num: evtDatetimeS, Name: "evt.datetime.s", Kind: String, Type: TypeCharbuf, On: OnEvent | OnActivity, Doc: "Local date and time in whole seconds."},
	{num: evtRawtime, Name: "evt.rawtime", Kind: Abstime, Type: TypeAbstime, On: OnEvent | OnActivity, Doc: "Nanoseconds since the epoch."},
	{num: evtRawtimeS, Name: "evt.rawtime.s", Kind: Abstime, Type: TypeAbstime, On: OnEvent | OnActivity, Doc: "Whole seconds since the epoch."},
	{num: evtRawtimeNS, Name: "evt.rawtime.ns", Kind: Abstime, Type: TypeAbstime, On: OnEvent | OnActivity, Doc: "Nanoseconds within the second."},
	{num: evtType, Name: "evt.type", Kind: String, Type: TypeCharbuf, On: OnEvent | OnActivity, Doc: "Name of the event: the system call, or what stands in its place. Of an activity: its verb."},
	{num: evtTypeIs, Name: "evt.type.is", Kind: Uint, Type: TypeUint32, Arg: RequiredKey, Traits: ByName, On: OnEvent, Doc: "1 when the event has the type named after the last dot, else 0."},
	{num: syscallType, Name: "syscall.type", Kind: String, Type: TypeCharbuf, On: OnEvent, Doc: "Name of the system call; missing for events that are none."},
	{num: evtCategory, Name: "evt.category", Kind: String, Type: TypeCharbuf, On: OnEvent, Doc: "Broad class: file, net, process, ipc, memory, user, … For reads and writes, what is behind the descriptor."},
	{num: evtCPU, Name: "evt.cpu", Kind: Int, Type: TypeInt16, On: OnEvent, Doc: "CPU on which it happened."},
	{num: evtDir, Name: "evt.dir", Kind: String, Type: TypeCharbuf, On: OnEvent, Doc: "\"<\" for system calls: each is one event, its exit. \">\" for what is no call. Deprecated."},
	{num: evtSource, Name: "evt.source", Kind: String, Type: TypeCharbuf, On: OnEvent, Doc: "Where the event comes from; \"syscall\" for those of the kernel."},
	{num: evtArgs, Name: "evt.args", Kind: String, Type: TypeCharbuf, On: OnEvent, Doc: "All parameters as name=value, with what the value means in brackets."},
	{num: evtInfo, Name: "evt.info", Kind: String, Type: TypeCharbuf, On: OnEvent, Doc: "The same as evt.args."},
	{num: evtArg, Name: "evt.arg", Kind: String, Type: TypeCharbuf, Arg: RequiredKey, Traits: ByName, On: OnEvent, Doc: "One parameter as text, by name or position; names of flags, errors, users and paths instead of numbers."},
	{num: evtRawArg, Name: "evt.rawarg", Arg: RequiredKey, Traits: ByName | Dynamic | NoRightSide | NoTransform, On: OnEvent, Doc: "One parameter by name, in its own type."},
	{num: evtRes, Name: "evt.res", Kind: String, Type: TypeCharbuf, On: OnEvent | OnActivity, Doc: "SUCCESS, or the name of the error."},
	{num: evtRawres, Name: "evt.rawres", Kind: Int, Type: TypeInt64, On: OnEvent | OnActivity, Doc: "The return value; negative error numbers for failures."},
	{num: evtFailed, Name: "evt.failed", Kind: Bool, Type: TypeBool, On: OnEvent | OnActivity, Doc: "Whether the return value is an error."},
	{num: evtCount, Name: "evt.count", Kind: Uint, Type: TypeUint32, On: OnEvent | OnActivity, Doc: "1; of an activity, how many equal ones it stands for."},
	{num: evtCountError, Name: "evt.count.error", Kind: Uint, Type: TypeUint32, On: OnEvent, Doc: "1 for a failed call, else 0."},
	{num: evtCountErrorFile, Name: "evt.count.error.file", Kind: Uint, Type: TypeUint32, On: OnEvent, Doc: "1 for a failed call on files, else 0."},
	{num: evtCountErrorNet, Name: "evt.count.error.net", Kind: Uint, Type: TypeUint32, On: OnEvent, Doc: "1 for a failed call on sockets, else 0."},
	{num: evtCountErrorMemory, Name: "evt.count.error.memory", Kind: Uint, Type: TypeUint32, On: OnEvent, Doc: "1 for a failed call on memory, else 0."},
	{num: evtCountErrorOther, Name: "evt.count.error.other", Kind: Uint, Type: TypeUint32, On: OnEvent, Doc: "1 for any other failed call, else 0."},
	{num: evtCountExit, Name: "evt.count.exit", Kind: Uint, Type: TypeUint32, On: OnEvent, Doc: "1: every event is an exit."},
	{num: evtBuffer, Name: "evt.buffer", Kind: Bytes, Type: TypeBytebuf, On: OnEvent, Doc: "The beginning of the data read or written."},
	{num: evtBuflen, Name: "evt.buflen", Kind: Uint, Type: TypeUint64, On: OnEvent, Doc: "Bytes read or written."},
	{num: evtBuflenIn, Name: "evt.buflen.in", Kind: Uint, Type: TypeUint64, On: OnEvent, Doc: "Bytes read."},
	{num: evtBuflenOut, Name: "evt.buflen.out", Kind: Uint, Type: TypeUint64, On: OnEvent, Doc: "Bytes written."},
	{num: evtBuflenFile, Name: "evt.buflen.file", Kind: Uint, Type: TypeUint64, On: OnEvent, Doc: "Bytes read from or written to files."},
	{num: evtBuflenFileIn, Name: "evt.buflen.file.in", Kind: Uint, Type: TypeUint64, On: OnEvent, Doc: "Bytes read from files."},
	{num: evtBuflenFileOut, Name: "evt.buflen.file.out", Kind: Uint, Type: TypeUint64, On: OnEvent, Doc: "Bytes written to files."},
	{num: evtBuflenNet, Name: "evt.buflen.net", Kind: Uint, Type: TypeUint64, On: OnEvent, Doc: "Bytes received or sent over sockets."},
	{num: evtBuflenNetIn, Name: "evt.buflen.net.in", Kind: Uint, Type: TypeUint64, On: OnEvent, Doc: "Bytes received over sockets."},
	{num: evtBuflenNetOut, Name: "evt.buflen.net.out", Kind: Uint, Type: TypeUint64, On: OnEvent, Doc: "Bytes sent over sockets."},
	{num: evtLatency, Name: "evt.latency", Kind: Reltime, Type: TypeReltime, Traits: Deprecated, On: OnEvent, Doc: "Always 0: calls are seen at their end only. Deprecated."},
	{num: evtLatency, Name: "evt.latency.s", Kind: Reltime, Type: TypeReltime, Traits: Deprecated, On: OnEvent, Doc: "Always 0. Deprecated."},
	{num: evtLatency, Name: "evt.latency.ns", Kind: Reltime, Type: TypeReltime, Traits: Deprecated, On: OnEvent, Doc: "Always 0. Deprecated."},
	{num: evtLatency, Name: "evt.latency.quantized", Kind: Uint, Type: TypeUint64, Traits: Deprecated, On: OnEvent, Doc: "Always 0. Deprecated."},
	{num: evtLatency, Name: "evt.wait_latency", Kind: Reltime, Type: TypeReltime, Traits: Deprecated, On: OnEvent, Doc: "Always 0. Deprecated."},
	{num: evtLatencyHuman, Name: "evt.latency.human", Kind: String, Type: TypeCharbuf, Traits: Deprecated, On: OnEvent, Doc: "Always \"0ns\". Deprecated."},
	{num: evtIsIO, Name: "evt.is_io", Kind: Bool, Type: TypeBool, On: OnEvent, Doc: "Whether it reads from or writes to a descriptor."},
	{num: evtIsIORead, Name: "evt.is_io_read", Kind: Bool, Type: TypeBool, On: OnEvent, Doc: "Whether it reads from a descriptor."},
	{num: evtIsIOWrite, Name: "evt.is_io_write", Kind: Bool, Type: TypeBool, On: OnEvent, Doc: "Whether it writes to a descriptor."},
	{num: evtIODir, Name: "evt.io_dir", Kind: String, Type: TypeCharbuf, On: OnEvent, Doc: "\"read\" or \"write\"; missing for other calls."},
	{num: evtIsWait, Name: "evt.is_wait", Kind: Bool, Type: TypeBool, On: OnEvent, Doc: "Whether the call may have waited, as poll and nanosleep do."},
	{num: evtIsSyslog, Name: "evt.is_syslog", Kind: Bool, Type: TypeBool, On: OnEvent, Doc: "Whether it writes to /dev/log."},
	{num: evtIsAsync, Name: "evt.is_async", Kind: Bool, Type: TypeBool, On: OnEvent, Doc: "Whether it was told beside the kernel's stream, as what a container runtime answers."},
	{num: evtAsyncType, Name: "evt.asynctype", Kind: String, Type: TypeCharbuf, On: OnEvent, Doc: "Name of such an event."},
	{num: evtIsOpenRead, Name: "evt.is_open_read", Kind: Bool, Type: TypeBool, On: OnEvent, Doc: "Whether an open asked to read, successful or not."},
	{num: evtIsOpenWrite, Name: "evt.is_open_write", Kind: Bool, Type: TypeBool, On: OnEvent, Doc: "Whether an open asked to write, successful or not."},
	{num: evtIsOpenExec, Name: "evt.is_open_exec", Kind: Bool, Type: TypeBool, On: OnEvent, Doc: "Whether an open asked for a new file that may be executed."},
	{num: evtIsOpenCreate, Name: "evt.is_open_create", Kind: Bool, Type: TypeBool, On: OnEvent, Doc: "Whether an open made a new file."},
	{num: evtAbspath, Name: "evt.abspath", Kind: String, Type: TypeCharbuf, Arg: OptionalKey, Traits: ByName, On: OnEvent, Doc: "Whole path of a call that names one relative to a directory; .src and .dst where it names two."},
}

var pathFields = []Field{
	{num: fsName, Name: "fs.path.name", Kind: String, Type: TypeFSPath, Alias: "path", On: OnEvent | OnActivity, Doc: "Whole path of the one file that a call acted on."},
	{num: fsNameRaw, Name: "fs.path.nameraw", Kind: String, Type: TypeFSPath, On: OnEvent, Doc: "That path as the caller wrote it."},
	{num: fsSource, Name: "fs.path.source", Kind: String, Type: TypeFSPath, On: OnEvent | OnActivity, Doc: "Whole path of the first side of rename and mount; of the new name for link and symlink."},
	{num: fsSourceRaw, Name: "fs.path.sourceraw", Kind: String, Type: TypeFSPath, On: OnEvent, Doc: "That path as the caller wrote it."},
	{num: fsTarget, Name: "fs.path.target", Kind: String, Type: TypeFSPath, On: OnEvent | OnActivity, Doc: "Whole path of the other side of rename and mount; of what link and symlink point to."},
	{num: fsTargetRaw, Name: "fs.path.targetraw", Kind: String, Type: TypeFSPath, On: OnEvent, Doc: "That path as the caller wrote it."},
}

// Actor is the process that made e; nil when unknown.
func (e *Event) Actor() *Process { return e.Process }

// Value is field f's value for e (Record).
func (e *Event) Value(f *Field, arg string) (Value, bool) {
	switch n := f.num; {
	case n == 0:
	case n < fsName:
		return e.evtValue(n, arg)
	case n < firstProc:
		return e.pathValue(n)
	case n < firstFD:
		return e.Process.value(n, arg, e.ID.NS)
	case n < firstGumshoe:
		return e.fdValue(n)
	case n < endFields:
		return e.gumshoeValue(n)
	}
	return Value{}, false
}

func (e *Event) evtValue(n uint16, arg string) (Value, bool) {
	switch n {
	case evtNum:
		return number(e.Num), true
	case evtTime, evtTimeS, evtTimeISO, evtDatetime, evtDatetimeS, evtRawtime, evtRawtimeS, evtRawtimeNS:
		return timeValue(n, e.ID.NS), true
	case evtType:
		return text(e.typeName()), true
	case evtTypeIs:
		return flag32(e.typeName() == arg), true
	case syscallType:
		return text(e.typeName()), e.isSyscall()
	case evtCategory:
		return text(e.category()), true
	case evtCPU:
		return integer(int64(int16(e.ID.CPU))), true
	case evtDir:
		if e.Type.IsEnter() { // what is told once and not as the end of a call
			return text(">"), true
		}
		return text("<"), true
	case evtSource:
		return text("syscall"), true
	case evtArgs, evtInfo:
		return text(str(e.AppendArgs(nil))), true
	case evtArg:
		return e.argText(arg)
	case evtRawArg:
		return e.argValue(arg)
	case evtAbspath:
		return e.abspath(arg)
	case evtBuffer:
		i := e.dataParam()
		return Value{Kind: Bytes, Str: str(e.Params.At(i))}, i >= 0
	case evtIsAsync:
		return boolean(e.Type == AsynceventE), true
	case evtAsyncType:
		return text(e.typeName()), e.Type == AsynceventE
	}
	if n >= evtIsOpenRead {
		return e.openValue(n)
	}
	if n >= evtBuflen {
		return e.ioValue(n)
	}
	return e.resultValue(n)
}

func (e *Event) resultValue(n uint16) (Value, bool) {
	res, ok := e.Result()
	failed := ok && res < 0
	switch n {
	case evtRes:
		return text(resultName(res)), ok
	case evtRawres:
		return integer(res), ok
	case evtFailed:
		return boolean(failed), true
	case evtCount, evtCountExit:
		return Value{Kind: Uint, Num: 1}, true
	case evtCountError:
		return flag32(failed), true
	}
	c := e.errorClass()
	return flag32(failed && c == n), n >= evtCountErrorFile && n <= evtCountErrorOther
}

func (e *Event) ioValue(n uint16) (Value, bool) {
	in, out := e.Type.Has(ReadsFromFD), e.Type.Has(WritesToFD)
	res, ok := e.Result()
	ok = ok && res >= 0
	if n >= evtBuflenFile && n <= evtBuflenNetOut {
		return number(uint64(res)), ok && e.movesBytes(n, in, out)
	}
	switch n {
	case evtBuflen:
		return number(uint64(res)), ok && (in || out)
	case evtBuflenIn:
		return number(uint64(res)), ok && in
	case evtBuflenOut:
		return number(uint64(res)), ok && out
	case evtLatency:
		return Value{Kind: Reltime}, true
	case evtLatencyHuman:
		return text("0ns"), true
	case evtIsIO:
		return boolean(in || out), true
	case evtIsIORead:
		return boolean(in), true
	case evtIsIOWrite:
		return boolean(out), true
	case evtIODir:
		if in {
			return text("read"), true
		}
		return text("write"), out
	case evtIsWait:
		return boolean(e.Type.Has(Waits)), true
	case evtIsSyslog:
		return boolean(out && e.FD != nil && e.FD.Kind == FDUnix && hasSuffix(e.FD.Name, "/dev/log")), true
	}
	return Value{}, false
}

// movesBytes reports whether e is a transfer of the kind that an evt.buflen
// field counts.
func (e *Event) movesBytes(n uint16, in, out bool) bool {
	if e.FD == nil {
		return false
	}
	k := e.FD.Kind
	file := k == FDFile || k == FDFileV2
	switch n {
	case evtBuflenFile:
		return file && (in || out)
	case evtBuflenFileIn:
		return file && in
	case evtBuflenFileOut:
		return file && out
	case evtBuflenNet:
		return k.IsSocket() && (in || out)
	case evtBuflenNetIn:
		return k.IsSocket() && in
	}
	return k.IsSocket() && out
}

// Bits of an open's flags and mode, as the format numbers them.
const (
	openRead    = 1
	openWrite   = 2
	openCreate  = 4
	openTmpfile = 1 << 13
	openCreated = 1 << 14
	modeExec    = 0o111
)

func (e *Event) openValue(n uint16) (Value, bool) {
	name := e.Type.String()
	opens := name == "open" || name == "openat" || name == "openat2" || name == "open_by_handle_at"
	creat := name == "creat"
	var flags, mode uint64
	if opens {
		flags, _ = e.Params.Uint(e.param("flags"))
	}
	if opens || creat {
		mode, _ = e.Params.Uint(e.param("mode"))
	}
	switch n {
	case evtIsOpenRead:
		return boolean(flags&openRead != 0), true
	case evtIsOpenWrite:
		return boolean(flags&openWrite != 0), true
	case evtIsOpenExec:
		return boolean(mode&modeExec != 0 && (creat || flags&(openCreate|openTmpfile) != 0)), true
	case evtIsOpenCreate:
		return boolean(creat || flags&openCreated != 0), true
	}
	return Value{}, false
}

// Result is e's return value, and false for events without one.
func (e *Event) Result() (int64, bool) {
	info, ok := e.Type.Info()
	if !ok || len(info.Params) == 0 || info.Enter || e.isGeneric() || !e.isSyscall() {
		return 0, false
	}
	if t := info.Params[0].Type; t == TypeUID || t == TypeGID { // getuid and its like
		id, ok := e.Params.Uint(0)
		return int64(id), ok
	}
	return e.Params.Int(0)
}

func resultName(res int64) string {
	if res >= 0 {
		return "SUCCESS"
	}
	if n := errnoName(-res); n != "" {
		return n
	}
	return decimal(-res)
}

func errnoName(n int64) string {
	if n > 0 && n < int64(len(errnoNames)) {
		return errnoNames[n]
	}
	if i := n - 512; i >= 0 && i < int64(len(restartNames)) {
		return restartNames[i]
	}
	return ""
}

// param is the index of the parameter called name, -1 when e has none.
func (e *Event) param(name string) int {
	info, ok := e.Type.Info()
	if !ok {
		return -1
	}
	for i := range info.Params {
		if info.Params[i].Name == name {
			return i
		}
	}
	return -1
}

func (e *Event) dataParam() int {
	if !e.Type.Has(ReadsFromFD) && !e.Type.Has(WritesToFD) {
		return -1
	}
	return e.param("data")
}

func (e *Event) isGeneric() bool { return e.Type == GenericE || e.Type == GenericX }

func (e *Event) isSyscall() bool {
	info, ok := e.Type.Info()
	return ok && e.Type < PrivateBase && info.Category&categorySyscall != 0
}

// typeName is the name of e's type; generic and asynchronous events carry it.
func (e *Event) typeName() string {
	switch {
	case e.isGeneric():
		if id, ok := e.Params.Uint(0); ok && SyscallName(uint16(id)) != "" {
			return SyscallName(uint16(id))
		}
	case e.Type == AsynceventE:
		if b := cut(e.Params.At(1)); len(b) > 0 {
			return str(b)
		}
	}
	return e.Type.String()
}

func timeValue(n uint16, ns uint64) Value {
	t := time.Unix(int64(ns/1e9), int64(ns%1e9))
	switch n {
	case evtTime:
		return text(t.Format("15:04:05.000000000"))
	case evtTimeS:
		return text(t.Format("15:04:05"))
	case evtTimeISO:
		return text(t.UTC().Format("2006-01-02T15:04:05.000000000-0700"))
	case evtDatetime:
		return text(t.Format("2006-01-02 15:04:05.000000000"))
	case evtDatetimeS:
		return text(t.Format("2006-01-02 15:04:05"))
	case evtRawtimeS:
		return Value{Kind: Abstime, Num: ns / 1e9}
	case evtRawtimeNS:
		return Value{Kind: Abstime, Num: ns % 1e9}
	}
	return Value{Kind: Abstime, Num: ns}
}

func text(s string) Value        { return Value{Kind: String, Str: s} }
func number(n uint64) Value      { return Value{Kind: Uint, Num: n} }
func integer(n int64) Value      { return Value{Kind: Int, Num: uint64(n)} }
func abstime(n uint64) Value     { return Value{Kind: Abstime, Num: n} }
func flag32(is bool) Value       { return Value{Kind: Uint, Num: boolean(is).Num} }
func hasSuffix(s, t string) bool { return len(s) >= len(t) && s[len(s)-len(t):] == t }

func boolean(is bool) Value {
	if is {
		return Value{Kind: Bool, Num: 1}
	}
	return Value{Kind: Bool}
}

// str is b as a string that shares b's memory; Value's contract allows it.
func str(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
