//go:build ignore

// Datagrams: the first one that a socket sends to, or receives from, each peer
// in a row, and the answers of name servers. Descriptors that arrive over a
// unix socket are noted here too. Streams are left to connect and accept.
#pragma once
#include "headers/plain.h"
#include "headers/tuple.h"

#define SOCK_STREAM 1
#define SOCK_DGRAM 2
#define SOCK_RAW 3
#define DNS_MAX 512
#define CONTROL_MAX 256
#define RIGHTS_MAX 32 // descriptors of one message that are noted

// Who a socket sent to, or received from, last. The key is the socket's inode
// number, which is not given out again soon as its address in memory is, with
// the direction in its last bit.
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, u64);
	__type(value, u64); // peer_id
} talks SEC(".maps");

// message is what was sent or received, as the call described it.
struct message {
	s64 bytes; // moved
	s32 fd;
	const void *data; // the first piece
	u64 piece;        // its length
	u64 size;         // of all pieces
	const void *addr;
	u32 addr_len;
	const void *control;
	u64 control_len;
	bool incoming, compat;
	struct sock *sk;
	u16 family, type;
	struct peer peer;
};

#define WORD(m) ((m)->compat ? 4 : 8)

// user_word reads word i of a user structure of pointers and sizes.
INLINE u64 user_word(const void *base, u32 i, bool compat)
{
	u64 v = 0;
	bpf_probe_read_user(&v, compat ? 4 : 8, base + i * (compat ? 4 : 8));
	return v;
}

#define IOVECS 8 // pieces whose lengths are added up

// pieces is the length of all n pieces but the first.
__noinline u64 pieces(u64 iov, u64 n, u64 compat)
{
	u64 size = 0;
	for (u32 i = 1; i < IOVECS && i < n; i++)
		size += user_word((const void *)iov, 2 * i + 1, compat);
	return size;
}

// read_msghdr fills m from a user msghdr: name, name's length, pieces, their
// number, control, its length.
INLINE void read_msghdr(struct message *m, const void *hdr)
{
	const void *iov = (const void *)user_word(hdr, 2, m->compat);
	u64 n = user_word(hdr, 3, m->compat);

	m->addr = (const void *)user_word(hdr, 0, m->compat);
	m->addr_len = user_word(hdr, 1, m->compat);
	m->control = (const void *)user_word(hdr, 4, m->compat);
	m->control_len = user_word(hdr, 5, m->compat);
	m->data = n ? (const void *)user_word(iov, 0, m->compat) : NULL;
	m->piece = n ? user_word(iov, 1, m->compat) : 0;
	m->size = m->piece + (n > 1 ? pieces((u64)iov, n, m->compat) : 0);
}

INLINE u64 peer_id(struct message *m)
{
	const struct peer *p = &m->peer;
	u64 path[2] = {};

	if (m->family != AF_UNIX)
		return p->family ? (p->ip[0] * 31 ^ p->ip[1]) * 0x9E3779B97F4A7C15ull + p->port + 1 : 1;
	if (p->path_len && !m->incoming) {
		bpf_probe_read_user(path, p->path_len < 16 ? p->path_len : 16, p->path);
		return (path[0] * 31 ^ path[1]) * 0x9E3779B97F4A7C15ull + p->path_len;
	}
	struct sock *other = unix_peer(m->sk);
	return other ? (u64)other : 1;
}

// is_new remembers m's peer and reports whether it was another before.
INLINE bool is_new(struct message *m, u64 inode)
{
	u64 id = peer_id(m);
	u64 key = inode << 1 | m->incoming;
	u64 *last = bpf_map_lookup_elem(&talks, &key);

	if (!last) {
		bpf_map_update_elem(&talks, &key, &id, BPF_ANY);
		return true;
	}
	if (*last == id)
		return false;
	*last = id;
	return true;
}

// describe fills in socket and peer, and reports whether m is a datagram of a
// family that we know, with the socket's inode number. A connected socket's peer
// is the kernel's; only a datagram sent with an address may go elsewhere.
INLINE bool describe(struct message *m, u64 *ino)
{
	m->family = 0;
	struct file *f = fd_file(m->fd);
	if (m->bytes < 0 || !f)
		return false;
	struct socket *s = BPF_CORE_READ(f, private_data); // a socket: the call succeeded
	m->type = BPF_CORE_READ(s, type);
	if (m->type != SOCK_DGRAM && m->type != SOCK_RAW)
		return false;
	struct inode *inode = BPF_CORE_READ(f, f_inode);
	if ((BPF_CORE_READ(inode, i_mode) & S_IFMT) != S_IFSOCK) // unless the number was reused
		return false;
	m->sk = BPF_CORE_READ(s, sk);
	m->family = sock_family(m->sk);
	if (m->family != AF_INET && m->family != AF_INET6 && m->family != AF_UNIX) {
		m->family = 0;
		return false;
	}
	read_sock_peer(&m->peer, m->sk);
	if (m->addr && (!m->incoming || !m->peer.family))
		read_peer(&m->peer, m->addr, m->addr_len);
	*ino = BPF_CORE_READ(inode, i_ino);
	return true;
}

