package event

import "strings"

// Glob reports whether the whole of s matches pattern as fnmatch(3) without
// flags has it, byte by byte: * and ? match anything, also slashes and leading
// dots; [a-z], [!a-z] and [[:class:]] match one byte; a backslash quotes. It
// takes at most len(pattern)·len(s) steps and allocates nothing.
func Glob(pattern, s string) bool { return glob(pattern, s, false) }

// GlobFold is Glob without regard to the case of ASCII letters; classes such as
// [[:upper:]] keep it, as in the C library.
func GlobFold(pattern, s string) bool { return glob(pattern, s, true) }

func glob(pattern, s string, fold bool) bool {
	p, i := 0, 0
	star, resume := -1, 0 // after the last star; where its match ends
	for i < len(s) {
		if p < len(pattern) && pattern[p] == '*' {
			p++
			star, resume = p, i
			continue
		}
		if n, ok := globOne(pattern[p:], s[i], fold); ok {
			p += n
			i++
			continue
		}
		if star < 0 {
			return false
		}
		resume++
		p, i = star, resume
	}
	return strings.Trim(pattern[p:], "*") == ""
}

// globOne matches one byte against the first element of p and is the length
// of that element.
func globOne(p string, c byte, fold bool) (int, bool) {
	if p == "" {
		return 0, false
	}
	switch p[0] {
	case '?':
		return 1, true
	case '[':
		if n, ok, whole := globSet(p, c, fold); whole {
			return n, ok
		}
	case '\\':
		if len(p) == 1 {
			return 1, false // nothing to quote: matches nothing, as in the C library
		}
		return 2, same(p[1], c, fold)
	}
	return 1, same(p[0], c, fold)
}

// globSet matches c against the bracket expression at the start of p. It is
// not whole when the bracket is never closed: then it is an ordinary byte.
func globSet(p string, c byte, fold bool) (n int, ok, whole bool) {
	i, negated, folded := 1, false, c
	if fold {
		folded = lower(c)
	}
	if i < len(p) && (p[i] == '!' || p[i] == '^') {
		negated = true
		i++
	}
	for first := true; i < len(p); first = false {
		if p[i] == ']' && !first {
			return i + 1, ok != negated, true
		}
		if strings.HasPrefix(p[i:], "[:") {
			if end := strings.Index(p[i+2:], ":]"); end >= 0 {
				ok = ok || inClass(p[i+2:i+2+end], c)
				i += end + 4
				continue
			}
		}
		lo, size := setByte(p[i:])
		i += size
		hi := lo
		if i+1 < len(p) && p[i] == '-' && p[i+1] != ']' {
			hi, size = setByte(p[i+1:])
			i += 1 + size
		}
		if fold {
			lo, hi = lower(lo), lower(hi)
		}
		ok = ok || lo <= folded && folded <= hi
	}
	return 0, false, false
}

func setByte(p string) (byte, int) {
	if p[0] == '\\' && len(p) > 1 {
		return p[1], 2
	}
	return p[0], 1
}

func inClass(name string, c byte) bool {
	letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
	digit := c >= '0' && c <= '9'
	switch name {
	case "alpha":
		return letter
	case "digit":
		return digit
	case "alnum":
		return letter || digit
	case "upper":
		return c >= 'A' && c <= 'Z'
	case "lower":
		return c >= 'a' && c <= 'z'
	case "space":
		return c == ' ' || c >= '\t' && c <= '\r'
	case "blank":
		return c == ' ' || c == '\t'
	case "punct":
		return c > ' ' && c < 0x7f && !letter && !digit
	case "print":
		return c >= ' ' && c < 0x7f
	case "graph":
		return c > ' ' && c < 0x7f
	case "cntrl":
		return c < ' ' || c == 0x7f
	case "xdigit":
		return digit || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
	}
	return false
}

func same(a, b byte, fold bool) bool { return a == b || fold && lower(a) == lower(b) }

func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}
