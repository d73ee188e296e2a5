//go:build ignore

// Process life: fork, clone, vfork, execve, execveat, exit.
#pragma once
#include "headers/call.h"
#include "headers/task.h"
#include "headers/clone.h"
#include "headers/exe.h"
#include "headers/args.h"

#define PROCEXIT_E 186
#define CLONE_X 223
#define FORK_X 225
#define VFORK_X 227
#define SETSID_X 275
#define EXECVE_X 293
#define EXECVEAT_X 331
#define CLONE3_X 335
#define CLONE_PARAMS 21
#define EXECVE_PARAMS 31
#define EXECVEAT_PARAMS 30

// put_ids is tid, pid and ptid: parameters 3 to 5.
INLINE void put_ids(struct rec *r, struct task_struct *t)
{
	put_s64(r, 3, BPF_CORE_READ(t, pid));
	put_s64(r, 4, BPF_CORE_READ(t, tgid));
	put_s64(r, 5, BPF_CORE_READ(t, real_parent, tgid));
}

// put_exec is everything of an exec from tid to gid: parameters 3 to 29. env
// lies in user memory; where it does not, put_env_array has it.
INLINE void put_exec(struct rec *r, struct task_struct *t, struct file *exe, u64 env, u64 env_len, u64 envp, bool compat)
{
	const struct cred *cred = BPF_CORE_READ(t, cred);
	struct inode *inode = BPF_CORE_READ(exe, f_inode);
	struct pid *pgrp = group_pid(t);
	struct fs_struct *fs = BPF_CORE_READ(t, fs);

	put_ids(r, t);
	put_path(r, 6, BPF_CORE_READ(fs, pwd.dentry), BPF_CORE_READ(fs, pwd.mnt));
	put_memory(r, t);
	put_kernel_str(r, 13, &t->comm);
	put_cgroups(r, 14, t);
	if (envp)
		put_array(r, 15, envp, 0, compat);
	else
		put_user_bytes(r, 15, (void *)env, env_len);
	put_u32(r, 16, tty_number(t));
	put_s64(r, 17, pid_at(pgrp, BPF_CORE_READ(t, thread_pid, level)));
	put_u32(r, 18, login_uid(t));
	put_u32(r, 19, exe_flags(exe, cred));
	put_u64(r, 20, capabilities(cred, cap_inheritable));
	put_u64(r, 21, capabilities(cred, cap_permitted));
	put_u64(r, 22, capabilities(cred, cap_effective));
	put_u64(r, 23, BPF_CORE_READ(inode, i_ino));
	put_u64(r, 24, inode_ctime(inode));
	put_u64(r, 25, inode_mtime(inode));
	put_u32(r, 26, BPF_CORE_READ(cred, euid.val));
	put_file_path(r, 27, exe);
	put_s64(r, 28, pid_at(pgrp, 0));
	put_u32(r, 29, BPF_CORE_READ(cred, egid.val));
}

// The exec that succeeded, seen before its first instruction: arguments and
// environment are the new program's own copy, which nobody could change.
SEC("tp_btf/sched_process_exec")
int BPF_PROG(process_exec, struct task_struct *t, pid_t old, struct linux_binprm *bprm)
{
	struct rec r;
	struct mm_struct *mm = BPF_CORE_READ(t, mm);
	if (!mm || is_self(current_tgid()))
		return 0;
	send_args(mm);
	if (!begin(&r, EXECVE_X, EXECVE_PARAMS))
		return 0;
	u64 env = BPF_CORE_READ(mm, env_start);
	put_s64(&r, 0, 0);
	put_args(&r, mm);
	put_exec(&r, t, BPF_CORE_READ(mm, exe_file), env, BPF_CORE_READ(mm, env_end) - env, 0, false);
	put_kernel_str(&r, 30, BPF_CORE_READ(bprm, filename));
	put_process_detail(&r, t, 0);
	return submit(&r);
}

// An execve that failed.
SEC("tp_btf/sys_exit")
int BPF_PROG(call_execve, struct pt_regs *regs, long ret)
{
	struct rec r;
	bool compat = is_compat();
	struct task_struct *t = task();
	if (ret >= 0 || !begin(&r, EXECVE_X, EXECVE_PARAMS))
		return 0;
	put_s64(&r, 0, ret);
	put_argv(&r, arg1(regs, compat), compat);
	put_exec(&r, t, BPF_CORE_READ(t, mm, exe_file), 0, 0, arg2(regs, compat), compat);
	put_user_str(&r, 30, (void *)arg0(regs, compat));
	put_process_detail(&r, t, compat ? ORIGIN_IA32 : 0);
	return submit(&r);
}

