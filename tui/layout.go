package tui

import (
	"context"
	"strconv"
	"strings"
	"time"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"github.com/gumshoe-ir/gumshoe/audit"
	"github.com/gumshoe-ir/gumshoe/tui/activity"
	"github.com/gumshoe-ir/gumshoe/tui/events"
	"github.com/gumshoe-ir/gumshoe/tui/overview"
	"github.com/gumshoe-ir/gumshoe/tui/pane"
	"github.com/gumshoe-ir/gumshoe/tui/procs"
	"github.com/gumshoe-ir/gumshoe/tui/theme"
)

const (
	bodyTop    = 2 // title and filter row
	bodyBottom = 2 // hints and status
	minWidth   = 60
	minHeight  = 16
)

// screen is one entry of the title row. Those without a pane arrive later.
type screen struct {
	name    string
	digit   string
	pane    pane.Pane
	version int // of the scope it was told last
}

func newScreens(ctx context.Context, styles *theme.Styles, trail audit.Trail) []screen {
	return []screen{
		{name: "Overview", digit: "1", pane: overview.New(ctx, styles, trail)},
		{name: "Events", digit: "2", pane: events.New(styles)},
		{name: "Activity", digit: "3", pane: activity.New(ctx, styles, trail)},
		{name: "Trace", digit: "4"},
		{name: "Processes", digit: "5", pane: procs.New(ctx, styles, trail)},
		{name: "Insights", digit: "6"},
		{name: "Policies", digit: "7"},
		{name: "Captures", digit: "8"},
		{name: "Sessions", digit: "9"},
		{name: "Plugins", digit: "0"},
	}
}

// choose shows the screen of a digit.
func (a *app) choose(digit string) tea.Cmd {
	for i, s := range a.screens {
		if s.digit == digit {
			return a.show(i)
		}
	}
	return nil
}

// show puts a screen up and tells it the scope if that has changed since.
func (a *app) show(i int) tea.Cmd {
	s := &a.screens[i]
	if s.pane == nil {
		a.said = s.name + " arrives later"
		return nil
	}
	var cmds []tea.Cmd
	if i != a.at {
		cmds = append(cmds, a.screens[a.at].pane.Update(pane.Shown(false)))
		a.at = i
		a.engine.counted = false
	}
	if s.version != a.scope.version+1 {
		s.version = a.scope.version + 1
		cmds = append(cmds, s.pane.Update(a.shared()))
	}
	return tea.Batch(append(cmds, s.pane.Update(pane.Shown(true)))...)
}

// shared is the scope as panes receive it.
func (a *app) shared() pane.Scope {
	return pane.Scope{Filter: a.scope.node, Text: a.scope.text, Window: a.scope.window, Now: a.opts.Now}
}

func (a *app) tooSmall() bool { return a.w < minWidth || a.h < minHeight }

// draw is the whole frame: exactly h rows of w cells.
func (a *app) draw() string {
	c := pane.NewCanvas(a.styles, a.w)
	a.drawTitle(c)
	head := c.String() + "\n" + a.bar.Row(a.w, a.shared(), a.shown())
	c = pane.NewCanvas(a.styles, a.w)
	a.drawHints(c)
	a.drawStatus(c)
	frame := head + "\n" + a.screens[a.at].pane.View() + "\n" + c.String()
	switch {
	case a.help != nil:
		frame = pane.Over(frame, a.help.View(a.w-8, a.h-4), 4, 2)
	case a.bar.Editing():
		frame = pane.Over(frame, a.bar.Popup(a.w, a.h-bodyTop-bodyBottom), 0, bodyTop)
	}
	return frame
}

// shown is how much the scope shows.
func (a *app) shown() string {
	e := &a.engine
	if !e.counted {
		return ""
	}
	out := pane.Full(e.count.Total)
	if !e.count.Exact {
		out = "~" + out
	}
	if a.scope.node != nil {
		return out + " of " + pane.Full(e.count.Of)
	}
	return out + " activities"
}

// drawTitle names the host and the screens on the left and says on the right
// how live and how whole the picture is. The right side is never cut.
func (a *app) drawTitle(c *pane.Canvas) {
	c.Row(false)
	right := a.state()
	room := a.w - right.width() - 1
	c.Put(theme.Accent, " "+a.styles.Glyphs.Logo+" ")
	if a.tabsFit(room) {
		host := a.host()
		c.Put(theme.Strong, host)
		c.Put(theme.Muted, " › ")
		for i, s := range a.screens {
			if s.pane == nil {
				continue
			}
			role := theme.Muted
			if i == a.at {
				role = theme.Active
			}
			c.Put(role, s.digit+" "+s.name)
			c.Space(2)
		}
	} else {
		c.Cell(theme.Active, a.screens[a.at].name, max(room-4, 0))
	}
	c.Space(c.Left() - right.width() - 1)
	for _, p := range right {
		c.Put(p.role, p.text)
	}
}

const maxHost = 20

func (a *app) host() string {
	h := a.engine.Host
	if h == "" {
		h = "gumshoe"
	}
	if len(h) > maxHost {
		h = h[:maxHost]
	}
	return h
}

// tabsFit reports whether the host and all screens find room in w cells.
func (a *app) tabsFit(w int) bool {
	_, end := a.tab(len(a.screens))
	return end <= w
}

// tab is where the tab of screen i begins, and where all of them end.
func (a *app) tab(n int) (start, end int) {
	x := 3 + pane.Width(a.host()) + 3
	for i, s := range a.screens {
		if i == n {
			start = x
		}
		if s.pane != nil {
			x += len(s.name) + 2 + 2
		}
	}
	return start, x
}

