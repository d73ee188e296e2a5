package list

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/gumshoe-ir/gumshoe/event"
	"github.com/gumshoe-ir/gumshoe/tui/pane"
	"github.com/gumshoe-ir/gumshoe/tui/theme"
)

// world is a trail of numbers, n of them, of which every nth matches.
type world struct {
	n, nth uint64
	budget uint64 // rows that one page looks at; 0: all
	err    error
	pages  int
}

func (w *world) fetch(_ context.Context, forward bool, after event.ID, limit int) (Page[uint64], error) {
	w.pages++
	var p Page[uint64]
	if w.err != nil {
		return p, w.err
	}
	i, step := after.NS+1, uint64(1)
	if !forward {
		i, step = after.NS-1, ^uint64(0)
		if after.IsZero() {
			i = w.n
		}
	}
	for looked := uint64(0); i >= 1 && i <= w.n; i += step {
		if looked++; w.budget > 0 && looked > w.budget {
			p.Scanned = event.ID{NS: i - step}
			return p, nil
		}
		if i%w.nth != 0 {
			continue
		}
		if len(p.Rows) == limit {
			p.More = true
			break
		}
		p.Rows = append(p.Rows, i)
	}
	return p, nil
}

func newList(w *world, h int) *List[uint64] {
	l := New(context.Background(), theme.New(theme.Mono, false), Source[uint64]{
		ID:    func(r *uint64) event.ID { return event.ID{NS: *r} },
		Draw:  func(c *pane.Canvas, r *uint64, _ bool) { c.Put(theme.Text, strconv.FormatUint(*r, 10)) },
		Empty: func() []string { return []string{"nothing"} },
	})
	run(l, l.Resize(20, h))
	run(l, l.Restart(w.fetch, false))
	return l
}

// run does what cmd says until nothing is left to do.
func run(l *List[uint64], cmd tea.Cmd) {
	if cmd == nil {
		return
	}
	switch msg := cmd().(type) {
	case nil:
	case tea.BatchMsg:
		for _, c := range msg {
			run(l, c)
		}
	default:
		run(l, l.Update(msg))
	}
}

func shown(l *List[uint64]) string { return strings.Join(strings.Fields(ansi.Strip(l.View())), " ") }

func selected(l *List[uint64]) uint64 {
	if r := l.Selected(); r != nil {
		return *r
	}
	return 0
}

func TestMoves(t *testing.T) {
	up, down := (*List[uint64]).Move, (*List[uint64]).Page
	tests := []struct {
		name   string
		n      uint64
		do     func(l *List[uint64]) []tea.Cmd
		want   string
		at     uint64
		follow bool
	}{
		{"begins at the newest", 1000, nil, "996 997 998 999 1000", 1000, true},
		{"fewer rows than the screen", 3, nil, "1 2 3", 3, true},
		{"none", 0, nil, "nothing", 0, true},
		{"up ends following", 1000, func(l *List[uint64]) []tea.Cmd { return []tea.Cmd{up(l, -1)} }, "996 997 998 999 1000", 999, false},
		{"down to the newest follows again", 1000, func(l *List[uint64]) []tea.Cmd { return []tea.Cmd{up(l, -1), up(l, 1)} }, "996 997 998 999 1000", 1000, true},
		{"beyond what is in memory", 1_000_000, func(l *List[uint64]) []tea.Cmd { return []tea.Cmd{up(l, -5000)} }, "995000 995001 995002 995003 995004", 995000, false},
		{"a page", 1000, func(l *List[uint64]) []tea.Cmd { return []tea.Cmd{down(l, -1)} }, "996 997 998 999 1000", 996, false},
		{"beyond the oldest", 300, func(l *List[uint64]) []tea.Cmd { return []tea.Cmd{up(l, -5000)} }, "1 2 3 4 5", 1, false},
		{"oldest", 1_000_000, func(l *List[uint64]) []tea.Cmd { return []tea.Cmd{l.Oldest()} }, "1 2 3 4 5", 1, false},
		{"a click", 1000, func(l *List[uint64]) []tea.Cmd { return []tea.Cmd{l.Click(1)} }, "996 997 998 999 1000", 997, false},
		{"a click below the rows", 3, func(l *List[uint64]) []tea.Cmd { return []tea.Cmd{l.Click(4)} }, "1 2 3", 3, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := newList(&world{n: tt.n, nth: 1}, 5)
			if tt.do != nil {
				for _, cmd := range tt.do(l) {
					run(l, cmd)
				}
			}
			if got := shown(l); got != tt.want {
				t.Errorf("shows %q, want %q", got, tt.want)
			}
			if got := selected(l); got != tt.at {
				t.Errorf("the cursor is on %d, want %d", got, tt.at)
			}
			if l.Following() != tt.follow {
				t.Errorf("following is %v", l.Following())
			}
		})
	}
}

