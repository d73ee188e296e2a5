package filter

import (
	"strings"

	"github.com/gumshoe-ir/gumshoe/event"
)

// Limits of a condition. Beyond them it is refused with a clear error.
const (
	MaxDepth  = 100     // nested parentheses
	MaxSource = 1 << 20 // bytes
)

// Parse reads a condition in Falco's language: boolean structure over checks
// of fields. It is checked whole: fields exist, operators fit their types, and
// constants can be read. The error is an *Error.
func Parse(src string) (Node, error) {
	return (&parser{src: src, names: catalogue{}}).parse()
}

// ParseBar reads what people type into a filter bar: a condition in which
// also stand free words (Text), short names of fields (user=root), ";" between
// parts that all must hold, and "not in". Words beside each other must all
// hold. Addresses may be compared with networks. An empty bar is a nil Node.
// The error is an *Error.
func ParseBar(src string) (Node, error) {
	if strings.Trim(src, " \t\r\n;") == "" {
		return nil, nil
	}
	return (&parser{src: src, bar: true, names: catalogue{}}).parse()
}

// Chips splits a bar's text at the ";" outside of quotes, so that its parts can
// be switched on and off one by one. Parts are trimmed; empty ones are left out.
func Chips(src string) []string {
	var chips []string
	start := 0
	cut := func(end int) {
		if s := strings.TrimSpace(src[start:end]); s != "" {
			chips = append(chips, s)
		}
		start = end + 1
	}
	for i := 0; i < len(src); i++ {
		switch src[i] {
		case '"', '\'':
			if end := quotedString(src, i); end > i {
				i = end - 1
			}
		case ';':
			cut(i)
		}
	}
	cut(len(src))
	return chips
}

// naming is what a condition's names mean.
type naming interface {
	// field finds a field; bracket tells whether arg stood in brackets.
	field(name, arg string, bracket bool) (*event.Field, string, error)
	// macro is the condition behind a plain identifier.
	macro(name string) (Node, bool)
	// verify checks operator and constants of a check against its field.
	verify(c *Check) *constError
}

// catalogue names the fields of package event and no macros.
type catalogue struct{}

func (catalogue) field(name, arg string, bracket bool) (*event.Field, string, error) {
	return event.ResolveField(name, arg, bracket)
}
func (catalogue) macro(string) (Node, bool)   { return nil, false }
func (catalogue) verify(c *Check) *constError { _, err := compare(c); return err }

type parser struct {
	src   string
	at    int
	bar   bool
	depth int
	names naming
	place Position // of some offset before; positions are counted from there
}

func (p *parser) parse() (Node, error) {
	if len(p.src) > MaxSource {
		return nil, p.fail(0, "the condition is longer than a mebibyte", "")
	}
	n, err := p.chips()
	if err != nil {
		return nil, err
	}
	if p.blank(); p.at < len(p.src) {
		return nil, p.unexpected()
	}
	return n, nil
}

// chips reads the parts of a bar, or the one condition.
func (p *parser) chips() (Node, *Error) {
	var all []Node
	start := -1
	for {
		for p.blank(); p.bar && p.at < len(p.src) && p.src[p.at] == ';'; p.blank() {
			p.at++
		}
		if p.bar && len(all) > 0 && p.at == len(p.src) {
			break
		}
		if start < 0 {
			start = p.at
		}
		n, err := p.or()
		if err != nil {
			return nil, err
		}
		if and, ok := n.(*And); ok {
			all = append(all, and.Terms...)
		} else {
			all = append(all, n)
		}
		if p.blank(); !p.bar || p.at == len(p.src) || p.src[p.at] != ';' {
			break
		}
	}
	return join(all, func() Node { return &And{At: all[0].Pos(), Terms: all} }), nil
}

func join(terms []Node, many func() Node) Node {
	if len(terms) == 1 {
		return terms[0]
	}
	return many()
}

func (p *parser) or() (Node, *Error) {
	var terms []Node
	at := p.here()
	for {
		n, err := p.and()
		if err != nil {
			return nil, err
		}
		terms = append(terms, n)
		more, err := p.connective("or")
		if err != nil {
			return nil, err
		}
		if !more {
			return join(terms, func() Node { return &Or{At: at, Terms: terms} }), nil
		}
	}
}

func (p *parser) and() (Node, *Error) {
	var terms []Node
	at := p.here()
	for {
		n, err := p.not()
		if err != nil {
			return nil, err
		}
		terms = append(terms, n)
		more, err := p.connective("and")
		if err != nil {
			return nil, err
		}
		if !more && !p.another() {
			return join(terms, func() Node { return &And{At: at, Terms: terms} }), nil
		}
	}
}

// connective reads the word if it stands here. White space or a parenthesis
// must follow it.
func (p *parser) connective(word string) (bool, *Error) {
	p.blank()
	if !strings.HasPrefix(p.src[p.at:], word) {
		return false, nil
	}
	end := p.at + len(word)
	switch {
	case p.bar && identifier(p.src, p.at) != end:
		return false, nil // a free word such as "organisation"
	case end == len(p.src):
		p.at = end
		return false, p.incomplete("expected a condition after " + word)
	case !isSpace(p.src[end]) && p.src[end] != '(':
		return false, p.fail(p.at, "expected white space or ( after "+word, "")
	}
	p.at = end
	return true, nil
}

