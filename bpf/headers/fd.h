// From a descriptor number of the current task to the kernel's own file and socket.
#pragma once
#include "call.h"
#include "vmsock.h"

#define S_IFMT 0170000
#define S_IFSOCK 0140000
#define S_IFREG 0100000

// Since 6.2 a pointer that was read can be given its type back, and what it
// points to is then loaded directly, at a tenth of a helper's price.
extern void *bpf_rdonly_cast(const void *obj, u32 type) __ksym __weak;

const volatile bool have_cast; // set by bpf.Load

// TYPED is p, of which READ can then load fields of struct type.
#define TYPED(type, p) (have_cast ? bpf_rdonly_cast(p, bpf_core_type_id_kernel(struct type)) : (void *)(p))
#define READ(p, field) (have_cast ? (p)->field : BPF_CORE_READ(p, field))

// fd_file is the open file behind fd, NULL when there is none.
INLINE struct file *fd_file(s32 fd)
{
	struct file *f = NULL;
	struct file **slots;
	u32 max;

	if (fd < 0)
		return NULL;
	if (bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_get_current_task_btf)) {
		struct task_struct *t = bpf_get_current_task_btf();
		struct files_struct *files = t->files;
		if (!files)
			return NULL;
		max = files->fdt->max_fds;
		slots = files->fdt->fd;
	} else {
		struct fdtable *fdt = BPF_CORE_READ(task(), files, fdt);
		max = BPF_CORE_READ(fdt, max_fds);
		slots = BPF_CORE_READ(fdt, fd);
	}
	if ((u32)fd >= max)
		return NULL;
	bpf_probe_read_kernel(&f, sizeof(f), slots + fd);
	return f;
}

// file_socket is the socket of f, NULL for other files.
INLINE struct socket *file_socket(struct file *f)
{
	if (!f || (BPF_CORE_READ(f, f_inode, i_mode) & S_IFMT) != S_IFSOCK)
		return NULL;
	return BPF_CORE_READ(f, private_data);
}

INLINE struct socket *fd_socket(s32 fd)
{
	return file_socket(fd_file(fd));
}

INLINE struct sock *fd_sock(s32 fd)
{
	struct socket *s = fd_socket(fd);
	return s ? BPF_CORE_READ(s, sk) : NULL;
}
