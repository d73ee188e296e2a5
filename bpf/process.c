//go:build ignore

// Process life: fork, clone, vfork, execve, execveat, exit.
#pragma once
#include "headers/call.h"

SEC("tp_btf/sys_exit")
int BPF_PROG(call_setsid, struct pt_regs *regs, long ret)
{
	struct rec r;
	bool compat = is_compat();
	if (!begin(&r, 275, 1))
		return 0;
	put_s64(&r, 0, ret);
	put_origin(&r, compat ? ORIGIN_IA32 : 0);
	return submit(&r);
}
