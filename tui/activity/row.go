package activity

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/gumshoe-ir/gumshoe/event"
	"github.com/gumshoe-ir/gumshoe/tui/pane"
	"github.com/gumshoe-ir/gumshoe/tui/theme"
)

// column is a column of the table: what = and ! act on.
type column uint8

const (
	timeColumn column = iota
	typeColumn
	whatColumn
	byColumn
	whereColumn
	columns
)

var heads = [columns]string{"TIME", "TYPE", "ACTIVITY", "BY", "WHERE"}

func (c column) moved(n int) column {
	return column(min(max(int(c)+n, 0), int(columns)-1))
}

// columnWidths divides a row of w cells, two of them the cursor's; columns
// that find no room are 0 wide.
func columnWidths(w int) [columns]int {
	out := [columns]int{8, 4, 0, 10, 0}
	if w >= 90 {
		out[timeColumn] = 12
	}
	if w >= 70 {
		out[whereColumn] = min(14+(w-70)/4, 34)
	}
	if w < 50 {
		out[byColumn] = 0
	}
	if w >= 120 {
		out[byColumn] = 14
	}
	free := w - 2
	for _, n := range out {
		if n > 0 {
			free -= n + 1
		}
	}
	out[whatColumn] = max(free, 1)
	return out
}

func kindRole(k event.Kind) theme.Role {
	switch k {
	case event.Connection:
		return theme.Network
	case event.File:
		return theme.File
	case event.Kube, event.Cloud:
		return theme.Kube
	case event.System:
		return theme.System
	}
	return theme.Command
}

// drawRow is one activity.
func (s *Screen) drawRow(c *pane.Canvas, a *event.Activity, selected bool) {
	w := columnWidths(c.Left())
	if selected {
		c.Cell(theme.Accent, c.Styles().Glyphs.Cursor, 2)
	} else {
		c.Space(2)
	}
	c.Cell(theme.Muted, pane.Clock(a.ID.NS)[:w[timeColumn]], w[timeColumn]+1)
	c.Cell(kindRole(a.Kind), a.Kind.String(), w[typeColumn]+1)
	drawWhat(c, a, w[whatColumn])
	c.Space(1)
	if w[byColumn] > 0 {
		c.Cell(theme.Text, by(a, w[byColumn]), w[byColumn])
		c.Space(1)
	}
	if w[whereColumn] > 0 {
		if where := pane.Where(a.Process); where != "" {
			c.CellEnd(theme.Text, where, w[whereColumn])
		} else {
			c.Cell(theme.Muted, "host", w[whereColumn])
		}
	}
}

// drawWhat fills the flexible cell: what was done to what, and at its right
// how it went.
func drawWhat(c *pane.Canvas, a *event.Activity, w int) {
	note, role := outcome(a)
	if n := pane.Width(note); n > 0 && n+12 <= w {
		w -= n + 1
	} else {
		note = ""
	}
	end := c.Left() - w
	switch a.Kind {
	case event.Connection:
		arrow := c.Styles().Glyphs.Out
		if a.Verb == "accept" || a.Verb == "listen" {
			arrow = c.Styles().Glyphs.Into
		}
		c.Put(theme.Network, arrow+" ")
		c.Cell(theme.Text, peer(a), c.Left()-end)
	case event.Command:
		c.Cell(theme.Text, command(a), w)
	default:
		verb := a.Verb + " "
		c.Cell(kindRole(a.Kind), verb, min(pane.Width(verb), c.Left()-end))
		target := a.Target
		if a.Kind == event.File && a.Name != "" { // renamed or linked
			target += " " + c.Styles().Glyphs.Out + " " + a.Name
		}
		c.CellMiddle(theme.Text, target, c.Left()-end)
	}
	if note != "" {
		c.Space(1)
		c.Put(role, note)
	}
}

// by is who did it: the user of a command, with the terminal where there is
// room, else the program.
func by(a *event.Activity, w int) string {
	p := a.Process
	if p == nil {
		return a.User
	}
	if a.Kind != event.Command {
		return p.Name
	}
	if tty := pane.TTY(p.TTY); tty != "" && len(a.User)+1+len(tty) <= w {
		return a.User + " " + tty
	}
	return a.User
}