func TestWalksThroughEverythingAndBack(t *testing.T) {
	w := &world{n: 10_000, nth: 1}
	l := newList(w, 20)
	for want := uint64(9999); want >= 1; want-- {
		run(l, l.Move(-1))
		if got := selected(l); got != want {
			t.Fatalf("came to %d, want %d", got, want)
		}
		if len(l.rows) > keepRows+pageSize {
			t.Fatalf("%d rows are in memory", len(l.rows))
		}
	}
	for want := uint64(2); want <= 10_000; want++ {
		run(l, l.Move(1))
		if got := selected(l); got != want {
			t.Fatalf("came back to %d, want %d", got, want)
		}
	}
	if !l.Following() {
		t.Error("the newest row is not followed")
	}
	if w.pages > 2*10_000/pageSize+10 {
		t.Errorf("took %d pages", w.pages)
	}
}

func TestFollowsWhatComesIn(t *testing.T) {
	w := &world{n: 100, nth: 1}
	l := newList(w, 5)
	w.n = 103
	run(l, l.Refresh())
	if got := shown(l); got != "99 100 101 102 103" {
		t.Errorf("shows %q", got)
	}
	w.n = 50_000 // more than one page has come in
	run(l, l.Refresh())
	if got := shown(l); got != "49996 49997 49998 49999 50000" {
		t.Errorf("shows %q", got)
	}
	run(l, l.Move(-3))
	w.n = 60_000
	run(l, l.Refresh())
	if got := shown(l); got != "49996 49997 49998 49999 50000" || selected(l) != 49997 {
		t.Errorf("scrolled back, it shows %q with the cursor on %d", got, selected(l))
	}
	run(l, l.Newest())
	if got := shown(l); got != "59996 59997 59998 59999 60000" {
		t.Errorf("shows %q", got)
	}
}

func TestSearchesOnWhenABudgetEnds(t *testing.T) {
	l := newList(&world{n: 100_000, nth: 1000, budget: 3000}, 5)
	if got := shown(l); got != "96000 97000 98000 99000 100000" {
		t.Errorf("shows %q", got)
	}
	run(l, l.Move(-50))
	if got := selected(l); got != 50_000 {
		t.Errorf("came to %d", got)
	}
}

func TestStaysWhereTheReaderIs(t *testing.T) {
	w := &world{n: 10_000, nth: 1}
	l := newList(w, 5)
	run(l, l.Move(-100))
	w.nth = 10
	run(l, l.Restart(w.fetch, true))
	if got := selected(l); got != 9900 {
		t.Errorf("went to %d", got)
	}
	run(l, l.Move(-1))
	if got := selected(l); got != 9890 {
		t.Errorf("then to %d", got)
	}
}

func TestSaysWhatWentWrong(t *testing.T) {
	l := newList(&world{err: errors.New("store: \x1b[31mdamaged")}, 5)
	if got := shown(l); !strings.Contains(got, `\x1b[31mdamaged`[:4]) {
		t.Errorf("shows %q", got)
	}
}

func TestAnswersToOldQuestionsAreDropped(t *testing.T) {
	w := &world{n: 100, nth: 1}
	l := newList(w, 5)
	late := l.Refresh()
	other := &world{n: 7, nth: 1}
	run(l, l.Restart(other.fetch, false))
	run(l, late)
	if got := shown(l); got != "3 4 5 6 7" {
		t.Errorf("shows %q", got)
	}
}

func TestFillsInWhatBecomesKnown(t *testing.T) {
	name := "?"
	w := &world{n: 1000, nth: 1}
	l := newList(w, 3)
	l.src.Draw = func(c *pane.Canvas, r *uint64, _ bool) {
		c.Put(theme.Text, strconv.FormatUint(*r&0xffff, 10)+name[:*r>>16])
	}
	run(l, l.Move(-100))
	name = "known"
	fetch := w.fetch
	l.query.fetch = func(ctx context.Context, forward bool, after event.ID, limit int) (Page[uint64], error) {
		p, err := fetch(ctx, forward, after, limit)
		for i := range p.Rows {
			p.Rows[i] |= 5 << 16
		}
		return p, err
	}
	l.src.ID = func(r *uint64) event.ID { return event.ID{NS: *r & 0xffff} }
	run(l, l.Refresh())
	if got := shown(l); got != "900known 901known 902known" {
		t.Errorf("shows %q", got)
	}
}