// examine describes m and reports whether it is a datagram whose peer is new.
INLINE bool examine(struct message *m)
{
	u64 ino = 0;
	return describe(m, &ino) && is_new(m, ino);
}

INLINE void put_message_tuple(struct rec *r, u32 i, struct message *m)
{
	if (m->family == AF_UNIX && m->peer.family == AF_UNIX && !m->incoming) {
		struct {
			u8 family;
			u64 source, dest;
		} __attribute__((packed)) head = {AF_UNIX, (u64)m->sk, 0};
		put_user_unix(r, i, &head, sizeof(head), m->peer.path, m->peer.path_len);
	} else if (m->family == AF_UNIX) {
		put_unix_tuple(r, i, m->sk, m->incoming);
	} else if (m->family && m->peer.family) {
		put_inet_tuple(r, i, m->sk, &m->peer, m->incoming);
	} else {
		put_empty(r, i);
	}
}

INLINE void put_data(struct rec *r, u32 i, struct message *m)
{
	u64 n = m->piece < m->bytes ? m->piece : m->bytes;
	put_user_bytes(r, i, m->data, n < SNAPLEN ? n : SNAPLEN);
}

INLINE int send_end(struct rec *r, struct message *m)
{
	put_socket_detail(r, m->compat ? ORIGIN_IA32 : 0, m->sk);
	return submit(r);
}

INLINE int sent(u16 type, struct message *m)
{
	struct rec r;

	if (!examine(m) || !begin(&r, type, 5))
		return 0;
	put_s64(&r, 0, m->bytes);
	put_data(&r, 1, m);
	put_s64(&r, 2, m->fd);
	put_u32(&r, 3, m->size);
	put_message_tuple(&r, 4, m);
	return send_end(&r, m);
}

// send_dns sends the answer of the name server at ip (in the high half of n a
// bit each: 1 the caller is 32-bit, 2 ip is IPv4). A function of its own: the
// verifier would follow it for every way that leads here.
__noinline int send_dns(u64 sock, u64 data, u64 n, u64 ip0, u64 ip1)
{
	struct rec r;
	struct sock *sk = (struct sock *)sock;
	struct peer p = {.family = n >> 32 & 2 ? AF_INET : AF_INET6, .port = DNS_PORT, .ip = {ip0, ip1}};
	u32 size = n;

	if (!begin(&r, 0xF002, 2))
		return 0;
	put_inet_tuple(&r, 0, sk, &p, false);
	put_user_bytes(&r, 1, (const void *)data, size < DNS_MAX ? size : DNS_MAX);
	put_socket_detail(&r, n >> 32 & 1 ? ORIGIN_IA32 : 0, sk);
	return submit(&r);
}

// dns follows the event that received an answer, or would have.
INLINE void dns(struct message *m)
{
	u64 n = m->piece < m->bytes ? m->piece : m->bytes;

	if (m->type != SOCK_DGRAM || m->peer.port != DNS_PORT || m->family == AF_UNIX || !m->family || m->bytes <= 0)
		return;
	n = (u32)n | (m->compat ? 1ULL << 32 : 0) | (m->peer.family == AF_INET ? 2ULL << 32 : 0);
	send_dns((u64)m->sk, (u64)m->data, n, m->peer.ip[0], m->peer.ip[1]);
}

HANDLER(sendto)
{
	bool compat = is_compat();
	NET_ARGS(a, 6)
	struct message m = {.bytes = ret, .fd = a[0], .data = (void *)a[1], .piece = a[2], .size = a[2],
			    .addr = (void *)a[4], .addr_len = a[5], .compat = compat};
	return sent(31, &m);
}

// send: 32-bit tables have it apart from sendto.
HANDLER(send)
{
	bool compat = is_compat();
	NET_ARGS(a, 3)
	struct message m = {.bytes = ret, .fd = a[0], .data = (void *)a[1], .piece = a[2], .size = a[2], .compat = compat};
	return sent(31, &m);
}

HANDLER(sendmsg)
{
	bool compat = is_compat();
	NET_ARGS(a, 2)
	struct message m = {.bytes = ret, .fd = a[0], .compat = compat};

	if (ret < 0)
		return 0;
	read_msghdr(&m, (void *)a[1]);
	return sent(49, &m);
}

#define MSG_LEN 7 // words of a msghdr; msg_len follows

// sendmmsg: its first message; the result is that message's length.
HANDLER(sendmmsg)
{
	struct rec r;
	bool compat = is_compat();
	NET_ARGS(a, 2)
	struct message m = {.fd = a[0], .compat = compat};

	if (ret <= 0)
		return 0;
	read_msghdr(&m, (void *)a[1]);
	m.bytes = (u32)user_word((void *)a[1], MSG_LEN, compat);
	if (!examine(&m) || !begin(&r, 51, 5))
		return 0;
	put_s64(&r, 0, m.bytes);
	put_s64(&r, 1, m.fd);
	put_u32(&r, 2, m.size);
	put_data(&r, 3, &m);
	put_message_tuple(&r, 4, &m);
	return send_end(&r, &m);
}

