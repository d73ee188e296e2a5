//go:build ignore

// Sockets: made, bound, connected, listening, accepted, shut down. Addresses
// are the kernel's own where the call succeeded.
#pragma once
#include "headers/plain.h"
#include "headers/tuple.h"

#define EINPROGRESS 115
#define SOCKETCALL 102
#define SOCKETCALLS 21

// Handler of each call of ia32's socketcall, 0: none. Filled by bpf.Load.
const volatile u8 socketcalls[SOCKETCALLS];

// net_args reads the first n arguments, of which socketcall passes an array.
#define NET_ARGS(a, n)                                                                \
	u64 a[n] = {};                                                                \
	if (IS_SOCKETCALL) {                                                          \
		u32 packed[n] = {};                                                   \
		bpf_probe_read_user(packed, sizeof(packed), (void *)A1);              \
		_Pragma("unroll") for (u32 k = 0; k < n; k++) a[k] = packed[k];       \
	} else {                                                                      \
		_Pragma("unroll") for (u32 k = 0; k < n; k++) a[k] = net_arg(regs, compat, k); \
	}

#ifdef __TARGET_ARCH_x86
#define IS_SOCKETCALL (compat && CALL_NR(regs) == SOCKETCALL)
#else
#define IS_SOCKETCALL 0
#endif

INLINE u64 net_arg(struct pt_regs *regs, bool compat, u32 k)
{
	switch (k) {
	case 0: return A0;
	case 1: return A1;
	case 2: return A2;
	case 3: return A3;
	case 4: return A4;
	default: return A5;
	}
}

HANDLER(socketcall)
{
	bool compat = is_compat();
	u32 n = A0;

	if (n < SOCKETCALLS && socketcalls[n])
		bpf_tail_call(ctx, &handlers, socketcalls[n]);
	return 0;
}

HANDLER(socket)
{
	struct rec r;
	bool compat = is_compat();
	NET_ARGS(a, 3)

	mark_socket(ret);
	if (!begin(&r, 19, 5))
		return 0;
	put_s64(&r, 0, ret);
	put_u32(&r, 1, a[0]);
	put_u32(&r, 2, a[1]);
	put_u32(&r, 3, a[2]);
	put_u32(&r, 4, fd_flags(a[1]));
	put_origin(&r, compat ? ORIGIN_IA32 : 0);
	return submit(&r);
}

HANDLER(socketpair)
{
	struct rec r;
	bool compat = is_compat();
	s32 fd[2] = {-1, -1};
	struct sock *one = NULL, *two = NULL;
	NET_ARGS(a, 4)

	if (!ret) {
		bpf_probe_read_user(fd, sizeof(fd), (void *)a[3]);
		one = fd_sock(fd[0]);
		two = fd_sock(fd[1]);
		mark_socket(fd[0]);
		mark_socket(fd[1]);
	}
	if (!begin(&r, 43, 8))
		return 0;
	put_s64(&r, 0, ret);
	put_s64(&r, 1, fd[0]);
	put_s64(&r, 2, fd[1]);
	put_u64(&r, 3, (u64)one);
	put_u64(&r, 4, (u64)two);
	put_u32(&r, 5, a[0]);
	put_u32(&r, 6, a[1]);
	put_u32(&r, 7, a[2]);
	// The numbers were the user's to change; what they name was not.
	u8 raced = !ret && (!one || !two || unix_peer(one) != two) ? ORIGIN_RACED : 0;
	put_origin(&r, raced | (compat ? ORIGIN_IA32 : 0));
	return submit(&r);
}

// other_peer reports whether the address that the user's memory holds now is
// not the one that the kernel connected to. The unspecified address means
// this host. Names of unix sockets can differ without a lie (links, relative
// paths) and are not compared. A connect hook that redirects (service meshes)
// is told as a contradiction too: the process did not reach what it named.
INLINE bool other_peer(const struct peer *user, struct sock *sk)
{
	struct peer k;

	if (user->family != AF_INET && user->family != AF_INET6)
		return false;
	read_sock_peer(&k, sk);
	if (!k.family)
		return false;
	if (user->port != k.port)
		return true;
	if (user->family != k.family)
		return false;
	if (!user->ip[0] && !user->ip[1])
		return false;
	return user->ip[0] != k.ip[0] || user->ip[1] != k.ip[1];
}

#define DNS_PORT 53
#define DNS_HEAD 12 // bytes of the shortest message

#define DNS_SOCKETS 4096

// Descriptors that were connected to a name server: read(2) is looked at only for
// them. Where two share a place the later one has it.
u64 dns_sockets[DNS_SOCKETS];

INLINE u64 dns_key(s32 fd)
{
	return (u64)current_tgid() << 32 | (u32)fd;
}

