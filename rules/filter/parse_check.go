package filter

import (
	"errors"
	"slices"
	"strings"

	"github.com/gumshoe-ir/gumshoe/event"
)

// comparison reads what follows a field's name.
func (p *parser) comparison(at Position, name string) (Node, *Error) {
	arg, bracket, err := p.argument()
	if err != nil {
		return nil, err
	}
	f, arg, problem := p.names.field(name, arg, bracket)
	if problem != nil {
		return nil, p.badField(at, name, problem)
	}
	c := &Check{At: at, Field: f, Arg: arg}
	negated, err := p.condition(c)
	if err != nil {
		return nil, err
	}
	if negated {
		return &Not{At: at, Term: c}, nil
	}
	return c, nil
}

func (p *parser) badField(at Position, name string, problem error) *Error {
	e := &Error{Pos: at, Msg: problem.Error()}
	if !errors.Is(problem, event.ErrUnknownField) {
		return e
	}
	if s, ok := event.Similar(name); ok {
		e.Hint = "did you mean " + s + "?"
	} else if p.bar {
		e.Hint = "put text to look for in quotes"
	}
	return e
}

func (p *parser) argument() (arg string, bracket bool, err *Error) {
	if p.at == len(p.src) || p.src[p.at] != '[' {
		return "", false, nil
	}
	p.at++
	if p.at == len(p.src) {
		return "", true, p.incomplete("expected an argument")
	}
	if c := p.src[p.at]; c == '"' || c == '\'' {
		if arg, err = p.quoted(); err != nil {
			return "", true, err
		}
	} else {
		end := bareArgument(p.src, p.at)
		if end == p.at {
			return "", true, p.fail(p.at, "expected an argument between the brackets", "")
		}
		arg, p.at = p.src[p.at:end], end
	}
	if p.at == len(p.src) {
		return "", true, p.incomplete("the bracket is not closed")
	}
	if p.src[p.at] != ']' {
		return "", true, p.fail(p.at, "expected ]", "")
	}
	p.at++
	return arg, true, nil
}

// condition reads operator and values into c and verifies them.
func (p *parser) condition(c *Check) (negated bool, err *Error) {
	p.blank()
	opAt := p.here()
	if p.bar && p.word("not") {
		if rest := strings.TrimLeft(p.src[p.at+len("not"):], " \t\r\n"); strings.HasPrefix(rest, "in") {
			p.at = len(p.src) - len(rest)
			negated = true
		}
	}
	op, ok := p.operator(negated)
	if !ok {
		return false, p.noOperator(c)
	}
	c.Op = op
	var places []Position
	switch {
	case op == Exists:
	case op.takesList():
		places, err = p.list(c)
	default:
		places, err = p.value(c)
	}
	if err != nil {
		return false, err
	}
	if p.bar {
		widen(c)
	}
	if bad := p.names.verify(c); bad != nil {
		e := &Error{Pos: opAt, Msg: bad.msg, Hint: bad.hint}
		if bad.value >= 0 && bad.value < len(places) {
			e.Pos = places[bad.value]
		}
		return false, e
	}
	return negated, nil
}

// operator reads one. Words that take a value need white space behind them,
// words that take a list or nothing do not.
func (p *parser) operator(listOnly bool) (Op, bool) {
	rest := p.src[p.at:]
	for _, o := range spelled {
		if !strings.HasPrefix(rest, o.text) || listOnly && !o.op.takesList() {
			continue
		}
		if isLetter(o.text[0]) && !o.op.takesList() && o.op != Exists {
			if len(rest) > len(o.text) && !isSpace(rest[len(o.text)]) {
				continue
			}
		}
		p.at += len(o.text)
		return o.op, true
	}
	return 0, false
}

func (p *parser) noOperator(c *Check) *Error {
	msg := "expected an operator after " + c.Field.Name
	hint := operatorHint(c.Field)
	rest := p.src[p.at:]
	begun := slices.ContainsFunc(spelled[:], func(o spelling) bool { return strings.HasPrefix(o.text, rest) })
	if begun || p.bar && rest == "not" {
		e := p.incomplete(msg)
		e.Hint = hint
		return e
	}
	return p.fail(p.at, msg, hint)
}

// operatorHint lists the most usual operators of a field.
func operatorHint(f *event.Field) string {
	const usual = 8
	names := make([]string, 0, usual+1)
	for i, o := range Operators(f) {
		if i == usual {
			names = append(names, "…")
			break
		}
		names = append(names, o.String())
	}
	return strings.Join(names, " ")
}

// value reads the right side of an operator that takes one value.
func (p *parser) value(c *Check) ([]Position, *Error) {
	p.blank()
	at := p.here()
	if p.at == len(p.src) {
		return nil, p.incomplete("expected a value after " + c.Op.String())
	}
	var s string
	var err *Error
	if c.Op.ordering() {
		end := numeral(p.src, p.at)
		if end == p.at {
			return nil, p.fail(p.at, "expected a number after "+c.Op.String(), "")
		}
		s, p.at = p.src[p.at:end], end
	} else if s, err = p.constant(); err != nil {
		return nil, err
	}
	c.Values = []string{s}
	return []Position{at}, nil
}

func (p *parser) constant() (string, *Error) {
	if c := p.src[p.at]; c == '"' || c == '\'' {
		return p.quoted()
	}
	end := bareString(p.src, p.at, p.bar)
	if end == p.at {
		return "", p.fail(p.at, "expected a value", "values with blanks, quotes, =, comma or parentheses need quotes")
	}
	s := p.src[p.at:end]
	p.at = end
	return s, nil
}

// list reads the right side of in, intersects and pmatch: a list in
// parentheses or one identifier.
func (p *parser) list(c *Check) (places []Position, err *Error) {
	p.blank()
	if p.at == len(p.src) {
		return nil, p.incomplete("expected a list after " + c.Op.String())
	}
	c.Values = []string{}
	if p.src[p.at] != '(' {
		end := identifier(p.src, p.at)
		if end == p.at {
			return nil, p.fail(p.at, "expected a list after "+c.Op.String(), "as in (a, b)")
		}
		c.Values = append(c.Values, p.src[p.at:end])
		places = append(places, p.here())
		p.at = end
		return places, nil
	}
	p.at++
	if p.blank(); p.at < len(p.src) && p.src[p.at] == ')' {
		p.at++
		return nil, nil
	}
	for {
		if p.blank(); p.at == len(p.src) {
			return nil, p.incomplete("the list is not closed")
		}
		places = append(places, p.here())
		s, err := p.constant()
		if err != nil {
			return nil, err
		}
		c.Values = append(c.Values, s)
		if p.blank(); p.at == len(p.src) {
			return nil, p.incomplete("the list is not closed")
		}
		p.at++
		switch p.src[p.at-1] {
		case ')':
			return places, nil
		case ',':
		default:
			return nil, p.fail(p.at-1, "expected a comma or ) in the list", "")
		}
	}
}

// widen lets a bar compare an address with a network: fd.sip=10.0.0.0/8 asks
// fd.snet.
func widen(c *Check) {
	name, ok := strings.CutSuffix(c.Field.Name, "ip")
	if !ok || c.Field.Kind != event.IP || !slices.ContainsFunc(c.Values, func(s string) bool { return strings.Contains(s, "/") }) {
		return
	}
	if f, ok := event.LookupField(name + "net"); ok {
		c.Field = f
		for i, s := range c.Values {
			c.Values[i] = hostNet(s)
		}
	}
}
