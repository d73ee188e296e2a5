package proc

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"io"
	"net/netip"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/gumshoe-ir/gumshoe/event"
)

// list is the names in a folder below d, at most limit.
func list(d *procDir, name string, limit int) []string {
	fd, err := unix.Openat(d.fd, name, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil
	}
	f := os.NewFile(uintptr(fd), name)
	defer f.Close()
	names, err := f.Readdirnames(limit)
	if err != nil && len(names) == 0 {
		return nil
	}
	return names
}

// descriptors reads the open descriptors of g.
func (s *scanner) descriptors(d *procDir, g *group) {
	for _, name := range list(d, "fd", scanFDs) {
		num, err := strconv.ParseInt(name, 10, 32)
		if err != nil {
			continue
		}
		n, err := unix.Readlinkat(d.fd, "fd/"+name, d.buf[:unix.PathMax])
		if err != nil {
			continue
		}
		target := s.intern(d.buf[:n])
		fd := &event.FD{Num: num}
		if ino, ok := numbered(target, "socket:["); ok {
			s.socket(d, fd, ino)
		} else {
			describeTarget(fd, target)
		}
		s.t.put(g, fd)
	}
}

// intern is b as a string, the same one for equal ones.
func (s *scanner) intern(b []byte) string {
	if v, ok := s.text[string(b)]; ok {
		return v
	}
	v := string(b)
	s.text[v] = v
	return v
}

// numbered is N of "prefixN]".
func numbered(s, prefix string) (uint64, bool) {
	rest, ok := strings.CutPrefix(s, prefix)
	if !ok {
		return 0, false
	}
	n, err := strconv.ParseUint(strings.TrimSuffix(rest, "]"), 10, 64)
	return n, err == nil
}

// anonymous are the kinds behind "anon_inode:NAME" links.
var anonymous = map[string]event.FDKind{
	"[eventfd]": event.FDEvent, "[signalfd]": event.FDSignal, "[eventpoll]": event.FDEventpoll,
	"inotify": event.FDInotify, "[timerfd]": event.FDTimer, "[userfaultfd]": event.FDUserfault,
	"[io_uring]": event.FDIOURing, "[pidfd]": event.FDPidfd,
	"bpf-map": event.FDBPF, "bpf-prog": event.FDBPF, "bpf_link": event.FDBPF, "btf": event.FDBPF,
}

// describeTarget tells the kind of a descriptor by where its link points
// (proc_pid_fd(5)). A folder cannot be told from a file without asking its
// file system, which may not answer: both are files here.
func describeTarget(fd *event.FD, target string) {
	if ino, ok := numbered(target, "pipe:["); ok {
		fd.Kind, fd.Ino = event.FDFifo, ino
		return
	}
	if name, ok := strings.CutPrefix(target, "anon_inode:"); ok {
		if fd.Kind, ok = anonymous[name]; !ok {
			fd.Kind = event.FDUnsupported
		}
		return
	}
	if name, ok := strings.CutPrefix(target, "/memfd:"); ok {
		fd.Kind, fd.Name = event.FDMemfd, strings.TrimSuffix(name, deletedMark)
		return
	}
	fd.Kind, fd.Name = event.FDFile, strings.TrimSuffix(target, deletedMark)
}

// nets are the sockets of the network namespaces met in a scan, by inode.
type nets struct {
	done      map[uint64]bool
	by        map[uint64]event.FD
	listening map[uint16]bool // TCP ports of the namespace being read
}

const (
	maxNets    = 1 << 8
	maxSockets = 1 << 17
)

// netFiles are the tables of /proc/PID/net and what their sockets are.
var netFiles = []struct {
	name  string
	proto event.L4Proto
	v6    bool
}{
	{"net/tcp", event.ProtoTCP, false},
	{"net/tcp6", event.ProtoTCP, true},
	{"net/udp", event.ProtoUDP, false},
	{"net/udp6", event.ProtoUDP, true},
	{"net/raw", event.ProtoRaw, false},
	{"net/raw6", event.ProtoRaw, true},
}

// socket fills fd from the tables of its process' network namespace.
func (s *scanner) socket(d *procDir, fd *event.FD, ino uint64) {
	if s.nets.done == nil {
		s.nets.done, s.nets.by = make(map[uint64]bool), make(map[uint64]event.FD)
	}
	if ns := namespace(d.link("ns/net")); !s.nets.done[ns] && len(s.nets.done) < maxNets {
		s.nets.done[ns] = true
		s.nets.listening = make(map[uint16]bool)
		for _, f := range netFiles {
			s.nets.read(d, f.name, func(line []byte) { s.nets.inet(line, f.proto, f.v6) })
		}
		s.nets.read(d, "net/unix", s.nets.unix)
		s.nets.read(d, "net/netlink", s.nets.netlink)
	}
	num := fd.Num
	if known, ok := s.nets.by[ino]; ok {
		*fd = known
	} else {
		fd.Kind = event.FDUnsupported
	}
	fd.Num, fd.Ino = num, ino
}

