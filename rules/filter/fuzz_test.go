package filter

import (
	"errors"
	"testing"

	"github.com/gumshoe-ir/gumshoe/event"
)

var seeds = []string{
	"", "bash", "proc.name=bash and not (fd.sip!=10.0.0.0/8 or evt.type in (open,openat))", busy,
	`fd.name = "a\\\"\x5c" ; "free word" user in (a,"b c")`, "proc.aname[2]=x or proc.env[\"a b\"] exists",
	"evt.arg.flags contains O_TRUNC and evt.rawarg.res > -1", "not not not(not proc.pid<=-1)", "fd.name infoo",
	"proc.name regex ((", "'", "((((", "proc.name glob [[:alpha:]-]*", "fd.net in (::1, 1.2.3.0/24)", "a;;b;", "proc.pid=99999999999999999999",
}

// FuzzParse: no text makes a reader panic or fail without an *Error, and what
// was read prints as text that reads back the same.
func FuzzParse(f *testing.F) {
	for _, s := range seeds {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, src string) {
		for name, parse := range map[string]func(string) (Node, error){"Parse": Parse, "ParseBar": ParseBar} {
			n, err := parse(src)
			if err != nil {
				var e *Error
				if !errors.As(err, &e) || e.Msg == "" || e.Pos.Offset > len(src) {
					t.Fatalf("%s(%q): %#v is no usable *Error", name, src, err)
				}
				e.Caret(src)
				continue
			}
			printed := Print(n)
			again, err := parse(printed)
			if err != nil {
				t.Fatalf("%s(%q) prints %q, which does not parse: %v", name, src, printed, err)
			}
			if !same(n, again) {
				t.Fatalf("%s(%q) prints %q, which reads as %q", name, src, printed, Print(again))
			}
			if _, err := Compile(n); err != nil {
				t.Fatalf("%s(%q) does not compile: %v", name, src, err)
			}
		}
		Complete(src, len(src)/2)
		if c := Complete(src, len(src)); c.From < 0 || c.From > c.To || c.To > len(src) {
			t.Fatalf("Complete(%q) replaces [%d:%d]", src, c.From, c.To)
		}
		Chips(src)
	})
}

// same compares trees without their places.
func same(a, b Node) bool {
	switch a := a.(type) {
	case nil:
		return b == nil
	case *And:
		b, ok := b.(*And)
		return ok && sameAll(a.Terms, b.Terms)
	case *Or:
		b, ok := b.(*Or)
		return ok && sameAll(a.Terms, b.Terms)
	case *Not:
		b, ok := b.(*Not)
		return ok && same(a.Term, b.Term)
	case *Text:
		b, ok := b.(*Text)
		return ok && a.Word == b.Word
	case *Check:
		b, ok := b.(*Check)
		if !ok || a.Field != b.Field || a.Arg != b.Arg || a.Op != b.Op || len(a.Values) != len(b.Values) {
			return false
		}
		for i := range a.Values {
			if a.Values[i] != b.Values[i] {
				return false
			}
		}
		return true
	}
	return false
}

func sameAll(a, b []Node) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !same(a[i], b[i]) {
			return false
		}
	}
	return true
}

// FuzzMatch: no event of any type with any parameters makes a condition panic,
// and a condition and its negation never agree.
func FuzzMatch(f *testing.F) {
	for i, s := range seeds {
		f.Add(s, uint16(i*23), []byte{3, 0, 2, 0, 1, 2, 3, 'a', 0}, int64(3))
	}
	f.Fuzz(func(t *testing.T, src string, typ uint16, raw []byte, num int64) {
		n, err := ParseBar(src)
		if err != nil || n == nil {
			return
		}
		yes, err := Compile(n)
		if err != nil {
			t.Fatal(err)
		}
		no, err := Compile(&Not{Term: n})
		if err != nil {
			t.Fatal(err)
		}
		e := &event.Event{Type: event.Type(typ), FD: &event.FD{Num: num, Kind: event.FDKind(num), Name: string(raw)}}
		if info, ok := e.Info(); ok {
			e.Params, _ = event.NewParams(raw, min(len(info.Params), len(raw)/2), false)
		}
		a := &event.Activity{Kind: event.Kind(typ % 9), Target: string(raw), Verb: src}
		for _, r := range []event.Record{e, a, shell(), &event.Event{}, connection()} {
			if yes.Match(r) == no.Match(r) {
				t.Fatalf("%q and its negation agree on %#v", src, r)
			}
		}
	})
}
