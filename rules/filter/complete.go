package filter

import (
	"slices"
	"strings"

	"github.com/gumshoe-ir/gumshoe/event"
)

// Completion is what may stand at the cursor of a filter bar. Choosing one
// replaces src[From:To] by it.
type Completion struct {
	From, To int
	Choices  []Choice // fields, operators, words; best first
	// ValuesOf is the field whose values may stand here and Prefix how they
	// begin; nil elsewhere. The store knows them (Trail.Facets). Quote makes
	// them ready to insert.
	ValuesOf *event.Field
	Prefix   string
}

// Choice is one way to go on.
type Choice struct{ Text, Doc string }

// Complete finds what may stand at cursor, an offset into src. Cursors outside
// of src are moved to its ends.
func Complete(src string, cursor int) Completion {
	cursor = min(max(cursor, 0), len(src))
	c := completer{src: src[:cursor], rest: src[cursor:]}
	for next := c.condition; next != nil; {
		next = next()
	}
	return c.out
}

// completer walks a bar's text from its start to the cursor. Each state reads
// one token and is followed by the state it returns, the last one by none.
type completer struct {
	src, rest string
	at        int
	field     *event.Field
	op        Op
	out       Completion
}

type state func() state

func (c *completer) blank() {
	for c.at < len(c.src) && isBlank(c.src[c.at]) {
		c.at++
	}
}

// found ends the walk: a choice replaces what begins at from.
func (c *completer) found(from, end int, choices []Choice) state {
	c.out.From, c.out.To, c.out.Choices = from, len(c.src)+end, choices
	return nil
}

// condition expects a field, a free word, a parenthesis or not.
func (c *completer) condition() state {
	for c.blank(); c.at < len(c.src) && strings.IndexByte("(;", c.src[c.at]) >= 0; c.blank() {
		c.at++
	}
	start := c.at
	if start < len(c.src) && (c.src[start] == '"' || c.src[start] == '\'') {
		end := quotedString(c.src, start)
		if end == start {
			return c.found(len(c.src), 0, nil)
		}
		c.at = end
		return c.connective
	}
	end, _ := fieldName(c.src, start)
	if end == start {
		end = bareString(c.src, start, true)
	}
	if end < len(c.src) && c.src[end] == '.' && end+1 == len(c.src) {
		end++
	}
	if end >= len(c.src) {
		return c.found(start, nameEnd(c.rest), fieldChoices(c.src[start:]))
	}
	return c.named(start, end)
}

// named has read a whole name: of a field, a word before a condition, or text.
func (c *completer) named(start, end int) state {
	name := c.src[start:end]
	switch name {
	case "not", "and", "or":
		c.at = end
		return c.condition
	}
	bracket, arg := false, ""
	if end < len(c.src) && c.src[end] == '[' {
		n := strings.IndexByte(c.src[end:], ']')
		if n < 0 {
			return c.found(len(c.src), 0, nil)
		}
		bracket, arg = true, strings.Trim(c.src[end+1:end+n], `"'`)
		end += n + 1
	}
	f, _, err := event.ResolveField(name, arg, bracket)
	if err != nil {
		c.at = max(bareString(c.src, start, true), end, start+1)
		return c.connective
	}
	c.field, c.at = f, end
	return c.operator
}

// operator expects one behind a field.
func (c *completer) operator() state {
	c.blank()
	start := c.at
	p := parser{src: c.src, at: c.at, bar: true}
	if p.word("not") {
		p.at += len("not")
		p.blank()
	}
	op, ok := p.operator(false)
	whole := ok && (p.at < len(c.src) || !isLetter(c.src[p.at-1]))
	if !whole {
		typed := c.src[start:]
		if ok = strings.TrimLeft(typed, "abcdefghijklmnopqrstuvwxyz=!<> ") == ""; ok {
			return c.found(start, 0, operatorChoices(c.field, typed))
		}
		c.at = max(bareString(c.src, start, true), start+1)
		return c.connective
	}
	c.op, c.at = op, p.at
	switch {
	case op == Exists:
		return c.connective
	case op.takesList():
		if c.blank(); c.at < len(c.src) && c.src[c.at] == '(' {
			c.at++
			return c.value
		}
		if c.at == len(c.src) {
			return c.found(c.at, 0, []Choice{{Text: "(", Doc: "a list of values, separated by commas"}})
		}
	}
	return c.value
}

