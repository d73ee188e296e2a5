package proc

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/gumshoe-ir/gumshoe/event"
)

// procDir is one folder /proc/PID, held open: if the process ends and its
// number is used again, reads fail instead of telling of the other.
type procDir struct {
	fd  int
	buf []byte
}

func openProc(root string, pid int32, buf []byte) (procDir, error) {
	path := strings.TrimSuffix(root, "/") + "/proc/" + strconv.Itoa(int(pid))
	fd, err := unix.Open(path, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return procDir{}, fmt.Errorf("open %s: %w", path, err)
	}
	return procDir{fd, buf}, nil
}

func (d *procDir) close() { unix.Close(d.fd) }

// read is the content of a file below d, at most as much as the buffer holds.
// It is valid until the next read.
func (d *procDir) read(name string) ([]byte, error) {
	fd, err := unix.Openat(d.fd, name, unix.O_RDONLY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", name, err)
	}
	defer unix.Close(fd)
	n := 0
	for n < len(d.buf) {
		m, err := unix.Read(fd, d.buf[n:])
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", name, err)
		}
		if m == 0 {
			break
		}
		n += m
	}
	return d.buf[:n], nil
}

// link is where a symbolic link below d points, empty when it cannot be read.
func (d *procDir) link(name string) string {
	n, err := unix.Readlinkat(d.fd, name, d.buf[:unix.PathMax])
	if err != nil {
		return ""
	}
	return string(d.buf[:n])
}

// stat are the fields of /proc/PID/stat that we use (proc_pid_stat(5)).
type stat struct {
	comm                string
	ppid, pgrp, session int32
	tty                 uint32
	kernel              bool
	threads             int
	start               uint64 // ns since boot, in ticks
	ok                  bool
}

const kernelThread = 0x00200000 // PF_KTHREAD

// parseStat reads b. The name is in parentheses and may hold anything, also
// parentheses: the last one ends it.
func parseStat(b []byte) (s stat) {
	open, end := bytes.IndexByte(b, '('), bytes.LastIndexByte(b, ')')
	if open < 0 || end < open {
		return s
	}
	s.comm = string(b[open+1 : end])
	var f [20]int64
	rest := bytes.TrimLeft(b[end+1:], " ")
	_, rest, _ = bytes.Cut(rest, []byte{' '}) // state
	for i := range f {
		var word []byte
		word, rest, _ = bytes.Cut(rest, []byte{' '})
		v, err := strconv.ParseInt(string(word), 10, 64)
		if err != nil && !errors.Is(err, strconv.ErrRange) {
			return s
		}
		f[i] = v
	}
	// f[0] is field 4 of the manual page
	s.ppid, s.pgrp, s.session, s.tty = int32(f[0]), int32(f[1]), int32(f[2]), uint32(f[3])
	s.kernel = f[5]&kernelThread != 0
	s.threads = int(f[16])
	s.start = uint64(f[18]) * tick
	s.ok = true
	return s
}

// status are the fields of /proc/PID/status that stat lacks.
type status struct {
	tgid           int32
	uid, gid       uint32
	vpid, vpgid    int32
	vtid           int32
	inh, perm, eff uint64
}

// parseStatus reads b; what it cannot find stays zero.
func parseStatus(b []byte) (s status) {
	for line := range bytes.Lines(b) {
		name, value, ok := bytes.Cut(line, []byte{':'})
		if !ok {
			continue
		}
		switch string(name) {
		case "Tgid":
			s.tgid = int32(number(lastField(value)))
		case "Uid":
			s.uid = uint32(number(fieldAt(value, 1)))
		case "Gid":
			s.gid = uint32(number(fieldAt(value, 1)))
		case "NStgid":
			s.vpid = int32(number(lastField(value)))
		case "NSpid":
			s.vtid = int32(number(lastField(value)))
		case "NSpgid":
			s.vpgid = int32(number(lastField(value)))
		case "CapInh":
			s.inh = hexNumber(value)
		case "CapPrm":
			s.perm = hexNumber(value)
		case "CapEff":
			s.eff = hexNumber(value)
		}
	}
	return s
}

func lastField(b []byte) []byte {
	b = bytes.TrimSpace(b)
	return b[bytes.LastIndexAny(b, " \t")+1:]
}

func fieldAt(b []byte, i int) []byte {
	if f := bytes.Fields(b); i < len(f) {
		return f[i]
	}
	return nil
}

