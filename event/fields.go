package event

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Field numbers are counted by class, so that a record finds the extractor of
// a field by comparing with the ends of the classes.
const (
	firstEvt       = 1
	firstProc      = 200
	firstThread    = 300
	firstContainer = 400
	firstFD        = 500
	firstGumshoe   = 600
	endFields      = 700
)

// catalogue is every field that some record answers, by name.
var catalogue = func() []Field {
	all := slices.Concat(evtFields, pathFields, procFields, threadFields, containerFields, fdFields, gumshoeFields, goneFields)
	slices.SortFunc(all, func(a, b Field) int { return cmp.Compare(a.Name, b.Name) })
	return all
}()

// byName finds a catalogue entry by its name or alias.
var byName = func() map[string]*Field {
	m := make(map[string]*Field, 2*len(catalogue))
	for i := range catalogue {
		f := &catalogue[i]
		m[f.Name] = f
		if f.Alias != "" {
			m[f.Alias] = f
		}
	}
	return m
}()

// Errors of ParseField. The messages carry the name and, where one is near,
// what may have been meant.
var (
	ErrUnknownField    = errors.New("unknown field")
	ErrUnansweredField = errors.New("known to Falco, not answered by gumshoe yet")
	ErrFieldArgument   = errors.New("wrong argument")
)

// Fields is the whole catalogue, sorted by name.
func Fields() []Field { return slices.Clone(catalogue) }

// LookupField finds a field by its name without argument ("proc.aname",
// "evt.arg") or by its alias: short names that people type, such as ns, pod,
// user, proc, container, image, ip, port. Each is listed in docs/fields.md.
func LookupField(name string) (*Field, bool) {
	f, ok := byName[name]
	return f, ok
}

// IsUnanswered reports whether Falco has a field name that no record of ours
// answers yet.
func IsUnanswered(name string) bool {
	_, ok := slices.BinarySearch(unanswered, name)
	return ok
}

// ParseField finds a field with its argument as conditions and templates write
// it: "proc.name", "proc.aname[2]", "proc.env[PATH]", "evt.arg.flags"
// (spec/rules.md §3.5). Errors are ErrUnknownField, ErrUnansweredField or
// ErrFieldArgument, wrapped with one line for people.
func ParseField(text string) (f *Field, arg string, err error) {
	name, arg, bracket := strings.Cut(text, "[")
	if bracket {
		inner, ok := strings.CutSuffix(arg, "]")
		if !ok {
			return nil, "", fmt.Errorf("%w of %s: the bracket is not closed", ErrFieldArgument, name)
		}
		arg = inner
	}
	return ResolveField(name, arg, bracket)
}

// ResolveField is ParseField for a name and a bracketed argument that were
// split before.
func ResolveField(name, arg string, bracket bool) (*Field, string, error) {
	if f, ok := byName[name]; ok {
		arg, err := f.checkArg(arg, bracket)
		return f, arg, err
	}
	for i := len(name) - 1; i > 0 && !bracket; i-- {
		if name[i] != '.' {
			continue
		}
		if f, ok := byName[name[:i]]; ok && f.Traits&ByName != 0 {
			return f, name[i+1:], f.checkSuffix(name[i+1:])
		}
		if IsUnanswered(name[:i]) {
			return nil, "", fmt.Errorf("%s: %w", name[:i], ErrUnansweredField)
		}
	}
	if IsUnanswered(name) {
		return nil, "", fmt.Errorf("%s: %w", name, ErrUnansweredField)
	}
	return nil, "", fmt.Errorf("%w %s", ErrUnknownField, name)
}

func (f *Field) checkArg(arg string, bracket bool) (string, error) {
	index := isIndex(arg)
	switch {
	case bracket && f.Arg == NoArg:
		return "", fmt.Errorf("%w: %s takes none", ErrFieldArgument, f.Name)
	case !bracket && (f.Arg == RequiredIndex || f.Arg == RequiredKey):
		return "", fmt.Errorf("%w: %s needs one, as in %s", ErrFieldArgument, f.Name, f.Example())
	case bracket && (f.Arg == OptionalIndex || f.Arg == RequiredIndex) && !index:
		return "", fmt.Errorf("%w: %s takes a number, as in %s", ErrFieldArgument, f.Name, f.Example())
	case bracket && f.Traits&ByName != 0 && !index:
		return "", fmt.Errorf("%w: %s takes a position in brackets or a name after a dot", ErrFieldArgument, f.Name)
	case bracket && arg == "":
		return "", fmt.Errorf("%w: %s has empty brackets", ErrFieldArgument, f.Name)
	}
	return arg, nil
}

