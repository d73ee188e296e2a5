package procs

import (
	"strconv"
	"strings"
	"time"

	"github.com/gumshoe-ir/gumshoe/event"
	"github.com/gumshoe-ir/gumshoe/rules/filter"
	"github.com/gumshoe-ir/gumshoe/tui/pane"
	"github.com/gumshoe-ir/gumshoe/tui/theme"
)

// View implements pane.Pane.
func (s *Screen) View() string {
	if s.view != "" {
		return s.view
	}
	t, d := s.parts()
	var parts []string
	if t.h > 0 {
		parts = append(parts, s.viewTree(t))
	}
	if d.h > 0 {
		title := "Process"
		if s.of != nil {
			title = s.of.Name + " " + strconv.Itoa(int(s.of.PID))
		}
		parts = append(parts, pane.Frame(s.styles, d.w, d.h, title, "y copy  z zoom  esc back", s.shape.onDetail, s.detail.View()))
	}
	if len(parts) == 2 && s.shape.w >= wide {
		s.view = pane.Beside(parts...)
	} else {
		s.view = pane.Stack(parts...)
	}
	return s.view
}

func (s *Screen) viewTree(t size) string {
	title := "Processes"
	switch {
	case s.load.err != nil:
		title += " · " + s.load.err.Error()
	case !s.load.asked || s.load.busy && s.procs == nil:
		title += " · looking …"
	case !s.scope.Window.Live():
		title += " as of " + s.scope.Window.Until.UTC().Format("Jan _2 15:04:05")
	default:
		title += " " + strconv.Itoa(s.hits())
		if s.hides.hit != nil {
			title += " match"
		}
	}
	if s.hides.ended {
		title += " · ended " + pane.Short(linger) + " ago too"
	}
	foot := "o ended  i kernel threads  h fold  enter detail"
	if s.tree.Len() == 0 && s.load.asked && !s.load.busy && s.load.err == nil {
		return pane.Frame(s.styles, t.w, t.h, title, foot, !s.shape.onDetail, s.empty(t.w-2, t.h-2))
	}
	return pane.Frame(s.styles, t.w, t.h, title, foot, !s.shape.onDetail, s.tree.View())
}

// empty says that there is nothing to show, and what can be done.
func (s *Screen) empty(w, h int) string {
	c := pane.NewCanvas(s.styles, w)
	c.Skip(h / 3)
	for i, line := range []string{"no process here matches", `\ clears the filter · o shows those that ended, i kernel threads`} {
		if c.Rows() < h {
			c.Row(false)
			c.Space(2)
			c.Put([]theme.Role{theme.Text, theme.Muted}[i], line)
		}
	}
	c.Skip(h)
	return c.String()
}

// drawRow is one process: the branch, its name, number and arguments; at the
// right who, where and how long.
func (s *Screen) drawRow(c *pane.Canvas, i int, branch, fold string, selected bool) {
	p := s.procs[i]
	cursor := " "
	if selected {
		cursor = c.Styles().Glyphs.Cursor
	}
	c.Cell(theme.Accent, cursor, 1)
	userW, whereW, ageW := 9, 0, 6
	if c.Left() >= 70 {
		whereW = min(10+(c.Left()-70)/3, 30)
	}
	end := userW + 1 + whereW + 1 + ageW
	if c.Left() < 40 {
		end, userW = 0, 0
	}
	c.Put(theme.Border, cutBranch(branch, max(c.Left()-end-16, 4)))
	if fold != "" {
		c.Put(theme.Muted, fold)
	} else if branch != "" {
		c.Put(theme.Border, c.Styles().Glyphs.Plain.Horizontal)
	} else {
		c.Space(1)
	}
	name, rest := theme.Strong, theme.Text
	if p.ExitTime != 0 || p.KernelTask || s.hides.hit != nil && !s.hides.hit(p) {
		name, rest = theme.Muted, theme.Muted
	}
	if text := strings.Join(warnings(p), ", "); text != "" && end > 0 {
		c.Put(name, p.Name)
		c.Put(theme.Muted, "("+strconv.Itoa(int(p.PID))+") ")
		c.Cell(theme.Mark, text, c.Left()-end)
	} else {
		c.Put(name, p.Name)
		c.Put(theme.Muted, "("+strconv.Itoa(int(p.PID))+")")
		c.Cell(rest, strings.TrimPrefix(p.Cmdline, p.Name), c.Left()-end)
	}
	if end == 0 {
		return
	}
	c.Space(1)
	c.Cell(rest, userName(p), userW)
	if whereW > 0 {
		c.CellEnd(theme.Muted, pane.Where(p), whereW)
		c.Space(1)
	}
	c.CellRight(theme.Muted, s.age(p), c.Left())
}

