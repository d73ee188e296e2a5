package audit

import (
	"testing"

	"github.com/gumshoe-ir/gumshoe/event"
)

func file(name string, flags uint32) *event.FD {
	return &event.FD{Num: 3, Kind: event.FDFile, Name: name, Flags: flags}
}

func failed(name string) *event.FD { return &event.FD{Num: -1, Name: name} }

func inet(proto event.L4Proto, src, dst string) *event.FD {
	fd := &event.FD{Num: 5, Kind: event.FDIPv4, Proto: proto, Socket: 77}
	if src != "" {
		fd.Source = ap(src)
	}
	if dst != "" {
		fd.Dest = ap(dst)
	}
	return fd
}

func with(fd *event.FD, change func(*event.FD)) *event.FD { change(fd); return fd }

type values = []any

var verbs = []struct {
	name   string
	typ    event.Type
	fd     *event.FD
	values values
	want   string
}{
	// Files.
	{"a created file", event.SyscallOpenatV2X, file("/tmp/x", openWrite|openCreate|openCreated), values{3, -100, "x"}, "file create /tmp/x"},
	{"an existing file opened to write", event.SyscallOpenatV2X, file("/tmp/x", openWrite|openCreate), values{3, -100, "x"}, "file write /tmp/x"},
	{"truncation alone", event.SyscallOpenX, file("/tmp/x", 1|openTruncate), values{3, "x"}, "file write /tmp/x"},
	{"creat", event.SyscallCreatX, file("/tmp/x", openWrite|openCreate|openTruncate), values{3, "x"}, "file write /tmp/x"},
	{"a read of no interest", event.SyscallOpenatV2X, file("/etc/hosts", 1), values{3, -100, "x"}, ""},
	{"a folder", event.SyscallOpenatV2X, file("/etc", 1|openDirectory), values{3, -100, "x"}, ""},
	{"a temporary file without name", event.SyscallOpenatV2X, file("/tmp", openWrite|openTemporary|openDirectory), values{3, -100, "x"}, "file write /tmp"},
	{"the shadow file", event.SyscallOpenatV2X, file("/etc/shadow", 1), values{3, -100, "x"}, "file read /etc/shadow"},
	{"a key by its name", event.SyscallOpenatV2X, file("/home/ann/.ssh/id_ed25519", 1), values{3, -100, "x"}, "file read /home/ann/.ssh/id_ed25519"},
	{"cloud credentials by their folder", event.SyscallOpenatV2X, file("/root/.aws/credentials", 1), values{3, -100, "x"}, "file read /root/.aws/credentials"},
	{"a kube token by its prefix", event.SyscallOpenatV2X, file("/var/run/secrets/kubernetes.io/serviceaccount/token", 1), values{3, -100, "x"}, "file read /var/run/secrets/kubernetes.io/serviceaccount/token"},
	{"a link to the shadow file", event.SyscallOpenatV2X, with(file("/tmp/l", 1), func(f *event.FD) { f.RealPath = "/etc/shadow" }), values{3, -100, "x"}, "file read /tmp/l"},
	{"shadow refused", event.SyscallOpenatV2X, failed("/etc/shadow"), values{-13, -100, "x", 1}, "file read /etc/shadow =13"},
	{"shadow missing", event.SyscallOpenatV2X, failed("/etc/shadow"), values{-2, -100, "x", 1}, ""},
	{"a write refused", event.SyscallOpenatV2X, failed("/etc/passwd"), values{-13, -100, "x", openWrite}, "file write /etc/passwd =13"},
	{"a write to nowhere", event.SyscallOpenatV2X, file("/dev/null", openWrite), values{3, -100, "x"}, ""},
	{"a write to a terminal", event.SyscallOpenatV2X, file("/dev/pts/3", 3), values{3, -100, "x"}, ""},
	{"a write to a pipe by path", event.SyscallOpenatV2X, with(file("/run/p", 2), func(f *event.FD) { f.Kind = event.FDFifo }), values{3, -100, "x"}, ""},
	{"a write to its own /proc", event.SyscallOpenatV2X, file("/proc/self/oom_score_adj", 2), values{3, -100, "x"}, ""},
	{"a write to another's memory", event.SyscallOpenatV2X, file("/proc/12/mem", 3), values{3, -100, "x"}, "file write /proc/12/mem"},
	{"a kernel setting", event.SyscallOpenatV2X, file("/proc/sys/kernel/core_pattern", 2), values{3, -100, "x"}, "file write /proc/sys/kernel/core_pattern"},
	{"a cgroup's own files", event.SyscallOpenatV2X, file("/sys/fs/cgroup/x/cgroup.procs", 2), values{3, -100, "x"}, ""},
	{"the way out of a cgroup", event.SyscallOpenatV2X, file("/sys/fs/cgroup/x/release_agent", 2), values{3, -100, "x"}, "file write /sys/fs/cgroup/x/release_agent"},
	{"unlink of a relative path", event.SyscallUnlinkV2X, nil, values{0, "a/../b"}, "file unlink /srv/b"},
	{"unlink of what is not there", event.SyscallUnlinkV2X, nil, values{-2, "b"}, ""},
	{"unlinkat", event.SyscallUnlinkatV2X, file("/srv", 0), values{0, 3, "b", 0}, "file unlink /srv/b"},
	{"unlinkat of a folder", event.SyscallUnlinkatV2X, nil, values{0, -100, "d", 0x200}, "file rmdir /srv/d"},
	{"rename", event.SyscallRenameat2X, nil, values{0, -100, "a", -100, "/b", 0}, "file rename /srv/a (/b)"},
	{"rename refused", event.SyscallRenameX, nil, values{-1, "/a", "/b"}, "file rename /a (/b) =1"},
	{"link: the new one first", event.SyscallLinkV2X, nil, values{0, "/old", "/new"}, "file link /new (/old)"},
	{"symlink: the new one first", event.SyscallSymlinkatX, nil, values{0, "../old", -100, "new"}, "file symlink /srv/new (../old)"},
	{"mkdir", event.SyscallMkdirV2X, nil, values{0, "/d", 0o755}, "file mkdir /d"},
	{"rmdir", event.SyscallRmdirV2X, nil, values{0, "/d"}, "file rmdir /d"},
	{"chmod", event.SyscallFchmodatX, nil, values{0, -100, "f", 0o4755}, "file chmod /srv/f"},
	{"fchmod", event.SyscallFchmodX, file("/bin/f", 0), values{0, 3, 0o755}, "file chmod /bin/f"},
	{"fchmod of a pipe", event.SyscallFchmodX, file("", 0), values{0, 3, 0o755}, ""},
	{"chown", event.SyscallLchownX, nil, values{0, "/f", 0, 0}, "file chown /f"},

	// Connections.
	{"connect", event.SocketConnectX, with(inet(event.ProtoTCP, "10.0.0.1:40000", "203.0.113.9:80"), func(f *event.FD) { f.Connected = true }), values{0, pair("10.0.0.1:40000", "203.0.113.9:80"), 5, ap("203.0.113.9:80")}, "net connect 203.0.113.9:80"},
	{"connect in progress", event.SocketConnectX, inet(event.ProtoTCP, "10.0.0.1:40000", "203.0.113.9:80"), values{-115, pair("10.0.0.1:40000", "203.0.113.9:80"), 5, ap("203.0.113.9:80")}, "net connect 203.0.113.9:80 =115"},
	{"connect refused", event.SocketConnectX, inet(event.ProtoTCP, "", ""), values{-111, nil, 5, ap("203.0.113.9:80")}, "net connect 203.0.113.9:80 =111"},
	{"connect over IPv6 to an IPv4 address", event.SocketConnectX, nil, values{-111, nil, 5, ap("[::ffff:203.0.113.9]:80")}, "net connect 203.0.113.9:80 =111"},
	{"connect again while it lasts", event.SocketConnectX, inet(event.ProtoTCP, "", ""), values{-114, nil, 5, ap("203.0.113.9:80")}, ""},
	{"a resolver choosing its address", event.SocketConnectX, inet(event.ProtoUDP, "10.0.0.1:40000", "203.0.113.9:0"), values{0, nil, 5, ap("203.0.113.9:0")}, ""},
	{"the docker socket", event.SocketConnectX, &event.FD{Kind: event.FDUnix}, values{0, nil, 5, []byte("\x01/var/run/docker.sock\x00")}, "net connect /var/run/docker.sock"},
	{"any other unix socket", event.SocketConnectX, &event.FD{Kind: event.FDUnix}, values{0, nil, 5, []byte("\x01/run/systemd/journal/socket\x00")}, ""},
	{"accept", event.SocketAccept4V6X, with(inet(event.ProtoTCP, "198.51.100.7:5000", "10.0.0.1:22"), func(f *event.FD) { f.Server = true }), values{5, pair("198.51.100.7:5000", "10.0.0.1:22")}, "net accept 198.51.100.7:5000"},
	{"accept of nothing", event.SocketAccept4V6X, nil, values{-11, nil}, ""},
	{"listen", event.SocketListenX, with(inet(event.ProtoTCP, "", "0.0.0.0:4444"), func(f *event.FD) { f.Server = true }), values{0, 5, 10}, "net listen 0.0.0.0:4444"},
	{"bind", event.SocketBindX, inet(event.ProtoUDP, "", ""), values{0, ap("0.0.0.0:53"), 5}, "net bind 0.0.0.0:53"},
	{"bind to any port", event.SocketBindX, inet(event.ProtoUDP, "", ""), values{0, ap("0.0.0.0:0"), 5}, ""},
	{"a datagram", event.SocketSendtoX, inet(event.ProtoUDP, "", ""), values{10, nil, 5, 10, pair("10.0.0.1:999", "10.0.0.2:53")}, "net send 10.0.0.2:53"},
	{"a datagram from a peer", event.SocketRecvfromX, inet(event.ProtoUDP, "", ""), values{10, nil, pair("10.0.0.2:53", "10.0.0.1:999"), 5, 10}, "net recv 10.0.0.2:53"},
	{"data of a stream", event.SocketSendtoX, inet(event.ProtoTCP, "", ""), values{10, nil, 5, 10, pair("10.0.0.1:999", "10.0.0.2:53")}, ""},
	{"a datagram of a connected socket", event.SocketSendtoX, with(inet(event.ProtoUDP, "", ""), func(f *event.FD) { f.Connected = true }), values{10, nil, 5, 10, pair("10.0.0.1:999", "10.0.0.2:53")}, ""},

	// System.
	{"setuid", event.SyscallSetuidX, nil, values{0, 0}, "sys setuid uid 1000 -> 0"},
	{"setuid to itself", event.SyscallSetuidX, nil, values{0, 1000}, ""},
	{"setuid refused", event.SyscallSetuidX, nil, values{-1, 0}, "sys setuid uid 1000 -> 0 =1"},
	{"setresuid that leaves the effective", event.SyscallSetresuidX, nil, values{0, 0, -1, 0}, ""},
	{"setgid", event.SyscallSetresgidX, nil, values{0, -1, 33, -1}, "sys setgid gid 0 -> 33"},
	{"capset", event.SyscallCapsetX, nil, values{0, 0, 0, 0x200000}, "sys capset effective 0x200000"},
	{"capset of nothing new", event.SyscallCapsetX, nil, values{0, 0, 0, 0}, ""},
	{"setns", event.SyscallSetnsX, file("/proc/1/ns/mnt", 0), values{0, 3, 1 << 5}, "sys setns CLONE_NEWNS /proc/1/ns/mnt"},
	{"unshare", event.SyscallUnshareX, nil, values{0, 1<<20 | 1<<5}, "sys unshare CLONE_NEWNS|CLONE_NEWUSER"},
	{"unshare of files", event.SyscallUnshareX, nil, values{0, 1}, ""},
	{"ptrace attach", event.SyscallPtraceX, nil, values{0, nil, nil, 11, 42}, "sys ptrace PTRACE_ATTACH 42"},
	{"ptrace continue", event.SyscallPtraceX, nil, values{0, nil, nil, 8, 42}, ""},
	{"bpf program", event.SyscallBpfV2X, nil, values{9, 5}, "sys bpf BPF_PROG_LOAD"},
	{"bpf map lookup", event.SyscallBpfV2X, nil, values{0, 1}, ""},
	{"a module from a file", event.SyscallFinitModuleX, file("/lib/evil.ko", 1), values{0, 3, "p=1", 0}, "sys finit_module /lib/evil.ko p=1"},
	{"a module removed", event.SyscallDeleteModuleX, nil, values{0, "evil", 0}, "sys delete_module evil"},
	{"mount", event.SyscallMountX, nil, values{0, "/dev/sda1", "/mnt", "ext4", 0}, "sys mount /mnt (/dev/sda1)"},
	{"umount", event.SyscallUmount2X, nil, values{0, "/mnt", 0}, "sys umount /mnt"},
	{"memfd", event.SyscallMemfdCreateX, nil, values{4, "payload", 1}, "sys memfd_create payload"},
	{"userfaultfd", event.SyscallUserfaultfdX, nil, values{4, 0}, "sys userfaultfd "},
	{"chroot", event.SyscallChrootX, nil, values{0, "jail"}, "sys chroot /srv/jail"},
	{"kill", event.SyscallKillX, nil, values{0, 42, 9}, "sys kill SIGKILL 42"},
	{"kill of a group", event.SyscallKillX, nil, values{0, -42, 64}, "sys kill signal 64 -42"},
	{"is it alive", event.SyscallKillX, nil, values{0, 42, 0}, ""},
	{"abort", event.SyscallTgkillX, nil, values{0, 100, 100, 6}, ""},
	{"a renamed thread", event.SyscallPrctlX, nil, values{0, 15, "x", 0}, ""},

	// Commands that came to nothing.
	{"a command that may not run", event.SyscallExecveV19X, nil, values{-13, "./run", []string{"-d", "x"}}, "cmd exec failed ./run -d x =13"},
	{"a command that is not there", event.SyscallExecveV19X, nil, values{-2, "./run", nil}, "cmd exec failed ./run =2"},
	{"a step of a search in PATH", event.SyscallExecveV19X, nil, values{-2, "run", nil}, ""},
	{"a command without arguments at all", event.SyscallExecveatX, nil, values{-13, nil, nil}, "cmd exec failed  =13"},
}

