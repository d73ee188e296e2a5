// Package rules is what rule files are made of beyond their conditions. Today
// that is the output template; engine and loader come with the rules.
package rules

import (
	"slices"
	"strconv"
	"strings"

	"github.com/gumshoe-ir/gumshoe/event"
	"github.com/gumshoe-ir/gumshoe/rules/filter"
)

// Template is an output of Falco's form: text with fields behind percent
// signs, as in "%evt.time %20proc.name %fd.name". It is safe for use by any
// number of goroutines.
//
// What it writes holds the bytes of events as they are. They are hostile: pass
// them through event/safe before a terminal or another format sees them.
// AppendJSON alone escapes what JSON demands.
type Template struct {
	parts   []part
	keys    []part // the fields, each once, sorted by name
	lenient bool   // began with *
}

// part is literal text or one field.
type part struct {
	text  string // literal, or the field as it was written
	field *event.Field
	arg   string
	width int // -1: as long as the value is
}

const maxWidth = 1 << 12

// ParseTemplate reads a template (spec/rules.md §2.8). After a percent sign may
// stand a width; the value is then padded or cut to that many bytes. The
// longest text that names a field is taken. A leading * prints records that
// lack fields. The error is a *filter.Error.
func ParseTemplate(src string) (*Template, error) {
	t := &Template{}
	rest, lenient := strings.CutPrefix(src, "*")
	t.lenient = lenient
	for rest != "" {
		at := strings.IndexByte(rest, '%')
		if at < 0 {
			at = len(rest)
		}
		if at > 0 {
			t.parts = append(t.parts, part{text: rest[:at]})
		}
		if at == len(rest) {
			break
		}
		p, size, err := readField(rest[at+1:], len(src)-len(rest)+at+1, src)
		if err != nil {
			return nil, err
		}
		t.parts = append(t.parts, p)
		t.keys = append(t.keys, p)
		rest = rest[at+1+size:]
	}
	slices.SortFunc(t.keys, func(a, b part) int { return strings.Compare(a.text, b.text) })
	t.keys = slices.CompactFunc(t.keys, func(a, b part) bool { return a.text == b.text })
	return t, nil
}

// readField reads width and field at the start of s, which begins at offset.
func readField(s string, offset int, src string) (part, int, error) {
	p := part{width: -1}
	digits := 0
	for digits < len(s) && s[digits] >= '0' && s[digits] <= '9' {
		digits++
	}
	if digits > 0 {
		n, err := strconv.Atoi(s[:digits])
		if err != nil || n > maxWidth {
			return p, 0, failure(src, offset, "the width "+s[:min(digits, 20)]+" is too large", "at most "+strconv.Itoa(maxWidth))
		}
		p.width = n
	}
	name := s[digits:]
	end := fieldEnd(name)
	if end == 0 {
		return p, 0, failure(src, offset, "expected a field behind %", "as in %proc.name")
	}
	var first error
	for ; end > 0; end = shorter(name[:end]) {
		f, arg, err := event.ParseField(unquoteArg(name[:end]))
		if err == nil && f.Alias == name[:end] {
			break // short names are for people at a prompt
		}
		if err == nil {
			if f.Traits&event.FilterOnly != 0 {
				return p, 0, failure(src, offset, f.Name+" can be compared, not printed", "")
			}
			p.text, p.field, p.arg = name[:end], f, arg
			return p, digits + end, nil
		}
		if first == nil {
			first = err
		}
	}
	hint := ""
	if near, ok := event.Similar(name[:fieldEnd(name)]); ok {
		hint = "did you mean " + near + "?"
	}
	if first == nil {
		first = event.ErrUnknownField
	}
	return p, 0, failure(src, offset, first.Error(), hint)
}

// fieldEnd is the length of what may be a field with its argument.
func fieldEnd(s string) int {
	i := 0
	for i < len(s) && (isWord(s[i]) || s[i] == '.' && i+1 < len(s) && isWord(s[i+1])) {
		i++
	}
	if i > 0 && i < len(s) && s[i] == '[' {
		if end := strings.IndexByte(s[i:], ']'); end > 0 {
			i += end + 1
		}
	}
	return i
}

// shorter is the length of the next shorter candidate for a field: without its
// bracket, then without its last part.
func shorter(s string) int {
	if i := strings.IndexByte(s, '['); i >= 0 {
		return i
	}
	return max(strings.LastIndexByte(s, '.'), 0)
}

// unquoteArg takes the quotes off an argument: proc.env["A B"].
func unquoteArg(s string) string {
	open := strings.IndexByte(s, '[')
	if open < 0 || len(s) < open+4 {
		return s
	}
	if q := s[open+1]; (q == '"' || q == '\'') && s[len(s)-2] == q {
		return s[:open+1] + s[open+2:len(s)-2] + "]"
	}
	return s
}

func isWord(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_'
}

func failure(src string, offset int, msg, hint string) error {
	before := src[:offset]
	line := 1 + strings.Count(before, "\n")
	column := offset - strings.LastIndexByte(before, '\n')
	return &filter.Error{Pos: filter.Position{Offset: offset, Line: line, Column: column}, Msg: msg, Hint: hint}
}

// Skips reports whether r lacks a field that t insists on: without a leading *
// such records are left out.
func (t *Template) Skips(r event.Record) bool {
	if t.lenient {
		return false
	}
	for i := range t.keys {
		if _, ok := r.Value(t.keys[i].field, t.keys[i].arg); !ok {
			return true
		}
	}
	return false
}

// Append appends r as t writes it. What r lacks is printed as <NA>.
func (t *Template) Append(dst []byte, r event.Record) []byte {
	for i := range t.parts {
		p := &t.parts[i]
		if p.field == nil {
			dst = append(dst, p.text...)
			continue
		}
		start := len(dst)
		if v, ok := r.Value(p.field, p.arg); ok {
			dst = appendText(dst, p.field, v)
		} else {
			dst = append(dst, "<NA>"...)
		}
		if p.width < 0 {
			continue
		}
		dst = dst[:min(len(dst), start+p.width)]
		for len(dst) < start+p.width {
			dst = append(dst, ' ')
		}
	}
	return dst
}

// AppendJSON appends r as an object of t's fields by their names: numbers as
// numbers, lists as arrays, what r lacks as null, times of evt.time in ns since
// the epoch. Bytes that are not UTF-8 become U+FFFD.
func (t *Template) AppendJSON(dst []byte, r event.Record) []byte {
	dst = append(dst, '{')
	for i := range t.keys {
		p := &t.keys[i]
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(appendString(dst, p.text), ':')
		field := p.field
		if field.Name == "evt.time" || field.Name == "evt.time.iso8601" {
			field = rawtime
		}
		if v, ok := r.Value(field, p.arg); ok {
			dst = appendJSON(dst, field, v)
		} else {
			dst = append(dst, "null"...)
		}
	}
	return append(dst, '}')
}

var rawtime = func() *event.Field { f, _ := event.LookupField("evt.rawtime"); return f }()

// Fields are the fields that t prints, each once.
func (t *Template) Fields() []*event.Field {
	all := make([]*event.Field, len(t.keys))
	for i := range t.keys {
		all[i] = t.keys[i].field
	}
	return all
}
