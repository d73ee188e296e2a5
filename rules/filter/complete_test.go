package filter

import (
	"strings"
	"testing"
)

func TestCompleteKnowsWhatMayStandAtTheCursor(t *testing.T) {
	for _, c := range []struct {
		src    string // | is the cursor
		first  string // first choice, "" for none
		has    string // some choice
		of     string // field whose values are asked for
		prefix string
		from   int
		to     int
	}{
		{"|", "", "proc", "", "", 0, 0},
		{"proc.n|", "proc.name", "", "", "", 0, 6},
		{"proc.|", "", "proc.cmdline", "", "", 0, 5},
		{"po|", "pod", "", "", "", 0, 2},
		{"cmdl|", "", "proc.cmdline", "", "", 0, 4},
		{"proc.n|ame=x", "proc.name", "", "", "", 0, 9},
		{"proc.name |", "=", "contains", "", "", 10, 10},
		{"proc.name st|", "startswith", "", "", "", 10, 12},
		{"proc.pid |", "=", ">=", "", "", 9, 9},
		{"proc.name=|", "", "", "proc.name", "", 10, 10},
		{"proc.name = ba|", "", "", "proc.name", "ba", 12, 14},
		{"proc.name='b a|", "", "", "proc.name", "b a", 10, 14},
		{"user=ro|ot", "", "", "user.name", "ro", 5, 9},
		{"ns in (a, b|", "", "", "k8s.ns.name", "b", 10, 11},
		{"ns not in (|", "", "", "k8s.ns.name", "", 11, 11},
		{"ns in |", "(", "", "", "", 6, 6},
		{"evt.is_io=t|", "true", "", "evt.is_io", "t", 10, 11},
		{"pid=1 a|", "and", "", "", "", 6, 7},
		{"pid=1 and po|", "pod", "", "", "", 10, 12},
		{"pid=1 ; not po|", "pod", "", "", "", 12, 14},
		{"(pid=1) o|", "or", "", "", "", 8, 9},
		{"evt.arg.flags contains O_|", "", "", "evt.arg", "O_", 23, 25},
		{"proc.aname[2]=s|", "", "", "proc.aname", "s", 14, 15},
		{"bash po|", "", "pod", "", "", 5, 7},
	} {
		cursor := strings.IndexByte(c.src, '|')
		got := Complete(strings.Replace(c.src, "|", "", 1), cursor)
		of := ""
		if got.ValuesOf != nil {
			of = got.ValuesOf.Name
		}
		if of != c.of || got.Prefix != c.prefix || got.From != c.from || got.To != c.to {
			t.Errorf("%s: values of %q with %q for [%d:%d], want %q %q [%d:%d]", c.src, of, got.Prefix, got.From, got.To, c.of, c.prefix, c.from, c.to)
		}
		if c.first != "" && (len(got.Choices) == 0 || got.Choices[0].Text != c.first) {
			t.Errorf("%s: choices %v, want %s first", c.src, got.Choices, c.first)
		}
		found := c.has == ""
		for _, choice := range got.Choices {
			found = found || choice.Text == c.has
		}
		if !found {
			t.Errorf("%s: no choice %s in %v", c.src, c.has, got.Choices)
		}
	}
}
