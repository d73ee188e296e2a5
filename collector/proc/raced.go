package proc

import (
	"bytes"
	"errors"
	"hash/maphash"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/gumshoe-ir/gumshoe/event"
)

// verdictCache remembers whether symbolic links explain that a path led to a
// file. One place per hash: the newer wins.
type verdictCache struct {
	seed maphash.Seed
	at   []verdict
}

type verdict struct {
	dev       uint32
	ino       uint64
	name      string
	real      string
	explained bool
}

const verdictCacheSize = 1 << 11

// hostRoot is the root folder of the host, opened once.
type hostRoot struct {
	root string
	fd   int
}

func (h *hostRoot) open() int {
	if h.fd < 0 && h.root != "" {
		if fd, err := unix.Open(h.root, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0); err == nil {
			h.fd = fd
		}
	}
	return h.fd
}

func (h *hostRoot) close() error {
	if h.fd < 0 {
		return nil
	}
	fd := h.fd
	h.fd = -1
	return unix.Close(fd)
}

// explained tells whether the path that fd was opened by leads to the file
// that the kernel opened: then only symbolic links lie between them. Doubt
// counts as explained; only a path that leads elsewhere contradicts. The file
// system is asked for what its caches hold and nothing else, so that no
// server behind a mount can keep us waiting.
func (t *Table) explained(g *group, fd *event.FD) bool {
	if t.opts.Root == "" || fd.Name == tooLong || strings.HasPrefix(fd.Name, unknown) {
		return true
	}
	if strings.HasSuffix(fd.RealPath, deletedMark) || !strings.HasPrefix(fd.RealPath, "/") {
		return true // nameless: O_TMPFILE, memfd, pipes; or unlinked before we could look
	}
	c := &t.verdicts
	if c.at == nil {
		c.seed, c.at = maphash.MakeSeed(), make([]verdict, verdictCacheSize)
	}
	v := &c.at[(maphash.String(c.seed, fd.Name)^fd.Ino)%verdictCacheSize]
	if v.ino == fd.Ino && v.dev == fd.Dev && v.name == fd.Name && v.real == fd.RealPath {
		return v.explained
	}
	*v = verdict{fd.Dev, fd.Ino, fd.Name, fd.RealPath, t.leadsTo(g, fd)}
	return v.explained
}

// leadsTo resolves fd's path below its process' root.
func (t *Table) leadsTo(g *group, fd *event.FD) bool {
	root, own := t.rootOf(g)
	if root < 0 {
		return true
	}
	if own {
		defer unix.Close(root)
	}
	name := ownNumber(fd.Name, g.proc)
	got, sure := resolve(root, name)
	if !sure {
		return true
	}
	if got == "" { // unlinked meanwhile, or never there: its folder tells
		dir, sure := resolve(root, filepath.Dir(name))
		if !sure || dir == "" || isLink(root, name) {
			return true
		}
		got = filepath.Join(dir, filepath.Base(name))
	}
	base := strings.TrimSuffix(g.proc.Root, "/") // of a chroot, which only one of both may have seen through
	return got == fd.RealPath || base+got == fd.RealPath || got == base+fd.RealPath
}

// rootOf opens the root folder of g. The caller closes it when own.
func (t *Table) rootOf(g *group) (fd int, own bool) {
	path := filepath.Join(t.opts.Root, "proc", strconv.Itoa(int(g.pid)), "root")
	if fd, err := unix.Open(path, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0); err == nil {
		return fd, true
	}
	if g.container() == nil && (g.proc.Root == "/" || g.proc.Root == "") {
		return t.host.open(), false // it is gone, and lived in ours
	}
	return -1, false
}

// ownNumber puts p's number for "self" in a path of /proc, which would
// otherwise mean us.
func ownNumber(name string, p *event.Process) string {
	for _, self := range []string{"/proc/self", "/proc/thread-self"} {
		if rest, ok := strings.CutPrefix(name, self); ok && (rest == "" || rest[0] == '/') {
			name = "/proc/" + strconv.Itoa(int(p.VPID)) + rest
			if self == "/proc/thread-self" {
				name = "/proc/" + strconv.Itoa(int(p.VPID)) + "/task/" + strconv.Itoa(int(p.VTID)) + rest
			}
			return name
		}
	}
	return name
}

// resolveCached is RESOLVE_CACHED of openat2(2), since Linux 5.12; an older
// kernel refuses it, which leaves us in doubt.
const resolveCached = 0x20

func openCached(root int, name string, flags uint64) (int, error) {
	return unix.Openat2(root, name, &unix.OpenHow{
		Flags:   unix.O_PATH | unix.O_CLOEXEC | flags,
		Resolve: unix.RESOLVE_IN_ROOT | unix.RESOLVE_NO_MAGICLINKS | resolveCached,
	})
}

// isLink tells whether the caches know name as a symbolic link. Where it leads
// they then did not: into /proc, which is never sure of itself.
func isLink(root int, name string) bool {
	fd, err := openCached(root, name, unix.O_NOFOLLOW)
	if err != nil {
		return false
	}
	defer unix.Close(fd)
	var st unix.Statx_t
	err = unix.Statx(fd, "", unix.AT_EMPTY_PATH|unix.AT_STATX_DONT_SYNC, unix.STATX_TYPE, &st)
	return err != nil || st.Mode&unix.S_IFMT == unix.S_IFLNK
}

// resolve is where name leads below the folder root, "" when nowhere that the
// kernel's caches know of: what was opened just now is in them, unless a
// remote file system or a program serves it. It is not sure of a path through
// one of /proc's magic links.
func resolve(root int, name string) (path string, sure bool) {
	fd, err := openCached(root, name, 0)
	switch {
	case errors.Is(err, unix.ENOENT), errors.Is(err, unix.EAGAIN):
		return "", true
	case err != nil:
		return "", false
	}
	defer unix.Close(fd)
	var buf [unix.PathMax]byte
	n, err := unix.Readlink("/proc/self/fd/"+strconv.Itoa(fd), buf[:])
	if err != nil || n == len(buf) {
		return "", false
	}
	return string(bytes.TrimSuffix(buf[:n], []byte(deletedMark))), true
}
