// Addresses of sockets in the capture format: sockaddr and socktuple
// parameters. Addresses are in network order, ports are plain integers.
#pragma once
#include "fd.h"

#define AF_UNIX 1
#define AF_INET 2
#define AF_INET6 10

#define UNIX_PATH 108

struct end4 {
	u32 ip;
	u16 port;
} __attribute__((packed));

struct end6 {
	u64 ip[2];
	u16 port;
} __attribute__((packed));

struct tuple4 {
	u8 family;
	struct end4 source, dest;
} __attribute__((packed));

struct tuple6 {
	u8 family;
	struct end6 source, dest;
} __attribute__((packed));

// peer is an address as a system call passes it, decoded.
struct peer {
	u8 family; // 0: none
	u16 port;
	u64 ip[2];        // IPv4 in the low half of the first
	const char *path; // AF_UNIX: user memory
	u32 path_len;
};

INLINE u16 swap16(u16 v)
{
	return __builtin_bswap16(v);
}

// read_peer decodes the user's sockaddr of len bytes.
INLINE void read_peer(struct peer *p, const void *addr, u32 len)
{
	struct {
		u16 family, port;
		u32 flow_or_ip4;
		u64 ip6[2];
	} sa = {};

	*p = (struct peer){};
	if (!addr || len < 2 || bpf_probe_read_user(&sa.family, 2, addr))
		return;
	if (sa.family == AF_UNIX) {
		p->family = AF_UNIX;
		p->path = (const char *)addr + 2;
		p->path_len = len - 2 < UNIX_PATH ? len - 2 : UNIX_PATH;
	} else if (sa.family == AF_INET && len >= 8 && !bpf_probe_read_user(&sa, 8, addr)) {
		p->family = AF_INET;
		p->port = swap16(sa.port);
		p->ip[0] = sa.flow_or_ip4;
	} else if (sa.family == AF_INET6 && len >= 24 && !bpf_probe_read_user(&sa, 24, addr)) {
		p->family = AF_INET6;
		p->port = swap16(sa.port);
		p->ip[0] = sa.ip6[0];
		p->ip[1] = sa.ip6[1];
	}
}

// put_unix_path puts head (n bytes) and the path of at most 108 bytes at from,
// NUL-terminated; an abstract name loses its leading NUL.
#define PUT_UNIX_PATH(name, read, read_str)                                                  \
	INLINE void name(struct rec *r, u32 i, const void *head, u32 n, const char *from, u64 len) \
	{                                                                                    \
		char first = 0;                                                              \
		u64 o = r->off;                                                              \
		barrier_var(o);                                                              \
		if (o > RECORD_MAX) {                                                        \
			r->off = RECORD_MAX + STR_MAX + 1;                                   \
			return;                                                              \
		}                                                                            \
		if (len && from)                                                             \
			read(&first, 1, from);                                               \
		if (len && !first) {                                                         \
			from++;                                                              \
			len--;                                                               \
		}                                                                            \
		barrier_var(len);                                                            \
		if (len > UNIX_PATH)                                                         \
			len = UNIX_PATH;                                                     \
		bpf_probe_read_kernel(r->buf + o, n, head);                                  \
		s64 got = len && from ? read_str(r->buf + o + n, len + 1, from) : 0;         \
		if (got < 1 || got > UNIX_PATH + 1) {                                        \
			r->buf[o + n] = 0;                                                   \
			got = 1;                                                             \
		}                                                                            \
		put_len(r, i, n + got);                                                      \
		r->off = o + n + got;                                                        \
	}

PUT_UNIX_PATH(put_user_unix, bpf_probe_read_user, bpf_probe_read_user_str)
PUT_UNIX_PATH(put_kernel_unix, bpf_probe_read_kernel, bpf_probe_read_kernel_str)

// put_sockaddr puts p as a sockaddr parameter.
INLINE void put_sockaddr(struct rec *r, u32 i, const struct peer *p)
{
	u8 head = p->family;

	if (p->family == AF_INET) {
		struct {
			u8 family;
			struct end4 e;
		} __attribute__((packed)) a = {head, {p->ip[0], p->port}};
		put_kernel_bytes(r, i, &a, sizeof(a));
	} else if (p->family == AF_INET6) {
		struct {
			u8 family;
			struct end6 e;
		} __attribute__((packed)) a = {head, {{p->ip[0], p->ip[1]}, p->port}};
		put_kernel_bytes(r, i, &a, sizeof(a));
	} else if (p->family == AF_UNIX) {
		put_user_unix(r, i, &head, 1, p->path, p->path_len);
	} else {
		put_empty(r, i);
	}
}

INLINE u16 sock_family(struct sock *sk)
{
	return BPF_CORE_READ(sk, __sk_common.skc_family);
}

INLINE u64 sock_cookie(struct sock *sk)
{
	return BPF_CORE_READ(sk, __sk_common.skc_cookie.counter);
}

