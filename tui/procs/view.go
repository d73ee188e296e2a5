package procs

import (
	"strconv"
	"strings"
	"time"

	"github.com/gumshoe-ir/gumshoe/event"
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
		title += " " + strconv.Itoa(len(s.procs))
	}
	return pane.Frame(s.styles, t.w, t.h, title, "h fold  l unfold  enter detail", !s.shape.onDetail, s.tree.View())
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
	if p.ExitTime != 0 || p.KernelTask {
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
	add(p.ExeFlags&event.ExeUpperLayer != 0 && p.Container != nil, "not in the image")
	add(!p.KernelTask && strings.HasPrefix(p.Name, "[") && strings.HasSuffix(p.Name, "]"), "posed as a kernel thread")
	return out
}