// An execveat that failed.
SEC("tp_btf/sys_exit")
int BPF_PROG(call_execveat, struct pt_regs *regs, long ret)
{
	struct rec r;
	bool compat = is_compat();
	struct task_struct *t = task();
	if (ret >= 0 || !begin(&r, EXECVEAT_X, EXECVEAT_PARAMS))
		return 0;
	put_s64(&r, 0, ret);
	put_argv(&r, arg2(regs, compat), compat);
	put_exec(&r, t, BPF_CORE_READ(t, mm, exe_file), 0, 0, arg3(regs, compat), compat);
	put_process_detail(&r, t, compat ? ORIGIN_IA32 : 0);
	return submit(&r);
}

// put_clone is parameters 3 to 20 of a clone, seen in t.
INLINE void put_clone(struct rec *r, struct task_struct *t, u32 flags, bool child)
{
	const struct cred *cred = BPF_CORE_READ(t, cred);
	struct pid *pid = BPF_CORE_READ(t, thread_pid);
	put_ids(r, t);
	put_empty(r, 6); // inherited: who reads a clone knows the parent's
	put_memory(r, t);
	put_kernel_str(r, 13, &t->comm);
	if (child)
		put_cgroups(r, 14, t);
	else
		put_empty(r, 14);
	put_u32(r, 15, flags);
	put_u32(r, 16, BPF_CORE_READ(cred, euid.val));
	put_u32(r, 17, BPF_CORE_READ(cred, egid.val));
	struct pid *leader = BPF_CORE_READ(t, group_leader, thread_pid);
	put_s64(r, 18, pid_in_ns(pid));
	put_s64(r, 19, pid_in_ns(leader));
	struct pid_namespace *ns = pid_ns(pid);
	put_u64(r, 20, BPF_CORE_READ(ns, child_reaper, start_boottime));
}

// clone_call finds out which call makes a child, and its flags.
INLINE u16 clone_call(struct pt_regs *regs, bool compat, u64 *flags)
{
	u32 nr = CALL_NR(regs);
	*flags = 0;
	if (nr == 435) {
		bpf_probe_read_user(flags, sizeof(*flags), (void *)arg0(regs, compat));
		return CLONE3_X;
	}
#if defined(__TARGET_ARCH_x86)
	if (nr == (compat ? 2 : 57))
		return FORK_X;
	if (nr == (compat ? 190 : 58))
		goto vfork;
#else
	if (compat && nr == 2)
		return FORK_X;
	if (compat && nr == 190)
		goto vfork;
#endif
	*flags = arg0(regs, compat);
	return CLONE_X;
vfork:
	*flags = CLONE_VFORK | CLONE_VM;
	return VFORK_X;
}

// known_flags is what can be told of clone's flags from parent and child
// alone, for kernels without bpf_task_pt_regs and for children of the kernel.
INLINE u64 known_flags(struct task_struct *parent, struct task_struct *child)
{
	u64 f = 0;
	if (BPF_CORE_READ(child, pid) != BPF_CORE_READ(child, tgid))
		f |= CLONE_THREAD;
	if (BPF_CORE_READ(child, mm) == BPF_CORE_READ(parent, mm))
		f |= CLONE_VM;
	if (BPF_CORE_READ(child, files) == BPF_CORE_READ(parent, files))
		f |= CLONE_FILES;
	if (BPF_CORE_READ(child, fs) == BPF_CORE_READ(parent, fs))
		f |= CLONE_FS;
	if (BPF_CORE_READ(child, sighand) == BPF_CORE_READ(parent, sighand))
		f |= CLONE_SIGHAND;
	if (BPF_CORE_READ(child, vfork_done))
		f |= CLONE_VFORK;
	return f;
}

// The child's side, seen in the parent before the child runs, so that it comes
// before everything the child does.
SEC("tp_btf/sched_process_fork")
int BPF_PROG(process_fork, struct task_struct *parent, struct task_struct *child)
{
	struct rec r;
	u16 type = CLONE_X;
	u64 flags = known_flags(parent, child);
	bool compat = false;
	bool has_regs = bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_task_pt_regs);
	if (has_regs && !(BPF_CORE_READ(parent, flags) & (PF_KTHREAD | PF_IO_WORKER | PF_USER_WORKER))) {
		struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(parent);
		compat = is_compat();
		type = clone_call(regs, compat, &flags);
	}
	if (is_self(BPF_CORE_READ(child, tgid)) || !begin_for(&r, BPF_CORE_READ(child, pid), type, CLONE_PARAMS))
		return 0;
	put_s64(&r, 0, 0);
	put_args(&r, BPF_CORE_READ(child, mm));
	u32 ppm = clone_flags(flags);
	if (BPF_CORE_READ(child, thread_pid, level) > 0)
		ppm |= PPM_CL_CHILD_IN_PIDNS;
	put_clone(&r, child, ppm, true);
	put_process_detail(&r, child, compat ? ORIGIN_IA32 : 0);
	return submit(&r);
}

