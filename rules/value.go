package rules

import (
	"strconv"
	"unicode/utf8"

	"github.com/gumshoe-ir/gumshoe/event"
)

const maxList = 1023 // bytes of a list as text

// appendText appends a value as outputs show it.
func appendText(dst []byte, f *event.Field, v event.Value) []byte {
	switch v.Kind {
	case event.String:
		return append(dst, v.Str...)
	case event.Int:
		return strconv.AppendInt(dst, int64(v.Num), 10)
	case event.Bool:
		return strconv.AppendBool(dst, v.Num != 0)
	case event.Bytes:
		return appendDotted(dst, v.Str)
	case event.IP:
		return v.Addr.AppendTo(dst)
	case event.Net:
		return strconv.AppendUint(append(v.Addr.AppendTo(dst), '/'), uint64(v.Bits), 10)
	case event.StringList:
		start := len(dst)
		dst = append(dst, '(')
		for i, s := range v.List {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = append(dst, s...)
		}
		dst = append(dst, ')')
		return dst[:min(len(dst), start+maxList)]
	}
	if f.Name == "evt.rawtime.ns" { // the rest of a second keeps its zeros
		for n := uint64(100_000_000); n > 1 && v.Num < n; n /= 10 {
			dst = append(dst, '0')
		}
	}
	return strconv.AppendUint(dst, v.Num, 10)
}

// appendDotted appends bytes with a dot for each that is not printable ASCII.
func appendDotted(dst []byte, s string) []byte {
	for i := range len(s) {
		c := s[i]
		if c < ' ' || c > '~' {
			c = '.'
		}
		dst = append(dst, c)
	}
	return dst
}

// appendJSON appends a value as JSON.
func appendJSON(dst []byte, f *event.Field, v event.Value) []byte {
	switch v.Kind {
	case event.String:
		return appendString(dst, v.Str)
	case event.Int, event.Bool:
		return appendText(dst, f, v)
	case event.Bytes, event.IP, event.Net:
		return appendString(dst, string(appendText(nil, f, v)))
	case event.StringList:
		dst = append(dst, '[')
		for i, s := range v.List {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = appendString(dst, s)
		}
		return append(dst, ']')
	}
	return strconv.AppendUint(dst, v.Num, 10)
}

// appendString appends a JSON string (RFC 8259 §7).
func appendString(dst []byte, s string) []byte {
	const digits = "0123456789abcdef"
	dst = append(dst, '"')
	for i := 0; i < len(s); {
		c := s[i]
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(s[i:])
			dst = utf8.AppendRune(dst, r)
			i += size
			continue
		}
		i++
		switch {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		case c == '\n':
			dst = append(dst, '\\', 'n')
		case c == '\r':
			dst = append(dst, '\\', 'r')
		case c == '\t':
			dst = append(dst, '\\', 't')
		case c < ' ' || c == 0x7f:
			dst = append(dst, '\\', 'u', '0', '0', digits[c>>4], digits[c&15])
		default:
			dst = append(dst, c)
		}
	}
	return append(dst, '"')
}
