// Handlers that do nothing but copy result and arguments.
#pragma once
#include "call.h"
#include "flags.h"

#define HANDLER(name) SEC("tp_btf/sys_exit") int BPF_PROG(call_##name, struct pt_regs *regs, long ret)

// PLAIN is the handler of an event whose first parameter is the call's result;
// the rest puts the others, with the arguments at hand as A0 to A5.
#define PLAIN(name, type, nparams, ...)                        \
	HANDLER(name)                                          \
	{                                                      \
		struct rec r;                                  \
		bool compat = is_compat();                     \
		if (!begin(&r, type, nparams))                 \
			return 0;                              \
		put_s64(&r, 0, ret);                           \
		__VA_ARGS__                                    \
		put_origin(&r, compat ? ORIGIN_IA32 : 0);      \
		return submit(&r);                             \
	}

#define A0 arg0(regs, compat)
#define A1 arg1(regs, compat)
#define A2 arg2(regs, compat)
#define A3 arg3(regs, compat)
#define A4 arg4(regs, compat)
#define A5 arg5(regs, compat)

// How an argument becomes parameter i.
#define STR(i, arg) put_user_str(&r, i, (const void *)(arg));
#define INT(i, arg) put_s64(&r, i, (s32)(arg)); // fd, pid: an int in the call, 8 bytes in the event
#define U8(i, v) put_u8(&r, i, v);
#define U16(i, v) put_u16(&r, i, v);
#define U32(i, v) put_u32(&r, i, v);
#define U64(i, v) put_u64(&r, i, v);

// ID16 widens the 16-bit ids of old 32-bit calls, where 0xffff means none.
#define ID16(v) ((u16)(v) == 0xffff ? 0xffffffff : (u16)(v))
