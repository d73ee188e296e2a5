//go:build ignore

// Identity and kernel: ids, capabilities, namespaces, modules, ptrace, bpf,
// signals and the few prctl options that change what a process is.
#pragma once
#include "headers/plain.h"
#include "headers/clone.h"

PLAIN(setuid, 199, 2, U32(1, A0))
PLAIN(setgid, 201, 2, U32(1, A0))
PLAIN(setreuid, 427, 3, U32(1, A0) U32(2, A1))
PLAIN(setregid, 429, 3, U32(1, A0) U32(2, A1))
PLAIN(setresuid, 193, 4, U32(1, A0) U32(2, A1) U32(3, A2))
PLAIN(setresgid, 195, 4, U32(1, A0) U32(2, A1) U32(3, A2))
PLAIN(setuid16, 199, 2, U32(1, ID16(A0)))
PLAIN(setgid16, 201, 2, U32(1, ID16(A0)))
PLAIN(setreuid16, 427, 3, U32(1, ID16(A0)) U32(2, ID16(A1)))
PLAIN(setregid16, 429, 3, U32(1, ID16(A0)) U32(2, ID16(A1)))
PLAIN(setresuid16, 193, 4, U32(1, ID16(A0)) U32(2, ID16(A1)) U32(3, ID16(A2)))
PLAIN(setresgid16, 195, 4, U32(1, ID16(A0)) U32(2, ID16(A1)) U32(3, ID16(A2)))
PLAIN(setpgid, 295, 3, INT(1, A0) INT(2, A1))

PLAIN(setns, 241, 3, INT(1, A0) U32(2, clone_flags((u32)A1)))
PLAIN(unshare, 285, 2, U32(1, clone_flags((u32)A0)))

PLAIN(bpf, 369, 2, U32(1, A0))
PLAIN(userfaultfd, 321, 2, U32(1, fd_flags(A0)))
PLAIN(memfd_create, 405, 3, STR(1, A0) U32(2, A1 & 7))
PLAIN(finit_module, 413, 4, INT(1, A0) STR(2, A1) U32(3, A2 & 7))

PLAIN(kill, 129, 3, INT(1, A0) U8(2, A1))
PLAIN(tkill, 131, 3, INT(1, A0) U8(2, A1))
PLAIN(tgkill, 133, 4, INT(1, A0) INT(2, A1) U8(3, A2))

#define SNAPLEN 80 // of buffers, the format's default

HANDLER(init_module)
{
	struct rec r;
	bool compat = is_compat();
	u64 size = A1;

	if (!begin(&r, 411, 4))
		return 0;
	put_s64(&r, 0, ret);
	put_user_bytes(&r, 1, (const void *)A0, size < SNAPLEN ? size : SNAPLEN);
	put_u64(&r, 2, size);
	put_user_str(&r, 3, (const void *)A2);
	put_origin(&r, compat ? ORIGIN_IA32 : 0);
	return submit(&r);
}

// capset: what the kernel now holds, not what was asked for.
HANDLER(capset)
{
	struct rec r;
	const struct cred *cred = BPF_CORE_READ(task(), cred);

	if (!begin(&r, 353, 4))
		return 0;
	put_s64(&r, 0, ret);
	put_u64(&r, 1, BPF_CORE_READ(cred, cap_inheritable.val));
	put_u64(&r, 2, BPF_CORE_READ(cred, cap_permitted.val));
	put_u64(&r, 3, BPF_CORE_READ(cred, cap_effective.val));
	put_origin(&r, is_compat() ? ORIGIN_IA32 : 0);
	return submit(&r);
}

// put_dyn puts one of ptrace's two kinds of value: 0 u64, 1 signal.
INLINE void put_dyn(struct rec *r, u32 i, u8 kind, u64 v)
{
	struct {
		u8 kind;
		u64 v;
	} __attribute__((packed)) dyn = {kind, v};

	put_kernel_bytes(r, i, &dyn, kind ? 2 : 9);
}

HANDLER(ptrace)
{
	struct rec r;
	bool compat = is_compat();
	u16 request = ptrace_request((u32)A0);
	u64 data = A3;

	if (!begin(&r, 169, 5))
		return 0;
	put_s64(&r, 0, ret);
	put_dyn(&r, 1, 0, A2);
	switch (request) {
	case 8: // CONT
	case 10: // SINGLESTEP
	case 12: // DETACH
	case 13: // SYSCALL
	case 36: // SYSEMU
	case 37: // SYSEMU_SINGLESTEP
		put_dyn(&r, 2, 1, data);
		break;
	default:
		put_dyn(&r, 2, 0, data);
	}
	put_u16(&r, 3, request);
	put_s64(&r, 4, (s32)A1);
	put_origin(&r, compat ? ORIGIN_IA32 : 0);
	return submit(&r);
}

// changes_process tells the prctl options that set something which others of
// this process or its children can see; reading ones and the rest are not sent.
INLINE bool changes_process(u32 option)
{
	switch (option) {
	case 4:  // SET_DUMPABLE
	case 8:  // SET_KEEPCAPS
	case 15: // SET_NAME
	case 22: // SET_SECCOMP
	case 24: // CAPBSET_DROP
	case 28: // SET_SECUREBITS
	case 35: // SET_MM
	case 36: // SET_CHILD_SUBREAPER
	case 38: // SET_NO_NEW_PRIVS
	case 47: // CAP_AMBIENT
		return true;
	}
	return false;
}

HANDLER(prctl)
{
	struct rec r;
	bool compat = is_compat();
	u32 option = A0;

	if (!changes_process(option) || !begin(&r, 401, 4))
		return 0;
	put_s64(&r, 0, ret);
	put_u32(&r, 1, option);
	if (option == 15) {
		put_kernel_str(&r, 2, task()->comm); // what the kernel made of it
		put_s64(&r, 3, 0);
	} else {
		put_empty(&r, 2);
		put_s64(&r, 3, A1);
	}
	put_origin(&r, compat ? ORIGIN_IA32 : 0);
	return submit(&r);
}
