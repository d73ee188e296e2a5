// The capture format's portable flag values from the kernel's: one function for
// each of its tables whose numbers differ. Tables that the kernel shares
// (AT_REMOVEDIR, MS_*, MFD_*, RENAME_*, MODULE_INIT_*, BPF commands, file modes,
// signals) need none.
#pragma once
#include "record.h"

// Kernel open flags, asm-generic/fcntl.h; four differ on arm64.
#define K_O_ACCMODE 03
#define K_O_CREAT 0100
#define K_O_EXCL 0200
#define K_O_TRUNC 01000
#define K_O_APPEND 02000
#define K_O_NONBLOCK 04000
#define K_O_DSYNC 010000
#define K_O_CLOEXEC 02000000
#define K_O_SYNC 04000000 // comes with O_DSYNC
#define K_O_PATH 010000000
#define K_O_TMPFILE_BIT 020000000
#ifdef __TARGET_ARCH_arm64
#define K_O_DIRECTORY 040000
#define K_O_NOFOLLOW 0100000
#define K_O_DIRECT 0200000
#define K_O_LARGEFILE 0400000
#else
#define K_O_DIRECT 040000
#define K_O_LARGEFILE 0100000
#define K_O_DIRECTORY 0200000
#define K_O_NOFOLLOW 0400000
#endif

// Portable open flags (file_flags).
#define PPM_O_RDONLY (1 << 0)
#define PPM_O_CREAT (1 << 2)
#define PPM_O_APPEND (1 << 3)
#define PPM_O_DSYNC (1 << 4)
#define PPM_O_EXCL (1 << 5)
#define PPM_O_NONBLOCK (1 << 6)
#define PPM_O_SYNC (1 << 7)
#define PPM_O_TRUNC (1 << 8)
#define PPM_O_DIRECT (1 << 9)
#define PPM_O_DIRECTORY (1 << 10)
#define PPM_O_LARGEFILE (1 << 11)
#define PPM_O_CLOEXEC (1 << 12)
#define PPM_O_TMPFILE (1 << 13)
#define PPM_O_F_CREATED (1 << 14)
#define PPM_FD_UPPER_LAYER (1 << 15)
#define PPM_FD_LOWER_LAYER (1 << 16)

// FLAG is the bit to where in has the bit from. It shifts: with a branch for
// each flag the verifier would follow every combination of them.
#define FLAG(in, from, to) \
	((from) > (to) ? ((in) & (from)) / ((from) / (to)) : ((in) & (from)) * ((to) / (from)))

// open_flags is file_flags of open(2)'s flags. Access modes 0, 1, 2 are 1, 2, 3 there.
INLINE u32 open_flags(u32 f)
{
	u32 acc = f & K_O_ACCMODE;
	u32 out = acc == 3 ? 0 : acc + 1;

	if (!(f & ~K_O_ACCMODE))
		return out;
	out |= FLAG(f, K_O_CREAT, PPM_O_CREAT) | FLAG(f, K_O_APPEND, PPM_O_APPEND) |
	       FLAG(f, K_O_DSYNC, PPM_O_DSYNC) | FLAG(f, K_O_EXCL, PPM_O_EXCL) |
	       FLAG(f, K_O_NONBLOCK, PPM_O_NONBLOCK) | FLAG(f, K_O_SYNC, PPM_O_SYNC) |
	       FLAG(f, K_O_TRUNC, PPM_O_TRUNC) | FLAG(f, K_O_DIRECT, PPM_O_DIRECT) |
	       FLAG(f, K_O_DIRECTORY, PPM_O_DIRECTORY) | FLAG(f, K_O_LARGEFILE, PPM_O_LARGEFILE) |
	       FLAG(f, K_O_CLOEXEC, PPM_O_CLOEXEC) | FLAG(f, K_O_TMPFILE_BIT, PPM_O_TMPFILE);
	return out;
}

// open_mode is the mode that counts: only a call that may create looks at it.
INLINE u32 open_mode(u32 f, u32 mode)
{
	return f & (K_O_CREAT | K_O_TMPFILE_BIT) ? mode & 07777 : 0;
}

// fd_flags is file_flags of SOCK_*, EFD_* and UFFD's two bits, without an access mode.
INLINE u32 fd_flags(u32 f)
{
	return FLAG(f, K_O_NONBLOCK, PPM_O_NONBLOCK) | FLAG(f, K_O_CLOEXEC, PPM_O_CLOEXEC);
}

// resolve_flags is openat2_flags of open_how.resolve.
INLINE u32 resolve_flags(u64 r)
{
	return FLAG(r, 0x01, 16) | FLAG(r, 0x02, 4) | FLAG(r, 0x04, 8) | FLAG(r, 0x08, 1) |
	       FLAG(r, 0x10, 2) | FLAG(r, 0x20, 32);
}

// fchownat_flags: AT_SYMLINK_NOFOLLOW has another value in that table.
INLINE u32 fchownat_flags(u32 f)
{
	return FLAG(f, 0x100, 1024) | FLAG(f, 0x1000, 4096);
}

// mount_flags drops the magic number that old callers put above the flags.
INLINE u32 mount_flags(u32 f)
{
	return (f & 0xffff0000) == 0xC0ED0000 ? f & 0xffff : f;
}

// ptrace_request is ptrace_requests of a request number: 1 + number up to 9,
// a block from 0x4200, and the rest one by one. Unknown requests are 0.
INLINE u16 ptrace_request(u64 r)
{
	if (r <= 9)
		return r + 1;
	if (r >= 0x4200 && r <= 0x420b)
		return r - 0x4200 + 14;
	switch (r) {
	case 12: return 26; // GETREGS
	case 13: return 27; // SETREGS
	case 14: return 28; // GETFPREGS
	case 15: return 29; // SETFPREGS
	case 16: return 11; // ATTACH
	case 17: return 12; // DETACH
	case 18: return 30; // GETFPXREGS
	case 19: return 31; // SETFPXREGS
	case 21: return 32; // OLDSETOPTIONS
	case 24: return 13; // SYSCALL
	case 25: return 33; // GET_THREAD_AREA
	case 26: return 34; // SET_THREAD_AREA
	case 30: return 35; // ARCH_PRCTL
	case 31: return 36; // SYSEMU
	case 32: return 37; // SYSEMU_SINGLESTEP
	case 33: return 38; // SINGLEBLOCK
	}
	return 0;
}