// command is the command line without the directory of a program that lies
// where programs lie. Any other directory is worth its room.
func command(a *event.Activity) string {
	path, _, _ := strings.Cut(a.Target, " ")
	slash := strings.LastIndexByte(path, '/')
	if slash < 0 || a.Process == nil || path != a.Process.Exe || strings.Contains(path, "/.") {
		return a.Target
	}
	for _, dir := range []string{"/usr/", "/bin/", "/sbin/", "/lib/", "/lib64/", "/opt/"} {
		if strings.HasPrefix(path, dir) {
			return a.Target[slash+1:]
		}
	}
	return a.Target
}

// peer is the other end of a connection, with its name and protocol.
func peer(a *event.Activity) string {
	out := a.Target
	if a.Remote.IsValid() && a.Verb != "listen" {
		out = addr(a.Remote)
	} else if out == "" && a.Local.IsValid() {
		out = addr(a.Local)
	}
	if a.Name != "" {
		out = a.Name + " " + out
	}
	if a.Proto == event.ProtoTCP || a.Proto == event.ProtoUDP {
		out += " " + a.Proto.String()
	}
	return out
}

func addr(a netip.AddrPort) string {
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port()).String()
}

// outcome is how an activity went, in few letters; empty when as expected.
func outcome(a *event.Activity) (string, theme.Role) {
	switch {
	case a.Origin&event.Raced != 0:
		return "raced", theme.Danger
	case a.Kind == event.Command && a.End == 0:
		return "", theme.Muted
	case a.Kind == event.Command:
		text, ok := exit(a.Result)
		if !ok {
			return text, theme.Warn
		}
		if a.End >= a.ID.NS+uint64(time.Second) {
			return lasted(a), theme.Muted
		}
		return "", theme.Muted
	case a.Kind == event.Connection && underway(a.Result):
		return "", theme.Muted
	case a.Result != 0:
		return errno(a.Result), theme.Warn
	case a.Sent+a.Received > 0:
		return pane.Size(a.Sent) + "/" + pane.Size(a.Received), theme.Muted
	case a.Count > 1:
		return "x" + strconv.FormatUint(uint64(a.Count), 10), theme.Muted
	}
	return "", theme.Muted
}

// underway reports the answer of a connect that does not wait: neither good
// nor bad.
func underway(result int64) bool { return max(result, -result) == int64(syscall.EINPROGRESS) }

// exit reads a wait status (wait(2)).
func exit(status int64) (text string, ok bool) {
	ws := syscall.WaitStatus(status)
	switch {
	case ws.Signaled():
		if name := unix.SignalName(ws.Signal()); name != "" {
			return name, false
		}
		return "signal " + strconv.Itoa(int(ws.Signal())), false
	case ws.ExitStatus() > 0:
		return "exit " + strconv.Itoa(ws.ExitStatus()), false
	}
	return "exit 0", true
}

// errno is the name of an error number, positive or as the kernel returns it.
func errno(n int64) string {
	if n < 0 {
		n = -n
	}
	if name := unix.ErrnoName(syscall.Errno(n)); name != "" {
		return name
	}
	return "error " + strconv.FormatInt(n, 10)
}

// narrows is the field and value that the cell under the cursor stands for.
func (c column) narrows(a *event.Activity) (field, value string) {
	p := a.Process
	switch c {
	case typeColumn:
		return "type", a.Kind.String()
	case whatColumn:
		switch {
		case a.Kind == event.Connection && a.Remote.IsValid():
			return "remote", a.Remote.Addr().Unmap().String()
		case a.Kind == event.File:
			return "target", a.Target
		case p != nil:
			return "proc", p.Name
		}
	case byColumn:
		if a.Kind != event.Command && p != nil {
			return "proc", p.Name
		}
		return "who", a.User
	case whereColumn:
		switch {
		case p == nil || p.Container == nil:
			return "container.id", "host"
		case p.Container.Pod != "":
			return "pod", p.Container.Pod
		case p.Container.Name != "":
			return "container", p.Container.Name
		}
		return "container.id", p.Container.ID
	}
	return "", ""
}

func lasted(a *event.Activity) string {
	if a.End <= a.ID.NS {
		return ""
	}
	return pane.Short(time.Duration(a.End - a.ID.NS))
}

func stamp(ns uint64) string {
	return time.Unix(0, int64(ns)).UTC().Format("2006-01-02 15:04:05.000000") + "Z"
}

func number[T ~int32 | ~uint32 | ~int64](n T) string { return fmt.Sprint(n) }
