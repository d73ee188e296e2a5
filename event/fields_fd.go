package event

import (
	"net/netip"
	"strings"
)

const (
	fdNum uint16 = firstFD + iota
	fdType
	fdTypeChar
	fdName
	fdNameRaw
	fdDirectory
	fdFilename
	fdContainerName
	fdContainerDirectory
	fdDev
	fdDevMajor
	fdDevMinor
	fdIno
	fdIsUpper
	fdIsLower
	fdUID
	fdNameChanged
	fdConnected
	fdL4Proto
	fdSockFamily
	fdIsServer
	fdIP
	fdPort
	fdNet
	fdCIP
	fdSIP
	fdLIP
	fdRIP
	fdCPort
	fdSPort
	fdLPort
	fdRPort
	fdCNet
	fdSNet
	fdLNet
	fdRNet
)

const (
	onWire   = OnEvent | OnActivity
	sideOnly = FilterOnly | NoRightSide | NoTransform
)

var fdFields = []Field{
	{num: fdNum, Name: "fd.num", Kind: Int, Type: TypeInt64, On: OnEvent, Doc: "Number of the descriptor acted on or made; -1 when the open failed. Missing for calls without one."},
	{num: fdType, Name: "fd.type", Kind: String, Type: TypeCharbuf, On: onWire, Doc: "What is behind the descriptor: file, directory, ipv4, ipv6, unix, pipe, …"},
	{num: fdTypeChar, Name: "fd.typechar", Kind: String, Type: TypeCharbuf, On: onWire, Doc: "The same as one letter: f file, d directory, 4, 6, u unix, p pipe, …"},
	{num: fdName, Name: "fd.name", Kind: String, Type: TypeFSPath, Alias: "file", On: onWire, Doc: "Whole path of a file, or both addresses of a socket. Empty when the descriptor is not known."},
	{num: fdNameRaw, Name: "fd.nameraw", Kind: String, Type: TypeFSPath, On: OnEvent, Doc: "Path as the caller wrote it."},
	{num: fdDirectory, Name: "fd.directory", Kind: String, Type: TypeFSPath, On: onWire, Doc: "Directory of the file; of a directory, itself."},
	{num: fdFilename, Name: "fd.filename", Kind: String, Type: TypeFSPath, On: onWire, Doc: "Last part of a file's path; missing for what is no file."},
	{num: fdContainerName, Name: "fd.containername", Kind: String, Type: TypeCharbuf, On: OnEvent, Doc: "Container id, a colon, and fd.name."},
	{num: fdContainerDirectory, Name: "fd.containerdirectory", Kind: String, Type: TypeCharbuf, On: OnEvent, Doc: "Container id, a colon, and fd.directory."},
	{num: fdDev, Name: "fd.dev", Kind: Int, Type: TypeInt32, On: OnEvent, Doc: "Device of the file, encoded as the kernel does."},
	{num: fdDevMajor, Name: "fd.dev.major", Kind: Int, Type: TypeInt32, On: OnEvent, Doc: "Major number of that device."},
	{num: fdDevMinor, Name: "fd.dev.minor", Kind: Int, Type: TypeInt32, On: OnEvent, Doc: "Minor number of that device."},
	{num: fdIno, Name: "fd.ino", Kind: Int, Type: TypeInt64, On: OnEvent, Doc: "Inode of the file."},
	{num: fdIsUpper, Name: "fd.is_upper_layer", Kind: Bool, Type: TypeBool, On: OnEvent, Doc: "Whether the file is not part of the image (upper layer of overlayfs)."},
	{num: fdIsLower, Name: "fd.is_lower_layer", Kind: Bool, Type: TypeBool, On: OnEvent, Doc: "Whether the file is part of the image (lower layer of overlayfs)."},
	{num: fdUID, Name: "fd.uid", Kind: String, Type: TypeCharbuf, On: OnEvent, Doc: "Thread and descriptor number in one word."},
	{num: fdNameChanged, Name: "fd.name_changed", Kind: Bool, Type: TypeBool, On: OnEvent, Doc: "Whether this event gave the descriptor another name."},
	{num: fdConnected, Name: "fd.connected", Kind: Bool, Type: TypeBool, On: OnEvent, Doc: "Whether the socket is connected."},
	{num: fdL4Proto, Name: "fd.l4proto", Kind: String, Type: TypeCharbuf, Alias: "proto", On: onWire, Doc: "tcp, udp, icmp or raw; \"<NA>\" for other descriptors."},
	{num: fdSockFamily, Name: "fd.sockfamily", Kind: String, Type: TypeCharbuf, On: onWire, Doc: "ip or unix."},
	{num: fdIsServer, Name: "fd.is_server", Kind: Bool, Type: TypeBool, On: onWire, Doc: "Whether this side listens or accepted."},
	{num: fdIP, Name: "fd.ip", Kind: IP, Type: TypeIPAddr, Alias: "ip", Traits: sideOnly | EitherSide, On: onWire, Doc: "Address of either side; != holds when both sides differ."},
	{num: fdPort, Name: "fd.port", Kind: Uint, Type: TypePort, Alias: "port", Traits: sideOnly | EitherSide, On: onWire, Doc: "Port of either side; != holds when both sides differ."},
	{num: fdNet, Name: "fd.net", Kind: Net, Type: TypeIPNet, Alias: "net", Traits: sideOnly | EitherSide, On: onWire, Doc: "Whether either side's address lies in a network (CIDR)."},
	{num: fdCIP, Name: "fd.cip", Kind: IP, Type: TypeIPAddr, On: onWire, Doc: "Address of the side that connected."},
	{num: fdSIP, Name: "fd.sip", Kind: IP, Type: TypeIPAddr, On: onWire, Doc: "Address of the side that was connected to, or listens."},
	{num: fdLIP, Name: "fd.lip", Kind: IP, Type: TypeIPAddr, On: onWire, Doc: "Address of this host's side."},
	{num: fdRIP, Name: "fd.rip", Kind: IP, Type: TypeIPAddr, Alias: "remote", On: onWire, Doc: "Address of the other side."},
	{num: fdCPort, Name: "fd.cport", Kind: Uint, Type: TypePort, On: onWire, Doc: "Port of the side that connected."},
	{num: fdSPort, Name: "fd.sport", Kind: Uint, Type: TypePort, On: onWire, Doc: "Port of the side that was connected to, or listens."},
	{num: fdLPort, Name: "fd.lport", Kind: Uint, Type: TypePort, On: onWire, Doc: "Port of this host's side."},
	{num: fdRPort, Name: "fd.rport", Kind: Uint, Type: TypePort, On: onWire, Doc: "Port of the other side."},
	{num: fdCNet, Name: "fd.cnet", Kind: Net, Type: TypeIPNet, Traits: sideOnly, On: onWire, Doc: "Whether fd.cip lies in a network (CIDR)."},
	{num: fdSNet, Name: "fd.snet", Kind: Net, Type: TypeIPNet, Traits: sideOnly, On: onWire, Doc: "Whether fd.sip lies in a network (CIDR)."},
	{num: fdLNet, Name: "fd.lnet", Kind: Net, Type: TypeIPNet, Traits: sideOnly, On: onWire, Doc: "Whether fd.lip lies in a network (CIDR)."},
	{num: fdRNet, Name: "fd.rnet", Kind: Net, Type: TypeIPNet, Traits: sideOnly, On: onWire, Doc: "Whether fd.rip lies in a network (CIDR)."},
}

