package filter

import "strings"

// The lexical level (spec/rules.md §1.1): each function looks at the source
// from some offset on and gives the end of the token there, or that offset
// when there is none.

func isLetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }
func isDigit(c byte) bool  { return c >= '0' && c <= '9' }

// isBlank is the white space between tokens.
func isBlank(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\b' }

// isSpace is the wider class that ends words.
func isSpace(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' }

// identifier ends a macro name: letters, then letters, digits and underscores.
func identifier(s string, at int) int {
	if at >= len(s) || !isLetter(s[at]) {
		return at
	}
	for at < len(s) && (isLetter(s[at]) || isDigit(s[at]) || s[at] == '_') {
		at++
	}
	return at
}

// fieldName ends identifiers joined by dots; dotted tells whether there was
// a dot, which field names need.
func fieldName(s string, at int) (end int, dotted bool) {
	end = identifier(s, at)
	for end > at && end < len(s) && s[end] == '.' {
		next := identifier(s, end+1)
		if next == end+1 {
			break
		}
		end, dotted = next, true
	}
	return end, dotted
}

// bareString ends a value without quotes.
func bareString(s string, at int, bar bool) int {
	for at < len(s) && !isSpace(s[at]) && s[at] != '\b' && !strings.ContainsRune(`()"'=,`, rune(s[at])) && (!bar || s[at] != ';') {
		at++
	}
	return at
}

// bareArgument ends a field's argument without quotes.
func bareArgument(s string, at int) int {
	for at < len(s) && !isSpace(s[at]) && !strings.ContainsRune(`[]"'`, rune(s[at])) {
		at++
	}
	return at
}

// numeral ends a hexadecimal number or a decimal one.
func numeral(s string, at int) int {
	if end := hexadecimal(s, at); end > at {
		return end
	}
	end := at
	if end < len(s) && (s[end] == '+' || s[end] == '-') {
		end++
	}
	first := end
	end = digits(s, end)
	if end == first {
		return at
	}
	if end < len(s) && s[end] == '.' {
		end = digits(s, end+1)
	}
	if end+2 < len(s) && (s[end] == 'e' || s[end] == 'E') && (s[end+1] == '+' || s[end+1] == '-') && isDigit(s[end+2]) {
		end = digits(s, end+2)
	}
	return end
}

func digits(s string, at int) int {
	for at < len(s) && isDigit(s[at]) {
		at++
	}
	return at
}

func hexadecimal(s string, at int) int {
	if at+2 >= len(s) || s[at] != '0' || s[at+1]|0x20 != 'x' || unhex(s[at+2]) < 0 {
		return at
	}
	for at += 2; at < len(s) && unhex(s[at]) >= 0; {
		at++
	}
	return at
}

func unhex(c byte) int {
	switch {
	case isDigit(c):
		return int(c - '0')
	case c|0x20 >= 'a' && c|0x20 <= 'f':
		return int(c|0x20-'a') + 10
	}
	return -1
}

// quotedString ends behind the closing quote: the next one that does not
// directly follow a backslash. It is at again when there is none.
func quotedString(s string, at int) int {
	for end := at + 1; end < len(s); end++ {
		if s[end] == s[at] && s[end-1] != '\\' {
			return end + 1
		}
	}
	return at
}

// unquote decodes what stands between quotes; on failure it is the offset of
// the bad escape.
func unquote(s string, quote byte) (text string, bad int) {
	if !strings.Contains(s, `\`) {
		return s, -1
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' {
			b = append(b, s[i])
			continue
		}
		i++
		if i == len(s) {
			return "", i - 1
		}
		switch c := s[i]; c {
		case 'b':
			b = append(b, '\b')
		case 'f':
			b = append(b, '\f')
		case 'n':
			b = append(b, '\n')
		case 'r':
			b = append(b, '\r')
		case 't':
			b = append(b, '\t')
		case '\\', ' ':
			b = append(b, '\\')
		case '/':
			b = append(b, '/')
		case 'x':
			if i+2 >= len(s) || unhex(s[i+1]) < 0 || unhex(s[i+2]) < 0 {
				return "", i - 1
			}
			b = append(b, byte(unhex(s[i+1])<<4|unhex(s[i+2])))
			i += 2
		default:
			if c != quote {
				return "", i - 1
			}
			b = append(b, c)
		}
	}
	return string(b), -1
}
