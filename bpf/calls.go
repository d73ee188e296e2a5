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
	// the commonest: dispatch.c reaches the first four handlers by a faster jump
	{"call_openat", 257, 295, 56, 322},
	{"call_close", 3, 6, 57, 6},
	{"call_open", 2, 5, none, 5},
	{"call_read", 0, 3, 63, 3},
	// process.c
	{"call_clone", 56, 120, 220, 120},
	{"call_clone", 57, 2, none, 2},
	{"call_clone", 58, 190, none, 190},
	{"call_clone", 435, 435, 435, 435},
	{"call_execve", 59, 11, 221, 11},
	{"call_execve", 520, none, none, none}, // x32
	{"call_execveat", 322, 358, 281, 387},
	{"call_execveat", 545, none, none, none}, // x32
	{"call_setsid", 112, 66, 157, 66},
	// file.c
	{"call_openat2", 437, 437, 437, 437},
	{"call_creat", 85, 8, none, 8},
	{"call_open_by_handle_at", 304, 342, 265, 371},
	// fds.c
	{"call_dup", 32, 41, 23, 41},
	{"call_dup2", 33, 63, none, 63},
	{"call_dup3", 292, 330, 24, 358},
	{"call_fcntl", 72, 55, 25, 55},
	{"call_fcntl", none, 221, none, 221},
	{"call_pidfd_getfd", 438, 438, 438, 438},
	{"call_close_range", 436, 436, 436, 436},
	// names.c
	{"call_unlink", 87, 10, none, 10},
	{"call_unlinkat", 263, 301, 35, 328},
	{"call_rmdir", 84, 40, none, 40},
	{"call_mkdir", 83, 39, none, 39},
	{"call_mkdirat", 258, 296, 34, 323},
	{"call_rename", 82, 38, none, 38},
	{"call_renameat", 264, 302, 38, 329},
	{"call_renameat2", 316, 353, 276, 382},
	{"call_link", 86, 9, none, 9},
	{"call_linkat", 265, 303, 37, 330},
	{"call_symlink", 88, 83, none, 83},
	{"call_symlinkat", 266, 304, 36, 331},
	{"call_chmod", 90, 15, none, 15},
	{"call_fchmod", 91, 94, 52, 94},
	{"call_fchmodat", 268, 306, 53, 333},
	{"call_fchmodat", 452, 452, 452, 452}, // fchmodat2
	{"call_chown", 92, 212, none, 212},
	{"call_lchown", 94, 198, none, 198},
	{"call_fchown", 93, 207, 55, 207},
	{"call_fchownat", 260, 298, 54, 325},
	{"call_chown16", none, 182, none, 182},
	{"call_lchown16", none, 16, none, 16},
	{"call_fchown16", none, 95, none, 95},
	{"call_chdir", 80, 12, 49, 12},
	{"call_fchdir", 81, 133, 50, 133},
	{"call_chroot", 161, 61, 51, 61},
	{"call_mount", 165, 21, 40, 21},
	{"call_umount", none, 22, none, none},
	{"call_umount2", 166, 52, 39, 52},
	{"call_pivot_root", 155, 217, 41, 218},
	// sys.c
	{"call_setuid", 105, 213, 146, 213},
	{"call_setgid", 106, 214, 144, 214},
	{"call_setreuid", 113, 203, 145, 203},
	{"call_setregid", 114, 204, 143, 204},
	{"call_setresuid", 117, 208, 147, 208},
	{"call_setresgid", 119, 210, 149, 210},
	{"call_setuid16", none, 23, none, 23},
	{"call_setgid16", none, 46, none, 46},
	{"call_setreuid16", none, 70, none, 70},
	{"call_setregid16", none, 71, none, 71},
	{"call_setresuid16", none, 164, none, 164},
	{"call_setresgid16", none, 170, none, 170},
	{"call_setpgid", 109, 57, 154, 57},
	{"call_capset", 126, 185, 91, 185},
	{"call_setns", 308, 346, 268, 375},
	{"call_unshare", 272, 310, 97, 337},
	{"call_ptrace", 101, 26, 117, 26},
	{"call_bpf", 321, 357, 280, 386},
	{"call_init_module", 175, 128, 105, 128},
	{"call_finit_module", 313, 350, 273, 379},
	{"call_memfd_create", 319, 356, 279, 385},
	{"call_userfaultfd", 323, 374, 282, 388},
	{"call_kill", 62, 37, 129, 37},
	{"call_tkill", 200, 238, 130, 238},
	{"call_tgkill", 234, 270, 131, 268},
	{"call_prctl", 157, 172, 167, 172},
	// net.c
	{"call_socket", 41, 359, 198, 281},
	{"call_socketpair", 53, 360, 199, 288},
	{"call_connect", 42, 362, 203, 283},
	{"call_accept", 43, none, 202, 285},
	{"call_accept4", 288, 364, 242, 366},
	{"call_bind", 49, 361, 200, 282},
	{"call_listen", 50, 363, 201, 284},
	{"call_shutdown", 48, 373, 210, 293},
	{"call_socketcall", none, 102, none, none},
	// dgram.c
	{"call_sendto", 44, 369, 206, 290},
	{"call_send", none, none, none, 289},
	{"call_sendmsg", 46, 370, 211, 296},
	{"call_sendmmsg", 307, 345, 269, 374},
	{"call_recvfrom", 45, 371, 207, 292},
	{"call_recv", none, none, none, 291},
	{"call_recvmsg", 47, 372, 212, 297},
	{"call_recvmmsg", 299, 337, 243, 365},
	{"call_recvmmsg", none, 417, none, 417}, // recvmmsg_time64
}

// socketcalls are the handlers of ia32's socketcall(2) by its first argument.
var socketcalls = [21]string{
	1: "call_socket", 2: "call_bind", 3: "call_connect", 4: "call_listen", 5: "call_accept",
	8: "call_socketpair", 9: "call_send", 10: "call_recv", 11: "call_sendto", 12: "call_recvfrom",
	13: "call_shutdown", 16: "call_sendmsg", 17: "call_recvmsg", 18: "call_accept4",
	19: "call_recvmmsg", 20: "call_sendmmsg",
}