// local_port: a closing socket has given up its number and knows what it was.
INLINE u16 local_port(struct sock *sk)
{
	struct inet_sock *inet = (struct inet_sock *)sk;
	u16 port = BPF_CORE_READ(sk, __sk_common.skc_num);
	return port ? port : swap16(BPF_CORE_READ(inet, inet_sport));
}

INLINE void local_end4(struct end4 *e, struct sock *sk)
{
	struct inet_sock *inet = (struct inet_sock *)sk;
	e->ip = BPF_CORE_READ(sk, __sk_common.skc_rcv_saddr);
	if (!e->ip)
		e->ip = BPF_CORE_READ(inet, inet_saddr);
	e->port = local_port(sk);
}

INLINE void local_end6(struct end6 *e, struct sock *sk)
{
	bpf_core_read(e->ip, 16, &sk->__sk_common.skc_v6_rcv_saddr);
	e->port = local_port(sk);
}

// read_sock_peer is the peer that sk is connected to; family 0 when to none.
INLINE void read_sock_peer(struct peer *p, struct sock *sk)
{
	u16 family = sock_family(sk);

	*p = (struct peer){};
	p->port = swap16(BPF_CORE_READ(sk, __sk_common.skc_dport));
	if (!p->port)
		return;
	if (family == AF_INET)
		p->ip[0] = BPF_CORE_READ(sk, __sk_common.skc_daddr);
	else if (family == AF_INET6)
		bpf_core_read(p->ip, 16, &sk->__sk_common.skc_v6_daddr);
	else
		return;
	p->family = family;
}

// put_inet_tuple puts sk's own address and p: the peer first when incoming.
INLINE void put_inet_tuple(struct rec *r, u32 i, struct sock *sk, const struct peer *p, bool incoming)
{
	u16 family = sock_family(sk);

	if (family == AF_INET) {
		struct end4 local = {}, remote = {p->ip[0], p->port};
		local_end4(&local, sk);
		struct tuple4 t = {AF_INET, local, remote};
		if (incoming)
			t = (struct tuple4){AF_INET, remote, local};
		put_kernel_bytes(r, i, &t, sizeof(t));
	} else if (family == AF_INET6) {
		struct end6 local = {}, remote = {{p->ip[0], p->ip[1]}, p->port};
		if (p->family == AF_INET) { // by an IPv6 socket: as the kernel maps it
			remote.ip[0] = 0;
			remote.ip[1] = p->ip[0] << 32 | 0xffff0000;
		}
		local_end6(&local, sk);
		struct tuple6 t = {AF_INET6, local, remote};
		if (incoming)
			t = (struct tuple6){AF_INET6, remote, local};
		put_kernel_bytes(r, i, &t, sizeof(t));
	} else {
		put_empty(r, i);
	}
}

INLINE struct sock *unix_peer(struct sock *sk)
{
	struct unix_sock *us = (struct unix_sock *)sk;
	return BPF_CORE_READ(us, peer);
}

// put_unix_tuple: socket addresses serve as ids; the path is the server's.
INLINE void put_unix_tuple(struct rec *r, u32 i, struct sock *sk, bool incoming)
{
	struct unix_sock *us = (struct unix_sock *)sk;
	struct sock *other = unix_peer(sk);
	struct unix_sock *named = incoming ? us : (struct unix_sock *)other;
	struct unix_address *a = named ? BPF_CORE_READ(named, addr) : NULL;
	struct {
		u8 family;
		u64 source, dest;
	} __attribute__((packed)) head = {AF_UNIX, (u64)(incoming ? other : sk), (u64)(incoming ? sk : other)};
	u32 len = a ? BPF_CORE_READ(a, len) : 0;
	const char *path = a ? (const char *)__builtin_preserve_access_index(&a->name) + 2 : NULL;

	put_kernel_unix(r, i, &head, sizeof(head), path, len > 2 ? len - 2 : 0);
}

// put_tuple puts both ends of a connected socket.
INLINE void put_tuple(struct rec *r, u32 i, struct sock *sk, bool incoming)
{
	struct peer p;

	if (!sk) {
		put_empty(r, i);
	} else if (sock_family(sk) == AF_UNIX) {
		put_unix_tuple(r, i, sk, incoming);
	} else {
		read_sock_peer(&p, sk);
		put_inet_tuple(r, i, sk, &p, incoming);
	}
}

// put_socket_detail appends a Detail with origin, cookie and the kernel's own
// addresses, local first, as far as there is something to say.
INLINE void put_socket_detail(struct rec *r, u8 origin, struct sock *sk)
{
	u64 cookie = sk ? sock_cookie(sk) : 0;

	if (!cookie) {
		put_origin(r, origin);
		return;
	}
	detail(r);
	if (origin)
		put_u8(r, 0, origin);
	else
		put_empty(r, 0);
	put_empty(r, 1);
	put_empty(r, 2);
	put_empty(r, 3);
	put_u64(r, 4, cookie);
	put_empty(r, 5);
	put_empty(r, 6);
}