INLINE int received_from(struct message *m)
{
	struct rec r;

	if (examine(m) && begin(&r, 35, 5)) {
		put_s64(&r, 0, m->bytes);
		put_data(&r, 1, m);
		put_message_tuple(&r, 2, m);
		put_s64(&r, 3, m->fd);
		put_u32(&r, 4, m->size);
		send_end(&r, m);
	}
	dns(m);
	return 0;
}

HANDLER(recvfrom)
{
	bool compat = is_compat();
	u32 addr_len = 0;
	NET_ARGS(a, 6)

	if (ret < 0)
		return 0;
	if (a[4])
		bpf_probe_read_user(&addr_len, sizeof(addr_len), (void *)a[5]);
	struct message m = {.bytes = ret, .fd = a[0], .data = (void *)a[1], .piece = a[2], .size = a[2],
			    .addr = (void *)a[4], .addr_len = addr_len, .compat = compat, .incoming = true};
	return received_from(&m);
}

// read: only of sockets that were connected to a name server, and only for its
// answers; Go's resolver reads them so.
HANDLER(read)
{
	u64 ino = 0;

	if (ret < DNS_HEAD)
		return 0;
	bool compat = is_compat();
	u64 key = dns_key(arg0(regs, compat));
	u64 *place = dns_place(key);
	if (*place != key)
		return 0;
	struct message m = {.bytes = ret, .fd = arg0(regs, compat), .data = (void *)arg1(regs, compat), .piece = ret,
			    .compat = compat, .incoming = true};
	if (describe(&m, &ino))
		dns(&m);
	else
		*place = 0; // the number is another file's now
	return 0;
}

HANDLER(recv)
{
	bool compat = is_compat();
	NET_ARGS(a, 3)
	struct message m = {.bytes = ret, .fd = a[0], .data = (void *)a[1], .piece = a[2], .size = a[2],
			    .compat = compat, .incoming = true};
	return received_from(&m);
}

__noinline int note_rights(u64 control, u64 n, u64 fds)
{
	for (u32 i = 0; i < RIGHTS_MAX && i < n; i++) {
		s32 fd = -1;
		bpf_probe_read_user(&fd, sizeof(fd), (const void *)(control + fds + 4 * i));
		note_copy(fd);
	}
	return 0;
}

// took_rights notes descriptors that came with m, and reports whether any did.
INLINE bool took_rights(struct message *m)
{
	s32 head[2] = {}; // level and type behind the length
	u32 word = WORD(m), fds = word + sizeof(head);

	if (!m->control || m->control_len < fds + 4)
		return false;
	bpf_probe_read_user(head, sizeof(head), m->control + word);
	if (head[0] != 1 || head[1] != 1) // SOL_SOCKET, SCM_RIGHTS
		return false;
	u64 n = (user_word(m->control, 0, m->compat) - fds) / 4;
	note_rights((u64)m->control, n, fds);
	return true;
}

INLINE void put_control(struct rec *r, u32 i, struct message *m)
{
	put_user_bytes(r, i, m->control, m->control_len < CONTROL_MAX ? m->control_len : CONTROL_MAX);
}

HANDLER(recvmsg)
{
	struct rec r;
	bool compat = is_compat();
	NET_ARGS(a, 2)
	struct message m = {.bytes = ret, .fd = a[0], .compat = compat, .incoming = true};

	if (ret < 0)
		return 0;
	read_msghdr(&m, (void *)a[1]);
	bool rights = took_rights(&m);
	if ((examine(&m) || rights) && begin(&r, 53, 6)) {
		put_s64(&r, 0, ret);
		put_u32(&r, 1, m.size);
		put_data(&r, 2, &m);
		put_message_tuple(&r, 3, &m);
		put_control(&r, 4, &m);
		put_s64(&r, 5, m.fd);
		send_end(&r, &m);
	}
	dns(&m);
	return 0;
}

// recvmmsg: its first message, as sendmmsg.
HANDLER(recvmmsg)
{
	struct rec r;
	bool compat = is_compat();
	NET_ARGS(a, 2)
	struct message m = {.fd = a[0], .compat = compat, .incoming = true};

	if (ret <= 0)
		return 0;
	read_msghdr(&m, (void *)a[1]);
	m.bytes = (u32)user_word((void *)a[1], MSG_LEN, compat);
	if (examine(&m) && begin(&r, 55, 6)) {
		put_s64(&r, 0, m.bytes);
		put_s64(&r, 1, m.fd);
		put_u32(&r, 2, m.size);
		put_data(&r, 3, &m);
		put_message_tuple(&r, 4, &m);
		put_control(&r, 5, &m);
		send_end(&r, &m);
	}
	dns(&m);
	return 0;
}