// fdValue is the value of a descriptor field. A call that uses a descriptor
// which is not known has a number and an empty name; a failed open has -1 and
// the name it asked for.
func (e *Event) fdValue(n uint16) (Value, bool) {
	num, used := e.fdNumber()
	if !used {
		return Value{}, false
	}
	fd := e.FD
	if fd == nil || fd.Num < 0 {
		return e.unknownFD(n, num)
	}
	if n >= fdIP {
		return fd.address(n)
	}
	switch n {
	case fdNum:
		return integer(num), true
	case fdName:
		return text(fd.Name), true
	case fdNameRaw:
		return text(fd.NameRaw), true
	case fdContainerName:
		return text(e.containerPrefix() + fd.Name), true
	case fdContainerDirectory:
		d, ok := fd.directory()
		return text(e.containerPrefix() + d), ok
	case fdDirectory:
		d, ok := fd.directory()
		return text(d), ok
	case fdUID:
		return text(decimal(e.TID) + decimal(num)), true
	}
	return fd.value(n)
}

func (fd *FD) value(n uint16) (Value, bool) {
	file := fd.Kind == FDFile || fd.Kind == FDFileV2 || fd.Kind == FDDirectory
	switch n {
	case fdType:
		return text(fd.Kind.String()), true
	case fdTypeChar:
		return text(fd.Kind.char()), true
	case fdFilename:
		return text(lastPart(fd.Name)), file && fd.Kind != FDDirectory
	case fdDev:
		return integer(int64(fd.Dev)), file
	case fdDevMajor:
		return integer(int64(fd.Dev >> 8 & 0xfff)), file
	case fdDevMinor:
		return integer(int64(fd.Dev&0xff | fd.Dev>>12&^0xff)), file
	case fdIno:
		return integer(int64(fd.Ino)), fd.Ino != 0
	case fdIsUpper:
		return boolean(fd.Flags&flagUpper != 0), true
	case fdIsLower:
		return boolean(fd.Flags&flagLower != 0), true
	case fdNameChanged:
		return boolean(fd.NameChanged), true
	case fdConnected:
		return boolean(fd.Connected), true
	case fdL4Proto:
		return text(fd.Proto.String()), true
	case fdSockFamily:
		if fd.Kind == FDUnix {
			return text("unix"), true
		}
		return text("ip"), fd.Kind.IsInet()
	case fdIsServer:
		return boolean(fd.Server), fd.Kind.IsInet()
	}
	return Value{}, false
}

