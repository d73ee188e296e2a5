package filter

import (
	"errors"
	"strings"
	"testing"

	"github.com/gumshoe-ir/gumshoe/event"
)

func TestParsePrintsCanonically(t *testing.T) {
	for _, c := range []struct{ src, want string }{
		{"proc.name=bash", "proc.name = bash"},
		{"proc.name == 'bash'", "proc.name = bash"},
		{"proc.name!=\"a b\"", `proc.name != "a b"`},
		{"not not proc.name exists", "proc.name exists"},
		{"not(not proc.pid=1)", "not (not proc.pid = 1)"},
		{"proc.pid=1 or proc.pid=2 and not proc.pid=3", "proc.pid = 1 or (proc.pid = 2 and not proc.pid = 3)"},
		{"(proc.pid=1 or proc.pid=2)and(proc.pid=3)", "(proc.pid = 1 or proc.pid = 2) and proc.pid = 3"},
		{"evt.type in(open,openat)", "evt.type in (open, openat)"},
		{"fd.name infoo", "fd.name in (foo)"},
		{"fd.name in ()", "fd.name in ()"},
		{"evt.arg.flags contains O_TRUNC", "evt.arg.flags contains O_TRUNC"},
		{"evt.arg[1] = x", "evt.arg[1] = x"},
		{"proc.env[\"a b\"] exists", `proc.env["a b"] exists`},
		{"proc.aname[2]=sshd", "proc.aname[2] = sshd"},
		{`fd.name = "C:\\x5c"`, `fd.name = C:\x5c`},
		{`fd.name = "end\x5c"`, `fd.name = end\`},
		{"fd.name pmatch\n(/etc,\t/usr)", "fd.name pmatch (/etc, /usr)"},
		{"evt.num>=0x0", ""},
		{"fd.name <= 10", "fd.name <= 10"},
	} {
		n, err := Parse(c.src)
		switch {
		case c.want == "" && err == nil:
			t.Errorf("Parse(%q) = %s, want an error", c.src, Print(n))
		case c.want != "" && err != nil:
			t.Errorf("Parse(%q): %v", c.src, err)
		case c.want != "" && Print(n) != c.want:
			t.Errorf("Print(Parse(%q)) = %s, want %s", c.src, Print(n), c.want)
		}
	}
}

func TestParseBarReadsWhatPeopleType(t *testing.T) {
	for _, c := range []struct{ src, want string }{
		{"", ""},
		{" ; ", ""},
		{"bash", "bash"},
		{"bash -i", `bash and "-i"`},
		{"user=root ns=billing", "user.name = root and k8s.ns.name = billing"},
		{"user", `"user"`},
		{"user contains ro", "user.name contains ro"},
		{"pod in (a, b); not nginx", "k8s.pod.name in (a, b) and not nginx"},
		{"a or b ; c", "(a or b) and c"},
		{"proc.name not in (sh)", "not proc.name in (sh)"},
		{"10.0.0.1:443", `"10.0.0.1:443"`},
		{"/etc/passwd", `"/etc/passwd"`},
		{"authorized_keys.bak", `"authorized_keys.bak"`},
		{"organisation", "organisation"},
		{"nothing and x", "nothing and x"},
		{"fd.sip!=10.0.0.0/8", "fd.snet != 10.0.0.0/8"},
		{"ip in (10.0.0.1, 192.168.0.0/16)", "fd.net in (10.0.0.1/32, 192.168.0.0/16)"},
		{`"a;b" ; 'c d'`, `"a;b" and "c d"`},
		{"type=cmd", "gumshoe.activity.kind = cmd"},
	} {
		n, err := ParseBar(c.src)
		if err != nil {
			t.Errorf("ParseBar(%q): %v", c.src, err)
		} else if got := Print(n); got != c.want {
			t.Errorf("Print(ParseBar(%q)) = %s, want %s", c.src, got, c.want)
		}
	}
}

func TestErrorsSayWhereAndWhat(t *testing.T) {
	for _, c := range []struct {
		src        string
		column     int
		says       string
		incomplete bool
	}{
		{"proc.nmae=x", 1, "unknown field proc.nmae: did you mean proc.name?", false},
		{"proc.name=x and\n usr.name=y", 2, "did you mean user.name?", false},
		{"proc.name", 10, "expected an operator after proc.name", true},
		{"proc.name=", 11, "expected a value after =", true},
		{"proc.name in (a", 16, "the list is not closed", true},
		{"(proc.pid=1", 12, "the parenthesis is not closed", true},
		{"proc.pid=1 and", 15, "expected a condition after and", true},
		{"proc.pid=x", 10, `"x" is not a number that proc.pid can have`, false},
		{"proc.pid=1 andproc.pid=2", 12, "expected white space or ( after and", false},
		{"proc.pid contains 1", 10, "operator contains does not fit proc.pid: it takes =", false},
		{"proc.pid=1 proc.pid=2", 12, "unexpected proc.pid", false},
		{"fd.sip=10.0.0.0/8", 8, "networks are compared with fd.snet", false},
		{"fd.snet=10.0.0.1", 9, "is not a network", false},
		{"fd.name regex '('", 15, "regex: ", false},
		{"evt.type=opne", 10, `unknown event type "opne"`, false},
		{"evt.arg.nonsense=1", 1, "no event has a parameter nonsense", false},
		{"proc.name[1]=x", 1, "proc.name takes none", false},
		{"ka.verb=get", 1, "ka.verb: known to Falco, not answered by gumshoe yet", false},
		{"fd.name=\"a\\q\"", 11, "unknown escape", false},
		{"fd.name='a", 9, "the quote is not closed", true},
		{"bash", 1, "unknown macro bash", false},
		{strings.Repeat("(", 200), 101, "more than 100 parentheses", false},
	} {
		_, err := Parse(c.src)
		var e *Error
		if !errors.As(err, &e) {
			t.Errorf("Parse(%q) = %v, want an *Error", c.src, err)
			continue
		}
		if e.Pos.Column != c.column || !strings.Contains(e.Line(), c.says) || e.Incomplete != c.incomplete {
			t.Errorf("Parse(%q): column %d %q incomplete %t, want column %d %q %t", c.src, e.Pos.Column, e.Line(), e.Incomplete, c.column, c.says, c.incomplete)
		}
	}
}

func TestCaretPointsAtThePlaceAndIsSafe(t *testing.T) {
	src := "proc.name=a and\nfd.name='\x1b[31mé' and proc.nmae=x"
	_, err := Parse(src)
	var e *Error
	if !errors.As(err, &e) {
		t.Fatal(err)
	}
	want := "fd.name='.[31mé' and proc.nmae=x\n" + strings.Repeat(" ", 21) + "^"
	if got := e.Caret(src); got != want {
		t.Errorf("caret:\n%s\nwant:\n%s", got, want)
	}
}

// TestUnfinishedTextIsTold: a bar keeps its last whole filter while an operator
// or a value is being typed.
func TestUnfinishedTextIsTold(t *testing.T) {
	for src, want := range map[string]bool{
		"proc.name": true, "proc.name ": true, "proc.name star": true, "proc.name startswith": true, "proc.name not": true, "proc.name not i": false,
		"proc.name in (": true, "user=": true, "user='a": true, "a and": true, "not": true, "(a": true, "proc.env[": true,
		"proc.name foo": false, "a)": false, "pid<x": false, "proc.nmae=": false,
	} {
		_, err := ParseBar(src)
		var e *Error
		if !errors.As(err, &e) || e.Incomplete != want {
			t.Errorf("ParseBar(%q): %v, want incomplete %t", src, err, want)
		}
	}
}

func TestChipsSplitOutsideQuotes(t *testing.T) {
	got := Chips(` a=1; 'b;c' ;; "d" `)
	want := []string{"a=1", "'b;c'", `"d"`}
	if strings.Join(got, "|") != strings.Join(want, "|") {
		t.Errorf("Chips = %q, want %q", got, want)
	}
}

func TestRestrictNamesFieldsOfOtherRecords(t *testing.T) {
	for _, c := range []struct {
		src    string
		on     event.Applies
		column int // of the complaint, 0 for none
	}{
		{"proc.name=a and (bash or not user=b)", event.OnProcess, 0},
		{"proc.name=a and verb=exec", event.OnEvent, 17},
		{"not evt.num=1", event.OnActivity, 5},
		{"ip=10.0.0.1", event.OnProcess, 1},
		{"", event.OnProcess, 0},
	} {
		n, err := ParseBar(c.src)
		if err != nil {
			t.Fatal(err)
		}
		var e *Error
		if errors.As(Restrict(n, c.on), &e) != (c.column > 0) || e != nil && e.Pos.Column != c.column {
			t.Errorf("Restrict(%s, %d): %v, want column %d", c.src, c.on, e, c.column)
		}
	}
}