// another reports whether one more condition of a bar begins here.
func (p *parser) another() bool {
	if p.blank(); !p.bar || p.at >= len(p.src) {
		return false
	}
	return !strings.ContainsRune(");,=<>!", rune(p.src[p.at])) && !p.word("or")
}

// word reports whether the word stands here, alone.
func (p *parser) word(word string) bool {
	end := p.at + len(word)
	return strings.HasPrefix(p.src[p.at:], word) && (end == len(p.src) || isSpace(p.src[end]) || p.src[end] == '(')
}

func (p *parser) not() (Node, *Error) {
	negated := false
	at := p.here()
	for p.blank(); p.word("not"); p.blank() {
		p.at += len("not")
		negated = !negated
	}
	n, err := p.check()
	if err != nil {
		return nil, err
	}
	if negated {
		return &Not{At: at, Term: n}, nil
	}
	return n, nil
}

func (p *parser) check() (Node, *Error) {
	p.blank()
	switch {
	case p.at == len(p.src):
		return nil, p.incomplete("expected a condition")
	case p.src[p.at] == '(':
		return p.parenthesis()
	case p.bar && (p.word("and") || p.word("or")):
		return nil, p.unexpected()
	}
	at := p.here()
	end, dotted := fieldName(p.src, p.at)
	if end > p.at && (dotted || p.bar) {
		name := p.src[p.at:end]
		if !p.bar || p.isField(name, end, dotted) {
			p.at = end
			return p.comparison(at, name)
		}
	}
	if p.bar {
		return p.freeWord(at)
	}
	if end == p.at {
		return nil, p.unexpected()
	}
	if n, ok := p.names.macro(p.src[p.at:end]); ok {
		p.at = end
		return n, nil
	}
	name := p.src[p.at:end]
	hint := "field names have a dot, as proc.name has"
	if s, ok := event.Similar(name); ok {
		hint = "did you mean " + s + "?"
	}
	return nil, p.fail(p.at, "unknown macro "+name, hint)
}

func (p *parser) parenthesis() (Node, *Error) {
	open := p.at
	if p.depth++; p.depth > MaxDepth {
		return nil, p.fail(open, "more than 100 parentheses within each other", "")
	}
	p.at++
	n, err := p.or()
	if err != nil {
		return nil, err
	}
	if p.blank(); p.at == len(p.src) {
		return nil, p.incomplete("the parenthesis is not closed")
	}
	if p.src[p.at] != ')' {
		return nil, p.unexpected()
	}
	p.at++
	p.depth--
	return n, nil
}

// isField decides in a bar whether a name is meant as a field: an operator
// follows it, or a bracket a field's name.
func (p *parser) isField(name string, end int, dotted bool) bool {
	_, known := event.LookupField(name)
	if known && dotted {
		return true
	}
	if end < len(p.src) && p.src[end] == '[' {
		return known
	}
	rest := strings.TrimLeft(p.src[end:], " \t\r\n")
	if rest == "" {
		return false
	}
	if strings.ContainsRune("=<>", rune(rest[0])) || strings.HasPrefix(rest, "!=") {
		return true
	}
	if !known && !dotted {
		return false
	}
	_, isOp := wordOps[rest[:identifier(rest, 0)]]
	return isOp
}

func (p *parser) freeWord(at Position) (Node, *Error) {
	if c := p.src[p.at]; c == '"' || c == '\'' {
		s, err := p.quoted()
		if err != nil {
			return nil, err
		}
		return &Text{At: at, Word: s}, nil
	}
	end := bareString(p.src, p.at, true)
	if end == p.at {
		return nil, p.unexpected()
	}
	word := p.src[p.at:end]
	p.at = end
	return &Text{At: at, Word: word}, nil
}

func (p *parser) quoted() (string, *Error) {
	start := p.at
	end := quotedString(p.src, start)
	if end == start {
		p.at = len(p.src)
		e := p.incomplete("the quote is not closed")
		e.Pos = p.position(start)
		return "", e
	}
	s, bad := unquote(p.src[start+1:end-1], p.src[start])
	if bad >= 0 {
		return "", p.fail(start+1+bad, "unknown escape in the quotes", `a backslash is written \\`)
	}
	p.at = end
	return s, nil
}

func (p *parser) blank() {
	for p.at < len(p.src) && isBlank(p.src[p.at]) {
		p.at++
	}
}

func (p *parser) here() Position {
	p.blank()
	return p.position(p.at)
}

// position counts lines and columns up to an offset.
func (p *parser) position(offset int) Position {
	at := p.place
	if at.Line == 0 || at.Offset > offset {
		at = Position{Line: 1, Column: 1}
	}
	for ; at.Offset < offset; at.Offset++ {
		at.Column++
		if c := p.src[at.Offset]; c == '\n' || c == '\r' {
			at.Line, at.Column = at.Line+1, 1
		}
	}
	p.place = at
	return at
}

func (p *parser) fail(offset int, msg, hint string) *Error {
	return &Error{Pos: p.position(offset), Msg: msg, Hint: hint}
}

func (p *parser) incomplete(msg string) *Error {
	e := p.fail(len(p.src), msg, "")
	e.Incomplete = true
	return e
}

func (p *parser) unexpected() *Error {
	if p.at == len(p.src) {
		return p.incomplete("expected a condition")
	}
	end := max(bareString(p.src, p.at, p.bar), p.at+1)
	what := visible(p.src[p.at:min(end, p.at+40)])
	return p.fail(p.at, "unexpected "+what, "expected a condition, and, or")
}
