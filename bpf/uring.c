//go:build ignore

// Opens and connects that go through io_uring, which no system call shows. A
// request is remembered when it is submitted, with the kernel's own copy of its
// path, and sent when it completes.
#pragma once
#include "headers/plain.h"
#include "headers/tuple.h"

#define OP_CONNECT 16
#define OP_OPENAT 18
#define OP_OPENAT2 28
#define URING_PATH 1024

// SLOT is added to a number in a ring's own table, which is no descriptor of
// the process; descriptors stay below it.
#define SLOT 0x40000000

struct request {
	u32 tid;
	s32 fd; // directory or socket
	u32 slot; // from 1, in the ring's table; 0: a descriptor
	u32 flags, mode;
	u32 len;
	u8 op;
	char path[URING_PATH];
};

// Keyed by the request's address. LRU: a request whose completion is skipped
// (IOSQE_CQE_SKIP_SUCCESS) or never comes leaves by age.
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, u64);
	__type(value, struct request);
} requests SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct request);
} request_scratch SEC(".maps");

// remember_request notes an open or a connect; io is the request.
INLINE int remember_request(struct io_kiocb *io)
{
	u32 zero = 0;
	u64 key = (u64)io;
	u8 op = BPF_CORE_READ(io, opcode);

	if (op != OP_CONNECT && op != OP_OPENAT && op != OP_OPENAT2)
		return 0;
	if (is_self(current_tgid()))
		return 0;
	struct request *q = bpf_map_lookup_elem(&request_scratch, &zero);
	if (!q)
		return 0;
	q->tid = bpf_get_current_pid_tgid();
	q->op = op;
	q->slot = 0;
	q->len = 0;
	if (op == OP_CONNECT) {
		q->fd = BPF_CORE_READ(io, cqe.fd);
	} else {
		struct io_open *open = (struct io_open *)io; // its command begins the request
		q->fd = BPF_CORE_READ(open, dfd);
		q->slot = BPF_CORE_READ(open, file_slot);
		q->flags = BPF_CORE_READ(open, how.flags);
		q->mode = BPF_CORE_READ(open, how.mode);
		s64 n = bpf_probe_read_kernel_str(q->path, URING_PATH, BPF_CORE_READ(open, filename, name));
		q->len = n > 0 ? n : 0;
	}
	bpf_map_update_elem(&requests, &key, q, BPF_ANY);
	return 0;
}

INLINE int uring_opened(struct request *q, s32 res)
{
	struct rec r;
	struct open o = {.ret = res, .dirfd = q->fd, .flags = q->flags, .mode = q->mode, .origin = ORIGIN_URING};
	s64 fd = res;

	if (q->slot && res >= 0) { // of the ring's table: not to be looked at by number
		fd = SLOT + (q->slot == ~0u ? (u32)res : q->slot - 1);
		o.ret = -1;
	}
	look(&o);
	if (!begin_for(&r, q->tid, 307, 7))
		return 0;
	put_s64(&r, 0, fd);
	put_s64(&r, 1, o.dirfd);
	u64 at = r.off;
	u32 n = put_kernel_str(&r, 2, q->path);
	put_u32(&r, 3, o.ppm);
	put_u32(&r, 4, open_mode(o.flags, o.mode));
	put_u32(&r, 5, o.dev);
	put_u64(&r, 6, o.ino);
	return end_open(&r, &o, at, n);
}

INLINE int uring_connected(struct request *q, struct io_kiocb *io, s32 res)
{
	struct rec r;
	struct peer p = {};
	struct socket *s = file_socket(BPF_CORE_READ(io, file));
	struct sock *sk = s && (!res || res == -EINPROGRESS) ? BPF_CORE_READ(s, sk) : NULL;

	if (sk)
		read_sock_peer(&p, sk);
	if (!begin_for(&r, q->tid, 23, 4))
		return 0;
	put_s64(&r, 0, res);
	put_tuple(&r, 1, sk, false);
	put_s64(&r, 2, q->fd);
	put_sockaddr(&r, 3, &p); // the user's may be gone: the kernel's
	put_socket_detail(&r, ORIGIN_URING, sk);
	return submit(&r);
}

// The two names of one tracepoint: submit_req since 6.1. An older kernel's
// submit_sqe has other arguments and is not read.
SEC("tp_btf/io_uring_submit_req")
int BPF_PROG(uring_submit, struct io_kiocb *io)
{
	return remember_request(io);
}

SEC("tp_btf/io_uring_complete")
int BPF_PROG(uring_complete, struct io_ring_ctx *ring_ctx, void *io, struct io_uring_cqe *cqe)
{
	u64 key = (u64)io;
	struct request *q = bpf_map_lookup_elem(&requests, &key);

	if (!q)
		return 0;
	s32 res = BPF_CORE_READ(cqe, res);
	if (q->op == OP_CONNECT)
		uring_connected(q, io, res);
	else
		uring_opened(q, res);
	bpf_map_delete_elem(&requests, &key);
	return 0;
}