func TestVerbs(t *testing.T) {
	for _, tt := range verbs {
		l := newLine(t)
		p := l.process(100, l.process(1, nil, "init"), "sh")
		l.do() // tells the host
		l.s.actors.of(p)
		got := l.give(p, tt.fd, tt.typ, tt.values...)
		if brief(got) != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, brief(got), tt.want)
		}
		for _, a := range got {
			if a.User != "ann" || a.Session == 0 || a.Process != p || a.Severity != event.NoPriority || a.ID.IsZero() {
				t.Errorf("%s: %+v lacks who or when", tt.name, a)
			}
			if lasting := a.Kind == event.Connection && (a.Result == 0 || a.Result == 115) && a.Proto == event.ProtoTCP; lasting != (a.End == 0) {
				t.Errorf("%s: End %d", tt.name, a.End)
			}
		}
	}
}

// What events say that is known nowhere else must not stop the line.
func TestEventsWithoutProcessOrParameters(t *testing.T) {
	l := newLine(t)
	for typ := range handlers {
		if handlers[typ] == nil {
			continue
		}
		info, _ := event.Type(typ).Info()
		short := make([]any, len(info.Params))
		for n := range short {
			l.give(nil, nil, event.Type(typ), short[:n]...)
		}
		l.give(l.process(9, nil, ""), &event.FD{}, event.Type(typ), short...)
	}
	l.do(event.Event{Type: event.TCPState}, event.Event{Type: event.DNS}, event.Event{Type: 0xFFFF}, event.Event{Type: event.Known})
}

func TestHostileBytesAreKept(t *testing.T) {
	l := newLine(t)
	p := l.process(100, nil, "sh\x1b[2J", "-c", "a\nb\xff\u202e")
	p.Exe = "/tmp/\x1b[2J"
	got := l.give(p, nil, event.SyscallExecveV19X, 0)
	if len(got) != 1 || got[0].Target != "/tmp/\x1b[2J -c a\nb\xff\u202e" {
		t.Errorf("%q", brief(got))
	}
	got = l.give(p, nil, event.SyscallUnlinkV2X, 0, "/\x1b]0;x\x07\xff")
	if brief(got) != "file unlink /\x1b]0;x\x07\xff" {
		t.Errorf("%q", brief(got))
	}
}
