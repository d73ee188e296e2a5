//go:build ignore

// The one program on sys_exit: a table lookup, and a tail call for the few
// system calls that somebody wants.
#pragma once
#include "headers/call.h"

#define CALLS 1024

// Handlers of each number: the native call's in the low byte, the 32-bit
// call's in the high one, 0: none. Filled by Load from calls.go.
const volatile u16 call_handlers[CALLS];

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 256);
	__type(key, u32);
	__type(value, u32);
} handlers SEC(".maps");

// A jump to a constant entry is patched into the program, others go through a
// retpoline: so the first handlers of calls.go, the commonest, are reached by one.
#define OFTEN(number)                                      \
	case number:                                       \
		bpf_tail_call_static(ctx, &handlers, number); \
		return 0;

SEC("tp_btf/sys_exit")
int BPF_PROG(sys_exit, struct pt_regs *regs, long ret)
{
	u64 nr = CALL_NR(regs);
	barrier_var(nr); // keep the bound on the register that indexes
	if (nr >= CALLS)
		return 0;
	u32 both = call_handlers[nr];
	if (!both)
		return 0;
	struct caller by = this_caller();
	u32 handler = by.compat ? both >> 8 : both & 0xff;
	if (!handler || is_self(by.tgid))
		return 0;
	switch (handler) {
		OFTEN(1)
		OFTEN(2)
		OFTEN(3)
		OFTEN(4)
	}
	bpf_tail_call(ctx, &handlers, handler);
	return 0;
}
