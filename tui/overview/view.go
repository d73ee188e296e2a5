package overview

import (
	"strconv"
	"time"

	"github.com/gumshoe-ir/gumshoe/event"
	"github.com/gumshoe-ir/gumshoe/tui/pane"
	"github.com/gumshoe-ir/gumshoe/tui/theme"
)

// lists is how many top lists find room beside each other.
func (s *Screen) lists() int {
	switch {
	case s.w >= 100:
		return 4
	case s.w >= 72:
		return 3
	}
	return 2
}

// heights divides the screen: tiles, graph, lists.
func (s *Screen) heights() (tiles, graph, lists int) {
	switch {
	case s.h < 9:
		return s.h, 0, 0
	case s.h < 18:
		return 6, 0, s.h - 6
	case s.h < 26:
		return 6, 6, s.h - 12
	}
	return 7, 10, s.h - 17
}

// View implements pane.Pane.
func (s *Screen) View() string {
	if s.view != "" {
		return s.view
	}
	tiles, graph, lists := s.heights()
	half := s.w / 2
	parts := []string{pane.Beside(
		pane.Frame(s.styles, half, tiles, "Activity", s.total(), false, s.viewKinds(half-2, tiles-2)),
		pane.Frame(s.styles, s.w-half, tiles, "Engine", "", false, s.viewEngine(s.w-half-2, tiles-2)),
	)}
	if graph > 0 {
		title := "All activity"
		if s.hist.Step > 0 {
			title += " · " + pane.Exact(time.Duration(s.hist.Step)) + " per column"
		}
		parts = append(parts, pane.Frame(s.styles, s.w, graph, title, "+ - zoom  < > pan", false, s.viewGraph(s.w-2, graph-2)))
	}
	if lists > 0 {
		var views []string
		n := s.lists()
		for i := range n {
			w := s.w*(i+1)/n - s.w*i/n
			views = append(views, pane.Frame(s.styles, w, lists, tops[i].title, "", i == s.top, s.viewTop(i, w-2, lists-2)))
		}
		parts = append(parts, pane.Beside(views...))
	}
	s.view = pane.Stack(parts...)
	return s.view
}

func (s *Screen) total() string {
	switch {
	case s.load.err != nil:
		return s.load.err.Error()
	case s.hist.Step == 0:
		return "counting …"
	}
	return pane.Full(s.hist.Total) + " in " + s.scope.Window.String()
}

var kinds = []struct {
	kind event.Kind
	role theme.Role
	name string
}{
	{event.Command, theme.Command, "commands"},
	{event.Connection, theme.Network, "network"},
	{event.File, theme.File, "files"},
	{event.System, theme.System, "identity, kernel"},
	{event.Kube, theme.Kube, "kubernetes"},
}

func (s *Screen) viewKinds(w, h int) string {
	c := pane.NewCanvas(s.styles, w)
	for _, k := range kinds {
		if c.Rows() >= h {
			break
		}
		values := make([]uint64, len(s.hist.Columns))
		var total uint64
		for i := range s.hist.Columns {
			values[i] = uint64(s.hist.Columns[i][k.kind])
			total += values[i]
		}
		c.Row(false)
		c.Space(1)
		c.Cell(k.role, k.name, min(17, max(w-8, 4)))
		c.CellRight(theme.Strong, pane.Count(total), 6)
		c.Space(2)
		c.Spark(k.role, values, c.Left()-1, 0)
	}
	c.Skip(h)
	return c.String()
}

