package rules

import (
	"errors"
	"strings"
	"testing"

	"github.com/gumshoe-ir/gumshoe/event"
	"github.com/gumshoe-ir/gumshoe/rules/filter"
)

func record() *event.Event {
	return &event.Event{
		ID: event.ID{NS: 1_700_000_000_000_000_042}, Num: 7, Type: event.SyscallUnlinkV2X,
		Process: &event.Process{Name: "bash", PID: 20, Cmdline: "bash \"x\"\n\x1b[31m\xff", Env: []string{"A B=c"}, LoginUID: event.NoID, Parent: &event.Process{Name: "sshd"}},
	}
}

func TestTemplateWritesText(t *testing.T) {
	for _, c := range []struct{ src, want string }{
		{"", ""},
		{"plain", "plain"},
		{"%evt.num %evt.type", "7 unlink"},
		{"%proc.name)%proc.name:", "bash)bash:"},
		{"[%6proc.name|%2proc.name|%0proc.name]", "[bash  |ba|]"},
		{"%proc.aname[1]/%proc.aname[2]", "sshd/<NA>"},
		{"%proc.env[\"A B\"] %proc.env['A B']", "c c"},
		{"%proc.name.txt", "bash.txt"},
		{"%proc.name[x]", "bash[x]"},
		{"*%fd.name %user.loginuid", "<NA> -1"},
		{"%evt.rawtime.ns %evt.rawtime.s", "000000042 1700000000"},
		{"%gumshoe.raced é", "false é"},
		{"%proc.cmdline", "bash \"x\"\n\x1b[31m\xff"},
	} {
		tmpl, err := ParseTemplate(c.src)
		if err != nil {
			t.Errorf("ParseTemplate(%q): %v", c.src, err)
			continue
		}
		if got := string(tmpl.Append([]byte(">"), record())); got != ">"+c.want {
			t.Errorf("%q writes %q, want %q", c.src, got, c.want)
		}
	}
}

func TestTemplateWritesJSON(t *testing.T) {
	for _, c := range []struct{ src, want string }{
		{"plain", "{}"},
		{"%proc.name %evt.num %proc.name", `{"evt.num":7,"proc.name":"bash"}`},
		{"%fd.name %user.loginuid %gumshoe.raced", `{"fd.name":null,"gumshoe.raced":false,"user.loginuid":-1}`},
		{"%proc.cmdline", `{"proc.cmdline":"bash \"x\"\n\u001b[31m` + "\ufffd" + `"}`},
		{"%evt.time", `{"evt.time":1700000000000000042}`},
		{"%proc.aname[1]", `{"proc.aname[1]":"sshd"}`},
		{"%container.id %fd.sip", `{"container.id":"host","fd.sip":null}`},
	} {
		tmpl, err := ParseTemplate(c.src)
		if err != nil {
			t.Errorf("ParseTemplate(%q): %v", c.src, err)
			continue
		}
		if got := string(tmpl.AppendJSON(nil, record())); got != c.want {
			t.Errorf("%q writes %s, want %s", c.src, got, c.want)
		}
	}
}

func TestTemplateErrorsSayWhere(t *testing.T) {
	for _, c := range []struct {
		src    string
		column int
		says   string
	}{
		{"100%", 5, "expected a field behind %"},
		{"a %12", 4, "expected a field behind %"},
		{"a %% b", 4, "expected a field behind %"},
		{"x %proc.nmae", 4, "did you mean proc.name?"},
		{"%fd.ip", 2, "can be compared, not printed"},
		{"%ka.verb", 2, "not answered by gumshoe yet"},
		{"%evt.arg", 2, "evt.arg.flags"},
		{"%99999proc.name", 2, "too large"},
		{"%99999999999999999999999proc.name", 2, "too large"},
		{"%proc", 2, "unknown field"},
		{"a\nb %nope.x", 4, "unknown field"},
	} {
		_, err := ParseTemplate(c.src)
		var e *filter.Error
		if !errors.As(err, &e) || e.Pos.Column != c.column || !strings.Contains(e.Line(), c.says) {
			t.Errorf("ParseTemplate(%q): %v, want column %d: %s", c.src, err, c.column, c.says)
		}
	}
}

func TestTemplateSkipsRecordsThatLackAField(t *testing.T) {
	for src, want := range map[string]bool{"%proc.name": false, "%proc.name %fd.name": true, "*%fd.name": false} {
		tmpl, err := ParseTemplate(src)
		if err != nil {
			t.Fatal(err)
		}
		if got := tmpl.Skips(record()); got != want {
			t.Errorf("%q skips: %t, want %t", src, got, want)
		}
	}
}

func TestTemplateAllocatesNothing(t *testing.T) {
	tmpl, err := ParseTemplate("*%evt.num %evt.type %20proc.name %proc.pid %fd.name %proc.aname[1]")
	if err != nil {
		t.Fatal(err)
	}
	r, buf := record(), make([]byte, 0, 512)
	if n := testing.AllocsPerRun(50, func() { tmpl.Append(buf, r); tmpl.AppendJSON(buf, r) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// FuzzTemplate: no text makes the reader panic, and what it reads can be
// written of records that have and that lack values.
func FuzzTemplate(f *testing.F) {
	for _, s := range []string{"*%evt.num %20proc.name", "%proc.env[\"a b\"]", "%%", "%evt.arg.flags)", "%1", "\xff%proc.name.", "%proc.env['"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, src string) {
		tmpl, err := ParseTemplate(src)
		if err != nil {
			var e *filter.Error
			if !errors.As(err, &e) {
				t.Fatalf("%v is no *filter.Error", err)
			}
			e.Caret(src)
			return
		}
		for _, r := range []event.Record{record(), &event.Activity{}} {
			tmpl.Skips(r)
			tmpl.Append(nil, r)
			decodeRow(t, tmpl.AppendJSON(nil, r))
		}
	})
}

func BenchmarkTemplate(b *testing.B) {
	tmpl, err := ParseTemplate("*%evt.num %evt.time %evt.type %proc.name %proc.pid %fd.name %proc.cmdline")
	if err != nil {
		b.Fatal(err)
	}
	r, buf := record(), make([]byte, 0, 512)
	b.Run("text", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			tmpl.Append(buf, r)
		}
	})
	b.Run("json", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			tmpl.AppendJSON(buf, r)
		}
	})
}