// read calls take for each line of a table but its heading.
func (n *nets) read(d *procDir, name string, take func([]byte)) {
	fd, err := unix.Openat(d.fd, name, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return
	}
	f := os.NewFile(uintptr(fd), name)
	defer f.Close()
	r := bufio.NewScanner(io.LimitReader(f, 1<<26))
	for r.Scan() && len(n.by) < maxSockets {
		take(r.Bytes())
	}
}

const tcpListen = 0x0A

// inet reads a line of /proc/net/tcp and its kin (proc_pid_net(5)).
func (n *nets) inet(line []byte, proto event.L4Proto, v6 bool) {
	f := bytes.Fields(line)
	if len(f) < 10 {
		return
	}
	local, ok := hexEnd(f[1])
	remote, ok2 := hexEnd(f[2])
	state, err := strconv.ParseUint(string(f[3]), 16, 8)
	ino, err2 := strconv.ParseUint(string(f[9]), 10, 64)
	if !ok || !ok2 || err != nil || err2 != nil || ino == 0 {
		return
	}
	fd := event.FD{Proto: proto, Ino: ino, Kind: event.FDIPv4, Family: afInet}
	if v6 && !(local.Addr().Is4In6() && remote.Addr().Is4In6()) {
		fd.Kind, fd.Family = event.FDIPv6, afInet6
	} else if v6 {
		local = netip.AddrPortFrom(local.Addr().Unmap(), local.Port())
		remote = netip.AddrPortFrom(remote.Addr().Unmap(), remote.Port())
	}
	switch {
	case remote.Port() != 0:
		fd.Source, fd.Dest, fd.Connected = local, remote, true
		if n.listens(local, proto) {
			fd.Source, fd.Dest, fd.Server = remote, local, true
		}
		fd.Name = pairName(fd.Source, fd.Dest)
	case proto == event.ProtoTCP && state == tcpListen, proto == event.ProtoUDP && local.Port() != 0:
		fd.Kind, fd.Server, fd.Dest, fd.Name = serverKind(fd.Family), true, local, endName(local)
		if proto == event.ProtoTCP {
			n.listening[local.Port()] = true
		}
	}
	n.by[ino] = fd
}

// listens tells whether a listening socket has local's port: then the
// connection was accepted. The tables list listening sockets first.
func (n *nets) listens(local netip.AddrPort, proto event.L4Proto) bool {
	if proto != event.ProtoTCP {
		return false
	}
	return n.listening[local.Port()]
}

// hexEnd reads "0100007F:1F90": 32-bit words in the host's byte order.
func hexEnd(b []byte) (netip.AddrPort, bool) {
	addr, port, ok := bytes.Cut(b, []byte{':'})
	p, err := strconv.ParseUint(string(port), 16, 16)
	raw := make([]byte, 16)
	if !ok || err != nil || len(addr) != 8 && len(addr) != 32 {
		return netip.AddrPort{}, false
	}
	n, err := hex.Decode(raw, addr)
	if err != nil {
		return netip.AddrPort{}, false
	}
	for w := raw[:n]; len(w) > 0; w = w[4:] {
		binary.NativeEndian.PutUint32(w, binary.BigEndian.Uint32(w))
	}
	a, _ := netip.AddrFromSlice(raw[:n])
	return netip.AddrPortFrom(a, uint16(p)), true
}

// unix reads a line of /proc/net/unix: the socket's address in the kernel is
// hidden, so that its name has zeros there.
func (n *nets) unix(line []byte) {
	f := bytes.Fields(line)
	if len(f) < 7 {
		return
	}
	ino, err := strconv.ParseUint(string(f[6]), 10, 64)
	if err != nil {
		return
	}
	var path []byte
	if len(f) > 7 {
		path = f[7]
	}
	n.by[ino] = event.FD{Kind: event.FDUnix, Proto: event.ProtoNA, Family: afUnix, Name: unixName(0, 0, path)}
}

// netlink reads a line of /proc/net/netlink.
func (n *nets) netlink(line []byte) {
	f := bytes.Fields(line)
	if len(f) < 10 {
		return
	}
	if ino, err := strconv.ParseUint(string(f[9]), 10, 64); err == nil {
		n.by[ino] = event.FD{Kind: event.FDNetlink, Proto: event.ProtoNA, Family: afNetlink}
	}
}
