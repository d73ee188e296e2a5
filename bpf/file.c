//go:build ignore

// Opens, with what the kernel really opened: device, inode, overlay layer, and
// its own path where the user's text does not end in the file's name.
#pragma once
#include "headers/plain.h"
#include "headers/fd.h"
#include "headers/exe.h"
#include "headers/thin.h"

#define FMODE_CREATED 0x100000
#define NAME_COMPARED 64 // bytes of a name

// open is one open of any kind: the arguments, and what became of it.
struct open {
	s64 ret;
	s32 dirfd;
	const void *name;
	u32 flags; // the kernel's
	u32 mode;
	u64 resolve;
	u8 origin;
	struct file *file; // NULL when it failed
	u32 ppm;           // the format's flags
	u32 dev;
	u64 ino;
	bool other; // the file has another name than the path ends in
};

// encode_dev is the kernel's device number as stat(2) shows it.
INLINE u32 encode_dev(u32 dev)
{
	u32 major = dev >> 20, minor = dev & 0xfffff;
	return (minor & 0xff) | major << 8 | (minor & ~0xff) << 12;
}

// look fills in what is known of the opened file.
INLINE void look(struct open *o)
{
	o->ppm = open_flags(o->flags);
	o->file = NULL;
	o->dev = 0;
	o->ino = 0;
	if (o->ret < 0)
		return;
	o->file = fd_file(o->ret);
	if (!o->file)
		return;
	struct file *f = TYPED(file, o->file);
	struct inode *inode = READ(f, f_inode);
	struct super_block *sb = READ(inode, i_sb);
	o->dev = encode_dev(READ(sb, s_dev));
	o->ino = READ(inode, i_ino);
	if (READ(sb, s_magic) == OVERLAYFS_MAGIC) {
		u32 layer = overlay_layer(inode);
		o->ppm |= FLAG(layer, EXE_UPPER_LAYER, PPM_FD_UPPER_LAYER) | FLAG(layer, EXE_LOWER_LAYER, PPM_FD_LOWER_LAYER);
	}
	if (o->flags & K_O_CREAT && READ(f, f_mode) & FMODE_CREATED)
		o->ppm |= PPM_O_F_CREATED;
}

// ends_in reports whether the path of n bytes with NUL at offset at of the
// record ends in a component that is d's name.
INLINE bool ends_in(struct rec *r, u64 at, u32 n, struct dentry *d)
{
	u64 name[NAME_COMPARED / 8] = {};

	u32 len = READ(d, d_name.len);
	if (!len || len >= n)
		return false;
	u64 start = at + n - 1 - len;
	barrier_var(start);
	if (start > RECORD_MAX || start < PREFIX)
		return false;
	if (len + 1 < n && r->buf[start - 1] != '/')
		return false;
	u64 compared = len;
	barrier_var(compared);
	if (compared > NAME_COMPARED)
		compared = NAME_COMPARED;
	if (bpf_probe_read_kernel(name, compared, READ(d, d_name.name)))
		return false;
#pragma unroll
	for (u32 i = 0; i < NAME_COMPARED / 8; i++) {
		if (8 * i >= compared)
			break;
		u64 differ = name[i] ^ at64(r->buf + start + 8 * i);
		if (compared < 8 * i + 8)
			differ &= (1ULL << (8 * (compared & 7))) - 1;
		if (differ)
			return false;
	}
	return true;
}

// contradicts reports whether the opened file, if any, has another name than
// the path ends in. A mounted root has its mount point's name.
INLINE bool contradicts(struct rec *r, struct open *o, u64 at, u32 n)
{
	if (!o->file || !n)
		return false;
	struct file *f = TYPED(file, o->file);
	struct dentry *d = READ(f, f_path.dentry);
	if (ends_in(r, at, n, d))
		return false;
	struct vfsmount *mnt = READ(f, f_path.mnt);
	if (READ(mnt, mnt_root) != d)
		return true;
	u64 outer = (u64)mnt;
	barrier_var(outer);
	struct mount *m = (void *)outer - bpf_core_field_offset(struct mount, mnt);
	struct dentry *point = BPF_CORE_READ(m, mnt_mountpoint);
	return !ends_in(r, at, n, TYPED(dentry, point));
}

// thinned asks thin_open where nothing but the path, n bytes at offset at of
// the record, can matter.
INLINE bool thinned(struct rec *r, struct open *o, u64 at, u32 n)
{
	if (o->flags & (K_O_ACCMODE | K_O_CREAT | K_O_TRUNC | K_O_DIRECTORY | K_O_PATH | K_O_TMPFILE_BIT))
		return false;
	if (o->origin || o->other || at > RECORD_MAX || !n)
		return false;
	if (o->file) {
		struct file *f = TYPED(file, o->file);
		struct inode *inode = READ(f, f_inode);
		if ((READ(inode, i_mode) & S_IFMT) != S_IFREG)
			return false;
	}
	return thin_open(r, r->buf + at, n);
}

// is_raced: with O_NOFOLLOW no symbolic link explains another name. A path that
// ends in '/' or a dot names no entry.
INLINE bool is_raced(struct rec *r, struct open *o, u64 at, u32 n)
{
	u64 last = at + n - 2;
	barrier_var(last);
	if (!(o->flags & K_O_NOFOLLOW) || o->flags & K_O_TMPFILE_BIT || n < 2 || last > RECORD_MAX)
		return false;
	return r->buf[last] != '/' && r->buf[last] != '.';
}

