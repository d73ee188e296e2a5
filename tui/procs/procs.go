// Package procs is the screen of the process tree: what runs now and what
// ended a short while ago, from whom it stems, and one process whole.
package procs

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"time"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"github.com/gumshoe-ir/gumshoe/audit"
	"github.com/gumshoe-ir/gumshoe/event"
	"github.com/gumshoe-ir/gumshoe/tui/pane"
	"github.com/gumshoe-ir/gumshoe/tui/theme"
	"github.com/gumshoe-ir/gumshoe/tui/tree"
)

// Trail is what the screen asks; audit.Trail has it.
type Trail interface {
	Tree(ctx context.Context, q audit.TreeQuery) ([]*event.Process, error)
}

const (
	// linger is how long a process that ended stays in the tree.
	linger = 5 * time.Minute
	// pace is the least time between two looks at all processes.
	pace = time.Second
	wide = 100
	side = 46
)

// Screen is the pane. Make one with New.
type Screen struct {
	base   context.Context // of the console
	styles *theme.Styles
	trail  Trail
	keys   pane.Keys
	tree   *tree.Tree[event.ProcessKey]
	detail *pane.Facts
	procs  []*event.Process
	of     *event.Process // the process in detail
	scope  pane.Scope
	load   load
	shape  shape
	hides  hides
	view   string
}

// hides is what of the processes is looked at.
type hides struct {
	ended, kernel bool // shown too
	toggles       struct{ ended, kernel key.Binding }
	hit           func(*event.Process) bool // nil: no filter
}

// load is the question under way.
type load struct {
	gen         int
	busy, stale bool
	asked       bool // once before, so that the next waits its time
	shown       bool
	err         error
	cancel      context.CancelFunc
}

// shape is the rectangle and what is where in it.
type shape struct {
	w, h     int
	onDetail bool
	zoom     bool
	away     bool // no detail beside or below
	g        bool // g was pressed once
}

// loaded is a forest that arrived.
type loaded struct {
	screen *Screen
	gen    int
	procs  []*event.Process
	err    error
}

// New makes the screen; it asks for nothing before it is shown, and for
// nothing more when ctx ends.
func New(ctx context.Context, styles *theme.Styles, trail Trail) *Screen {
	s := &Screen{base: ctx, styles: styles, trail: trail, keys: pane.DefaultKeys(), detail: pane.NewFacts(styles)}
	s.keys.Left = pane.Bind("h/←", "fold, or to the parent", "h", "left")
	s.keys.Right = pane.Bind("l/→", "unfold", "l", "right")
	s.keys.Oldest = pane.Bind("gg", "first", "g", "home")
	s.keys.Newest = pane.Bind("G", "last", "G", "end")
	s.keys.Include = pane.Bind("=", "only this name", "=")
	s.keys.Exclude = pane.Bind("!", "all but this name", "!")
	s.hides.toggles.ended = pane.Bind("o", "ended ones too", "o")
	s.hides.toggles.kernel = pane.Bind("i", "kernel threads too", "i")
	s.tree = tree.New[event.ProcessKey](styles, s.drawRow)
	return s
}

// Keys implements pane.Pane.
func (s *Screen) Keys() []key.Binding {
	k, t := s.keys.All(), &s.hides.toggles
	if s.shape.onDetail {
		k = s.keys.Reading()
	}
	return slices.Insert(k, 1, t.ended, t.kernel)
}

// Resize implements pane.Pane.
func (s *Screen) Resize(w, h int) {
	s.shape.w, s.shape.h = w, h
	s.arrange()
}

func (s *Screen) arrange() {
	s.view = ""
	t, d := s.parts()
	s.tree.Resize(t.w-2, t.h-2)
	s.detail.Resize(d.w-2, d.h-2)
	s.detail.Focus(s.shape.onDetail)
}

type size struct{ w, h int }

