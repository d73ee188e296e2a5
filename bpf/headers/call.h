// System calls: their numbers and arguments on each architecture, native and
// 32-bit, and who made them.
#pragma once
#include "record.h"

// task is the current one, to be read with BPF_CORE_READ.
INLINE struct task_struct *task(void)
{
	return (struct task_struct *)bpf_get_current_task();
}

INLINE u32 current_tgid(void)
{
	return bpf_get_current_pid_tgid() >> 32;
}

#if defined(__TARGET_ARCH_x86)
#define CALL_NR(regs) ((u32)(regs)->orig_ax & ~0x40000000u) // x32 has the native numbers
#define COMPAT_FIELD thread_info.status
#define COMPAT_BIT 2 // TS_COMPAT
#elif defined(__TARGET_ARCH_arm64)
#define CALL_NR(regs) ((u32)(regs)->syscallno)
#define COMPAT_FIELD thread_info.flags
#define COMPAT_BIT (1 << 22) // TIF_32BIT
#endif

// caller is who makes the current call.
struct caller {
	u32 tgid;
	u32 tid;
	bool compat; // came by the 32-bit table
};

// this_caller asks the kernel once: each helper costs as much as all the loads.
INLINE struct caller this_caller(void)
{
	if (bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_get_current_task_btf)) {
		struct task_struct *t = bpf_get_current_task_btf();
		return (struct caller){t->tgid, t->pid, (t->COMPAT_FIELD & COMPAT_BIT) != 0};
	}
	u64 id = bpf_get_current_pid_tgid();
	return (struct caller){id >> 32, id, (BPF_CORE_READ(task(), COMPAT_FIELD) & COMPAT_BIT) != 0};
}

INLINE bool is_compat(void)
{
	return this_caller().compat;
}

#if defined(__TARGET_ARCH_x86)
#define ARG(regs, compat, native, ia32) ((compat) ? (u64)(u32)(regs)->ia32 : (u64)(regs)->native)
INLINE u64 arg0(struct pt_regs *regs, bool compat) { return ARG(regs, compat, di, bx); }
INLINE u64 arg1(struct pt_regs *regs, bool compat) { return ARG(regs, compat, si, cx); }
INLINE u64 arg2(struct pt_regs *regs, bool compat) { return ARG(regs, compat, dx, dx); }
INLINE u64 arg3(struct pt_regs *regs, bool compat) { return ARG(regs, compat, r10, si); }
INLINE u64 arg4(struct pt_regs *regs, bool compat) { return ARG(regs, compat, r8, di); }
INLINE u64 arg5(struct pt_regs *regs, bool compat) { return ARG(regs, compat, r9, bp); }
#elif defined(__TARGET_ARCH_arm64)
#define ARG(regs, compat, field) ((compat) ? (u64)(u32)(regs)->field : (u64)(regs)->field)
INLINE u64 arg0(struct pt_regs *regs, bool compat) { return ARG(regs, compat, orig_x0); }
INLINE u64 arg1(struct pt_regs *regs, bool compat) { return ARG(regs, compat, regs[1]); }
INLINE u64 arg2(struct pt_regs *regs, bool compat) { return ARG(regs, compat, regs[2]); }
INLINE u64 arg3(struct pt_regs *regs, bool compat) { return ARG(regs, compat, regs[3]); }
INLINE u64 arg4(struct pt_regs *regs, bool compat) { return ARG(regs, compat, regs[4]); }
INLINE u64 arg5(struct pt_regs *regs, bool compat) { return ARG(regs, compat, regs[5]); }
#endif

#define ORIGIN_RACED 1
#define ORIGIN_URING 2
#define ORIGIN_IA32 4

// put_origin appends a Detail that says only origin; nothing when it is 0.
INLINE void put_origin(struct rec *r, u8 origin)
{
	if (!origin)
		return;
	detail(r);
	put_u8(r, 0, origin);
	for (u32 i = 1; i < DETAIL_PARAMS; i++)
		put_empty(r, i);
}