// end_open sends the record, with a Detail where there is something to say. The
// path is n bytes at offset at.
INLINE int end_open(struct rec *r, struct open *o, u64 at, u32 n)
{
	if (!o->other) {
		put_origin(r, o->origin);
		return submit(r);
	}
	if (is_raced(r, o, at, n))
		o->origin |= ORIGIN_RACED;
	detail(r);
	put_u8(r, 0, o->origin);
	put_empty(r, 1);
	put_empty(r, 2);
	put_file_path(r, 3, o->file);
	put_empty(r, 4);
	put_empty(r, 5);
	put_empty(r, 6);
	return submit(r);
}

HANDLER(open)
{
	struct rec r;
	struct caller by = this_caller();
	bool compat = by.compat;
	struct open o = {.ret = ret, .name = (void *)A0, .flags = A1, .mode = A2, .origin = compat ? ORIGIN_IA32 : 0};

	look(&o);
	if (!begin_for(&r, by.tid, 3, 6))
		return 0;
	put_s64(&r, 0, ret);
	u64 at = r.off;
	u32 n = put_user_str(&r, 1, o.name);
	o.other = contradicts(&r, &o, at, n);
	if (thinned(&r, &o, at, n))
		return cancel(&r);
	put_u32(&r, 2, o.ppm);
	put_u32(&r, 3, open_mode(o.flags, o.mode));
	put_u32(&r, 4, o.dev);
	put_u64(&r, 5, o.ino);
	return end_open(&r, &o, at, n);
}

HANDLER(openat)
{
	struct rec r;
	struct caller by = this_caller();
	bool compat = by.compat;
	struct open o = {.ret = ret, .dirfd = A0, .name = (void *)A1, .flags = A2, .mode = A3,
			 .origin = compat ? ORIGIN_IA32 : 0};

	look(&o);
	if (!begin_for(&r, by.tid, 307, 7))
		return 0;
	put_s64(&r, 0, ret);
	put_s64(&r, 1, o.dirfd);
	u64 at = r.off;
	u32 n = put_user_str(&r, 2, o.name);
	o.other = contradicts(&r, &o, at, n);
	if (thinned(&r, &o, at, n))
		return cancel(&r);
	put_u32(&r, 3, o.ppm);
	put_u32(&r, 4, open_mode(o.flags, o.mode));
	put_u32(&r, 5, o.dev);
	put_u64(&r, 6, o.ino);
	return end_open(&r, &o, at, n);
}

HANDLER(openat2)
{
	struct rec r;
	struct caller by = this_caller();
	bool compat = by.compat;
	u64 how[3] = {}; // flags, mode, resolve: the same for 32-bit callers
	struct open o = {.ret = ret, .dirfd = A0, .name = (void *)A1, .origin = compat ? ORIGIN_IA32 : 0};

	bpf_probe_read_user(how, sizeof(how), (void *)A2);
	o.flags = how[0];
	o.mode = how[1];
	o.resolve = how[2];
	look(&o);
	if (!begin_for(&r, by.tid, 327, 8))
		return 0;
	put_s64(&r, 0, ret);
	put_s64(&r, 1, o.dirfd);
	u64 at = r.off;
	u32 n = put_user_str(&r, 2, o.name);
	o.other = contradicts(&r, &o, at, n);
	if (thinned(&r, &o, at, n))
		return cancel(&r);
	put_u32(&r, 3, o.ppm);
	put_u32(&r, 4, open_mode(o.flags, o.mode));
	put_u32(&r, 5, resolve_flags(o.resolve));
	put_u32(&r, 6, o.dev);
	put_u64(&r, 7, o.ino);
	return end_open(&r, &o, at, n);
}

HANDLER(creat)
{
	struct rec r;
	struct caller by = this_caller();
	bool compat = by.compat;
	struct open o = {.ret = ret, .name = (void *)A0, .flags = K_O_CREAT | 1 | K_O_TRUNC, .mode = A1,
			 .origin = compat ? ORIGIN_IA32 : 0};

	look(&o);
	if (!begin_for(&r, by.tid, 59, 6))
		return 0;
	put_s64(&r, 0, ret);
	u64 at = r.off;
	u32 n = put_user_str(&r, 1, o.name);
	o.other = contradicts(&r, &o, at, n);
	put_u32(&r, 2, o.mode & 07777);
	put_u32(&r, 3, o.dev);
	put_u64(&r, 4, o.ino);
	put_u16(&r, 5, FLAG(o.ppm, PPM_FD_UPPER_LAYER, 1) | FLAG(o.ppm, PPM_FD_LOWER_LAYER, 2));
	return end_open(&r, &o, at, n);
}

// open_by_handle_at has no path: the kernel's own is the event's.
HANDLER(open_by_handle_at)
{
	struct rec r;
	struct caller by = this_caller();
	bool compat = by.compat;
	struct open o = {.ret = ret, .dirfd = A0, .flags = A2};

	look(&o);
	if (!begin_for(&r, by.tid, 337, 6))
		return 0;
	put_s64(&r, 0, ret);
	put_s64(&r, 1, o.dirfd);
	put_u32(&r, 2, o.ppm);
	put_file_path(&r, 3, o.file);
	put_u32(&r, 4, o.dev);
	put_u64(&r, 5, o.ino);
	put_origin(&r, compat ? ORIGIN_IA32 : 0);
	return submit(&r);
}