// The parent's side, and the calls that failed. What the child's side already
// said is left empty.
INLINE int cloned(struct pt_regs *regs, long ret)
{
	struct rec r;
	u64 flags;
	bool compat = is_compat();
	u16 type = clone_call(regs, compat, &flags);
	struct task_struct *t = task();
	if (ret == 0 || !begin(&r, type, CLONE_PARAMS)) // 0: the child's first return
		return 0;
	u32 ppm = clone_flags(flags);
	if (BPF_CORE_READ(t, nsproxy, pid_ns_for_children, level) > 0)
		ppm |= PPM_CL_CHILD_IN_PIDNS;
	put_s64(&r, 0, ret);
	put_user_str(&r, 1, (void *)BPF_CORE_READ(t, mm, arg_start));
	put_empty(&r, 2);
	put_clone(&r, t, ppm, false);
	put_origin(&r, compat ? ORIGIN_IA32 : 0);
	return submit(&r);
}

SEC("tp_btf/sys_exit")
int BPF_PROG(call_clone, struct pt_regs *regs, long ret)
{
	return cloned(regs, ret);
}

SEC("tp_btf/sys_exit")
int BPF_PROG(call_setsid, struct pt_regs *regs, long ret)
{
	struct rec r;
	bool compat = is_compat();
	if (!begin(&r, SETSID_X, 1))
		return 0;
	put_s64(&r, 0, ret);
	put_origin(&r, compat ? ORIGIN_IA32 : 0);
	return submit(&r);
}

// other_thread is a living thread of t's group besides t.
INLINE s32 other_thread(struct task_struct *t)
{
	struct list_head *head = (void *)BPF_CORE_READ(t, signal) + bpf_core_field_offset(struct signal_struct, thread_head);
	struct list_head *l = BPF_CORE_READ(head, next);
	for (u32 i = 0; i < 16 && l && l != head; i++) {
		struct task_struct *o = (void *)l - bpf_core_field_offset(struct task_struct, thread_node);
		if (o != t && !(BPF_CORE_READ(o, flags) & PF_EXITING))
			return BPF_CORE_READ(o, pid);
		l = BPF_CORE_READ(l, next);
	}
	return 0;
}

// reaper is who inherits t's children, 0 when it has none (find_new_reaper of
// the kernel, threads and ancestors followed 16 and 32 deep).
INLINE s32 reaper(struct task_struct *t)
{
	struct list_head *children = (void *)t + bpf_core_field_offset(struct task_struct, children);
	if (BPF_CORE_READ(children, next) == children)
		return 0;
	s32 tid = other_thread(t);
	if (tid)
		return tid;
	struct pid *pid = BPF_CORE_READ(t, thread_pid);
	struct pid_namespace *ns = pid_ns(pid);
	struct task_struct *init = BPF_CORE_READ(ns, child_reaper);
	struct signal_struct *sig = BPF_CORE_READ(t, signal);
	if (BPF_CORE_READ_BITFIELD_PROBED(sig, has_child_subreaper)) {
		u32 level = BPF_CORE_READ(t, thread_pid, level);
		struct task_struct *up = BPF_CORE_READ(t, real_parent);
		for (u32 i = 0; i < 32 && up && up != init && BPF_CORE_READ(up, pid) > 0; i++) {
			if (BPF_CORE_READ(up, thread_pid, level) != level)
				break;
			sig = BPF_CORE_READ(up, signal);
			if (BPF_CORE_READ_BITFIELD_PROBED(sig, is_child_subreaper))
				return BPF_CORE_READ(up, pid);
			up = BPF_CORE_READ(up, real_parent);
		}
	}
	return BPF_CORE_READ(init, pid);
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(process_exit, struct task_struct *t)
{
	struct rec r;
	s32 status = BPF_CORE_READ(t, exit_code);
	if (is_self(current_tgid()) || !begin(&r, PROCEXIT_E, 5))
		return 0;
	put_s64(&r, 0, status);
	put_s64(&r, 1, (status >> 8) & 0xff);
	put_u8(&r, 2, status & 0x7f);
	put_u8(&r, 3, (status & 0x80) != 0);
	put_s64(&r, 4, reaper(t));
	return submit(&r);
}
