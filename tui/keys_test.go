package tui

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"charm.land/bubbles/v2/key"

	"github.com/gumshoe-ir/gumshoe/internal/faketrail"
	"github.com/gumshoe-ir/gumshoe/tui/theme"
)

// TestNoKeyHasTwoMeanings forbids that two bindings which live at the same
// time share a key.
func TestNoKeyHasTwoMeanings(t *testing.T) {
	for _, s := range newScreens(t.Context(), theme.New(theme.Dark, false), faketrail.New(1, 1)) {
		if s.pane == nil {
			continue
		}
		seen := map[string]string{}
		for _, b := range append(s.pane.Keys(), defaultKeys().all()...) {
			for _, k := range b.Keys() {
				if other, ok := seen[k]; ok {
					t.Errorf("%s: %q is both %q and %q", s.name, k, other, b.Help().Desc)
				}
				seen[k] = b.Help().Desc
			}
		}
	}
}

// TestKeysDocument keeps docs/keys.md as the bindings are.
func TestKeysDocument(t *testing.T) {
	var b strings.Builder
	b.WriteString("# Keys\n\nWritten from the bindings by `go test ./tui -update`.\nOn a screen its own keys come first. While the filter bar is open it takes all keys.\n")
	table := func(title string, keys []key.Binding) {
		fmt.Fprintf(&b, "\n## %s\n\n| keys | what they do |\n|---|---|\n", title)
		for _, k := range keys {
			names := make([]string, len(k.Keys()))
			for i, n := range k.Keys() {
				names[i] = "`" + strings.ReplaceAll(n, "|", `\|`) + "`"
			}
			fmt.Fprintf(&b, "| %s | %s |\n", strings.Join(names, " "), k.Help().Desc)
		}
	}
	table("Everywhere", defaultKeys().all())
	for _, s := range newScreens(t.Context(), theme.New(theme.Dark, false), faketrail.New(1, 1)) {
		if s.pane != nil && len(s.pane.Keys()) > 0 {
			table(s.name+" ("+s.digit+")", s.pane.Keys())
		}
	}
	const path = "../docs/keys.md"
	if *update {
		if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(want) != b.String() {
		t.Error("docs/keys.md is not what the bindings say: go test ./tui -update")
	}
}