// parts are the sizes of the two frames; an empty one is not shown.
func (s *Screen) parts() (tree, detail size) {
	p := &s.shape
	full := size{p.w, p.h}
	switch {
	case p.onDetail && (p.zoom || p.away):
		return size{}, full
	case p.zoom || p.away || p.h < 12:
		return full, size{}
	case p.w >= wide:
		n := min(side+max(p.w-120, 0)/3, 90)
		return size{p.w - n, p.h}, size{n, p.h}
	}
	n := min(max(p.h/3, 7), 12)
	return size{p.w, p.h - n}, size{p.w, n}
}

// Update implements pane.Pane.
func (s *Screen) Update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case *theme.Styles:
		s.styles, s.view = msg, ""
		s.tree.Restyle(msg)
		s.detail.Restyle(msg)
	case pane.Scope:
		s.scope = msg
		s.hides.hit = hitter(msg.Filter)
		s.restart()
		return s.refresh()
	case pane.Shown:
		s.load.shown = bool(msg)
		return s.refresh()
	case pane.Changed:
		return s.refresh()
	case loaded:
		return s.take(msg)
	case tea.KeyPressMsg:
		s.view = ""
		cmd := s.press(msg)
		s.look()
		return cmd
	case tea.MouseMsg:
		s.view = ""
		s.mouse(msg)
		s.look()
	}
	return nil
}

func (s *Screen) restart() {
	if s.load.cancel != nil {
		s.load.cancel()
	}
	s.load = load{gen: s.load.gen + 1, shown: s.load.shown}
}

func (s *Screen) refresh() tea.Cmd {
	l := &s.load
	if !l.shown || s.scope.Now == nil {
		return nil
	}
	if l.busy {
		l.stale = true
		return nil
	}
	var wait time.Duration
	if l.asked {
		wait = pace
	}
	ctx, cancel := context.WithCancel(s.base)
	l.busy, l.asked, l.cancel = true, true, cancel
	q := audit.TreeQuery{Filter: s.scope.Filter}
	if s.hides.ended {
		q.Exited = uint64(linger)
	}
	if w := s.scope.Window; !w.Live() {
		q.At = uint64(w.Until.UnixNano())
	}
	gen, trail := l.gen, s.trail
	return func() tea.Msg {
		defer cancel()
		t := time.NewTimer(wait)
		defer t.Stop()
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
		}
		procs, err := trail.Tree(ctx, q)
		return loaded{s, gen, procs, err}
	}
}

func (s *Screen) take(m loaded) tea.Cmd {
	if m.screen != s || m.gen != s.load.gen {
		return nil
	}
	again := s.load.stale
	s.load.busy, s.load.stale, s.load.err = false, false, m.err
	s.view = ""
	if m.err == nil {
		s.set(m.procs)
		s.look()
	}
	if again {
		return s.refresh()
	}
	return nil
}

func (s *Screen) set(procs []*event.Process) {
	s.procs = s.procs[:0:0]
	for _, p := range procs {
		if (s.hides.ended || p.ExitTime == 0) && (s.hides.kernel || !p.KernelTask) {
			s.procs = append(s.procs, p)
		}
	}
	slices.SortStableFunc(s.procs, func(a, b *event.Process) int {
		return cmp.Or(cmp.Compare(a.StartBoot, b.StartBoot), cmp.Compare(a.PID, b.PID))
	})
	living := make(map[int32]event.ProcessKey, len(s.procs))
	known := make(map[event.ProcessKey]bool, len(s.procs))
	for _, p := range s.procs {
		living[p.PID] = p.Key(0)
		known[p.Key(0)] = true
	}
	nodes := make([]tree.Node[event.ProcessKey], len(s.procs))
	for i, p := range s.procs {
		nodes[i].Key = p.Key(0)
		// Below the nearest ancestor that is shown: parents end.
		nodes[i].Parent = living[p.PPID]
		up := p.Parent
		for n := 0; up != nil && !known[up.Key(0)] && n < maxLineage; n++ {
			up = up.Parent
		}
		if up != nil {
			nodes[i].Parent = up.Key(0)
		}
	}
	s.tree.Set(nodes)
}

