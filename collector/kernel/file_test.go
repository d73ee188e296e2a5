package kernel

import (
	"os"
	"path/filepath"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/gumshoe-ir/gumshoe/event"
)

func TestOpens(t *testing.T) {
	path := temp(t)
	ok(t, os.WriteFile(path("here"), nil, 0o600))
	noent := path("not-there")
	handle, mount, err := unix.NameToHandleAt(unix.AT_FDCWD, path("here"), 0)
	_ = mount
	if err != nil {
		t.Fatal(err)
	}
	cwd := uintptr(unix.AT_FDCWD & (1<<64 - 1))
	checkCalls(t, []call{
		{"openat of a missing file", 307, func(*testing.T) []any {
			return []any{raw(unix.SYS_OPENAT, cwd, ptr(noent), unix.O_RDWR|unix.O_CLOEXEC), -100, noent, 3 | 4096, 0, 0, 0}
		}},
		{"openat", 307, func(t *testing.T) []any {
			fd := raw(unix.SYS_OPENAT, cwd, ptr(path("here")), unix.O_WRONLY|unix.O_APPEND|unix.O_NOFOLLOW)
			dev, ino := where(t, path("here"))
			return []any{fd, -100, path("here"), 2 | 8, 0, dev, ino}
		}},
		{"openat that creates", 307, func(t *testing.T) []any {
			fd := raw(unix.SYS_OPENAT, cwd, ptr(path("new")), unix.O_CREAT|unix.O_EXCL|unix.O_RDONLY, 0o640)
			dev, ino := where(t, path("new"))
			return []any{fd, -100, path("new"), 1 | 4 | 32 | 16384, 0o640, dev, ino}
		}},
		{"openat relative to a directory", 307, func(t *testing.T) []any {
			dir := raw(unix.SYS_OPENAT, cwd, ptr(filepath.Dir(path("here"))), unix.O_DIRECTORY)
			fd := raw(unix.SYS_OPENAT, uintptr(dir), ptr("here"), unix.O_TRUNC|unix.O_SYNC|unix.O_RDWR)
			dev, ino := where(t, path("here"))
			return []any{fd, dir, "here", 3 | 16 | 128 | 256, 0, dev, ino}
		}},
		{"open", 3, func(t *testing.T) []any {
			fd := raw(unix.SYS_OPEN, ptr(path("here")), unix.O_NONBLOCK)
			dev, ino := where(t, path("here"))
			return []any{fd, path("here"), 1 | 64, 0, dev, ino}
		}},
		{"creat", 59, func(t *testing.T) []any {
			fd := raw(unix.SYS_CREAT, ptr(path("made")), 0o604)
			dev, ino := where(t, path("made"))
			return []any{fd, path("made"), 0o604, dev, ino, 0}
		}},
		{"openat2", 327, func(t *testing.T) []any {
			how := unix.OpenHow{Flags: unix.O_DIRECTORY, Resolve: unix.RESOLVE_NO_MAGICLINKS}
			dir := filepath.Dir(path("x"))
			fd := raw(unix.SYS_OPENAT2, cwd, ptr(dir), unsafe.Pointer(&how), unsafe.Sizeof(how))
			dev, ino := where(t, dir)
			return []any{fd, -100, dir, 1 | 1024, 0, 4, dev, ino}
		}},
		{"open_by_handle_at", 337, func(t *testing.T) []any {
			at := raw(unix.SYS_OPENAT, cwd, ptr(path("here")), 0)
			fd := int64(must[int](t)(unix.OpenByHandleAt(int(at), handle, unix.O_RDONLY)))
			dev, ino := where(t, path("here"))
			return []any{fd, at, 1, path("here"), dev, ino}
		}},
	})
}

// A path that ends in another name than the file's: by a link it is told with
// the real path, and where no link can be the cause it is raced.
func TestOpenOfAnotherName(t *testing.T) {
	path := temp(t)
	ok(t, os.WriteFile(path("target"), nil, 0o600))
	ok(t, os.Symlink("target", path("link")))
	ok(t, os.Mkdir(path("mnt"), 0o700))
	ev := watch(t, Options{}, func() {
		for _, p := range []string{"link", "target", "mnt/"} {
			fd := must[int](t)(unix.Open(path("")+"/"+p, unix.O_RDONLY, 0))
			ok(t, unix.Close(fd))
		}
		// /proc is a mounted root, whose own name is "/".
		fd := must[int](t)(unix.Open("/proc", unix.O_RDONLY|unix.O_NOFOLLOW, 0))
		ok(t, unix.Close(fd))
	})
	for _, c := range []struct{ opened, real string }{
		{path("") + "/link", path("target")},
		{path("") + "/target", ""},
		{path("") + "/mnt/", path("mnt")},
		{"/proc", ""},
	} {
		e := at(ev, 307, 2, c.opened)
		if e == nil {
			t.Errorf("%s: no event", c.opened)
			continue
		}
		got, _ := e.Detail.Text(event.DetailRealPath)
		if got != c.real {
			t.Errorf("%s: real path %q, want %q", c.opened, got, c.real)
		}
		if e.Origin != 0 {
			t.Errorf("%s: origin %d, want none", c.opened, e.Origin)
		}
	}
}

