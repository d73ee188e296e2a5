//go:build ignore

// The one program on sys_exit: a table lookup, and a tail call for the few
// system calls that somebody wants.
#pragma once
#include "headers/call.h"

#define CALLS 1024

// Handler of each system call, 0: none. Filled by bpf.Load from Calls.
const volatile u8 native_calls[CALLS];
const volatile u8 compat_calls[CALLS];

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 256);
	__type(key, u32);
	__type(value, u32);
} handlers SEC(".maps");

SEC("tp_btf/sys_exit")
int BPF_PROG(sys_exit, struct pt_regs *regs, long ret)
{
	u64 nr = CALL_NR(regs);
	barrier_var(nr); // keep the bound on the register that indexes
	if (nr >= CALLS)
		return 0;
	u32 handler = native_calls[nr];
	u32 other = compat_calls[nr];
	if (!(handler | other))
		return 0;
	if (handler != other && is_compat())
		handler = other;
	if (!handler || is_self(current_tgid()))
		return 0;
	bpf_tail_call(ctx, &handlers, handler);
	return 0;
}