// look keeps the detail on the process under the cursor.
func (s *Screen) look() {
	var p *event.Process
	if i := s.tree.Selected(); i >= 0 {
		p = s.procs[i]
	}
	if p == s.of {
		return
	}
	if p != nil && s.of != nil && p.Key(0) == s.of.Key(0) {
		s.detail.Renew(facts(p))
	} else {
		s.detail.Set(facts(p))
	}
	s.of = p
}

func (s *Screen) press(msg tea.KeyPressMsg) tea.Cmd {
	k, p := &s.keys, &s.shape
	g := p.g
	p.g = false
	switch {
	case key.Matches(msg, k.Oldest):
		if msg.String() == "g" && !g {
			p.g = true
			return nil
		}
		s.tree.Move(-s.tree.Len())
	case key.Matches(msg, k.Newest):
		s.tree.Move(s.tree.Len())
	case key.Matches(msg, k.Open):
		p.onDetail = true
	case key.Matches(msg, k.Back):
		p.onDetail, p.zoom = false, false
	case key.Matches(msg, k.NextPart):
		p.onDetail = !p.onDetail
	case key.Matches(msg, k.Zoom):
		p.zoom = !p.zoom
	case key.Matches(msg, k.Flip):
		p.away, p.onDetail = !p.away, false
	case key.Matches(msg, s.hides.toggles.ended):
		s.hides.ended = !s.hides.ended
		s.restart()
		return s.refresh()
	case key.Matches(msg, s.hides.toggles.kernel):
		s.hides.kernel = !s.hides.kernel
		s.restart()
		return s.refresh()
	case key.Matches(msg, k.Left):
		s.tree.Fold()
	case key.Matches(msg, k.Right):
		s.tree.Unfold()
	case key.Matches(msg, k.Include), key.Matches(msg, k.Exclude):
		return s.narrow(key.Matches(msg, k.Exclude))
	case key.Matches(msg, k.Yank):
		return s.yank()
	default:
		s.move(msg)
	}
	s.arrange()
	return nil
}

func (s *Screen) move(msg tea.KeyPressMsg) {
	n, page := 0, 0
	switch k := &s.keys; {
	case key.Matches(msg, k.Up):
		n = -1
	case key.Matches(msg, k.Down):
		n = 1
	case key.Matches(msg, k.PageUp):
		page = -1
	case key.Matches(msg, k.PageDown):
		page = 1
	}
	switch {
	case s.shape.onDetail && page != 0:
		s.detail.Scroll(page * 10)
	case s.shape.onDetail:
		s.detail.Move(n)
	default:
		s.tree.Move(n)
		s.tree.Page(page)
	}
}

func (s *Screen) mouse(msg tea.MouseMsg) {
	m := msg.Mouse()
	t, _ := s.parts()
	inTree := m.X < t.w && m.Y < t.h
	n := 0
	switch m.Button {
	case tea.MouseWheelUp:
		n = -3
	case tea.MouseWheelDown:
		n = 3
	case tea.MouseLeft:
		s.shape.onDetail = !inTree
		if inTree {
			s.tree.Click(m.Y - 1)
		}
		s.arrange()
		return
	}
	if inTree {
		s.tree.Move(n)
	} else {
		s.detail.Scroll(n)
	}
}

func (s *Screen) narrow(exclude bool) tea.Cmd {
	if s.of == nil {
		return nil
	}
	field, value := "proc", s.of.Name
	if f := s.detail.Selected(); s.shape.onDetail && f != nil {
		field, value = f.Field, f.Value
	}
	if field == "" {
		return pane.Send(pane.Say{Text: "nothing to filter by in this line"})
	}
	return pane.Send(pane.Narrow{Field: field, Value: value, Exclude: exclude})
}

func (s *Screen) yank() tea.Cmd {
	if f := s.detail.Selected(); s.shape.onDetail && f != nil {
		return pane.Send(pane.Yank{Text: f.Text, What: "the line"})
	}
	if s.of == nil {
		return nil
	}
	return pane.Send(pane.Yank{Text: s.of.Cmdline, What: "the command line of " + strconv.Itoa(int(s.of.PID))})
}
