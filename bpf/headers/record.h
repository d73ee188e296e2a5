// The wire between our programs and collector/kernel: one ring sample is
//
//	u16 cpu, u16 ordinal, u32 0, EVENT [, DETAIL]
//
// where both are records of the capture format (event.Params): packed
// header u64 ts (ns since boot), u64 tid, u32 len, u16 type, u32 nparams, then
// u16 lens[nparams] and the parameter bytes.
//
// A program fills the parameters in order, each exactly once:
//
//	struct rec r;
//	if (!begin(&r, 275, 1))
//		return 0;
//	put_s64(&r, 0, ret);
//	return submit(&r);
#pragma once
#include "vmlinux.h"
#include "flavors.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#define STR_MAX 4096            // longest text or buffer of one parameter
#define RECORD_MAX (32 * 1024)  // a parameter may begin below this
#define PREFIX 8
#define HEADER 26
#define DETAIL 0xF000
#define DETAIL_PARAMS 7

#define INLINE static __always_inline

// Why an event was not sent; the order of struct cpu's counters.
struct cpu {
	u64 sent;
	u64 lost_ring;    // the ring was full
	u64 lost_scratch; // did not fit a record
	u64 thinned;
	u64 self;
	u64 wakeups;
	u64 bytes;
	u32 ordinal;
	u32 busy_irq; // scratch_irq is being filled
};

struct control {
	u32 self[8];    // thread groups to skip, 0 where unused
	u32 wake_bytes; // wake the reader when this much waits; 0: never
	u32 woken;      // set by us with the wake-up, cleared by the reader
	u32 thin;       // thinning is on
	u32 unused;
};

struct scratch {
	u8 buf[RECORD_MAX + STR_MAX];
	u32 off;
};

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 16 * 1024 * 1024); // Options.RingBytes
} ring SEC(".maps");

// One entry per possible CPU, mapped by the reader.
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct cpu);
} cpus SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct control);
} control SEC(".maps");

// One entry per possible CPU (a per-CPU map's values end at 32 KiB), for programs
// in task context, which do not interrupt one another.
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct scratch);
} scratch SEC(".maps");

// For programs that may run in an interrupt (TCP states, DNS).
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct scratch);
} scratch_irq SEC(".maps");

const volatile u32 page_kb = 4;

// rec is a record being filled. It lives in registers: pass it only to
// functions that are inlined.
struct rec {
	u8 *buf;
	struct cpu *cpu;
	u32 off;    // of the next parameter's bytes; above the buffer's end: it did not fit
	u32 detail; // of the Detail record's header; 0: none
	u32 irq;
};

#define at16(p) (*(u16 *)(p))
#define at32(p) (*(u32 *)(p))
#define at64(p) (*(u64 *)(p))

INLINE struct control *controls(void)
{
	u32 zero = 0;
	return bpf_map_lookup_elem(&control, &zero);
}

INLINE struct cpu *this_cpu(void)
{
	u32 id = bpf_get_smp_processor_id();
	return bpf_map_lookup_elem(&cpus, &id);
}

// is_self reports and counts events of our own processes.
INLINE bool is_self(u32 tgid)
{
	struct control *c = controls();
	if (!c)
		return false;
	bool hit = tgid == c->self[0] || tgid == c->self[1] || tgid == c->self[2] || tgid == c->self[3] ||
		   tgid == c->self[4] || tgid == c->self[5] || tgid == c->self[6] || tgid == c->self[7];
	if (hit) {
		struct cpu *cpu = this_cpu();
		if (cpu)
			cpu->self++;
	}
	return hit;
}

INLINE bool begin_in(struct rec *r, void *map, u32 irq, u64 tid, u16 type, u32 nparams)
{
	u32 id = bpf_get_smp_processor_id();
	r->cpu = bpf_map_lookup_elem(&cpus, &id);
	if (!r->cpu)
		return false;
	if (irq) {
		if (r->cpu->busy_irq) {
			r->cpu->lost_scratch++;
			return false;
		}
		r->cpu->busy_irq = 1;
	}
	r->buf = bpf_map_lookup_elem(map, &id);
	if (!r->buf)
		return false;
	r->irq = irq;
	r->detail = 0;
	at32(r->buf) = (id & 0xFFFF) | r->cpu->ordinal++ << 16;
	at32(r->buf + 4) = 0;
	at64(r->buf + PREFIX) = bpf_ktime_get_boot_ns();
	at64(r->buf + PREFIX + 8) = tid;
	at16(r->buf + PREFIX + 20) = type;
	at32(r->buf + PREFIX + 22) = nparams;
	r->off = PREFIX + HEADER + 2 * nparams;
	return true;
}

// begin starts an event of the current thread; type and nparams are the
// capture format's and must be constants. False: nothing can be sent.
INLINE bool begin(struct rec *r, u16 type, u32 nparams)
{
	return begin_in(r, &scratch, 0, (u32)bpf_get_current_pid_tgid(), type, nparams);
}

// begin_for starts an event of another thread (a child that was just cloned).
INLINE bool begin_for(struct rec *r, u32 tid, u16 type, u32 nparams)
{
	return begin_in(r, &scratch, 0, tid, type, nparams);
}

// begin_irq starts an event from a context that may be an interrupt, of thread
// tid or -1. Each path from here must end in submit or cancel.
INLINE bool begin_irq(struct rec *r, u64 tid, u16 type, u32 nparams)
{
	return begin_in(r, &scratch_irq, 1, tid, type, nparams);
}

// where parameter i's length belongs, in the event or in its Detail.
INLINE u32 len_at(struct rec *r, u32 i)
{
	return (r->detail ? r->detail : PREFIX) + HEADER + 2 * i;
}

