// Package tree shows things that stem from one another: folded and unfolded,
// with the cursor kept on the same thing when the forest changes around it. It
// knows no kind of thing.
package tree

import (
	"strings"

	"github.com/gumshoe-ir/gumshoe/tui/pane"
	"github.com/gumshoe-ir/gumshoe/tui/theme"
)

// Node is one thing. Parents need not come before children; one whose parent
// is not there is a root.
type Node[K comparable] struct {
	Key, Parent K
}

// Draw fills a row that was begun on c; branch is the drawing that leads to
// the node, fold the sign of one that has children.
type Draw func(c *pane.Canvas, node int, branch, fold string, selected bool)

// Tree is the forest and the window on it. It belongs to one goroutine.
type Tree[K comparable] struct {
	nodes  []Node[K]
	kids   map[K][]int
	roots  []int
	shut   map[K]bool
	rows   []row
	draw   Draw
	canvas *pane.Canvas
	w, h   int
	top    int
	cursor int
}

// row is one visible node.
type row struct {
	node   int
	branch string
}

// maxDepth is how deep branches are drawn; deeper nodes stand in a column.
const maxDepth = 64

// New makes an empty tree.
func New[K comparable](styles *theme.Styles, draw Draw) *Tree[K] {
	return &Tree[K]{shut: map[K]bool{}, draw: draw, canvas: pane.NewCanvas(styles, 0)}
}

// Restyle draws in other styles from now on.
func (t *Tree[K]) Restyle(styles *theme.Styles) {
	t.canvas = pane.NewCanvas(styles, t.w)
	t.layout()
}

// Resize sets the rectangle, before the next View.
func (t *Tree[K]) Resize(w, h int) {
	t.w, t.h = max(w, 0), max(h, 0)
	t.clamp()
}

// Set replaces the forest and keeps the cursor on its node, or near.
func (t *Tree[K]) Set(nodes []Node[K]) {
	at, had := t.key()
	t.nodes, t.kids, t.roots = nodes, make(map[K][]int, len(nodes)), nil
	known := make(map[K]bool, len(nodes))
	for _, n := range nodes {
		known[n.Key] = true
	}
	for i, n := range nodes {
		if n.Parent != n.Key && known[n.Parent] {
			t.kids[n.Parent] = append(t.kids[n.Parent], i)
		} else {
			t.roots = append(t.roots, i)
		}
	}
	t.layout()
	if had {
		t.find(at)
	}
	t.clamp()
}

func (t *Tree[K]) key() (k K, ok bool) {
	if t.cursor >= len(t.rows) {
		return k, false
	}
	return t.nodes[t.rows[t.cursor].node].Key, true
}

func (t *Tree[K]) find(k K) {
	for i, r := range t.rows {
		if t.nodes[r.node].Key == k {
			t.top += i - t.cursor // the row keeps its place on the screen
			t.cursor = i
			return
		}
	}
}

// layout lists the visible nodes. A node is listed once, whatever its parents
// say, so that a loop ends.
func (t *Tree[K]) layout() {
	t.rows = t.rows[:0]
	seen := make([]bool, len(t.nodes))
	g := &t.canvas.Styles().Glyphs
	var walk func(i, depth int, trunk, branch string)
	walk = func(i, depth int, trunk, branch string) {
		if seen[i] {
			return
		}
		seen[i] = true
		t.rows = append(t.rows, row{i, branch})
		if t.shut[t.nodes[i].Key] {
			return
		}
		kids := t.kids[t.nodes[i].Key]
		for n, k := range kids {
			joint, next := g.Branch, g.Trunk
			if n == len(kids)-1 {
				joint, next = g.Last, strings.Repeat(" ", pane.Width(g.Trunk))
			}
			if depth >= maxDepth {
				walk(k, depth, trunk, branch)
				continue
			}
			walk(k, depth+1, trunk+next, trunk+joint)
		}
	}
	for _, i := range t.roots {
		walk(i, 0, "", "")
	}
}

// Selected is the index of the node under the cursor, -1 when there is none.
func (t *Tree[K]) Selected() int {
	if t.cursor >= len(t.rows) {
		return -1
	}
	return t.rows[t.cursor].node
}

// Select puts the cursor on a node if it is visible.
func (t *Tree[K]) Select(k K) {
	t.find(k)
	t.clamp()
}

// Len is how many nodes are visible.
func (t *Tree[K]) Len() int { return len(t.rows) }

// Move moves the cursor by n rows.
func (t *Tree[K]) Move(n int) {
	t.cursor += n
	t.clamp()
}

// Page moves by n screens.
func (t *Tree[K]) Page(n int) { t.Move(n * max(t.h-1, 1)) }

// Click puts the cursor on the node shown at line y.
func (t *Tree[K]) Click(y int) {
	if y >= 0 && y < t.h && t.top+y < len(t.rows) {
		t.cursor = t.top + y
	}
	t.clamp()
}

// Unfold shows what stems from the node under the cursor, or goes to the
// first of it.
func (t *Tree[K]) Unfold() {
	k, ok := t.key()
	switch {
	case ok && t.shut[k]:
		delete(t.shut, k)
		t.layout()
	case ok && len(t.kids[k]) > 0:
		t.Move(1)
	}
	t.clamp()
}

// Fold hides what stems from the node under the cursor, or goes to its parent.
func (t *Tree[K]) Fold() {
	k, ok := t.key()
	switch {
	case !ok:
	case len(t.kids[k]) > 0 && !t.shut[k]:
		t.shut[k] = true
		t.layout()
	default:
		t.Select(t.nodes[t.rows[t.cursor].node].Parent)
	}
	t.clamp()
}

func (t *Tree[K]) clamp() {
	t.cursor = min(max(t.cursor, 0), max(len(t.rows)-1, 0))
	t.top = max(min(t.top, t.cursor, len(t.rows)-t.h), t.cursor-t.h+1, 0)
}

// View is exactly the rectangle's rows.
func (t *Tree[K]) View() string {
	c := t.canvas
	c.Reset(t.w)
	g := &c.Styles().Glyphs
	for i := t.top; i < len(t.rows) && c.Rows() < t.h; i++ {
		r := t.rows[i]
		fold := ""
		if k := t.nodes[r.node].Key; len(t.kids[k]) > 0 {
			fold = g.Open
			if t.shut[k] {
				fold = g.Shut
			}
		}
		c.Row(i == t.cursor)
		t.draw(c, r.node, r.branch, fold, i == t.cursor)
	}
	c.Skip(t.h)
	return c.String()
}