const (
	flagUpper = 1 << 15 // FD_UPPER_LAYER
	flagLower = 1 << 16 // FD_LOWER_LAYER
)

func (fd *FD) directory() (string, bool) {
	switch fd.Kind {
	case FDDirectory:
		return fd.Name, true
	case FDFile, FDFileV2:
		return directoryOf(fd.Name), true
	}
	return "", false
}

// directoryOf cuts the last part off a path. Paths that end in a slash stay.
func directoryOf(path string) string {
	i := strings.LastIndexByte(path, '/')
	switch {
	case i <= 0:
		return "/"
	case i == len(path)-1:
		return path
	}
	return path[:i]
}

// lastPart is what follows the last slash of a path; the whole path where that
// is nothing.
func lastPart(path string) string {
	if i := strings.LastIndexByte(path, '/'); i+1 < len(path) {
		return path[i+1:]
	}
	return path
}

// address is a field of the socket's ends. Source is the client of a
// connected socket; a listening one has only its own address, the server's.
func (fd *FD) address(n uint16) (Value, bool) {
	if !fd.Kind.IsInet() {
		return Value{}, false
	}
	client, server := fd.Source, fd.Dest
	if fd.Kind == FDIPv4Server || fd.Kind == FDIPv6Server {
		client = netip.AddrPort{}
		if !server.IsValid() {
			server = fd.Source
		}
		if n != fdSIP && n != fdSPort && n != fdSNet {
			return Value{}, false
		}
	}
	local, remote := client, server
	if fd.Server {
		local, remote = server, client
	}
	return side(n, client, server, local, remote)
}

// side picks the end of a connection that field n asks for.
func side(n uint16, client, server, local, remote netip.AddrPort) (Value, bool) {
	ends := [4]netip.AddrPort{client, server, local, remote}
	switch {
	case n >= fdCIP && n <= fdRIP:
		return ip(ends[n-fdCIP].Addr())
	case n >= fdCPort && n <= fdRPort:
		a := ends[n-fdCPort]
		return number(uint64(a.Port())), a.IsValid()
	case n >= fdCNet && n <= fdRNet:
		return ip(ends[n-fdCNet].Addr())
	}
	return Value{}, false
}

