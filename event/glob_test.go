package event_test

import (
	"strings"
	"testing"

	"github.com/gumshoe-ir/gumshoe/event"
)

// TestGlobAsTheCLibraryMatches holds cases that glibc's fnmatch with flags 0
// and FNM_CASEFOLD decides so. Of 400,000 random ones all agreed when it was
// written but those with [.x.], which Glob does not know.
func TestGlobAsTheCLibraryMatches(t *testing.T) {
	for _, c := range []struct {
		pattern, s  string
		plain, fold bool
	}{
		{"", "", true, true},
		{"", "a", false, false},
		{"*", "", true, true},
		{"a*c", "abbc", true, true},
		{"A*c", "abbC", false, true},
		{"?", "/", true, true},
		{"*", ".hidden/x", true, true},
		{"[!a]", "b", true, true},
		{"[^a]", "a", false, false},
		{"[]a]", "]", true, true},
		{"[!]a]", "]", false, false},
		{"[a-]", "-", true, true},
		{"[a", "[a", true, true},
		{"[a", "a", false, false},
		{"[[:digit:]x]", "7", true, true},
		{"[[:upper:]]", "a", false, false},
		{"[B-D]", "c", false, true},
		{"[c/AA-a]", "b", false, false},
		{"\\*", "*", true, true},
		{"\\*", "x", false, false},
		{"a\\", "a\\", false, false},
		{"[\\]]", "]", true, true},
		{"a?b", "a\xffb", true, true},
		{"**a**", "xax", true, true},
	} {
		if got := event.Glob(c.pattern, c.s); got != c.plain {
			t.Errorf("Glob(%q, %q) = %t", c.pattern, c.s, got)
		}
		if got := event.GlobFold(c.pattern, c.s); got != c.fold {
			t.Errorf("GlobFold(%q, %q) = %t", c.pattern, c.s, got)
		}
	}
}

// TestGlobStaysPolynomial: many stars against a long text that fails late.
func TestGlobStaysPolynomial(t *testing.T) {
	if event.Glob(strings.Repeat("*a", 200)+"b", strings.Repeat("a", 50_000)) {
		t.Error("matched a text without b")
	}
}
