package tree

import (
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"

	"github.com/gumshoe-ir/gumshoe/tui/pane"
	"github.com/gumshoe-ir/gumshoe/tui/theme"
)

func newTree(names string, h int) *Tree[byte] {
	var t *Tree[byte]
	t = New[byte](theme.New(theme.Mono, true), func(c *pane.Canvas, i int, branch, fold string, selected bool) {
		mark := ""
		if selected {
			mark = "*"
		}
		c.Put(theme.Text, branch+fold+string(t.nodes[i].Key)+mark)
	})
	t.Resize(20, h)
	t.Set(nodes(names))
	return t
}

// nodes reads pairs of a name and its parent: "a- ba cb".
func nodes(s string) []Node[byte] {
	var out []Node[byte]
	for _, f := range strings.Fields(s) {
		out = append(out, Node[byte]{f[0], f[1]})
	}
	return out
}

func shown(t *Tree[byte]) string {
	var rows []string
	for row := range strings.SplitSeq(ansi.Strip(t.View()), "\n") {
		if r := strings.TrimRight(row, " "); r != "" {
			rows = append(rows, r)
		}
	}
	return strings.Join(rows, "\n")
}

func TestTree(t *testing.T) {
	tests := []struct {
		name, nodes string
		do          func(*Tree[byte])
		want        string
	}{
		{"branches", "a- ba ca db", nil, "va*\n|-vb\n| `-d\n`-c"},
		{"a parent that is not there", "bx ab", nil, "vb*\n`-a"},
		{"children before parents", "ba a-", nil, "va*\n`-b"},
		{"its own parent", "aa ba", nil, "va*\n`-b"},
		{"a loop ends", "ab ba c-", nil, "c*"},
		{"folded", "a- ba ca", (*Tree[byte]).Fold, ">a*"},
		{"unfolded again", "a- ba ca", func(t *Tree[byte]) { t.Fold(); t.Unfold() }, "va*\n|-b\n`-c"},
		{"left goes to the parent", "a- ba ca", func(t *Tree[byte]) { t.Move(2); t.Fold() }, "va*\n|-b\n`-c"},
		{"right goes to the child", "a- ba ca", (*Tree[byte]).Unfold, "va\n|-b*\n`-c"},
		{"the cursor stays on its node", "a- ca", func(t *Tree[byte]) { t.Move(1); t.Set(nodes("a- ba ca")) }, "va\n|-b\n`-c*"},
		{"the cursor's node is gone", "a- ba ca", func(t *Tree[byte]) { t.Move(2); t.Set(nodes("a- ba")) }, "va\n`-b*"},
		{"a click", "a- ba ca", func(t *Tree[byte]) { t.Click(1) }, "va\n|-b*\n`-c"},
		{"scrolled", "a- b- c- d- e- f- g-", func(t *Tree[byte]) { t.Page(9) }, "c\nd\ne\nf\ng*"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tr := newTree(tt.nodes, 5)
			if tt.do != nil {
				tt.do(tr)
			}
			if got := shown(tr); got != tt.want {
				t.Errorf("shows\n%s\nwant\n%s", got, tt.want)
			}
			pane.FitView(t, tr.View(), 20, 5)
		})
	}
}

func TestDeepTreesEnd(t *testing.T) {
	tr := New[int](theme.New(theme.Mono, true), func(c *pane.Canvas, _ int, branch, _ string, _ bool) { c.Put(theme.Text, branch) })
	tr.Resize(30, 10)
	deep := make([]Node[int], 5000)
	for i := range deep {
		deep[i] = Node[int]{i + 1, i}
	}
	tr.Set(deep)
	tr.Move(5000)
	pane.FitView(t, tr.View(), 30, 10)
	if tr.Selected() != 4999 {
		t.Errorf("the cursor is on %d", tr.Selected())
	}
}