// The path is changed between the open and its exit by another thread that
// shares the buffer; here the exit's reader sees what the test wrote after.
func TestOpenRacedByAnotherThread(t *testing.T) {
	path := temp(t)
	ok(t, os.WriteFile(path("innocent"), nil, 0o600))
	ok(t, os.WriteFile(path("wickedly"), nil, 0o600))
	good, bad := path("innocent"), path("wickedly")
	buf := append([]byte(good), 0)
	ev := watch(t, Options{}, func() {
		stop, done := make(chan bool), make(chan bool)
		go func() {
			defer close(done)
			for {
				select {
				case <-stop:
					return
				default:
					copy(buf, bad)
					copy(buf, good)
				}
			}
		}()
		for range 20000 {
			fd := raw(unix.SYS_OPENAT, ^uintptr(99), unsafe.Pointer(&buf[0]), unix.O_RDONLY|unix.O_NOFOLLOW)
			if fd >= 0 {
				ok(t, unix.Close(int(fd)))
			}
		}
		close(stop)
		<-done
	})
	_, goodIno := where(t, good)
	_, badIno := where(t, bad)
	lies, raced := 0, 0
	for _, e := range ev {
		name, _ := e.Params.Text(2)
		ino, _ := e.Params.Uint(6)
		if e.Type != 307 || ino != goodIno && ino != badIno {
			continue
		}
		if want := map[uint64]string{goodIno: good, badIno: bad}[ino]; name != want {
			lies++
			if e.Origin&event.Raced == 0 {
				t.Errorf("opened %s, told %s, and not raced", want, name)
			}
		}
		if e.Origin&event.Raced != 0 {
			raced++
		}
	}
	t.Logf("%d of 20000 opens told another name, %d raced", lies, raced)
	if raced != lies {
		t.Errorf("%d raced, %d told another name", raced, lies)
	}
}