// cutBranch keeps the end of a branch that is deeper than the row is wide.
func cutBranch(branch string, w int) string {
	r := []rune(branch)
	if len(r) <= w {
		return branch
	}
	return string(r[len(r)-w:])
}

func userName(p *event.Process) string {
	if p.LoginUser != "" {
		return p.LoginUser
	}
	if p.User != nil && p.User.Name != "" {
		return p.User.Name
	}
	return strconv.FormatUint(uint64(p.UID), 10)
}

// age is how long a process runs, or that it ended.
func (s *Screen) age(p *event.Process) string {
	switch {
	case p.ExitTime != 0:
		return "ended"
	case p.CloneTime == 0 || s.scope.Now == nil:
		return ""
	}
	return pane.Short(s.scope.Now().Sub(time.Unix(0, int64(p.CloneTime))).Truncate(time.Second))
}

// warnings are what is odd about a process, in words.
func warnings(p *event.Process) []string {
	var out []string
	add := func(odd bool, text string) {
		if odd {
			out = append(out, text)
		}
	}
	add(p.ExeFlags&event.ExeFromMemfd != 0, "runs from memory")
	add(p.ExeFlags&event.ExeDeleted != 0, "executable deleted")
	add(p.ExeFlags&event.ArgsCut != 0, "arguments not whole")
	add(p.ExeFlags&event.ExeUpperLayer != 0 && p.Container != nil, "not in the image")
	if p.KernelTask {
		return out
	}
	if poses := strings.HasPrefix(p.Name, "[") || strings.HasPrefix(p.Exe, "["); poses {
		add(true, "poses as a kernel thread")
	} else {
		add(renamed(p), "calls itself "+p.Exe)
	}
	return out
}

// renamed reports whether argv[0] names neither the program nor the thread.
// Titles that daemons give themselves ("sshd: jd", "nginx: worker") begin with
// what they are; login shells begin with a dash.
func renamed(p *event.Process) bool {
	if p.Exe == "" || p.ExePath == "" {
		return false
	}
	const comm = 15 // bytes that the kernel keeps of a name
	for _, said := range []string{firstWord(base(p.Exe)), base(firstWord(p.Exe))} {
		said = strings.TrimPrefix(said, "-")
		if said == base(p.ExePath) || said[:min(len(said), comm)] == firstWord(p.Name) {
			return false
		}
	}
	return true
}

func base(path string) string { return path[strings.LastIndexByte(path, '/')+1:] }

func firstWord(s string) string {
	if i := strings.IndexAny(s, " :"); i >= 0 {
		return s[:i]
	}
	return s
}

// hitter is the filter as a question to a process; nil asks nothing.
func hitter(n filter.Node) func(*event.Process) bool {
	if n == nil {
		return nil
	}
	p, err := filter.Compile(n)
	if err != nil {
		return nil // the trail says so
	}
	return func(of *event.Process) bool { return p.Match(&event.Activity{Process: of}) }
}

// hits is how many of the processes are not there only for those below them.
func (s *Screen) hits() int {
	if s.hides.hit == nil {
		return len(s.procs)
	}
	n := 0
	for _, p := range s.procs {
		if s.hides.hit(p) {
			n++
		}
	}
	return n
}
