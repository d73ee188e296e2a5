package filter

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/gumshoe-ir/gumshoe/event"
	"github.com/gumshoe-ir/gumshoe/internal/need"
)

// peerCases is filters.json of the shared conformance set.
type peerCases struct {
	Parse []struct {
		Expr     string
		Repeat   *struct{ Text string } `json:"expr_repeat"`
		Valid    bool
		Variants bool    `json:"whitespace_variants"`
		String   *string `json:"as_string"`
		Places   *string `json:"node_positions"`
	}
	Compile []struct {
		Expr     string
		Compiles bool
		Warnings int
	}
	Eval []struct {
		Expr   string
		Match  bool
		Fields map[string]any
	}
	AstEqual []struct {
		A, B  string
		Equal bool
	} `json:"ast_equal"`
	Escape       []json.RawMessage
	RuleWarnings []json.RawMessage `json:"rule_warnings"`
}

// Why a case is not judged yet. Each reason comes with the rest of the
// language (issue 3); the counts below keep the list honest.
const (
	transformers = "transformers and val()"
	modifiers    = "modifiers oneof, anyof, allof"
	warnings     = "warnings about constants"
	fields       = "fields that no record answers yet"
	ruleLevel    = "warnings of whole rules"
)

var (
	transformerCall = regexp.MustCompile(`\b(tolower|toupper|b64|basename|len|join|concat|getopt|val)\(`)
	modifierWord    = regexp.MustCompile(`(?i)\b(oneof|anyof|allof)`)
)

func notYet(expr string) string {
	switch {
	case transformerCall.MatchString(expr):
		return transformers
	case modifierWord.MatchString(expr):
		return modifiers
	}
	return ""
}

// lenient accepts all names, as tests of the grammar alone do; identifiers are
// macros.
type lenient struct{}

func (lenient) field(name, arg string, _ bool) (*event.Field, string, error) {
	return &event.Field{Name: name, Kind: event.String}, arg, nil
}
func (lenient) macro(name string) (Node, bool) { return &Text{Word: name}, true }
func (lenient) verify(*Check) *constError      { return nil }

// mocked knows the fields c.* of the peers' own tests beside the catalogue.
type mocked struct{ catalogue }

func (m mocked) field(name, arg string, bracket bool) (*event.Field, string, error) {
	if !strings.HasPrefix(name, "c.") {
		return m.catalogue.field(name, arg, bracket)
	}
	kind := event.String
	if name == "c.buffer" {
		kind = event.Bytes
	}
	return &event.Field{Name: name, Kind: kind}, arg, nil
}

