package bpf

// none marks a system call that a table does not have.
const none = -1

// tableSize is CALLS of dispatch.c.
const tableSize = 1024

// call is one system call, its number in each table, and the program that
// handles its exit.
type call struct {
	handler      string
	x86, ia32    int // amd64: native and 32-bit (asm/unistd_64.h, unistd_32.h)
	arm64, arm32 int // arm64: native and 32-bit (asm-generic/unistd.h, arm/tools/syscall.tbl)
}

// calls are all system calls that are traced. A handler may serve several; it
// tells them apart by CALL_NR.
var calls = []call{
	// process.c
	{"call_clone", 56, 120, 220, 120},
	{"call_fork", 57, 2, none, 2},
	{"call_vfork", 58, 190, none, 190},
	{"call_clone3", 435, 435, 435, 435},
	{"call_execve", 59, 11, 221, 11},
	{"call_execve", 520, none, none, none}, // x32
	{"call_execveat", 322, 358, 281, 387},
	{"call_execveat", 545, none, none, none}, // x32
	{"call_setsid", 112, 66, 157, 66},
	// file.c
	// net.c
	// sys.c
}
