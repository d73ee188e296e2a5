// Arguments that do not fit the exec event, sent before it in pieces: private
// events ExecArgs (event/private.go).
#pragma once
#include "record.h"

#define EXEC_ARGS 0xF005
#define PIECE (32 * 1024)
#define PIECES 64 // 2 MiB: what a stack of 8 MiB allows argv and environment together

// send_piece sends what lies at offset in the total bytes from start on. A
// function of its own: the verifier follows it once, not for every piece.
__noinline int send_piece(u64 start, u64 total, u64 offset)
{
	struct rec r;
	u64 n = total - offset;

	if (!begin(&r, EXEC_ARGS, 3))
		return 0;
	put_u32(&r, 0, offset);
	put_u32(&r, 1, total > ~0u ? ~0u : total);
	u64 o = r.off;
	barrier_var(o);
	barrier_var(n);
	if (n > PIECE)
		n = PIECE;
	if (o > RECORD_MAX + STR_MAX - PIECE || n == 0 || bpf_probe_read_user(r.buf + o, n, (void *)(start + offset)))
		return 0; // who joins them sees that one is missing
	put_len(&r, 2, n);
	advance(&r, o + n);
	return submit(&r);
}

// send_args sends argv of mm when it is longer than what one event carries.
INLINE void send_args(struct mm_struct *mm)
{
	u64 start = BPF_CORE_READ(mm, arg_start);
	u64 total = BPF_CORE_READ(mm, arg_end) - start;

	if (total <= STR_MAX || (s64)total < 0)
		return;
	for (u32 i = 0; i < PIECES && i * PIECE < total; i++)
		send_piece(start, total, i * PIECE);
}
