package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"github.com/gumshoe-ir/gumshoe/event"
	"github.com/gumshoe-ir/gumshoe/event/safe"
)

// maxCell bounds one cell of a table, in bytes.
const maxCell = 4096

// column is one column of a table: at least wide columns, the last one as long
// as it is.
type column struct {
	name string
	wide int
}

// table writes lines of cells, without colour. What does not fit the terminal
// is cut; elsewhere lines are whole.
type table struct {
	columns []column
	width   int // 0: no terminal
}

func (t table) head() string {
	cells := make([]string, len(t.columns))
	for i, c := range t.columns {
		cells[i] = c.name
	}
	return t.line(cells)
}

// line is cells, hostile bytes made safe, one line.
func (t table) line(cells []string) string {
	var b strings.Builder
	for i, c := range cells {
		cell := safe.Line(c, maxCell)
		if i == len(cells)-1 {
			b.WriteString(cell)
			break
		}
		if t.width > 0 {
			cell = ansi.Truncate(cell, t.columns[i].wide, "…")
		}
		b.WriteString(cell)
		b.WriteString(strings.Repeat(" ", max(0, t.columns[i].wide-ansi.StringWidth(cell))+1))
	}
	line := b.String()
	if t.width > 0 {
		line = ansi.Truncate(line, t.width, "…")
	}
	return line + "\n"
}

func activityTable(width int) table {
	return table{[]column{{"TIME", 19}, {"KIND", 4}, {"USER", 10}, {"WHERE", 16}, {"PROCESS", 20}, {"RESULT", 6}, {"WHAT", 0}}, width}
}

func activityCells(a *event.Activity) []string {
	return []string{
		time.Unix(0, int64(a.ID.NS)).Format("2006-01-02 15:04:05"), a.Kind.String(), a.User,
		where(a.Process), process(a.Process), result(a), what(a),
	}
}

// where is the container of p, as people call it, or the host.
func where(p *event.Process) string {
	switch {
	case p == nil || p.Container == nil:
		return "host"
	case p.Container.Pod != "":
		return p.Container.Namespace + "/" + p.Container.Pod
	case p.Container.Name != "":
		return p.Container.Name
	}
	return p.Container.ID
}

func process(p *event.Process) string {
	if p == nil {
		return "?"
	}
	return fmt.Sprintf("%s[%d]", p.Name, p.PID)
}

// result is how a ended: ok, an exit status, a signal or an errno.
func result(a *event.Activity) string {
	switch {
	case a.Kind == event.Command && a.End == 0:
		return "-"
	case a.Result == 0:
		return "ok"
	case a.Kind == event.Command && a.Result > 0 && a.Result&0x7f != 0:
		return fmt.Sprintf("sig%d", a.Result&0x7f)
	case a.Kind == event.Command && a.Result > 0:
		return fmt.Sprintf("%d", a.Result>>8&0xff)
	}
	return fmt.Sprintf("%d", a.Result)
}

func what(a *event.Activity) string {
	text := a.Verb + " " + a.Target
	if a.Name != "" {
		text += " (" + a.Name + ")"
	}
	if a.Count > 1 {
		text += fmt.Sprintf(" ×%d", a.Count)
	}
	if o := origins(a.Origin); o != nil {
		text += " [" + strings.Join(o, ",") + "]"
	}
	return text
}

func processTable(width int) table {
	return table{[]column{{"PID", 7}, {"USER", 10}, {"WHERE", 16}, {"START", 19}, {"COMMAND", 0}}, width}
}

func processCells(p *event.Process, depth int) []string {
	user := fmt.Sprint(p.UID)
	if p.User != nil {
		user = p.User.Name
	}
	command := p.Cmdline
	if command == "" {
		command = p.Name
	}
	if p.ExitTime != 0 {
		command += " (ended)"
	}
	start := "-"
	if p.CloneTime != 0 {
		start = time.Unix(0, int64(p.CloneTime)).Format("2006-01-02 15:04:05")
	}
	return []string{fmt.Sprint(p.PID), user, where(p), start, strings.Repeat("  ", min(depth, 20)) + command}
}
