// Paths by walking the kernel's own objects upwards.
#pragma once
#include "record.h"

#define WALK_MAX 4096
#define NAME_MAX 255
#define COMPONENTS 48 // deeper paths lose their beginning

struct walk {
	u8 path[WALK_MAX]; // filled from its end
	u8 name[2 * (NAME_MAX + 1)];
	u32 pos; // where path begins, kept here for the verifier's sake (advance)
	struct dentry *dentry; // the next step's, as the others
	struct vfsmount *mnt;
	struct dentry *top; // of mnt
	struct kernfs_node *node;
};

// One entry per possible CPU.
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct walk);
} walks SEC(".maps");

#define NO_ROOM (WALK_MAX - 1)

// prepend makes room for n bytes before the path and returns where, or NO_ROOM:
// a path that would be longer than PATH_MAX loses its beginning.
INLINE u64 prepend(struct walk *w, u64 n)
{
	volatile u32 *kept = &w->pos;
	u64 pos = *kept;
	if (n == 0 || pos < n || pos >= WALK_MAX)
		return NO_ROOM;
	*kept = pos - n;
	pos = *kept;
	return pos & (WALK_MAX - 1);
}

INLINE void begin_walk(struct walk *w)
{
	w->path[WALK_MAX - 1] = 0;
	*(volatile u32 *)&w->pos = WALK_MAX - 1;
}

INLINE void prepend_slash(struct walk *w)
{
	u64 o = prepend(w, 1);
	if (o != NO_ROOM)
		w->path[o] = '/';
}

// end_walk is where the path begins: it is "/" when nothing was walked.
INLINE u32 end_walk(struct walk *w)
{
	if (*(volatile u32 *)&w->pos == WALK_MAX - 1)
		prepend_slash(w);
	return *(volatile u32 *)&w->pos;
}

INLINE struct walk *this_walk(void)
{
	u32 id = bpf_get_smp_processor_id();
	return bpf_map_lookup_elem(&walks, &id);
}

// d_parent and d_name lie side by side in struct dentry: one read for both.
struct dentry_head {
	struct dentry *parent;
	struct qstr name;
};

INLINE void read_dentry(struct dentry_head *h, struct dentry *d)
{
	if (bpf_core_field_offset(d->d_name) == bpf_core_field_offset(d->d_parent) + sizeof(void *)) {
		bpf_probe_read_kernel(h, sizeof(*h), &d->d_parent);
	} else {
		h->parent = BPF_CORE_READ(d, d_parent);
		bpf_probe_read_kernel(&h->name, sizeof(h->name), &d->d_name);
	}
}

// walk_step goes one component or mount upwards and reports whether that was
// the last. As a global function it is verified once, not for each component.
__noinline int walk_step(void)
{
	struct walk *w = this_walk();

	if (!w)
		return 1;
	struct dentry *d = w->dentry;
	if (d == w->top) {
		struct vfsmount *from = w->mnt;
		struct mount *m = (void *)from - bpf_core_field_offset(struct mount, mnt);
		struct mount *up = BPF_CORE_READ(m, mnt_parent);
		if (!up || up == m)
			return 1;
		struct vfsmount *mnt = (void *)up + bpf_core_field_offset(struct mount, mnt);
		w->dentry = BPF_CORE_READ(m, mnt_mountpoint);
		w->mnt = mnt;
		w->top = BPF_CORE_READ(mnt, mnt_root);
		return 0;
	}
	struct dentry_head h = {};
	read_dentry(&h, d);
	u64 n = h.name.len & NAME_MAX;
	u64 o = prepend(w, n);
	if (o == NO_ROOM)
		return 1;
	bpf_probe_read_kernel(w->path + o, n, h.name.name);
	if (h.parent == d || !h.parent)
		return 1;
	prepend_slash(w);
	w->dentry = h.parent;
	return 0;
}

// walk_path writes the path of (dentry, vfsmount) to the end of this CPU's
// walk buffer, as seen from the root of its mount namespace, and returns where
// it begins; it ends with a NUL at WALK_MAX - 1. A file that hangs in no
// directory (memfd) gives its bare name.
__noinline u32 walk_path(u64 dentry, u64 vfsmount)
{
	struct vfsmount *mnt = (struct vfsmount *)vfsmount;
	struct walk *w = this_walk();

	if (!w)
		return WALK_MAX - 1;
	begin_walk(w);
	w->dentry = (struct dentry *)dentry;
	w->mnt = mnt;
	w->top = BPF_CORE_READ(mnt, mnt_root);
	for (u32 i = 0; i < COMPONENTS; i++)
		if (walk_step())
			break;
	return end_walk(w);
}

// walk_kernfs_step is walk_step for a node of kernfs.
__noinline int walk_kernfs_step(void)
{
	struct walk *w = this_walk();
	struct kernfs_node *parent;

	if (!w)
		return 1;
	struct kernfs_node *kn = w->node;
	if (bpf_core_field_exists(kn->__parent)) {
		parent = BPF_CORE_READ(kn, __parent);
	} else {
		struct kernfs_node___v614 *old = (void *)kn;
		parent = BPF_CORE_READ(old, parent);
	}
	if (!parent)
		return 1;
	s64 n = bpf_probe_read_kernel_str(w->name, NAME_MAX + 1, BPF_CORE_READ(kn, name)) - 1;
	if (n <= 0 || n > NAME_MAX)
		return 1;
	u64 o = prepend(w, n);
	if (o == 0)
		return 1;
	bpf_probe_read_kernel(w->path + o, n, w->name);
	w->path[prepend(w, 1)] = '/';
	w->node = parent;
	return 0;
}

// walk_kernfs is walk_path for a node of kernfs, from its hierarchy's root.
__noinline u32 walk_kernfs(u64 node)
{
	struct walk *w = this_walk();

	if (!w)
		return WALK_MAX - 1;
	begin_walk(w);
	w->node = (struct kernfs_node *)node;
	for (u32 i = 0; i < COMPONENTS; i++)
		if (walk_kernfs_step())
			break;
	return end_walk(w);
}

// append_walked adds what a walk left from pos to the record, its NUL
// included, and returns its length.
INLINE u32 append_walked(struct rec *r, u32 pos)
{
	struct walk *w = this_walk();
	u64 o = r->off;
	u64 from = pos & (WALK_MAX - 1);
	u64 n = WALK_MAX - from;
	barrier_var(o);
	barrier_var(from);
	barrier_var(n);
	if (!w || o > RECORD_MAX || n > STR_MAX || from >= WALK_MAX) {
		r->off = RECORD_MAX + STR_MAX + 1;
		return 0;
	}
	bpf_probe_read_kernel(r->buf + o, n, w->path + from);
	advance(r, o + n);
	return n;
}

// put_path is the parameter with the path of a dentry under a mount, empty
// when there is none.
INLINE void put_path(struct rec *r, u32 i, struct dentry *d, struct vfsmount *mnt)
{
	u32 n = 0;
	if (d && mnt)
		n = append_walked(r, walk_path((u64)d, (u64)mnt));
	put_len(r, i, n);
}

// put_file_path is put_path of an open file.
INLINE void put_file_path(struct rec *r, u32 i, struct file *f)
{
	if (f)
		put_path(r, i, BPF_CORE_READ(f, f_path.dentry), BPF_CORE_READ(f, f_path.mnt));
	else
		put_empty(r, i);
}
