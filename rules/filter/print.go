package filter

import (
	"strings"

	"github.com/gumshoe-ir/gumshoe/event"
)

// Print is the condition as text that reads back as the same Node: by Parse,
// or by ParseBar when it holds free words. A nil Node is "".
func Print(n Node) string {
	if n == nil {
		return ""
	}
	return string(appendNode(nil, n, false))
}

func appendNode(dst []byte, n Node, inner bool) []byte {
	switch n := n.(type) {
	case *And:
		return appendTerms(dst, n.Terms, " and ", inner)
	case *Or:
		return appendTerms(dst, n.Terms, " or ", inner)
	case *Not:
		dst = append(dst, "not "...)
		if _, ok := n.Term.(*Not); ok {
			dst = append(dst, '(')
			return append(appendNode(dst, n.Term, false), ')')
		}
		return appendNode(dst, n.Term, true)
	case *Check:
		return appendCheck(dst, n)
	case *Text:
		return appendWord(dst, n.Word)
	}
	return dst
}

func appendTerms(dst []byte, terms []Node, between string, inner bool) []byte {
	if inner {
		dst = append(dst, '(')
	}
	for i, t := range terms {
		if i > 0 {
			dst = append(dst, between...)
		}
		dst = appendNode(dst, t, true)
	}
	if inner {
		dst = append(dst, ')')
	}
	return dst
}

func appendCheck(dst []byte, c *Check) []byte {
	dst = append(dst, c.Field.Name...)
	switch plain := bareArgument(c.Arg, 0) == len(c.Arg); {
	case c.Arg == "":
	case c.Field.Traits&event.ByName != 0 && !isDigit(c.Arg[0]):
		dst = append(append(dst, '.'), c.Arg...)
	case plain:
		dst = append(append(append(dst, '['), c.Arg...), ']')
	default:
		dst = append(appendQuoted(append(dst, '['), c.Arg), ']')
	}
	dst = append(append(dst, ' '), c.Op.String()...)
	switch {
	case c.Op == Exists:
		return dst
	case !c.Op.takesList():
		dst = append(dst, ' ')
		if len(c.Values) == 0 {
			return append(dst, `""`...)
		}
		if c.Op.ordering() && numeral(c.Values[0], 0) == len(c.Values[0]) {
			return append(dst, c.Values[0]...)
		}
		return appendValue(dst, c.Values[0])
	}
	dst = append(dst, " ("...)
	for i, s := range c.Values {
		if i > 0 {
			dst = append(dst, ", "...)
		}
		dst = appendValue(dst, s)
	}
	return append(dst, ')')
}

// Quote is a value as a condition writes it: bare where that reads back the
// same, else in double quotes.
func Quote(s string) string { return string(appendValue(nil, s)) }

func appendValue(dst []byte, s string) []byte {
	if s != "" && bareString(s, 0, true) == len(s) && printable(s) {
		return append(dst, s...)
	}
	return appendQuoted(dst, s)
}

// appendWord quotes free words that would read as something else.
func appendWord(dst []byte, s string) []byte {
	if end, _ := fieldName(s, 0); end == len(s) && end > 0 {
		if _, isOp := wordOps[s]; !isOp && s != "and" && s != "or" && s != "not" && !strings.Contains(s, ".") {
			if _, known := event.LookupField(s); !known {
				return append(dst, s...)
			}
		}
	}
	return appendQuoted(dst, s)
}

func printable(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// appendQuoted writes s in double quotes. A backslash at the end is written
// as a number: before the quote it would keep it from closing.
func appendQuoted(dst []byte, s string) []byte {
	const digits = "0123456789abcdef"
	dst = append(dst, '"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"':
			dst = append(dst, `\"`...)
		case c == '\\' && i+1 < len(s):
			dst = append(dst, `\\`...)
		case c == '\n':
			dst = append(dst, `\n`...)
		case c == '\t':
			dst = append(dst, `\t`...)
		case c == '\\', c < ' ', c == 0x7f:
			dst = append(dst, '\\', 'x', digits[c>>4], digits[c&15])
		default:
			dst = append(dst, c)
		}
	}
	return append(dst, '"')
}