func loadPeerCases(t *testing.T) (cases peerCases) {
	b, err := os.ReadFile(need.Shared(t, "conformance/filters.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &cases); err != nil {
		t.Fatal(err)
	}
	return cases
}

// tally counts what was judged and why the rest was not.
type tally struct {
	passed int
	left   map[string]int
}

func (c *tally) check(t *testing.T, want map[string]int, name string) {
	t.Helper()
	total := c.passed
	for reason, n := range c.left {
		total += n
		if os.Getenv("GUMSHOE_SHARED") == "" && want[reason] != n {
			t.Errorf("%s: %d cases wait for %s, the list says %d", name, n, reason, want[reason])
		}
	}
	t.Logf("%s: %d of %d judged and passed; not yet: %v", name, c.passed, total, c.left)
}

func TestPeersGrammar(t *testing.T) {
	count := tally{left: map[string]int{}}
	for _, c := range loadPeerCases(t).Parse {
		if why := notYet(c.Expr); why != "" {
			count.left[why]++
			continue
		}
		ok := true
		if c.Repeat != nil {
			c.Expr = strings.Repeat("(", 100_000)
		}
		for _, src := range variants(c.Expr, c.Variants) {
			n, err := (&parser{src: src, names: lenient{}}).parse()
			if (err == nil) != c.Valid {
				t.Errorf("parse %q: %v, want valid %t", src, err, c.Valid)
				ok = false
			}
			if err == nil && c.Places != nil && places(n) != valuePlace.ReplaceAllString(*c.Places, "") {
				t.Errorf("places in %q: %s, want %s", src, places(n), *c.Places)
				ok = false
			}
			if err == nil && c.String != nil && Print(n) != *c.String {
				t.Errorf("print of %q: %s, want %s", src, Print(n), *c.String)
				ok = false
			}
		}
		if ok {
			count.passed++
		}
	}
	count.check(t, map[string]int{transformers: 58, modifiers: 38}, "parse")
}

func variants(src string, more bool) []string {
	if !more {
		return []string{src}
	}
	return []string{src, " " + src + " ", strings.ReplaceAll(src, " ", "\n"), strings.ReplaceAll(src, " ", "\t")}
}

// valuePlace is what the peers' visitor says of constants, which are no nodes
// of ours.
var valuePlace = regexp.MustCompile(`value\d+ \d+ \d+`)

// places lists positions as the peers' visitor does.
func places(n Node) string {
	at := func(kind string, p Position) string {
		return fmt.Sprintf("%s%d %d %d", kind, p.Offset, p.Line, p.Column)
	}
	all := ""
	switch n := n.(type) {
	case *And:
		all = at("and", n.At)
		for _, t := range n.Terms {
			all += places(t)
		}
	case *Or:
		all = at("or", n.At)
		for _, t := range n.Terms {
			all += places(t)
		}
	case *Not:
		all = at("not", n.At) + places(n.Term)
	case *Check:
		all = at("binary", n.At) + at("field", n.At)
	}
	return all
}

func TestPeersTypes(t *testing.T) {
	count := tally{left: map[string]int{}}
	for _, c := range loadPeerCases(t).Compile {
		_, err := (&parser{src: c.Expr, names: mocked{}}).parse()
		why := notYet(c.Expr)
		if why == "" && c.Warnings > 0 {
			why = warnings
		}
		if why == "" && err != nil && strings.Contains(err.Error(), event.ErrUnansweredField.Error()) {
			why = fields
		}
		if why != "" {
			count.left[why]++
			continue
		}
		if (err == nil) != c.Compiles {
			t.Errorf("compile %q: %v, want it to compile: %t", c.Expr, err, c.Compiles)
			continue
		}
		count.passed++
	}
	count.check(t, map[string]int{transformers: 12, modifiers: 5, warnings: 4, fields: 4}, "compile")
}

func TestPeersVerdicts(t *testing.T) {
	count := tally{left: map[string]int{}}
	for _, c := range loadPeerCases(t).Eval {
		why := notYet(c.Expr)
		n, err := (&parser{src: c.Expr, names: mocked{}}).parse()
		if why == "" && err != nil && strings.Contains(err.Error(), event.ErrUnansweredField.Error()) {
			why = fields
		}
		if why != "" {
			count.left[why]++
			continue
		}
		if err != nil {
			t.Errorf("parse %q: %v", c.Expr, err)
			continue
		}
		p, err := Compile(n)
		if err != nil {
			t.Errorf("compile %q: %v", c.Expr, err)
			continue
		}
		if got := p.Match(fake(c.Fields)); got != c.Match {
			t.Errorf("%s on %v: %t, want %t", c.Expr, c.Fields, got, c.Match)
			continue
		}
		count.passed++
	}
	count.check(t, map[string]int{transformers: 49, modifiers: 34}, "eval")
}

func TestPeersEqualTrees(t *testing.T) {
	count := tally{left: map[string]int{}}
	for _, c := range loadPeerCases(t).AstEqual {
		if why := notYet(c.A + c.B); why != "" {
			count.left[why]++
			continue
		}
		a, errA := Parse(c.A)
		b, errB := Parse(c.B)
		if errA != nil || errB != nil || (Print(a) == Print(b)) != c.Equal {
			t.Errorf("%s and %s: equal is not %t (%v, %v)", c.A, c.B, c.Equal, errA, errB)
			continue
		}
		count.passed++
	}
	count.check(t, map[string]int{modifiers: 9}, "ast_equal")
}

// TestPeersEscapes: escaping alone and warnings about whole rules.
func TestPeersEscapes(t *testing.T) {
	cases := loadPeerCases(t)
	count := tally{left: map[string]int{ruleLevel: len(cases.RuleWarnings)}}
	for _, raw := range cases.Escape {
		var c struct {
			Op, In string
			Out    *string
			OutHex string `json:"out_hex"`
			Error  bool
		}
		if err := json.Unmarshal(raw, &c); err != nil {
			t.Fatal(err)
		}
		var got string
		failed := false
		if c.Op == "escape" {
			got = string(appendQuoted(nil, c.In))
		} else {
			s, bad := unquote(c.In[1:len(c.In)-1], c.In[0])
			got, failed = s, bad >= 0
		}
		want := ""
		if c.Out != nil {
			want = *c.Out
		} else if b, err := hex.DecodeString(c.OutHex); err == nil {
			want = string(b)
		}
		wantFail := c.Out == nil && c.OutHex == ""
		if failed != wantFail || !failed && got != want {
			t.Errorf("%s: got %q failed %t", raw, got, failed)
			continue
		}
		count.passed++
	}
	count.check(t, map[string]int{ruleLevel: 6}, "escape and rule_warnings")
}

// fake is a record of the values a case names.
type fake map[string]any

func (r fake) Value(f *event.Field, arg string) (event.Value, bool) {
	key := f.Name
	if f.Name == "c.true" || f.Name == "c.false" || strings.HasSuffix(f.Name, "quote") {
		return event.Value{Kind: event.String, Str: map[string]string{
			"c.true": "1", "c.false": "0", "c.doublequote": `hello "quoted"`, "c.singlequote": "hello 'quoted'",
		}[f.Name]}, true
	}
	if list, ok := r[key].([]any); ok && f.Traits&event.Walks != 0 {
		i := 0
		if _, err := fmt.Sscan(arg, &i); err != nil || i < 1 || i > len(list) {
			return event.Value{}, false
		}
		return fakeValue(f, list[i-1])
	}
	if arg != "" {
		key += "." + arg
		if isDigit(arg[0]) {
			key = f.Name + "[" + arg + "]"
		}
	}
	if v, ok := r[key]; ok {
		return fakeValue(f, v)
	}
	if name, ok := strings.CutSuffix(f.Name, "net"); ok {
		if v, ok := r[name+"ip"]; ok {
			return fakeValue(f, v)
		}
	}
	return event.Value{}, false
}

func fakeValue(f *event.Field, v any) (event.Value, bool) {
	switch v := v.(type) {
	case map[string]any:
		b, err := hex.DecodeString(v["hex"].(string))
		return event.Value{Kind: f.Kind, Str: string(b)}, err == nil
	case string:
		if f.Kind == event.IP || f.Kind == event.Net {
			a, err := netip.ParseAddr(v)
			return event.Value{Kind: event.IP, Addr: a}, err == nil
		}
		return event.Value{Kind: event.String, Str: v}, true
	case float64:
		kind := f.Kind
		if kind == event.NoValue {
			kind = event.Int
		}
		return event.Value{Kind: kind, Num: uint64(int64(v))}, true
	case bool:
		if v {
			return event.Value{Kind: event.Bool, Num: 1}, true
		}
		return event.Value{Kind: event.Bool}, true
	}
	return event.Value{}, false
}