INLINE u64 *dns_place(u64 key)
{
	u64 i = key * 0x9E3779B97F4A7C15ull >> 52;
	barrier_var(i);
	return &dns_sockets[i & (DNS_SOCKETS - 1)];
}

INLINE void note_dns(s32 fd, struct sock *sk)
{
	u64 key = dns_key(fd);
	if (sk && BPF_CORE_READ(sk, __sk_common.skc_dport) == swap16(DNS_PORT))
		*dns_place(key) = key;
}

HANDLER(connect)
{
	struct rec r;
	bool compat = is_compat();
	u8 origin = compat ? ORIGIN_IA32 : 0;
	struct peer p;
	NET_ARGS(a, 3)
	struct sock *sk = !ret || ret == -EINPROGRESS ? fd_sock(a[0]) : NULL;

	read_peer(&p, (void *)a[1], a[2]);
	note_dns(a[0], sk);
	if (!begin(&r, 23, 4))
		return 0;
	put_s64(&r, 0, ret);
	put_tuple(&r, 1, sk, false);
	put_s64(&r, 2, (s32)a[0]);
	put_sockaddr(&r, 3, &p);
	if (sk && other_peer(&p, sk))
		origin |= ORIGIN_RACED;
	put_socket_detail(&r, origin, sk);
	return submit(&r);
}

INLINE int accepted(struct rec *r, s64 ret, s32 listener, bool four, u32 flags, bool compat)
{
	struct sock *sk = ret >= 0 ? fd_sock(ret) : NULL;
	struct sock *from = fd_sock(listener);
	u32 queued = from ? BPF_CORE_READ(from, sk_ack_backlog) : 0;
	u32 most = from ? BPF_CORE_READ(from, sk_max_ack_backlog) : 0;

	mark_socket(ret);
	put_s64(r, 0, ret);
	put_tuple(r, 1, sk, true);
	put_u8(r, 2, most ? (u64)queued * 100 / most : 0);
	put_u32(r, 3, queued);
	put_u32(r, 4, most);
	if (four)
		put_u32(r, 5, flags);
	put_socket_detail(r, compat ? ORIGIN_IA32 : 0, sk);
	return submit(r);
}

HANDLER(accept)
{
	struct rec r;
	bool compat = is_compat();
	NET_ARGS(a, 1)

	if (!begin(&r, 247, 5))
		return 0;
	return accepted(&r, ret, a[0], false, 0, compat);
}

HANDLER(accept4)
{
	struct rec r;
	bool compat = is_compat();
	NET_ARGS(a, 4)

	if (!begin(&r, 389, 6))
		return 0;
	return accepted(&r, ret, a[0], true, a[3], compat);
}

// bind: what was bound, so that the port that the kernel chose is known.
HANDLER(bind)
{
	struct rec r;
	bool compat = is_compat();
	u8 origin = compat ? ORIGIN_IA32 : 0;
	struct peer p;
	NET_ARGS(a, 3)
	struct sock *sk = !ret ? fd_sock(a[0]) : NULL;

	read_peer(&p, (void *)a[1], a[2]);
	if (sk && p.family != AF_UNIX) {
		struct end4 e4 = {};
		struct end6 e6 = {};
		u16 family = sock_family(sk);
		u16 asked = p.port;
		if (family == AF_INET) {
			local_end4(&e4, sk);
			p = (struct peer){.family = AF_INET, .port = e4.port, .ip = {e4.ip}};
		} else if (family == AF_INET6) {
			local_end6(&e6, sk);
			p = (struct peer){.family = AF_INET6, .port = e6.port, .ip = {e6.ip[0], e6.ip[1]}};
		}
		if (asked && asked != p.port)
			origin |= ORIGIN_RACED;
	}
	if (!begin(&r, 21, 3))
		return 0;
	put_s64(&r, 0, ret);
	put_sockaddr(&r, 1, &p);
	put_s64(&r, 2, (s32)a[0]);
	put_socket_detail(&r, origin, sk);
	return submit(&r);
}

HANDLER(listen)
{
	struct rec r;
	bool compat = is_compat();
	NET_ARGS(a, 2)

	if (!begin(&r, 25, 3))
		return 0;
	put_s64(&r, 0, ret);
	put_s64(&r, 1, (s32)a[0]);
	put_u32(&r, 2, a[1]);
	put_socket_detail(&r, compat ? ORIGIN_IA32 : 0, !ret ? fd_sock(a[0]) : NULL);
	return submit(&r);
}

HANDLER(shutdown)
{
	struct rec r;
	bool compat = is_compat();
	NET_ARGS(a, 2)

	if (!begin(&r, 37, 3))
		return 0;
	put_s64(&r, 0, ret);
	put_s64(&r, 1, (s32)a[0]);
	put_u8(&r, 2, a[1]);
	put_origin(&r, compat ? ORIGIN_IA32 : 0);
	return submit(&r);
}
