package filter

import "github.com/gumshoe-ir/gumshoe/event"

type spelling struct {
	text string
	op   Op
}

// spelled are the operators as they are written, in the order in which they
// are tried: longer ones before their beginnings.
var spelled = [...]spelling{
	{"exists", Exists},
	{"<=", Le},
	{"<", Lt},
	{">=", Ge},
	{">", Gt},
	{"==", Eq},
	{"=", Eq},
	{"!=", Ne},
	{"glob", Glob},
	{"iglob", IGlob},
	{"contains", Contains},
	{"icontains", IContains},
	{"bcontains", BContains},
	{"startswith", StartsWith},
	{"bstartswith", BStartsWith},
	{"endswith", EndsWith},
	{"regex", Regex},
	{"intersects", Intersects},
	{"in", In},
	{"pmatch", PMatch},
}

var wordOps = func() map[string]Op {
	m := map[string]Op{}
	for _, o := range spelled {
		if isLetter(o.text[0]) {
			m[o.text] = o.op
		}
	}
	return m
}()

// String is the operator as it is written.
func (o Op) String() string {
	if o == Eq {
		return "="
	}
	for _, s := range spelled {
		if s.op == o {
			return s.text
		}
	}
	return "?"
}

func (o Op) takesList() bool { return o == In || o == Intersects || o == PMatch }
func (o Op) ordering() bool  { return o == Lt || o == Le || o == Gt || o == Ge }

// Operators of the types of fields (spec/rules.md §1.4).
var (
	numberOps = []Op{Eq, Ne, Lt, Le, Gt, Ge, In, Intersects, Exists}
	boolOps   = []Op{Eq, Ne, In, Intersects, Exists}
	stringOps = []Op{
		Eq, Ne, Contains, IContains, StartsWith, EndsWith, In, Intersects, Glob, IGlob,
		PMatch, Regex, Lt, Le, Gt, Ge, Exists,
	}
	bytesOps = []Op{Eq, Ne, Contains, StartsWith, EndsWith, In, Intersects, BContains, BStartsWith, Exists}
	listOps  = []Op{In, Intersects, Exists}
	rawOps   = append([]Op{BContains, BStartsWith}, stringOps...)
)

// Operators are those that f's type allows, most usual first.
func Operators(f *event.Field) []Op {
	switch {
	case f.Traits&event.Dynamic != 0:
		return rawOps
	case f.List:
		return listOps
	}
	switch f.Kind {
	case event.String:
		return stringOps
	case event.Int, event.Uint, event.Reltime, event.Abstime:
		return numberOps
	case event.Bool, event.IP, event.Net:
		return boolOps
	case event.Bytes:
		return bytesOps
	case event.StringList:
		return listOps
	}
	return []Op{Exists}
}
