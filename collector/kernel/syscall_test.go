package kernel

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// openat opens name, which ends in NUL, for reading.
func openat(name []byte) (fd uintptr, ok bool) {
	dir := unix.AT_FDCWD
	fd, _, errno := unix.RawSyscall6(unix.SYS_OPENAT, uintptr(dir), uintptr(unsafe.Pointer(&name[0])), unix.O_RDONLY, 0, 0, 0)
	return fd, errno == 0
}
