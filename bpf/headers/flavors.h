// Layouts of older kernels. CO-RE ignores what follows ___ in a name.
#pragma once
#include "vmlinux.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct inode___v66 { // 6.6 hid i_ctime, 6.7 the others, 6.11 split them
	struct timespec64 __i_ctime, __i_mtime;
};

struct inode___v65 {
	struct timespec64 i_ctime, i_mtime;
};

struct kernfs_node___v614 { // renamed in 6.15
	struct kernfs_node *parent;
};

struct mm_rss_stat {
	atomic_long_t count[4];
};

struct mm_struct___v61 { // became per-CPU counters in 6.2
	struct mm_rss_stat rss_stat;
};

#pragma clang attribute pop
