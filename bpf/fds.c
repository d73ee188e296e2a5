//go:build ignore

// Descriptors: dup, and the closing of sockets.
//
// Files are closed all the time and nobody asks for it, so only the closing of
// sockets is sent. At close's exit the file is gone and the number says
// nothing; a program on sys_enter would cost every system call of the host
// 45 ns. So each process that has sockets has a bitmap of their numbers here:
// set where sockets are made, copied at fork, taken from the kernel's table at
// exec and, for processes older than us, by an iterator at start. A close
// asks one bit for processes without sockets, and costs a lookup for others.
#pragma once
#include "headers/plain.h"
#include "headers/fd.h"

#define SOCKET_WORDS 16
#define SOCKET_FDS (SOCKET_WORDS * 64) // sockets with higher numbers close unseen

struct socket_fds {
	u64 word[SOCKET_WORDS];
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 8192);
	__type(key, u32); // thread group
	__type(value, struct socket_fds);
} socket_fds SEC(".maps");

const volatile struct socket_fds no_sockets = {};

#define TGIDS (4 * 1024 * 1024) // PID_MAX_LIMIT

// One bit per thread group: clear, it has no entry in socket_fds.
u64 has_sockets[TGIDS / 64];

INLINE u64 *group_word(u32 tgid)
{
	u64 i = tgid / 64;
	barrier_var(i); // or the verifier does not see the mask
	return &has_sockets[i & (TGIDS / 64 - 1)];
}

INLINE u64 group_bit(u32 tgid)
{
	return 1ULL << (tgid & 63);
}

INLINE void forget_sockets(u32 tgid)
{
	__sync_fetch_and_and(group_word(tgid), ~group_bit(tgid));
	bpf_map_delete_elem(&socket_fds, &tgid);
}

// fd_word is the word of s that holds fd, which is below SOCKET_FDS.
INLINE u64 *fd_word(struct socket_fds *s, s32 fd)
{
	u64 i = (u32)fd >> 6;
	barrier_var(i); // or the verifier does not see the mask
	return &s->word[i & (SOCKET_WORDS - 1)];
}

INLINE void mark_socket_of(u32 tgid, s32 fd)
{
	if (fd < 0 || fd >= SOCKET_FDS)
		return;
	struct socket_fds *s = bpf_map_lookup_elem(&socket_fds, &tgid);
	if (!s) {
		bpf_map_update_elem(&socket_fds, &tgid, (const void *)&no_sockets, BPF_NOEXIST);
		__sync_fetch_and_or(group_word(tgid), group_bit(tgid));
		s = bpf_map_lookup_elem(&socket_fds, &tgid);
		if (!s)
			return;
	}
	__sync_fetch_and_or(fd_word(s, fd), 1ULL << (fd & 63));
}

// mark_socket remembers that fd of this process is a socket.
INLINE void mark_socket(s32 fd)
{
	mark_socket_of(current_tgid(), fd);
}

// unmark_socket_of forgets fd and reports whether it was one. Should another
// thread have been given the number for a new socket meanwhile, it stays.
INLINE bool unmark_socket_of(u32 tgid, s32 fd)
{
	if (fd < 0 || fd >= SOCKET_FDS || !(*group_word(tgid) & group_bit(tgid)))
		return false;
	struct socket_fds *s = bpf_map_lookup_elem(&socket_fds, &tgid);
	if (!s)
		return false;
	u64 *w = fd_word(s, fd);
	u64 bit = 1ULL << (fd & 63);
	if (!(*w & bit))
		return false;
	if (!fd_socket(fd))
		__sync_fetch_and_and(w, ~bit);
	return true;
}

// note_copy remembers what a dup made of fd. It is no inline function, so that
// the verifier looks at it once.
__noinline int note_copy(s32 fd)
{
	if (fd < 0)
		return 0;
	if (fd_socket(fd))
		mark_socket(fd);
	else
		unmark_socket_of(current_tgid(), fd);
	return 0;
}

PLAIN(dup, 367, 2, INT(1, A0) note_copy(ret);)
PLAIN(dup2, 363, 3, INT(1, A0) INT(2, A1) note_copy(ret);)
PLAIN(dup3, 365, 4, INT(1, A0) INT(2, A1) U32(3, fd_flags(A2)) note_copy(ret);)
PLAIN(pidfd_getfd, 407, 4, INT(1, A0) INT(2, A1) U32(3, A2) note_copy(ret);)

#define F_DUPFD 0
#define F_DUPFD_CLOEXEC 1030

