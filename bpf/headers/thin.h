// Thinning: opens for reading that no rule can match are counted, not sent.
#pragma once
#include "record.h"

#define THIN_PATH 256

struct thin_key {
	u32 bits;
	u8 path[THIN_PATH];
};

struct thin_name {
	u8 name[64];
};

// Path prefixes that are wanted.
struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 4096);
	__type(key, struct thin_key);
	__type(value, u8);
} thin_prefixes SEC(".maps");

// Base names that are wanted, padded with NULs.
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, struct thin_name);
	__type(value, u8);
} thin_names SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct { struct thin_key key; struct thin_name name; });
} thin_scratch SEC(".maps");

// thin_open reports, and counts, that an open can be left out: path is the
// user's text of len bytes with its NUL, already copied to the record. Ask only
// where nothing but the path can matter: reading, no O_CREAT, O_TRUNC,
// O_DIRECTORY, O_PATH or O_TMPFILE, and what was opened, if anything, a regular
// file. A path that is not plain (relative, with "//" or a component that
// begins with a dot, or too long) is always sent.
INLINE bool thin_open(struct rec *r, const u8 *path, u32 len)
{
	return false;
}