INLINE void put_len(struct rec *r, u32 i, u32 n)
{
	u32 o = len_at(r, i);
	if (r->detail) {
		barrier_var(o);
		if (o > RECORD_MAX)
			return;
	}
	at16(r->buf + o) = n;
}

// advance sets the offset by way of memory: the verifier forgets what it knew
// of it, so that it does not follow each length that a text could have.
INLINE void advance(struct rec *r, u64 off)
{
	volatile u32 *kept = (volatile u32 *)(r->buf + RECORD_MAX + STR_MAX);
	*kept = off;
	r->off = *kept;
}

INLINE void put_empty(struct rec *r, u32 i)
{
	put_len(r, i, 0);
}

#define PUT_INT(name, utype, size)                               \
	INLINE void name(struct rec *r, u32 i, utype v)          \
	{                                                        \
		u64 o = r->off;                                  \
		barrier_var(o);                                  \
		if (o > RECORD_MAX) {                            \
			r->off = RECORD_MAX + STR_MAX + 1;       \
			return;                                  \
		}                                                \
		*(utype *)(r->buf + o) = v;                      \
		put_len(r, i, size);                             \
		r->off = o + size;                               \
	}

PUT_INT(put_u8, u8, 1)
PUT_INT(put_u16, u16, 2)
PUT_INT(put_u32, u32, 4)
PUT_INT(put_u64, u64, 8)
PUT_INT(put_s64, s64, 8) // errno, pid, fd

#define PUT_READ(name, helper)                                               \
	INLINE u32 name(struct rec *r, u32 i, const void *from)             \
	{                                                                    \
		u64 o = r->off;                                              \
		barrier_var(o);                                              \
		if (o > RECORD_MAX) {                                        \
			r->off = RECORD_MAX + STR_MAX + 1;                   \
			return 0;                                            \
		}                                                            \
		s64 n = from ? helper(r->buf + o, STR_MAX, from) : 0;        \
		if (n < 0 || n > STR_MAX)                                    \
			n = 0;                                               \
		put_len(r, i, n);                                            \
		r->off = o + n;                                              \
		return n;                                                    \
	}

// put_user_str and put_kernel_str copy text with its NUL and return its length;
// empty where the memory cannot be read. Longer text is cut at STR_MAX.
PUT_READ(put_user_str, bpf_probe_read_user_str)
PUT_READ(put_kernel_str, bpf_probe_read_kernel_str)

#define PUT_BYTES(name, helper)                                                   \
	INLINE u32 name(struct rec *r, u32 i, const void *from, u64 n)           \
	{                                                                         \
		u64 o = r->off;                                                   \
		barrier_var(o);                                                   \
		if (o > RECORD_MAX) {                                             \
			r->off = RECORD_MAX + STR_MAX + 1;                        \
			return 0;                                                 \
		}                                                                 \
		barrier_var(n);                                                   \
		if (n > STR_MAX)                                                  \
			n = STR_MAX;                                              \
		if (!from || n == 0 || helper(r->buf + o, n, from) < 0)           \
			n = 0;                                                    \
		put_len(r, i, n);                                                 \
		advance(r, o + n);                                                \
		return n;                                                         \
	}

// put_user_bytes and put_kernel_bytes copy n bytes, at most STR_MAX; none of
// them where the memory cannot be read.
PUT_BYTES(put_user_bytes, bpf_probe_read_user)
PUT_BYTES(put_kernel_bytes, bpf_probe_read_kernel)

// finish writes the length of the record whose header is at h.
INLINE void finish(struct rec *r, u32 h)
{
	u32 o = h + 16;
	barrier_var(o);
	if (o <= RECORD_MAX)
		at32(r->buf + o) = r->off - h;
}

// detail ends the event and begins its Detail record; its parameters follow
// with put_, all DETAIL_PARAMS of them (event/private.go), most of them empty.
INLINE void detail(struct rec *r)
{
	finish(r, PREFIX);
	u64 h = r->off;
	barrier_var(h);
	if (h > RECORD_MAX) {
		r->off = RECORD_MAX + STR_MAX + 1;
		return;
	}
	at64(r->buf + h) = at64(r->buf + PREFIX);
	at64(r->buf + h + 8) = at64(r->buf + PREFIX + 8);
	at16(r->buf + h + 20) = DETAIL;
	at32(r->buf + h + 22) = DETAIL_PARAMS;
	r->detail = h;
	r->off = h + HEADER + 2 * DETAIL_PARAMS;
}

INLINE int cancel(struct rec *r)
{
	if (r->irq)
		r->cpu->busy_irq = 0;
	return 0;
}

// submit sends the record, with or without Detail, and returns 0.
INLINE int submit(struct rec *r)
{
	finish(r, r->detail ? r->detail : PREFIX);
	u64 n = r->off;
	barrier_var(n);
	if (n > RECORD_MAX + STR_MAX) {
		r->cpu->lost_scratch++;
		return cancel(r);
	}
	u64 flags = BPF_RB_NO_WAKEUP;
	if ((r->cpu->ordinal & 15) == 0) {
		struct control *c = controls();
		if (c && c->wake_bytes && !c->woken && bpf_ringbuf_query(&ring, BPF_RB_AVAIL_DATA) > c->wake_bytes) {
			c->woken = 1;
			flags = BPF_RB_FORCE_WAKEUP;
			r->cpu->wakeups++;
		}
	}
	if (bpf_ringbuf_output(&ring, r->buf, n, flags)) {
		r->cpu->lost_ring++;
	} else {
		r->cpu->sent++;
		r->cpu->bytes += n;
	}
	return cancel(r);
}
