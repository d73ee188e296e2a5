// What the capture format wants to know of a task.
#pragma once
#include "call.h"
#include "path.h"

#define PF_IO_WORKER 0x10
#define PF_EXITING 0x4
#define PF_USER_WORKER 0x4000
#define PF_KTHREAD 0x200000

#define RLIMIT_NOFILE 7
#define MM_FILEPAGES 0
#define MM_ANONPAGES 1
#define MM_SWAPENTS 2
#define MM_SHMEMPAGES 3

// pid_in_ns is p's number in its own, innermost namespace.
INLINE s32 pid_in_ns(struct pid *p)
{
	struct upid u = {};
	u64 level = BPF_CORE_READ(p, level);
	bpf_probe_read_kernel(&u, sizeof(u), (void *)p + bpf_core_field_offset(struct pid, numbers) +
						     level * bpf_core_type_size(struct upid));
	return u.nr;
}

// pid_at is p's number at a namespace level, 0 where it has none.
INLINE s32 pid_at(struct pid *p, u64 level)
{
	struct upid u = {};
	if (!p || BPF_CORE_READ(p, level) < level)
		return 0;
	bpf_probe_read_kernel(&u, sizeof(u), (void *)p + bpf_core_field_offset(struct pid, numbers) +
						     level * bpf_core_type_size(struct upid));
	return u.nr;
}

INLINE struct pid_namespace *pid_ns(struct pid *p)
{
	struct upid u = {};
	u64 level = BPF_CORE_READ(p, level);
	bpf_probe_read_kernel(&u, sizeof(u), (void *)p + bpf_core_field_offset(struct pid, numbers) +
						     level * bpf_core_type_size(struct upid));
	return u.ns;
}

INLINE struct pid *group_pid(struct task_struct *t)
{
	return BPF_CORE_READ(t, signal, pids[PIDTYPE_PGID]);
}

// counted is one of an mm's page counters, in pages. which must be a literal.
#define counted(mm, which)                                                                      \
	({                                                                                      \
		struct mm_struct___v61 *old_ = (void *)(mm);                                    \
		s64 n_ = bpf_core_type_exists(struct mm_rss_stat)                               \
				 ? BPF_CORE_READ(old_, rss_stat.count[which].counter)           \
				 : BPF_CORE_READ(mm, rss_stat[which].count);                    \
		n_ < 0 ? 0 : n_;                                                                \
	})

// tty_number is the controlling terminal as new_encode_dev writes it.
INLINE u32 tty_number(struct task_struct *t)
{
	struct tty_struct *tty = BPF_CORE_READ(t, signal, tty);
	if (!tty)
		return 0;
	u32 major = BPF_CORE_READ(tty, driver, major);
	u32 minor = BPF_CORE_READ(tty, driver, minor_start) + BPF_CORE_READ(tty, index);
	return (minor & 0xff) | (major << 8) | ((minor & ~0xffu) << 12);
}

INLINE u32 login_uid(struct task_struct *t)
{
	return bpf_core_field_exists(t->loginuid) ? BPF_CORE_READ(t, loginuid.val) : ~0u;
}

// capabilities reads 8 bytes: one word or two, by kernel.
#define capabilities(cred, field)                                                 \
	({                                                                        \
		u64 caps_ = 0;                                                    \
		bpf_probe_read_kernel(&caps_, sizeof(caps_), &(cred)->field);     \
		caps_;                                                            \
	})

// put_memory is fdlimit, page faults and memory: parameters 7 to 12.
INLINE void put_memory(struct rec *r, struct task_struct *t)
{
	struct mm_struct *mm = BPF_CORE_READ(t, mm);
	u32 size = 0, rss = 0, swap = 0;
	if (mm) {
		size = BPF_CORE_READ(mm, total_vm) * page_kb;
		rss = (counted(mm, MM_FILEPAGES) + counted(mm, MM_ANONPAGES) + counted(mm, MM_SHMEMPAGES)) * page_kb;
		swap = counted(mm, MM_SWAPENTS) * page_kb;
	}
	put_u64(r, 7, BPF_CORE_READ(t, signal, rlim[RLIMIT_NOFILE].rlim_cur));
	put_u64(r, 8, BPF_CORE_READ(t, maj_flt));
	put_u64(r, 9, BPF_CORE_READ(t, min_flt));
	put_u32(r, 10, size);
	put_u32(r, 11, rss);
	put_u32(r, 12, swap);
}

