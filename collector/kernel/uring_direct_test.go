package kernel

import (
	"os"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A request may open into the ring's own table, which is no descriptor of the
// process: the event must not name one that the process has.
func TestIOUringOpenWithoutADescriptor(t *testing.T) {
	path := temp(t)
	ok(t, os.WriteFile(path("inside"), nil, 0o600))
	ring := newUring(t)
	files := []int32{-1, -1}
	const registerFiles = 2
	if res := raw(unix.SYS_IO_URING_REGISTER, ring.fd, registerFiles, unsafe.Pointer(&files[0]), len(files)); res != 0 {
		t.Fatalf("register an empty table: %d", res)
	}
	checkCalls(t, []call{{"openat", 307, func(t *testing.T) []any {
		if res := ring.do(18, unix.AT_FDCWD, 0, ptr(path("inside")), 0, unix.O_RDONLY, 2); res != 0 {
			t.Errorf("open into slot 1: %d", res)
		}
		return []any{int64(0x40000001), -100, path("inside"), 1 | 2048, 0, 0, 0}
	}}})
}
