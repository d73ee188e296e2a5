// Flags of clone(2), the kernel's and the format's.
#pragma once
#include "flags.h"

#define CLONE_VM 0x100
#define CLONE_FS 0x200
#define CLONE_FILES 0x400
#define CLONE_SIGHAND 0x800
#define CLONE_VFORK 0x4000
#define CLONE_THREAD 0x10000

#define PPM_CL_CHILD_IN_PIDNS (1 << 29) // ours to say, not a flag of the call

// clone_flags is the format's clone_flags of the kernel's.
INLINE u32 clone_flags(u64 f)
{
	return FLAG(f, CLONE_FILES, 1 << 0) | FLAG(f, CLONE_FS, 1 << 1) |
	       FLAG(f, 0x80000000, 1 << 2) |                                       // IO
	       FLAG(f, 0x8000000, 1 << 3) | FLAG(f, 0x40000000, 1 << 4) |          // NEWIPC, NEWNET
	       FLAG(f, 0x20000, 1 << 5) | FLAG(f, 0x20000000, 1 << 6) |            // NEWNS, NEWPID
	       FLAG(f, 0x4000000, 1 << 7) | FLAG(f, 0x8000, 1 << 8) |              // NEWUTS, PARENT
	       FLAG(f, 0x100000, 1 << 9) | FLAG(f, 0x2000, 1 << 10) |              // PARENT_SETTID, PTRACE
	       FLAG(f, CLONE_SIGHAND, 1 << 11) | FLAG(f, 0x40000, 1 << 12) |       // SYSVSEM
	       FLAG(f, CLONE_THREAD, 1 << 13) | FLAG(f, 0x800000, 1 << 14) |       // UNTRACED
	       FLAG(f, CLONE_VM, 1 << 15) | FLAG(f, 0x10000000, 1 << 20) |         // NEWUSER
	       FLAG(f, 0x200000, 1 << 23) | FLAG(f, 0x1000000, 1 << 24) |          // CHILD_CLEARTID, CHILD_SETTID
	       FLAG(f, 0x80000, 1 << 25) | FLAG(f, CLONE_VFORK, 1 << 27) |         // SETTLS
	       FLAG(f, 0x2000000, 1 << 28);                                        // NEWCGROUP
}