// tabAt is the screen whose name stands at cell x of the title.
func (a *app) tabAt(x int) (int, bool) {
	if !a.tabsFit(a.w - a.state().width() - 1) {
		return 0, false
	}
	for i, s := range a.screens {
		if s.pane == nil {
			continue
		}
		if start, _ := a.tab(i); x >= start && x < start+len(s.name)+2 {
			return i, true
		}
	}
	return 0, false
}

type piece struct {
	role theme.Role
	text string
}

type pieces []piece

func (p pieces) width() (n int) {
	for _, x := range p {
		n += pane.Width(x.text)
	}
	return n
}

// state is the right end of the title.
func (a *app) state() pieces {
	e := &a.engine
	clock := piece{theme.Muted, "  " + a.opts.Now().UTC().Format("15:04Z") + " "}
	switch {
	case e.gone && e.known:
		return pieces{{theme.Danger, "ENGINE GONE, trying again"}, clock}
	case e.gone:
		return pieces{{theme.Danger, "NO ENGINE, trying again"}, clock}
	case !e.known:
		return pieces{{theme.Muted, "connecting …"}, clock}
	}
	var out pieces
	switch {
	case e.quiet:
		out = pieces{{theme.Warn, "ENGINE SILENT"}}
	case e.paused:
		out = pieces{{theme.Warn, "PAUSED +" + pane.Count(e.Activities-min(e.pausedAt, e.Activities))}}
	case e.Source == "":
		out = pieces{{theme.Warn, "ATTACHING …"}} // nothing is seen yet
	case e.Source != "live":
		out = pieces{{theme.Accent, "REPLAY " + e.Source}}
	default:
		out = pieces{{theme.Good, "LIVE " + a.styles.Glyphs.Live}, {theme.Text, " " + pane.Rate(e.Rate) + "/s"}}
	}
	if lag := time.Duration(e.LagNS); lag > time.Second {
		out = append(out, piece{theme.Warn, "  lag " + pane.Short(lag)})
	}
	role := theme.Muted
	dropped := e.Lost.Dropped()
	if dropped > 0 {
		role = theme.Danger
	}
	if dropped > 0 || a.w >= 90 {
		out = append(out, piece{role, "  drop " + pane.Count(dropped)})
	}
	return append(out, clock)
}

// drawHints are the keys that matter now, by rank; one that does not fit is
// left out whole.
func (a *app) drawHints(c *pane.Canvas) {
	c.Row(false)
	c.Space(1)
	k := &a.keys
	hints, quit := []key.Binding{k.Screens, k.Filter}, []key.Binding{k.Help, k.Quit}
	if a.bar.Editing() {
		hints, quit = a.bar.Keys(), nil
	} else {
		of := a.screens[a.at].pane.Keys()
		hints = append(hints, of[:min(len(of), 4)]...)
		pause := k.Pause
		if a.engine.paused {
			pause.SetHelp("p", "go on")
		}
		hints = append(hints, pause)
	}
	reserve := 0
	for _, b := range quit {
		reserve += hintWidth(b)
	}
	for _, b := range hints {
		if w := hintWidth(b); w+reserve <= c.Left() {
			drawHint(c, b)
		}
	}
	for _, b := range quit {
		if hintWidth(b) <= c.Left() {
			drawHint(c, b)
		}
	}
}

func hintWidth(b key.Binding) int {
	return pane.Width(b.Help().Key) + 1 + pane.Width(b.Help().Desc) + 2
}

func drawHint(c *pane.Canvas, b key.Binding) {
	c.Put(theme.Accent, b.Help().Key)
	c.Space(1)
	c.Put(theme.Muted, b.Help().Desc)
	c.Space(2)
}

// drawStatus says what happened, else what the engine wants people to know.
func (a *app) drawStatus(c *pane.Canvas) {
	c.Row(false)
	c.Space(1)
	e := &a.engine
	switch {
	case a.said != "":
		c.Put(theme.Text, a.said)
	case e.err != nil:
		c.Put(theme.Danger, e.err.Error())
	case len(e.Notes) > 0:
		c.Put(theme.Warn, strings.Join(e.Notes, " · "))
	case e.known && e.Lost.Dropped() > 0:
		c.Put(theme.Warn, a.losses())
	case e.known:
		putWhole(c, " · ", pane.Full(e.Activities)+" activities of "+pane.Count(e.Events)+" system events",
			strconv.Itoa(e.Processes)+" processes", strconv.Itoa(e.Containers)+" containers")
	}
}

// putWhole writes the parts that find room, none of them cut.
func putWhole(c *pane.Canvas, between string, parts ...string) {
	for i, p := range parts {
		if i > 0 {
			p = between + p
		}
		if pane.Width(p) > c.Left() && i > 0 {
			return
		}
		c.Put(theme.Muted, p)
	}
}

func (a *app) losses() string {
	out := "lost:"
	for i, n := range a.engine.Lost {
		if n > 0 {
			out += " " + lossName(i) + " " + pane.Full(n)
		}
	}
	return out
}

// card is the whole frame where there is too little room for one: it still
// counts.
func (a *app) card() string {
	c := pane.NewCanvas(a.styles, a.w)
	e := &a.engine
	lines := []string{
		"gumshoe needs " + strconv.Itoa(minWidth) + "x" + strconv.Itoa(minHeight) + ", this is " +
			strconv.Itoa(a.w) + "x" + strconv.Itoa(a.h),
		pane.Full(e.Activities) + " activities, " + pane.Rate(e.Rate) + "/s, drop " + pane.Count(e.Lost.Dropped()),
		"q quits",
	}
	for _, l := range lines {
		if c.Rows() < a.h {
			c.Row(false)
			c.Put(theme.Text, l)
		}
	}
	c.Skip(a.h)
	return c.String()
}
