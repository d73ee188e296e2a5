//go:build ignore

// Names: removing, renaming, linking, making, owning and entering files and
// directories by path. Paths are the user's text, as fd.name and evt.arg show it.
#pragma once
#include "headers/plain.h"

PLAIN(unlink, 301, 2, STR(1, A0))
PLAIN(unlinkat, 303, 4, INT(1, A0) STR(2, A1) U32(3, A2 & 0x200))
PLAIN(rmdir, 279, 2, STR(1, A0))
PLAIN(mkdir, 277, 3, STR(1, A0) U32(2, A1))
PLAIN(mkdirat, 305, 4, INT(1, A0) STR(2, A1) U32(3, A2))

PLAIN(rename, 175, 3, STR(1, A0) STR(2, A1))
PLAIN(renameat, 177, 5, INT(1, A0) STR(2, A1) INT(3, A2) STR(4, A3))
PLAIN(renameat2, 319, 6, INT(1, A0) STR(2, A1) INT(3, A2) STR(4, A3) U32(5, A4 & 7))

PLAIN(link, 309, 3, STR(1, A0) STR(2, A1))
PLAIN(linkat, 311, 6, INT(1, A0) STR(2, A1) INT(3, A2) STR(4, A3) U32(5, A4 & 0x1400))
PLAIN(symlink, 179, 3, STR(1, A0) STR(2, A1))
PLAIN(symlinkat, 181, 4, STR(1, A0) INT(2, A1) STR(3, A2))

// fchmodat2 has no event of its own; its flags are not in fchmodat's.
PLAIN(chmod, 315, 3, STR(1, A0) U32(2, A1 & 07777))
PLAIN(fchmod, 317, 3, INT(1, A0) U32(2, A1 & 07777))
PLAIN(fchmodat, 313, 4, INT(1, A0) STR(2, A1) U32(3, A2 & 07777))

PLAIN(chown, 379, 4, STR(1, A0) U32(2, A1) U32(3, A2))
PLAIN(lchown, 381, 4, STR(1, A0) U32(2, A1) U32(3, A2))
PLAIN(fchown, 383, 4, INT(1, A0) U32(2, A1) U32(3, A2))
PLAIN(fchownat, 385, 6, INT(1, A0) STR(2, A1) U32(3, A2) U32(4, A3) U32(5, fchownat_flags(A4)))
PLAIN(chown16, 379, 4, STR(1, A0) U32(2, ID16(A1)) U32(3, ID16(A2)))
PLAIN(lchown16, 381, 4, STR(1, A0) U32(2, ID16(A1)) U32(3, ID16(A2)))
PLAIN(fchown16, 383, 4, INT(1, A0) U32(2, ID16(A1)) U32(3, ID16(A2)))

PLAIN(chdir, 95, 2, STR(1, A0))
PLAIN(fchdir, 97, 2, INT(1, A0))
PLAIN(chroot, 267, 2, STR(1, A0))
PLAIN(mount, 257, 5, STR(1, A0) STR(2, A1) STR(3, A2) U32(4, mount_flags(A3)))
PLAIN(umount, 387, 2, STR(1, A0))
PLAIN(umount2, 391, 3, STR(1, A0) U32(2, A1))

// pivot_root is not in the format: the event for system calls without one of
// their own carries its code and number.
HANDLER(pivot_root)
{
	struct rec r;
	bool compat = is_compat();

	if (!begin(&r, 1, 2))
		return 0;
	put_u16(&r, 0, 137);
	put_u16(&r, 1, CALL_NR(regs));
	put_origin(&r, compat ? ORIGIN_IA32 : 0);
	return submit(&r);
}
