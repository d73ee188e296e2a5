package proc

import (
	"bytes"
	"strconv"
	"strings"
)

// envFilter decides which environment values are kept. Others may be secrets:
// of them only the name and the length remain (design: secrets).
type envFilter struct {
	allow []string
}

// allowedEnv are always kept: what responders ask about, and no secrets.
var allowedEnv = []string{"SSH_*", "SUDO_*", "LD_*", "HIST*", "KUBERNETES_*", "*_proxy"}

func newEnvFilter(more []string) envFilter {
	var f envFilter
	for _, list := range [][]string{allowedEnv, more} {
		for _, p := range list {
			f.allow = append(f.allow, strings.ToUpper(p))
		}
	}
	return f
}

// keeps tells whether values of name are kept; the case of letters is no matter.
func (f *envFilter) keeps(name []byte) bool {
	for _, p := range f.allow {
		head, tail, star := strings.Cut(p, "*")
		if len(name) >= len(head)+len(tail) && (star || len(name) == len(head)) &&
			foldEqual(name[:len(head)], head) && foldEqual(name[len(name)-len(tail):], tail) {
			return true
		}
	}
	return false
}

// foldEqual compares b with upper, which is in capitals.
func foldEqual(b []byte, upper string) bool {
	for i, c := range b {
		if c >= 'a' && c <= 'z' {
			c -= 'a' - 'A'
		}
		if c != upper[i] {
			return false
		}
	}
	return true
}

// filter splits a NUL-separated environment and blots what is not kept.
func (f *envFilter) filter(raw []byte) []string {
	if len(raw) == 0 {
		return nil
	}
	out := make([]string, 0, bytes.Count(raw, []byte{0})+1)
	var buf []byte
	for len(raw) > 0 {
		var v []byte
		v, raw, _ = bytes.Cut(raw, []byte{0})
		name, value, ok := bytes.Cut(v, []byte{'='})
		switch {
		case len(v) == 0:
		case !ok: // not of the usual form: it may be anything, also a secret
			out = append(out, "<"+strconv.Itoa(len(v))+" bytes>")
		case f.keeps(name):
			out = append(out, string(v))
		default:
			buf = append(append(buf[:0], name...), "=<"...)
			buf = strconv.AppendInt(buf, int64(len(value)), 10)
			out = append(out, string(append(buf, " bytes>"...)))
		}
	}
	return out
}