HANDLER(fcntl)
{
	struct rec r;
	bool compat = is_compat();
	u32 cmd = A1;

	if (cmd != F_DUPFD && cmd != F_DUPFD_CLOEXEC)
		return 0;
	if (!begin(&r, 151, 4))
		return 0;
	put_s64(&r, 0, ret);
	put_s64(&r, 1, (s32)A0);
	put_u8(&r, 2, cmd == F_DUPFD ? 1 : 26);
	put_u64(&r, 3, A2);
	note_copy(ret);
	put_origin(&r, compat ? ORIGIN_IA32 : 0);
	return submit(&r);
}

HANDLER(close)
{
	struct rec r;
	struct caller by = this_caller();
	bool compat = by.compat;
	s32 fd = A0;

	if (ret || !unmark_socket_of(by.tgid, fd) || !begin_for(&r, by.tid, 5, 2))
		return 0;
	put_s64(&r, 0, ret);
	put_s64(&r, 1, fd);
	put_origin(&r, compat ? ORIGIN_IA32 : 0);
	return submit(&r);
}

// range_mask is the bits of first to last in the word that begins at low. As a
// function of its own it is verified once, not for every combination of words.
__noinline u64 range_mask(u64 low, u64 first, u64 last)
{
	u64 high = low + 63, mask = ~0ULL;
	if (last < low || first > high)
		return 0;
	if (first > low)
		mask <<= (first - low) & 63;
	if (last < high)
		mask &= ~0ULL >> ((high - last) & 63);
	return mask;
}

// close_range is sent when there was a socket in the range; with
// CLOSE_RANGE_CLOEXEC (4) nothing is closed before exec.
HANDLER(close_range)
{
	struct rec r;
	bool compat = is_compat();
	u64 any = 0;
	u32 tgid = current_tgid(), first = A0, last = A1, flags = A2;
	u64 closing = flags & 4 ? 0 : ~0ULL;
	struct socket_fds *s = bpf_map_lookup_elem(&socket_fds, &tgid);

	if (ret || !s)
		return 0;
	for (u32 i = 0; i < SOCKET_WORDS; i++) {
		u64 mask = range_mask(i * 64, first, last);
		any |= s->word[i] & mask;
		s->word[i] &= ~(mask & closing);
	}
	if (!any || !begin(&r, 451, 4))
		return 0;
	put_s64(&r, 0, ret);
	put_u32(&r, 1, first);
	put_u32(&r, 2, last);
	put_u32(&r, 3, flags & 6);
	put_origin(&r, compat ? ORIGIN_IA32 : 0);
	return submit(&r);
}

// A child begins with its parent's descriptors, unless it shares them.
SEC("tp_btf/sched_process_fork")
int BPF_PROG(sockets_fork, struct task_struct *parent, struct task_struct *child)
{
	u32 from = parent->tgid, to = child->tgid;
	if (from == to)
		return 0;
	struct socket_fds *s = bpf_map_lookup_elem(&socket_fds, &from);
	if (!s)
		return 0;
	bpf_map_update_elem(&socket_fds, &to, s, BPF_ANY);
	__sync_fetch_and_or(group_word(to), group_bit(to));
	return 0;
}

// exec has closed what was to be closed: what is still a socket stays.
SEC("tp_btf/sched_process_exec")
int BPF_PROG(sockets_exec, struct task_struct *t, pid_t old_pid, struct linux_binprm *bprm)
{
	u32 tgid = t->tgid;
	struct socket_fds *s = bpf_map_lookup_elem(&socket_fds, &tgid);
	if (!s)
		return 0;
	struct fdtable *fdt = BPF_CORE_READ(t, files, fdt);
	unsigned long *open = BPF_CORE_READ(fdt, open_fds);
	u32 max = BPF_CORE_READ(fdt, max_fds);
	u64 left = 0;
	for (u32 i = 0; i < SOCKET_WORDS; i++) {
		u64 w = 0;
		if (i * 64 < max)
			bpf_probe_read_kernel(&w, sizeof(w), open + i);
		s->word[i] &= w;
		left |= s->word[i];
	}
	if (!left)
		forget_sockets(tgid);
	return 0;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(sockets_exit, struct task_struct *t)
{
	if (t->pid == t->tgid)
		forget_sockets(t->tgid);
	return 0;
}

// Run once at start: the sockets of processes that are older than us.
SEC("iter/task_file")
int sockets_found(struct bpf_iter__task_file *ctx)
{
	struct task_struct *t = ctx->task;
	struct file *f = ctx->file;
	if (t && f && file_socket(f))
		mark_socket_of(t->tgid, ctx->fd);
	return 0;
}