// put_args is argv[0] and the other arguments of a program that runs: parameters
// 1 and 2, at most STR_MAX bytes each. A value of STR_MAX bytes was cut.
INLINE void put_args(struct rec *r, struct mm_struct *mm)
{
	u64 start = 0, end = 0;
	if (mm) {
		start = BPF_CORE_READ(mm, arg_start);
		end = BPF_CORE_READ(mm, arg_end);
	}
	u64 n = start < end ? put_user_str(r, 1, (void *)start) : put_user_str(r, 1, NULL);
	put_user_bytes(r, 2, (void *)(start + n), start + n < end && n ? end - start - n : 0);
}

// put_cgroup adds "NAME=path\0" of one controller to parameter i's bytes.
INLINE void append_cgroup(struct rec *r, u64 name, u32 len, u32 pos)
{
	u64 o = r->off;
	barrier_var(o);
	if (o > RECORD_MAX) {
		r->off = RECORD_MAX + STR_MAX + 1;
		return;
	}
	at64(r->buf + o) = name;
	r->off = o + len;
	append_walked(r, pos);
}

// cgroup_of is where a controller puts t, with the full path of cgroup v2
// also where the controller is only enabled above it.
INLINE struct cgroup *cgroup_of(struct css_set *set, u32 id, struct cgroup *unified, struct cgroup_root *root)
{
	struct cgroup_subsys_state *css = NULL;
	bpf_probe_read_kernel(&css, sizeof(css), (void *)set + bpf_core_field_offset(set->subsys) + 8 * (u64)id);
	if (!css)
		return NULL;
	struct cgroup *cg = BPF_CORE_READ(css, cgroup);
	return BPF_CORE_READ(cg, root) == root ? unified : cg;
}

// Controllers that the format reports, as little-endian text.
#define TEXT_CPUSET 0x3d746573757063ull // "cpuset="
#define TEXT_CPU 0x3d757063ull          // "cpu="
#define TEXT_CPUACCT 0x3d74636361757063ull // "cpuacct="
#define TEXT_IO 0x3d6f69ull             // "io="
#define TEXT_MEMORY 0x3d79726f6d656dull // "memory="

#define CONTROLLER(id, text, len)                                                                  \
	if (bpf_core_enum_value_exists(enum cgroup_subsys_id, id)) {                               \
		struct cgroup *cg = cgroup_of(set, bpf_core_enum_value(enum cgroup_subsys_id, id), \
					      unified, root);                                      \
		if (cg) {                                                                          \
			if (cg != last)                                                            \
				pos = walk_kernfs((u64)BPF_CORE_READ(cg, kn));                     \
			last = cg;                                                                 \
			append_cgroup(r, text, len, pos);                                          \
		}                                                                                  \
	}

// put_cgroups is parameter i with every reported controller's path.
INLINE void put_cgroups(struct rec *r, u32 i, struct task_struct *t)
{
	struct css_set *set = BPF_CORE_READ(t, cgroups);
	struct cgroup *unified = BPF_CORE_READ(set, dfl_cgrp);
	struct cgroup_root *root = BPF_CORE_READ(unified, root);
	struct cgroup *last = NULL;
	u32 pos = WALK_MAX - 1;
	u32 before = r->off;
	CONTROLLER(cpuset_cgrp_id, TEXT_CPUSET, 7)
	CONTROLLER(cpu_cgrp_id, TEXT_CPU, 4)
	CONTROLLER(cpuacct_cgrp_id, TEXT_CPUACCT, 8)
	CONTROLLER(io_cgrp_id, TEXT_IO, 3)
	CONTROLLER(memory_cgrp_id, TEXT_MEMORY, 7)
	put_len(r, i, r->off - before);
}

// put_process_detail is the Detail of a process event.
INLINE void put_process_detail(struct rec *r, struct task_struct *t, u8 origin)
{
	struct pid *pid = BPF_CORE_READ(t, group_leader, thread_pid);
	detail(r);
	if (origin)
		put_u8(r, 0, origin);
	else
		put_empty(r, 0);
	put_u64(r, 1, BPF_CORE_READ(t, group_leader, start_boottime));
	if (bpf_core_field_exists(pid->ino))
		put_u64(r, 2, BPF_CORE_READ(pid, ino));
	else
		put_u64(r, 2, 0);
	put_empty(r, 3);
	put_empty(r, 4);
	put_empty(r, 5);
	put_u64(r, 6, BPF_CORE_READ(t, nsproxy, mnt_ns, ns.inum));
}
