//go:build ignore

// TCP connections: established, closed, listening, with what they moved. Some
// states change in an interrupt: the thread is then whoever was running, and
// only the cookie says whose socket it is.
#pragma once
#include "headers/tuple.h"

#define TCP_ESTABLISHED 1
#define TCP_CLOSE 7
#define TCP_LISTEN 10
#define SOCK_DONE 1 // bit of skc_flags: the peer's FIN came

struct moved {
	u64 sent, received;
};

// bytes_moved is payload only. The kernel's counters include our SYN and FIN
// in what was acknowledged and the peer's FIN in what was received.
INLINE struct moved bytes_moved(struct sock *sk)
{
	struct tcp_sock *t = (struct tcp_sock *)sk;
	u64 acked = BPF_CORE_READ(t, bytes_acked);
	u64 payload = BPF_CORE_READ(t, bytes_sent) - BPF_CORE_READ(t, bytes_retrans);
	u64 received = BPF_CORE_READ(t, bytes_received);

	if (received && BPF_CORE_READ(sk, __sk_common.skc_flags) & (1 << SOCK_DONE))
		received--;
	return (struct moved){acked < payload ? acked : payload, received};
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(tcp_state, struct sock *sk, int before, int after)
{
	struct rec r;
	// The first asking gives the socket its cookie; connect and accept, which
	// cannot ask, then read it.
	u64 cookie = bpf_get_socket_cookie(sk);

	if (BPF_CORE_READ(sk, sk_protocol) != 6)
		return 0;
	if (after != TCP_ESTABLISHED && after != TCP_CLOSE && after != TCP_LISTEN)
		return 0;
	struct moved m = bytes_moved(sk);
	struct peer p;
	read_sock_peer(&p, sk);
	if (!begin_irq(&r, (u32)bpf_get_current_pid_tgid(), 0xF001, 6))
		return 0;
	put_u64(&r, 0, cookie);
	put_u8(&r, 1, before);
	put_u8(&r, 2, after);
	put_inet_tuple(&r, 3, sk, &p, false);
	put_u64(&r, 4, m.sent);
	put_u64(&r, 5, m.received);
	return submit(&r);
}
