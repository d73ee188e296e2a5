package prompt

import (
	"strings"
	"testing"
	"unicode/utf8"

	tea "charm.land/bubbletea/v2"

	"github.com/gumshoe-ir/gumshoe/rules/filter"
)

func TestLineEdits(t *testing.T) {
	tests := []struct {
		name, text string
		keys       string
		want       string // | is the cursor
	}{
		{"begins at the end", "abc", "", "abc|"},
		{"left and backspace", "abc", "left backspace", "a|c"},
		{"home and delete", "abc", "home delete", "|bc"},
		{"word", "ab cd  ", "ctrl+w", "ab |"},
		{"to the start", "ab cd", "left ctrl+u", "|d"},
		{"to the end", "ab cd", "home right ctrl+k", "a|"},
		{"wide characters", "日本", "left backspace", "|本"},
		{"beyond the ends", "a", "left left backspace right right delete", "a|"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var l Line
			l.Set(tt.text)
			for _, k := range strings.Fields(tt.keys) {
				if !l.Press(Press(k)) {
					t.Errorf("%s does not edit", k)
				}
			}
			if got := l.String()[:l.Cursor()] + "|" + l.String()[l.Cursor():]; got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}

func FuzzLine(f *testing.F) {
	f.Add("proc.name=", "left ctrl+w x", 3, 5)
	f.Add("日\u0301本", "delete backspace", -1, 99)
	f.Fuzz(func(t *testing.T, text, keys string, from, to int) {
		var l Line
		l.Set(text)
		l.Replace(from, to, "é")
		for _, k := range strings.Fields(keys) {
			if utf8.ValidString(k) {
				l.Press(Press(k))
			}
		}
		if l.Cursor() < 0 || l.Cursor() > len(l.String()) {
			t.Fatalf("the cursor is at %d of %d", l.Cursor(), len(l.String()))
		}
	})
}

// TestChecksReadBack narrows by hostile values: what was written is read as
// one check of that very value.
func TestChecksReadBack(t *testing.T) {
	for _, v := range []string{"bash", "a b", `say "hi"`, `back\slash`, "it's", "", "(", "and", "a;b", "日本", "*", "x=y", "line\nbreak", "\x1b[31m"} {
		for _, exclude := range []bool{false, true} {
			text := Check("proc", v, exclude)
			node, err := Parse(text)
			if err != nil {
				t.Errorf("%s: %v", text, err)
				continue
			}
			c, ok := node.(*filter.Check)
			if !ok || len(c.Values) != 1 || c.Values[0] != v {
				t.Errorf("%s reads as %#v", text, node)
			}
		}
	}
}

func TestPressNamesKeys(t *testing.T) {
	for _, name := range []string{"enter", "esc", "tab", "up", "pgdown", "ctrl+r", "g", "G", "|", "=", "\\", "home", "space"} {
		if got := Press(name).String(); got != name {
			t.Errorf("Press(%q) is %q", name, got)
		}
	}
}

func TestHelpRunsWhatWasFound(t *testing.T) {
	bar := NewBar(t.Context(), nil, nil)
	h := NewHelp(nil, "Test", bar.Keys(), nil)
	for _, r := range "hist" {
		h.Update(tea.KeyPressMsg{Code: r, Text: string(r)})
	}
	cmd := h.Update(Press("enter"))
	if cmd == nil {
		t.Fatal("enter does nothing")
	}
	if got := cmd().(Chosen).Key.String(); got != "up" {
		t.Errorf("enter presses %q", got)
	}
}
