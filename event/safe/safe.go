// Package safe makes one printable line of hostile bytes, so that nothing an
// attacker named can move a cursor, hide, reorder or fake what people read. It
// does not quote for shells, JSON or mark-up: those have escapers of their own.
package safe

import (
	"strconv"
	"unicode"
	"unicode/utf8"
)

const (
	ellipsis = "…"
	// marks is how many combining marks one character may carry: enough for
	// every living script, too few to paint over the neighbours.
	marks = 2
)

// Line is b as one printable line of at most limit bytes of UTF-8; what does
// not fit is cut off and marked with "…". Control characters, escape
// sequences, bidi controls, invisible and lone combining characters come out
// as visible text (\n, \x1b, ⟪U+202E⟫), bytes that are not UTF-8 as \xHH.
// A clean string is returned as it is, without allocating.
func Line[T ~string | ~[]byte](b T, limit int) string {
	if len(b) <= limit && cleanLen(b) == len(b) {
		return string(b)
	}
	return string(Append(nil, b, limit))
}

// Clean reports whether Line would return b unchanged, its length apart.
func Clean[T ~string | ~[]byte](b T) bool { return cleanLen(b) == len(b) }

// Append appends Line(b, limit) to dst.
func Append[T ~string | ~[]byte](dst []byte, b T, limit int) []byte {
	limit = max(limit, 0)
	start := len(dst)
	room := start + limit
	fits := start // where a cut would leave room for the ellipsis
	var s state
	for i := 0; i < len(b); {
		r, n := decode(b, i)
		if s.shows(r, n) {
			dst = append(dst, b[i:i+n]...)
		} else {
			dst = escape(dst, r, n, b[i])
		}
		i += n
		if len(dst) > room {
			dst = dst[:fits]
			if limit >= len(ellipsis) {
				dst = append(dst, ellipsis...)
			}
			return dst
		}
		if len(dst) <= room-len(ellipsis) {
			fits = len(dst)
		}
	}
	return dst
}

// Tail is the last limit bytes of b, cut at a character and not yet made safe.
// It bounds the work on text that is shown from its end.
func Tail(b string, limit int) string {
	if len(b) <= limit {
		return b
	}
	b = b[len(b)-limit:]
	for i := 0; i < utf8.UTFMax && i < len(b); i++ {
		if utf8.RuneStart(b[i]) {
			return b[i:]
		}
	}
	return b
}

// cleanLen is how many leading bytes of b need no escaping.
func cleanLen[T ~string | ~[]byte](b T) int {
	var s state
	for i := 0; i < len(b); {
		if c := b[i]; c >= 0x20 && c < 0x7f {
			s = state{base: true}
			i++
			continue
		}
		r, n := decode(b, i)
		if !s.shows(r, n) {
			return i
		}
		i += n
	}
	return len(b)
}

func decode[T ~string | ~[]byte](b T, i int) (rune, int) {
	if c := b[i]; c < utf8.RuneSelf {
		return rune(c), 1
	}
	var buf [utf8.UTFMax]byte
	return utf8.DecodeRune(buf[:copy(buf[:], b[i:min(i+utf8.UTFMax, len(b))])])
}

// state is what the characters before decide: whether a combining mark has
// something to sit on, and how many sit there.
type state struct {
	base  bool
	marks uint8
}

// shows reports whether the character r of n bytes may stand as it is.
func (s *state) shows(r rune, n int) bool {
	switch {
	case r >= 0x20 && r < 0x7f:
		*s = state{base: true}
		return true
	case r < utf8.RuneSelf || r == utf8.RuneError && n <= 1 || invisible(r) || !unicode.IsPrint(r):
		*s = state{}
		return false
	case unicode.Is(unicode.M, r):
		if !s.base || s.marks >= marks {
			return false
		}
		s.marks++
		return true
	}
	*s = state{base: true}
	return true
}

// invisible reports characters that Unicode calls printable and that draw
// nothing by themselves, or change their neighbours' width: fillers, variation
// selectors, conjoining jamo, flag letters and skin tones
// (Unicode's Default_Ignorable_Code_Point and Emoji_Modifier).
func invisible(r rune) bool {
	switch {
	case r < 0x034f:
		return false
	case r == 0x034f, r == 0x3164, r == 0xffa0, r == 0x2800,
		r >= 0x115f && r <= 0x11ff,
		r == 0x17b4, r == 0x17b5,
		r >= 0x180b && r <= 0x180f,
		r >= 0xd7b0 && r <= 0xd7ff,
		r >= 0xfe00 && r <= 0xfe0f,
		r >= 0x1f1e6 && r <= 0x1f1ff,
		r >= 0x1f3fb && r <= 0x1f3ff,
		r >= 0xe0000 && r <= 0xe0fff:
		return true
	}
	return false
}

const hexDigits = "0123456789abcdef"

// escape appends the visible form of a character that may not stand: first is
// its first byte, which is all there is of a broken one.
func escape(dst []byte, r rune, n int, first byte) []byte {
	switch r {
	case '\n':
		return append(dst, `\n`...)
	case '\r':
		return append(dst, `\r`...)
	case '\t':
		return append(dst, `\t`...)
	}
	if r < utf8.RuneSelf || r == utf8.RuneError && n <= 1 {
		return append(dst, '\\', 'x', hexDigits[first>>4], hexDigits[first&15])
	}
	dst = append(dst, "⟪U+"...)
	if r < 0x1000 {
		dst = append(dst, '0')
		if r < 0x100 {
			dst = append(dst, '0')
		}
	}
	start := len(dst)
	dst = strconv.AppendInt(dst, int64(r), 16)
	for i := start; i < len(dst); i++ {
		if dst[i] >= 'a' {
			dst[i] -= 'a' - 'A'
		}
	}
	return append(dst, "⟫"...)
}
