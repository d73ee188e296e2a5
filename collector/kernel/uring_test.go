package kernel

import (
	"encoding/binary"
	"net/netip"
	"os"
	"runtime"
	"sync/atomic"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/gumshoe-ir/gumshoe/event"
	"github.com/gumshoe-ir/gumshoe/internal/need"
)

// uring is one io_uring that makes a request at a time (io_uring(7)).
type uring struct {
	fd         int64
	ring, sqes []byte
	params     [120]byte
}

func (u *uring) param(off int) uint32 { return binary.NativeEndian.Uint32(u.params[off:]) }

func (u *uring) word(off uint32) *uint32 { return (*uint32)(unsafe.Pointer(&u.ring[off])) }

func newUring(t *testing.T) *uring {
	t.Helper()
	u := &uring{}
	u.fd = raw(unix.SYS_IO_URING_SETUP, 4, unsafe.Pointer(&u.params[0]))
	if u.fd < 0 {
		need.Skip(t, "needs io_uring")
	}
	var err error
	if u.ring, err = unix.Mmap(int(u.fd), 0, 4096, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED); err != nil {
		t.Fatal(err)
	}
	if u.sqes, err = unix.Mmap(int(u.fd), 0x10000000, 4*64, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED); err != nil {
		t.Fatal(err)
	}
	return u
}

// do makes one request and returns its result.
func (u *uring) do(op byte, fd int32, off uint64, addr []byte, length, flags, slot uint32) int32 {
	const sqOff, cqOff = 40, 80
	sqe := u.sqes[:64]
	clear(sqe)
	sqe[0] = op
	binary.NativeEndian.PutUint32(sqe[4:], uint32(fd))
	binary.NativeEndian.PutUint64(sqe[8:], off)
	binary.NativeEndian.PutUint64(sqe[16:], uint64(uintptr(unsafe.Pointer(&addr[0]))))
	binary.NativeEndian.PutUint32(sqe[24:], length)
	binary.NativeEndian.PutUint32(sqe[28:], flags)
	binary.NativeEndian.PutUint32(sqe[44:], slot)
	tail := u.word(u.param(sqOff + 4))
	*u.word(u.param(sqOff+24) + 4*(*tail&*u.word(u.param(sqOff + 8)))) = 0
	atomic.AddUint32(tail, 1)
	raw(unix.SYS_IO_URING_ENTER, u.fd, 1, 1, 1, 0, 0)
	runtime.KeepAlive(addr)
	head := u.word(u.param(cqOff))
	i := *head & *u.word(u.param(cqOff + 8))
	res := int32(*u.word(u.param(cqOff+20) + 16*i + 8))
	atomic.AddUint32(head, 1)
	return res
}

func TestCallsThroughIOUring(t *testing.T) {
	need.Root(t)
	path := temp(t)
	ok(t, os.WriteFile(path("quiet"), nil, 0o600))
	listener := must[int](t)(unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0))
	ok(t, unix.Bind(listener, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}))
	ok(t, unix.Listen(listener, 1))
	to := local(t, int64(listener))
	const opConnect, opOpenat = 16, 18
	const largefile = 2048 // the kernel adds it
	ring := newUring(t)
	ev := checkCalls(t, []call{
		{"openat", 307, func(t *testing.T) []any {
			fd := ring.do(opOpenat, unix.AT_FDCWD, 0, ptr(path("quiet")), 0, unix.O_RDWR, 0)
			dev, ino := where(t, path("quiet"))
			return []any{int64(fd), -100, path("quiet"), 3 | largefile, 0, dev, ino}
		}},
		{"openat of nothing", 307, func(*testing.T) []any {
			fd := ring.do(opOpenat, unix.AT_FDCWD, 0, ptr(path("none")), 0o600, unix.O_RDONLY, 0)
			return []any{int64(fd), -100, path("none"), 1 | largefile, 0, 0, 0}
		}},
		{"connect", 23, func(t *testing.T) []any {
			fd := raw(unix.SYS_SOCKET, unix.AF_INET, unix.SOCK_STREAM, 0)
			p, n := sockaddr(to)
			res := ring.do(opConnect, int32(fd), uint64(n), p, 0, 0, 0)
			return []any{int64(res), [2]netip.AddrPort{local(t, fd), to}, fd, to}
		}},
	})
	if e := at(ev, 307, 2, path("quiet")); e == nil || e.Origin != event.IOURing {
		t.Errorf("opened through io_uring, origin %+v", e)
	}
}