// value expects a constant, in a list or alone.
func (c *completer) value() state {
	c.blank()
	start, inner := c.at, c.at
	var end int
	if start < len(c.src) && (c.src[start] == '"' || c.src[start] == '\'') {
		inner = start + 1
		if end = quotedString(c.src, start); end == start {
			end = len(c.src)
		}
	} else {
		end = bareString(c.src, start, true)
	}
	if end >= len(c.src) && (end == start || inner == start || quotedString(c.src, start) == start) {
		c.out.ValuesOf, c.out.Prefix = c.field, c.src[inner:]
		return c.found(start, bareString(c.rest, 0, true), c.constants())
	}
	c.at = max(end, start)
	if c.op.takesList() {
		if c.blank(); c.at < len(c.src) && c.src[c.at] == ',' {
			c.at++
			return c.value
		}
	}
	if c.at == start { // a byte that cannot be here
		c.at++
	}
	return c.connective
}

// constants are the values that are known without asking the store.
func (c *completer) constants() []Choice {
	if c.field.Kind != event.Bool {
		return nil
	}
	return beginning([]Choice{{Text: "true"}, {Text: "false"}}, c.out.Prefix)
}

// connective expects and, or, a semicolon, or the next condition.
func (c *completer) connective() state {
	for c.blank(); c.at < len(c.src) && c.src[c.at] == ')'; c.blank() {
		c.at++
	}
	start := c.at
	if start < len(c.src) && (c.src[start] == ',' || c.src[start] == '=') {
		c.at++
		return c.connective
	}
	if end := identifier(c.src, start); end >= len(c.src) {
		words := beginning([]Choice{{"and", "both must hold"}, {"or", "one must hold"}}, c.src[start:])
		return c.found(start, nameEnd(c.rest), append(words, fieldChoices(c.src[start:])...))
	}
	return c.condition
}

// nameEnd is how much of a name goes on behind the cursor.
func nameEnd(rest string) int {
	n := 0
	for n < len(rest) && (isLetter(rest[n]) || isDigit(rest[n]) || rest[n] == '_' || rest[n] == '.') {
		n++
	}
	return n
}

// fieldChoices are fields that begin so, by alias first; then those of which
// a later part does.
func fieldChoices(typed string) []Choice {
	var short, long, inside []Choice
	for _, f := range event.Fields() {
		name := f.Name
		if f.Traits&event.ByName != 0 && f.Arg == event.RequiredKey {
			name += "."
		}
		switch {
		case f.Traits&event.Deprecated != 0:
		case f.Alias != "" && strings.HasPrefix(f.Alias, typed):
			short = append(short, Choice{f.Alias, f.Name + ": " + f.Doc})
		case strings.HasPrefix(name, typed):
			long = append(long, Choice{name, f.Doc})
		case typed != "" && strings.Contains(name, "."+typed):
			inside = append(inside, Choice{name, f.Doc})
		}
	}
	slices.SortFunc(short, func(a, b Choice) int { return strings.Compare(a.Text, b.Text) })
	return append(append(short, long...), inside...)
}

func operatorChoices(f *event.Field, typed string) []Choice {
	all := make([]Choice, 0, 20)
	for _, o := range Operators(f) {
		all = append(all, Choice{o.String(), opDocs[o]})
		if o == In {
			all = append(all, Choice{"not in", "none of a list"})
		}
	}
	return beginning(all, typed)
}

func beginning(all []Choice, typed string) []Choice {
	var some []Choice
	for _, c := range all {
		if strings.HasPrefix(c.Text, typed) {
			some = append(some, c)
		}
	}
	return some
}

// opDocs say what operators mean.
var opDocs = [...]string{
	Exists: "has a value", Eq: "is", Ne: "has a value, and another one",
	Lt: "is less than", Le: "is at most", Gt: "is more than", Ge: "is at least",
	Contains: "holds the text", IContains: "holds the text in any case",
	StartsWith: "begins with", EndsWith: "ends with",
	Glob: "matches a pattern of * ? [a-z]", IGlob: "matches such a pattern in any case",
	Regex: "matches an expression (POSIX) as a whole",
	In:    "is one of a list", Intersects: "has one of a list", PMatch: "lies at or below one of a list of paths",
	BContains: "holds bytes, given in hexadecimal", BStartsWith: "begins with bytes, given in hexadecimal",
}
