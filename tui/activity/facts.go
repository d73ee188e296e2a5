package activity

import (
	"strings"

	"github.com/gumshoe-ir/gumshoe/event"
	"github.com/gumshoe-ir/gumshoe/tui/pane"
	"github.com/gumshoe-ir/gumshoe/tui/theme"
)

// facts are everything that is known of a, for the detail pane.
func facts(a *event.Activity) []pane.Fact {
	b := builder{}
	b.add("", theme.Strong, a.Target, "target", a.Target)
	when := stamp(a.ID.NS)
	if d := lasted(a); d != "" {
		when += " · " + d
	} else if a.Kind == event.Command && a.End == 0 {
		when += " · running"
	}
	b.add("", theme.Muted, when, "", "")
	b.gap()
	b.who(a)
	b.where(a)
	b.what(a)
	b.network(a)
	b.lineage(a.Process)
	return b.facts
}

type builder struct{ facts []pane.Fact }

func (b *builder) add(label string, role theme.Role, text, field, value string) {
	if text != "" {
		b.facts = append(b.facts, pane.Fact{Label: label, Role: role, Text: text, Field: field, Value: value})
	}
}

func (b *builder) gap() {
	if n := len(b.facts); n > 0 && b.facts[n-1].Text != "" {
		b.facts = append(b.facts, pane.Fact{})
	}
}

func (b *builder) who(a *event.Activity) {
	b.add("WHO", theme.Strong, a.User, "who", a.User)
	p := a.Process
	if p == nil {
		b.gap()
		return
	}
	user := number(p.UID)
	if p.User != nil && p.User.Name != "" {
		user = p.User.Name + " (uid " + user + ")"
		b.add("WHO", theme.Text, "user "+user, "user", p.User.Name)
	} else {
		b.add("WHO", theme.Text, "uid "+user, "uid", user)
	}
	if p.LoginUID != event.NoID {
		login := number(p.LoginUID)
		if p.LoginUser != "" {
			login = p.LoginUser + " (" + login + ")"
		}
		b.add("WHO", theme.Text, "login "+login, "user.loginuid", number(p.LoginUID))
	}
	if p.TTY != 0 {
		b.add("WHO", theme.Text, "tty "+pane.TTY(p.TTY), "tty", number(p.TTY))
	}
	if p.Leader != nil {
		b.add("WHO", theme.Muted, "session of "+p.Leader.Name+"("+number(p.Leader.PID)+")", "proc.sid", number(p.SID))
	}
	b.gap()
}

func (b *builder) where(a *event.Activity) {
	if a.Process == nil || a.Process.Container == nil {
		b.add("WHERE", theme.Text, "host", "container.id", "host")
		b.gap()
		return
	}
	c := a.Process.Container
	b.add("WHERE", theme.Strong, pane.Where(a.Process), "", "")
	b.add("WHERE", theme.Text, strings.TrimSpace(c.Runtime.String()+" "+c.Name+" "+c.ID), "container.id", c.ID)
	b.add("WHERE", theme.Text, c.Image, "image", c.Image)
	if c.Pod != "" {
		b.add("WHERE", theme.Text, "pod "+c.Pod, "pod", c.Pod)
	}
	if c.Namespace != "" {
		b.add("WHERE", theme.Text, "namespace "+c.Namespace, "ns", c.Namespace)
	}
	if c.Privileged {
		b.add("WHERE", theme.Mark, "privileged", "container.privileged", "true")
	}
	b.add("WHERE", theme.Warn, c.Problem, "", "")
	b.gap()
}

func (b *builder) what(a *event.Activity) {
	p := a.Process
	switch {
	case p != nil && p.Cmdline == a.Target && a.Kind == event.Command: // it heads the detail
	case p != nil && p.Cmdline != "":
		b.add("WHAT", theme.Text, p.Cmdline, "cmd", p.Cmdline)
	default:
		b.add("WHAT", theme.Text, a.Verb, "", "")
	}
	b.result(a)
	if a.Kind != event.Connection {
		b.add("OTHER", theme.Text, a.Name, "", "")
	}
	if a.RealPath != "" {
		b.add("REAL", theme.Mark, a.RealPath, "", "")
	}
	if p != nil {
		b.add("EXE", theme.Text, p.ExePath, "exe", p.ExePath)
		b.add("EXE", theme.Mark, exeNotes(p), "", "")
		b.add("CWD", theme.Text, p.Cwd, "cwd", p.Cwd)
		pids := "pid " + number(p.PID) + "  ppid " + number(p.PPID)
		if p.VPID != 0 && p.VPID != p.PID {
			pids += "  inside " + number(p.VPID)
		}
		b.add("PID", theme.Text, pids, "pid", number(p.PID))
	}
	b.origin(a)
}