func ip(a netip.Addr) (Value, bool) { return Value{Kind: IP, Addr: a.Unmap()}, a.IsValid() }

// fdNumber is the descriptor that e uses or made, and whether it uses one.
func (e *Event) fdNumber() (int64, bool) {
	if e.FD != nil {
		return max(e.FD.Num, -1), true
	}
	info, ok := e.Type.Info()
	switch {
	case !ok || info.Enter:
		return 0, false
	case info.Flags&CreatesFD != 0 && info.Flags&UsesFD == 0:
		if res, ok := e.Result(); ok && res < 0 {
			return -1, true
		}
		return e.Result()
	case info.FD >= 0:
		return e.Params.Int(int(info.FD))
	}
	return 0, false
}

// unknownFD answers for a descriptor of which only the number is known.
func (e *Event) unknownFD(n uint16, num int64) (Value, bool) {
	switch n {
	case fdNum:
		return integer(num), true
	case fdTypeChar:
		return text(e.guessChar()), true
	case fdName, fdDirectory:
		name := ""
		if e.FD != nil {
			name = e.FD.Name
		}
		if name == "" && num < 0 && e.Type.Has(CreatesFD) {
			name = e.openPath()
		}
		if n == fdDirectory {
			name = directoryOf(name)
		}
		return text(name), true
	case fdNameRaw:
		if num < 0 && e.Type.Has(CreatesFD) {
			return text(str(cut(e.Params.At(e.param("name"))))), true
		}
		return text(""), true
	}
	return Value{}, false
}

// guessChar is the type that a call's name promises when nothing is known of
// its descriptor.
func (e *Event) guessChar() string {
	switch e.Type.String() {
	case "openat", "openat2", "creat":
		return "f"
	case "socket", "accept", "accept4":
		return "4"
	case "pipe", "pipe2":
		return "p"
	case "eventfd", "eventfd2":
		return "e"
	case "signalfd", "signalfd4":
		return "s"
	case "timerfd_create":
		return "t"
	case "inotify_init", "inotify_init1":
		return "i"
	case "epoll_create", "epoll_create1":
		return "l"
	}
	return "o"
}

func (e *Event) containerPrefix() string {
	v, _ := e.Process.value(containerID, "", 0)
	return v.Str + ":"
}

// String is the kind as fd.type shows it.
func (k FDKind) String() string {
	if int(k) < len(fdKinds) && fdKinds[k][0] != "" {
		return fdKinds[k][0]
	}
	return unresolved
}

func (k FDKind) char() string {
	if int(k) < len(fdKinds) && fdKinds[k][1] != "" {
		return fdKinds[k][1]
	}
	return "?"
}

// fdKinds are the words and letters of descriptor kinds (spec/rules.md C.6).
var fdKinds = [...][2]string{
	FDUnknown: {"", "o"}, FDFile: {"file", "f"}, FDFileV2: {"file", "f"}, FDDirectory: {"directory", "d"},
	FDIPv4: {"ipv4", "4"}, FDIPv4Server: {"ipv4", "4"}, FDIPv6: {"ipv6", "6"}, FDIPv6Server: {"ipv6", "6"},
	FDFifo: {"pipe", "p"}, FDUnix: {"unix", "u"}, FDEvent: {"event", "e"}, FDUnsupported: {"", "X"},
	FDSignal: {"signalfd", "s"}, FDEventpoll: {"eventpoll", "l"}, FDInotify: {"inotify", "i"},
	FDTimer: {"timerfd", "t"}, FDNetlink: {"netlink", "n"}, FDBPF: {"bpf", "b"}, FDUserfault: {"userfaultfd", "u"},
	FDIOURing: {"io_uring", "r"}, FDMemfd: {"memfd", "m"}, FDPidfd: {"pidfd", "P"},
}