func number(b []byte) int64 {
	v, _ := strconv.ParseInt(string(bytes.TrimSpace(b)), 10, 64)
	return v
}

func hexNumber(b []byte) uint64 {
	v, _ := strconv.ParseUint(string(bytes.TrimSpace(b)), 16, 64)
	return v
}

// unified are the controllers under which the events name the one path of a
// host with cgroup v2 alone.
var unified = []string{"cpuset", "cpu", "cpuacct", "io", "memory"}

// parseCgroup makes of /proc/PID/cgroup what the events' parameter has:
// NUL-terminated "subsys=path" (cgroups(7)).
func parseCgroup(b []byte) []byte {
	var out []byte
	for line := range bytes.Lines(b) {
		line = bytes.TrimSuffix(line, []byte{'\n'})
		id, rest, _ := bytes.Cut(line, []byte{':'})
		names, path, ok := bytes.Cut(rest, []byte{':'})
		switch {
		case !ok:
		case string(id) == "0" && len(names) == 0 && len(out) == 0:
			for _, u := range unified {
				out = append(append(append(append(out, u...), '='), path...), 0)
			}
		case len(names) == 0:
			out = append(append(append(out, "unified="...), path...), 0)
		default:
			for name := range bytes.SplitSeq(names, []byte{','}) {
				out = append(append(append(append(out, name...), '='), path...), 0)
			}
		}
	}
	return out
}

// describe fills p from d, and is the raw cgroups.
func (d *procDir) describe(p *event.Process, st *stat, env *envFilter) []byte {
	if b, err := d.read("status"); err == nil {
		s := parseStatus(b)
		p.UID, p.GID, p.VPID, p.VTID, p.VPGID = s.uid, s.gid, s.vpid, s.vtid, s.vpgid
		p.CapInh, p.CapPerm, p.CapEff = s.inh, s.perm, s.eff
	}
	p.Name, p.PPID, p.PGID, p.SID, p.TTY, p.StartBoot, p.KernelTask = st.comm, st.ppid, st.pgrp, st.session, st.tty, st.start, st.kernel
	p.LoginUID = event.NoID
	if b, err := d.read("loginuid"); err == nil {
		if v, err := strconv.ParseUint(string(bytes.TrimSpace(b)), 10, 32); err == nil {
			p.LoginUID = uint32(v)
		}
	}
	if !st.kernel {
		d.describeImage(p, env)
	}
	p.Cmdline = cmdline(p.Name, p.Args)
	p.Cwd, p.Root = "/", "/"
	if cwd := d.link("cwd"); cwd != "" {
		p.Cwd = slashed(strings.TrimSuffix(cwd, deletedMark))
	}
	if root := d.link("root"); root != "" {
		p.Root = root
	}
	p.MountNS = namespace(d.link("ns/mnt"))
	b, err := d.read("cgroup")
	if err != nil {
		return nil
	}
	return parseCgroup(b)
}

// describeImage reads what an exec left.
func (d *procDir) describeImage(p *event.Process, env *envFilter) {
	if b, err := d.read("cmdline"); err == nil && len(b) > 0 {
		argv := event.SplitNUL(b)
		p.Exe, p.Args = argv[0], argv[1:]
		if len(b) == len(d.buf) {
			p.ExeFlags |= event.ArgsCut
		}
	}
	if b, err := d.read("environ"); err == nil {
		p.Env = env.filter(b)
	}
	path := d.link("exe")
	if rest, ok := strings.CutSuffix(path, deletedMark); ok {
		path = rest
		p.ExeFlags |= event.ExeDeleted
	}
	p.ExePath = path
	if strings.HasPrefix(path, "/memfd:") {
		p.ExePath = path[1:]
		p.ExeFlags |= event.ExeFromMemfd
	}
	var st unix.Stat_t
	if unix.Fstatat(d.fd, "exe", &st, 0) == nil {
		p.ExeIno, p.ExeCtime, p.ExeMtime = st.Ino, uint64(st.Ctim.Nano()), uint64(st.Mtim.Nano())
	}
}

// namespace is N of "mnt:[N]".
func namespace(s string) uint64 {
	_, s, _ = strings.Cut(s, "[")
	n, _ := strconv.ParseUint(strings.TrimSuffix(s, "]"), 10, 64)
	return n
}