func TestNames(t *testing.T) {
	path := temp(t)
	for _, f := range []string{"a", "b", "c", "d", "e"} {
		ok(t, os.WriteFile(path(f), nil, 0o600))
	}
	dir := must[int](t)(unix.Open(path(""), unix.O_DIRECTORY, 0))
	defer unix.Close(dir)
	d := uintptr(dir)
	r := raw
	one := func(name string, typ event.Type, values func() []any) call {
		return call{name, typ, func(*testing.T) []any { return values() }}
	}
	p := path
	checkCalls(t, []call{
		one("mkdir", 277, func() []any { return []any{r(unix.SYS_MKDIR, ptr(p("m")), 0o750), p("m"), 0o750} }),
		one("mkdirat", 305, func() []any { return []any{r(unix.SYS_MKDIRAT, d, ptr("n"), 0o700), dir, "n", 0o700} }),
		one("rmdir", 279, func() []any { return []any{r(unix.SYS_RMDIR, ptr(p("m"))), p("m")} }),
		one("rename", 175, func() []any { return []any{r(unix.SYS_RENAME, ptr(p("a")), ptr(p("a2"))), p("a"), p("a2")} }),
		one("renameat", 177, func() []any { return []any{r(unix.SYS_RENAMEAT, d, ptr("b"), d, ptr("b2")), dir, "b", dir, "b2"} }),
		one("renameat2", 319, func() []any {
			return []any{r(unix.SYS_RENAMEAT2, d, ptr("c"), d, ptr("b2"), unix.RENAME_EXCHANGE), dir, "c", dir, "b2", 2}
		}),
		one("link", 309, func() []any { return []any{r(unix.SYS_LINK, ptr(p("d")), ptr(p("d2"))), p("d"), p("d2")} }),
		one("linkat", 311, func() []any {
			return []any{r(unix.SYS_LINKAT, d, ptr("d"), d, ptr("d3"), unix.AT_SYMLINK_FOLLOW), dir, "d", dir, "d3", 1024}
		}),
		one("symlink", 179, func() []any { return []any{r(unix.SYS_SYMLINK, ptr("to"), ptr(p("s"))), "to", p("s")} }),
		one("symlinkat", 181, func() []any { return []any{r(unix.SYS_SYMLINKAT, ptr("to"), d, ptr("s2")), "to", dir, "s2"} }),
		one("unlink", 301, func() []any { return []any{r(unix.SYS_UNLINK, ptr(p("d2"))), p("d2")} }),
		one("unlink of nothing", 301, func() []any { return []any{r(unix.SYS_UNLINK, ptr(p("nope"))), p("nope")} }),
		one("unlinkat", 303, func() []any { return []any{r(unix.SYS_UNLINKAT, d, ptr("n"), unix.AT_REMOVEDIR), dir, "n", 512} }),
		one("chmod", 315, func() []any { return []any{r(unix.SYS_CHMOD, ptr(p("e")), 0o4755), p("e"), 0o4755} }),
		one("fchmod", 317, func() []any { return []any{r(unix.SYS_FCHMOD, d, 0o711), dir, 0o711} }),
		one("fchmodat", 313, func() []any { return []any{r(unix.SYS_FCHMODAT, d, ptr("e"), 0o600), dir, "e", 0o600} }),
		one("fchmodat2", 313, func() []any { return []any{r(452, d, ptr("e"), 0o601, 0), dir, "e", 0o601} }),
		one("chown", 379, func() []any { return []any{r(unix.SYS_CHOWN, ptr(p("e")), 1, 2), p("e"), 1, 2} }),
		one("lchown", 381, func() []any { return []any{r(unix.SYS_LCHOWN, ptr(p("e")), 3, 4), p("e"), 3, 4} }),
		one("fchown", 383, func() []any { return []any{r(unix.SYS_FCHOWN, d, 0, ^uintptr(0)), dir, 0, uint32(1<<32 - 1)} }),
		one("fchownat", 385, func() []any {
			return []any{r(unix.SYS_FCHOWNAT, d, ptr("e"), 5, 6, unix.AT_SYMLINK_NOFOLLOW), dir, "e", 5, 6, 1024}
		}),
		one("chdir", 95, func() []any { return []any{r(unix.SYS_CHDIR, ptr(p("gone"))), p("gone")} }),
		one("fchdir", 97, func() []any { return []any{r(unix.SYS_FCHDIR, 9999), 9999} }),
		one("chroot", 267, func() []any { return []any{r(unix.SYS_CHROOT, ptr(p("gone"))), p("gone")} }),
		one("mount", 257, func() []any {
			return []any{r(unix.SYS_MOUNT, ptr("src"), ptr(p("gone")), ptr("tmpfs"), unix.MS_RDONLY|unix.MS_NOSUID|0xC0ED0000), "src", p("gone"), "tmpfs", 3}
		}),
		one("umount2", 391, func() []any { return []any{r(unix.SYS_UMOUNT2, ptr(p("gone")), unix.MNT_DETACH), p("gone"), 2} }),
		one("pivot_root", 1, func() []any {
			r(unix.SYS_PIVOT_ROOT, ptr("/nope"), ptr("/nope"))
			return []any{137, unix.SYS_PIVOT_ROOT}
		}),
	})
}

func TestDescriptors(t *testing.T) {
	r := raw
	f := int64(must[int](t)(unix.Open("/dev/null", unix.O_RDWR, 0)))
	s := int64(must[int](t)(unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0)))
	var moved int64
	one := func(name string, typ event.Type, values func() []any) call {
		return call{name, typ, func(*testing.T) []any { return values() }}
	}
	ev := checkCalls(t, []call{
		one("dup", 367, func() []any { return []any{r(unix.SYS_DUP, f), f} }),
		one("dup of nothing", 367, func() []any { return []any{r(unix.SYS_DUP, 12345), 12345} }),
		one("dup2", 363, func() []any { return []any{r(unix.SYS_DUP2, f, 300), f, 300} }),
		one("dup3 of a socket", 365, func() []any { return []any{r(unix.SYS_DUP3, s, 301, unix.O_CLOEXEC), s, 301, 4096} }),
		one("fcntl F_DUPFD", 151, func() []any { return []any{r(unix.SYS_FCNTL, s, unix.F_DUPFD, 310), s, 1, 310} }),
		one("fcntl F_DUPFD_CLOEXEC", 151, func() []any {
			moved = r(unix.SYS_FCNTL, f, unix.F_DUPFD_CLOEXEC, 320)
			return []any{moved, f, 26, 320}
		}),
		one("close of a duplicated socket", 5, func() []any { return []any{r(unix.SYS_CLOSE, 301), 301} }),
		one("close of a socket older than we", 5, func() []any { return []any{r(unix.SYS_CLOSE, s), s} }),
		one("close_range", 451, func() []any { return []any{r(unix.SYS_CLOSE_RANGE, 305, 315, 0), 305, 315, 0} }),
	})
	ok(t, unix.Close(int(f)))
	for _, e := range ev {
		if fd, _ := e.Params.Int(1); e.Type == 5 && (fd == 300 || fd == moved || fd == f) {
			t.Errorf("the closing of file %d was sent", fd)
		}
	}
}
