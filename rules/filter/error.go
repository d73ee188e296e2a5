package filter

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Error is what is wrong with a condition, in one line for people.
type Error struct {
	Pos  Position
	Msg  string // "unknown field proc.nmae"
	Hint string // "did you mean proc.name?", empty when there is nothing to advise
	// Incomplete: the text is right as far as it goes and ends too early. A
	// filter bar keeps its last whole filter meanwhile.
	Incomplete bool
}

// Error is position, message and hint in one line.
func (e *Error) Error() string {
	return fmt.Sprintf("%d:%d: %s", e.Pos.Line, e.Pos.Column, e.Line())
}

// Line is message and hint without the position.
func (e *Error) Line() string {
	if e.Hint == "" {
		return e.Msg
	}
	return e.Msg + ": " + e.Hint
}

// Caret is the line of src that e is about and below it a caret under the
// place. Bytes that could steer a terminal are replaced.
func (e *Error) Caret(src string) string {
	start := min(max(e.Pos.Offset-e.Pos.Column+1, 0), len(src))
	line := src[start:]
	if end := strings.IndexAny(line, "\r\n"); end >= 0 {
		line = line[:end]
	}
	before := line[:min(max(e.Pos.Column-1, 0), len(line))]
	return visible(line) + "\n" + strings.Repeat(" ", utf8.RuneCountInString(visible(before))) + "^"
}

// visible replaces all but printable runes of the text's own direction.
func visible(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r < ' ' || r == 0x7f || r == utf8.RuneError:
			return '.'
		case r >= 0x80 && r < 0xa0 || r >= 0x200b && r <= 0x200f || r >= 0x2028 && r <= 0x202e || r >= 0x2060 && r <= 0x206f || r == 0xfeff:
			return '.'
		}
		return r
	}, s)
}
