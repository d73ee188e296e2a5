package procs

import (
	"fmt"
	"strings"
	"time"

	"github.com/gumshoe-ir/gumshoe/event"
	"github.com/gumshoe-ir/gumshoe/tui/pane"
	"github.com/gumshoe-ir/gumshoe/tui/theme"
)

// maxLineage is how many ancestors are drawn.
const maxLineage = 40

// facts are everything that is known of p, for the detail pane.
func facts(p *event.Process) []pane.Fact {
	if p == nil {
		return nil
	}
	var out []pane.Fact
	add := func(label string, role theme.Role, text, field, value string) {
		if text != "" {
			out = append(out, pane.Fact{Label: label, Role: role, Text: text, Field: field, Value: value})
		}
	}
	add("", theme.Strong, p.Cmdline, "cmd", p.Cmdline)
	add("", theme.Mark, strings.Join(warnings(p), ", "), "", "")
	out = append(out, pane.Fact{})
	ids := fmt.Sprintf("pid %d  ppid %d  sid %d", p.PID, p.PPID, p.SID)
	if p.VPID != 0 && p.VPID != p.PID {
		ids += fmt.Sprintf("  inside %d", p.VPID)
	}
	add("PID", theme.Text, ids, "pid", fmt.Sprint(p.PID))
	add("EXE", theme.Text, p.ExePath, "exe", p.ExePath)
	if p.Exe != "" && p.Exe != p.ExePath {
		add("ARGV0", theme.Text, p.Exe, "proc.exe", p.Exe)
	}
	add("CWD", theme.Text, p.Cwd, "cwd", p.Cwd)
	add("STARTED", theme.Text, stamp(p.CloneTime), "", "")
	add("ENDED", theme.Text, stamp(p.ExitTime), "", "")
	user := fmt.Sprintf("uid %d  gid %d", p.UID, p.GID)
	if p.User != nil {
		user = p.User.Name + "  " + user
	}
	add("USER", theme.Text, user, "user", userName(p))
	if p.LoginUID != event.NoID {
		add("LOGIN", theme.Text, strings.TrimSpace(fmt.Sprintf("%s (%d)", p.LoginUser, p.LoginUID)), "user.loginuid", fmt.Sprint(p.LoginUID))
	}
	add("TTY", theme.Text, pane.TTY(p.TTY), "", "")
	if p.CapEff != 0 {
		add("CAPS", theme.Text, fmt.Sprintf("effective %#x", p.CapEff), "", "")
	}
	if c := p.Container; c != nil {
		add("WHERE", theme.Strong, pane.Where(p), "", "")
		add("WHERE", theme.Text, strings.TrimSpace(c.Runtime.String()+" "+c.Name+" "+c.ID), "container.id", c.ID)
		add("WHERE", theme.Text, c.Image, "image", c.Image)
		add("WHERE", theme.Warn, c.Problem, "", "")
	}
	for _, e := range p.Env {
		add("ENV", theme.Muted, e, "", "")
	}
	return append(append(out, pane.Fact{}), lineage(p)...)
}

func lineage(p *event.Process) []pane.Fact {
	var out []pane.Fact
	n := 0
	for q := p.Parent; q != nil && n < maxLineage; q = q.Parent {
		out = append(out, pane.Fact{
			Label: "FROM", Role: theme.Text, Raw: true, Field: "pid", Value: fmt.Sprint(q.PID),
			Text: fmt.Sprintf("%s(%d)%s", q.Name, q.PID, strings.TrimPrefix(q.Cmdline, q.Name)),
		})
		n++
	}
	return out
}

func stamp(ns uint64) string {
	if ns == 0 {
		return ""
	}
	return time.Unix(0, int64(ns)).UTC().Format("2006-01-02 15:04:05") + "Z"
}
