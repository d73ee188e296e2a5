// Executables: where they come from, and the arguments they were given.
#pragma once
#include "task.h"

#define SB_RDONLY 1
#define S_IMMUTABLE 8
#define OVERLAYFS_MAGIC 0x794c7630
#define CAP_DAC_OVERRIDE 1
#define CAP_FOWNER 3

#define EXE_WRITABLE 1
#define EXE_UPPER_LAYER 2
#define EXE_FROM_MEMFD 4
#define EXE_LOWER_LAYER 8

#define ARRAY_MAX 64 // entries of an argv or envp that are read

#define CTIME_QUERIED 0x80000000u // the kernel's own mark among the nanoseconds, since 6.13

INLINE u64 inode_ctime(struct inode *i)
{
	if (bpf_core_field_exists(i->i_ctime_sec))
		return BPF_CORE_READ(i, i_ctime_sec) * 1000000000ull + (BPF_CORE_READ(i, i_ctime_nsec) & ~CTIME_QUERIED);
	struct inode___v66 *v66 = (void *)i;
	if (bpf_core_field_exists(v66->__i_ctime))
		return BPF_CORE_READ(v66, __i_ctime.tv_sec) * 1000000000ull + BPF_CORE_READ(v66, __i_ctime.tv_nsec);
	struct inode___v65 *v65 = (void *)i;
	return BPF_CORE_READ(v65, i_ctime.tv_sec) * 1000000000ull + BPF_CORE_READ(v65, i_ctime.tv_nsec);
}

INLINE u64 inode_mtime(struct inode *i)
{
	if (bpf_core_field_exists(i->i_mtime_sec))
		return BPF_CORE_READ(i, i_mtime_sec) * 1000000000ull + BPF_CORE_READ(i, i_mtime_nsec);
	struct inode___v66 *v66 = (void *)i;
	if (bpf_core_field_exists(v66->__i_mtime))
		return BPF_CORE_READ(v66, __i_mtime.tv_sec) * 1000000000ull + BPF_CORE_READ(v66, __i_mtime.tv_nsec);
	struct inode___v65 *v65 = (void *)i;
	return BPF_CORE_READ(v65, i_mtime.tv_sec) * 1000000000ull + BPF_CORE_READ(v65, i_mtime.tv_nsec);
}

// exe_writable reports whether who runs f could write it: its owner, by mode
// bits, or by capability; never on read-only or immutable files.
INLINE bool exe_writable(struct inode *inode, const struct cred *cred)
{
	if (BPF_CORE_READ(inode, i_sb, s_flags) & SB_RDONLY)
		return false;
	if (BPF_CORE_READ(inode, i_flags) & S_IMMUTABLE)
		return false;
	umode_t mode = BPF_CORE_READ(inode, i_mode);
	if (BPF_CORE_READ(inode, i_uid.val) == BPF_CORE_READ(cred, fsuid.val))
		return true;
	if (BPF_CORE_READ(inode, i_gid.val) == BPF_CORE_READ(cred, fsgid.val) && (mode & 0020))
		return true;
	if (mode & 0002)
		return true;
	return capabilities(cred, cap_effective) & (1 << CAP_DAC_OVERRIDE | 1 << CAP_FOWNER);
}

// overlay_layer is EXE_UPPER_LAYER or EXE_LOWER_LAYER for files of overlayfs.
// Its inode holds the upper dentry right behind the embedded struct inode.
INLINE u32 overlay_layer(struct inode *inode)
{
	struct dentry *upper = NULL;
	if (BPF_CORE_READ(inode, i_sb, s_magic) != OVERLAYFS_MAGIC)
		return 0;
	bpf_probe_read_kernel(&upper, sizeof(upper), (void *)inode + bpf_core_type_size(struct inode));
	if (upper && BPF_CORE_READ(upper, d_inode, i_ino))
		return EXE_UPPER_LAYER;
	return EXE_LOWER_LAYER;
}

INLINE bool from_memfd(struct file *f)
{
	char name[6] = {};
	struct dentry *d = BPF_CORE_READ(f, f_path.dentry);
	if (BPF_CORE_READ(d, d_parent) != d)
		return false;
	bpf_probe_read_kernel(name, sizeof(name), BPF_CORE_READ(d, d_name.name));
	return name[0] == 'm' && name[1] == 'e' && name[2] == 'm' && name[3] == 'f' && name[4] == 'd' && name[5] == ':';
}

INLINE u32 exe_flags(struct file *f, const struct cred *cred)
{
	if (!f)
		return 0;
	struct inode *inode = BPF_CORE_READ(f, f_inode);
	u32 flags = overlay_layer(inode);
	if (exe_writable(inode, cred))
		flags |= EXE_WRITABLE;
	if (from_memfd(f))
		flags |= EXE_FROM_MEMFD;
	return flags;
}

// put_array is a parameter with the texts of a user array of pointers,
// without its first skip; STR_MAX bytes of them at most.
INLINE void put_array(struct rec *r, u32 i, u64 array, u32 skip, bool compat)
{
	u32 before = r->off;
	u32 size = compat ? 4 : 8;
	for (u32 k = 0; array && k < ARRAY_MAX; k++) {
		u64 text = 0;
		u64 o = r->off;
		barrier_var(o);
		if (o > RECORD_MAX || o - before >= STR_MAX)
			break;
		if (bpf_probe_read_user(&text, size, (void *)(array + (u64)(skip + k) * size)) || !text)
			break;
		s64 n = bpf_probe_read_user_str(r->buf + o, STR_MAX, (void *)text);
		if (n <= 0 || n > STR_MAX)
			break;
		advance(r, o + n);
	}
	if (r->off - before > STR_MAX)
		advance(r, before + STR_MAX);
	put_len(r, i, r->off - before);
}

// put_argv is argv[0] and the other arguments of a call: parameters 1 and 2.
INLINE void put_argv(struct rec *r, u64 argv, bool compat)
{
	u64 text = 0;
	if (bpf_probe_read_user(&text, compat ? 4 : 8, (void *)argv))
		text = 0;
	put_user_str(r, 1, (void *)text);
	put_array(r, 2, text ? argv : 0, 1, compat);
}