func (f *Field) checkSuffix(arg string) error {
	switch f.num {
	case evtArg, evtRawArg:
		if !isParamName(arg) {
			return fmt.Errorf("%w: no event has a parameter %s", ErrFieldArgument, arg)
		}
	case evtTypeIs:
		if !IsTypeName(arg) {
			return fmt.Errorf("%w: no event is called %s", ErrFieldArgument, arg)
		}
	case evtAbspath:
		if arg != "src" && arg != "dst" {
			return fmt.Errorf("%w: %s takes .src or .dst", ErrFieldArgument, f.Name)
		}
	}
	return nil
}

// Example is how f is written, with an argument where it takes one.
func (f *Field) Example() string {
	switch {
	case f.num == evtTypeIs:
		return f.Name + ".openat"
	case f.num == threadCgroup:
		return f.Name + ".cpu"
	case f.num == evtAbspath:
		return f.Name + ".src"
	case f.Traits&ByName != 0:
		return f.Name + ".flags"
	case f.Arg == OptionalIndex || f.Arg == RequiredIndex:
		return f.Name + "[1]"
	case f.Arg == OptionalKey || f.Arg == RequiredKey:
		return f.Name + "[NAME]"
	}
	return f.Name
}

// Similar is the name in the catalogue nearest to name by edits, and false
// when none is near enough to be a slip.
func Similar(name string) (string, bool) {
	const far = 64
	if len(name) < 2 || len(name) > far {
		return "", false
	}
	best, least := "", 3
	if len(name) < 6 {
		least = 2
	}
	for i := range catalogue {
		for _, known := range [2]string{catalogue[i].Name, catalogue[i].Alias} {
			if known == "" {
				continue
			}
			if d := edits(name, known, least); d < least {
				best, least = known, d
			}
		}
	}
	return best, best != ""
}

// edits counts insertions, deletions, replacements and swaps of neighbours
// that turn a into b; it gives up at limit.
func edits(a, b string, limit int) int {
	if max(len(a)-len(b), len(b)-len(a)) >= limit || len(b) > 64 {
		return limit
	}
	var rows [3][65]int
	for j := range len(b) + 1 {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		row, up, up2 := &rows[i%3], &rows[(i+2)%3], &rows[(i+1)%3]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(up[j]+1, row[j-1]+1, up[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], up2[j-2]+1)
			}
		}
	}
	return min(rows[len(a)%3][len(b)], limit)
}

// isIndex reports whether s is a plain decimal below 10000.
func isIndex(s string) bool {
	if s == "" || len(s) > 4 || len(s) > 1 && s[0] == '0' {
		return false
	}
	_, ok := index(s)
	return ok
}

// index reads a decimal without allocating.
func index(s string) (int, bool) {
	n := 0
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' || n > 100000 {
			return 0, false
		}
		n = n*10 + int(s[i]-'0')
	}
	return n, s != ""
}

// paramNames and typeNames are what evt.arg.X and evt.type may be asked for.
var paramNames, typeNames = func() (params, types map[string]bool) {
	params, types = map[string]bool{}, map[string]bool{}
	for _, rows := range [2][]Info{table[:], private[:]} {
		for i := range rows {
			types[rows[i].Name] = true
			for _, p := range rows[i].Params {
				params[p.Name] = true
			}
		}
	}
	for _, n := range syscallNames {
		types[n] = true
	}
	for _, n := range [...]string{"container", "container_removed"} {
		types[n] = true
	}
	delete(types, "NA")
	return params, types
}()

func isParamName(s string) bool { return paramNames[s] }

// IsTypeName reports whether name is one that evt.type can have: an event, a
// system call without an event of its own, or an asynchronous event of ours.
func IsTypeName(name string) bool { return typeNames[name] }