func (b *builder) result(a *event.Activity) {
	switch {
	case a.Kind == event.Command && a.End != 0:
		text, ok := exit(a.Result)
		role := theme.Good
		if !ok {
			role = theme.Warn
		}
		b.add("RESULT", role, text, "", "")
	case a.Kind == event.Connection && underway(a.Result):
		b.add("RESULT", theme.Text, "under way when the call returned", "", "")
	case a.Kind != event.Command && a.Result != 0:
		b.add("RESULT", theme.Warn, errno(a.Result), "", "")
	case a.Kind != event.Command:
		b.add("RESULT", theme.Good, "ok", "", "")
	}
	if a.Count > 1 {
		b.add("TIMES", theme.Text, pane.Full(uint64(a.Count)), "", "")
	}
}

func (b *builder) origin(a *event.Activity) {
	if a.Origin&event.Raced != 0 {
		b.add("NOTE", theme.Danger, "raced: the kernel's own object contradicts the arguments", "", "")
	}
	if a.Origin&event.IOURing != 0 {
		b.add("NOTE", theme.Mark, "through io_uring, without a system call", "", "")
	}
	if a.Origin&event.IA32 != 0 {
		b.add("NOTE", theme.Mark, "a 32-bit call", "", "")
	}
}

func exeNotes(p *event.Process) string {
	var notes []string
	for _, n := range []struct {
		flag event.ExeFlags
		text string
	}{
		{event.ExeFromMemfd, "runs from memory (memfd)"},
		{event.ExeUpperLayer, "not in the image (upper layer)"},
		{event.ExeDeleted, "deleted since"},
		{event.ArgsCut, "arguments not whole"},
	} {
		if p.ExeFlags&n.flag != 0 {
			notes = append(notes, n.text)
		}
	}
	return strings.Join(notes, ", ")
}

func (b *builder) network(a *event.Activity) {
	if a.Kind != event.Connection {
		return
	}
	b.gap()
	if a.Remote.IsValid() {
		b.add("PEER", theme.Text, addr(a.Remote), "remote", a.Remote.Addr().Unmap().String())
	}
	b.add("NAME", theme.Text, a.Name, "domain", a.Name)
	if a.Local.IsValid() {
		b.add("LOCAL", theme.Text, addr(a.Local), "fd.lport", number(int32(a.Local.Port())))
	}
	if a.Sent+a.Received > 0 {
		b.add("BYTES", theme.Text, "sent "+pane.Size(a.Sent)+"  received "+pane.Size(a.Received), "", "")
	}
}

// maxLineage is how many ancestors are drawn: deeper trees exist only to hide.
const maxLineage = 40

func (b *builder) lineage(p *event.Process) {
	var chain []*event.Process
	for q := p; q != nil && len(chain) < maxLineage; q = q.Parent {
		chain = append(chain, q)
	}
	if len(chain) == 0 {
		return
	}
	b.gap()
	for i := len(chain) - 1; i >= 0; i-- {
		q := chain[i]
		depth := len(chain) - 1 - i
		text := strings.Repeat(" ", min(depth, 12))
		if depth > 0 {
			text = text[1:] + "└ "
		}
		text += q.Name + "(" + number(q.PID) + ")"
		if depth > 0 && q.Cmdline != q.Name && i > 0 {
			text += strings.TrimPrefix(q.Cmdline, q.Name)
		}
		role := theme.Text
		if i == 0 {
			role = theme.Strong
		}
		b.facts = append(b.facts, pane.Fact{
			Label: "LINEAGE", Role: role, Text: text, Raw: true, Field: "pid", Value: number(q.PID),
		})
	}
}
