// Thinning: opens for reading that no rule can match are counted, not sent.
#pragma once
#include "record.h"

#define THIN_PATH 256

struct thin_key {
	u32 bits;
	u8 path[THIN_PATH];
};

struct thin_name {
	u64 word[8]; // at most 63 bytes, then NULs
};

// Path prefixes that are wanted.
struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 4096);
	__type(key, struct thin_key);
	__type(value, u8);
} thin_prefixes SEC(".maps");

// Last components that are wanted.
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, struct thin_name);
	__type(value, u8);
} thin_names SEC(".maps");

struct thin_work {
	struct thin_key key;
	u8 spare[THIN_PATH];
	struct thin_name name;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct thin_work);
} thin_scratch SEC(".maps");

// thin_unwanted judges the path of n bytes without NUL in thin_scratch.
__noinline int thin_unwanted(u32 n)
{
	u32 zero = 0;
	struct thin_work *w = bpf_map_lookup_elem(&thin_scratch, &zero);
	u64 len = n;

	if (!w || len < 2 || len >= THIN_PATH || w->key.path[0] != '/')
		return 0;
	w->key.bits = 8 * len;
	for (u64 i = 1; i < THIN_PATH; i++) { // "//" or a component with a dot first
		u8 before = w->key.path[i - 1], c = w->key.path[i];
		if (i >= len)
			break;
		if (before == '/' && (c == '/' || c == '.'))
			return 0;
	}
	if (bpf_map_lookup_elem(&thin_prefixes, &w->key))
		return 0;
	len = *(volatile u32 *)&w->key.bits / 8; // the verifier's bounds of len end here
	u64 base = len & (THIN_PATH - 1);
	for (u32 i = 0; i < sizeof(struct thin_name); i++) {
		if (base == 0 || w->key.path[(base - 1) & (THIN_PATH - 1)] == '/')
			break;
		base--;
	}
	u64 size = (len - base) & (THIN_PATH - 1);
	if (size == 0)
		return 0;
	if (size >= sizeof(struct thin_name))
		return 1; // longer than any name that is wanted
	__builtin_memset(&w->name, 0, sizeof(w->name));
	bpf_probe_read_kernel(&w->name, size & (sizeof(struct thin_name) - 1), w->key.path + (base & (THIN_PATH - 1)));
	return !bpf_map_lookup_elem(&thin_names, &w->name);
}

// thin_open reports, and counts, that an open can be left out: path is the
// user's text of len bytes with its NUL, already copied to the record. Ask only
// where nothing but the path can matter: reading, no O_CREAT, O_TRUNC,
// O_DIRECTORY, O_PATH or O_TMPFILE, and what was opened, if anything, a regular
// file that the path does not contradict. A path that is not plain (relative,
// with "//" or a component that begins with a dot, or too long) is always sent.
INLINE bool thin_open(struct rec *r, const u8 *path, u32 len)
{
	struct control *c = controls();
	u64 n = len;
	u32 zero = 0;
	if (!c || !c->thin)
		return false;
	struct thin_work *w = bpf_map_lookup_elem(&thin_scratch, &zero);
	barrier_var(n);
	if (!w || n < 2 || n > THIN_PATH)
		return false;
	bpf_probe_read_kernel(w->key.path, n, path);
	if (!thin_unwanted(n - 1))
		return false;
	r->cpu->thinned++;
	return true;
}