func (s *Screen) viewEngine(w, h int) string {
	e := &s.engine
	c := pane.NewCanvas(s.styles, w)
	line := func(label string, role theme.Role, text string) {
		if c.Rows() < h {
			c.Row(false)
			c.Space(1)
			c.Cell(theme.Muted, label, 9)
			c.Put(role, text)
		}
	}
	lost := e.Lost.Dropped()
	role, dropped := theme.Good, "nothing lost"
	if lost > 0 {
		role, dropped = theme.Danger, pane.Full(lost)+" lost"
		for i, n := range e.Lost {
			if c := event.Cause(i); n > 0 && c != event.Thinned && c != event.Self {
				dropped += ", " + c.String() + " " + pane.Count(n)
			}
		}
	}
	if e.Host == "" {
		role, dropped = theme.Muted, "…"
	}
	line("live", theme.Text, pane.Rate(e.Rate)+" system events/s, lag "+pane.Short(time.Duration(e.LagNS)))
	line("whole", role, dropped)
	line("buffers", theme.Text, "ring "+share(e.RingUsed)+"  queue "+share(e.QueueUsed)+
		"  left out "+pane.Count(e.Lost[event.Thinned]+e.Lost[event.Self]))
	line("engine", theme.Text, "cpu "+share(e.CPUShare)+"  memory "+pane.Size(e.RSS)+"  up "+s.up())
	line("store", theme.Text, pane.Size(e.StoreBytes)+", "+days(e.StoreDays)+", "+pane.Count(e.Activities)+" activities")
	c.Skip(h)
	return c.String()
}

func days(n int) string {
	if n == 1 {
		return "1 day"
	}
	return strconv.Itoa(n) + " days"
}

func (s *Screen) up() string {
	if s.engine.Started == 0 || s.engine.Now < s.engine.Started {
		return "-"
	}
	return pane.Short(time.Duration(s.engine.Now - s.engine.Started).Truncate(time.Minute))
}

// viewGraph is all activity as bars of several rows.
func (s *Screen) viewGraph(w, h int) string {
	c := pane.NewCanvas(s.styles, w)
	n := max(w-8, 1)
	sums := make([]uint64, len(s.hist.Columns))
	for i, col := range s.hist.Columns {
		for _, v := range col {
			sums[i] += uint64(v)
		}
	}
	cells := pane.Spread(sums, n)
	var top uint64
	for _, v := range cells {
		top = max(top, v)
	}
	bars := h - 1
	levels := &s.styles.Glyphs.Levels
	for y := bars - 1; y >= 0; y-- {
		label := ""
		if y == bars-1 {
			label = pane.Count(top)
		} else if y == 0 {
			label = "0"
		}
		c.Row(false)
		c.CellRight(theme.Muted, label, 6)
		c.Fill(theme.Border, s.styles.Glyphs.Plain.Vertical, 1)
		for _, v := range cells {
			c.Fill(theme.Accent, levels[level(v, top, y, bars)], 1)
		}
	}
	c.Row(false)
	c.Space(6)
	c.Axis(pane.Axis{Start: s.hist.Start, Step: s.hist.Step, Columns: len(s.hist.Columns), Live: s.scope.Window.Live()}, n)
	c.Skip(h)
	return c.String()
}

// level is how full the cell at height y of a bar of v is, in eighths.
func level(v, top uint64, y, bars int) int {
	if top == 0 || v == 0 {
		return 0
	}
	eighths := max(int(float64(v)*float64(bars*8)/float64(top)), 1)
	return min(max(eighths-y*8, 0), 8)
}

func (s *Screen) viewTop(i, w, h int) string {
	c := pane.NewCanvas(s.styles, w)
	var top uint64
	for _, f := range s.facets[i] {
		top = max(top, f.Count)
	}
	for n, f := range s.facets[i] {
		if c.Rows() >= h {
			break
		}
		selected := i == s.top && n == s.row
		c.Row(selected)
		cursor := " "
		if selected {
			cursor = s.styles.Glyphs.Cursor
		}
		c.Put(theme.Accent, cursor)
		bar := max((w-8)/3, 0)
		c.Cell(theme.Text, f.Value, w-8-bar)
		if top > 0 && bar > 1 {
			full := int(f.Count * uint64(bar-1) / top)
			c.Fill(theme.Accent, s.styles.Glyphs.Levels[4], full)
			c.Space(bar - full)
		}
		c.CellRight(theme.Muted, pane.Count(f.Count), c.Left())
	}
	if len(s.facets[i]) == 0 && h > 0 {
		c.Row(false)
		c.Put(theme.Ghost, " none in this window")
	}
	c.Skip(h)
	return c.String()
}
