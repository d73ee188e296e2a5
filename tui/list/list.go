// Package list shows a window on a trail of any length: rows come in pages by
// key, never by number, only those near the screen are kept, and the newest
// ones are followed until somebody scrolls up. It knows no kind of row.
package list

import (
	"context"
	"slices"

	tea "charm.land/bubbletea/v2"

	"github.com/gumshoe-ir/gumshoe/event"
	"github.com/gumshoe-ir/gumshoe/tui/pane"
	"github.com/gumshoe-ir/gumshoe/tui/theme"
)

const (
	pageSize = 200
	keepRows = 2000 // in memory, at most
)

// Page is one answer of a Source: rows in the order asked for.
type Page[R any] struct {
	Rows    []R
	More    bool     // there are rows beyond the last one
	Scanned event.ID // how far an unfinished search came; zero when it is complete
}

// Fetch answers one question page by page: what lies behind after, exclusive,
// or from the edge when that is zero, oldest first when forward. It may block:
// only commands call it, from goroutines of their own.
type Fetch[R any] func(ctx context.Context, forward bool, after event.ID, limit int) (Page[R], error)

// Source says which rows these are and how one looks.
type Source[R any] struct {
	ID func(*R) event.ID
	// Draw fills the row that was begun on c.
	Draw func(c *pane.Canvas, r *R, selected bool)
	// Empty is what an empty list says, row by row.
	Empty func() []string
}

// edge is one end of the rows in memory.
type edge struct {
	after event.ID // where the next page begins
	done  bool     // nothing lies beyond
	busy  bool     // a page is on its way
}

// List is the window: oldest row first. It belongs to one goroutine.
type List[R any] struct {
	base         context.Context // of the console
	src          Source[R]
	rows         []R
	older, newer edge
	w, h         int
	top, cursor  int
	owed         int  // rows to move on when they have come
	follow       bool // keep the newest row in view
	fresh        bool // what is in memory belongs to the question before
	query        query[R]
	err          error
	canvas       *pane.Canvas
}

// query is the question that the rows answer.
type query[R any] struct {
	gen    int
	fetch  Fetch[R]
	ctx    context.Context // ends when the next question is asked
	cancel context.CancelFunc

	stale     bool // something changed while the newest page was on its way
	rereading bool // the rows on the screen are on their way once more
}

// loaded is a page that arrived.
type loaded[R any] struct {
	list *List[R]
	gen  int
	kind arrival
	page Page[R]
	err  error
}

type arrival uint8

const (
	newest arrival = iota
	oldest
	older
	newer
	visible // the rows on the screen once more
)

// New makes a list that follows; what it asks ends with ctx. Restart asks for
// its first page.
func New[R any](ctx context.Context, styles *theme.Styles, src Source[R]) *List[R] {
	l := &List[R]{base: ctx, src: src, follow: true, fresh: true, canvas: pane.NewCanvas(styles, 0)}
	l.query.ctx, l.query.cancel = context.WithCancel(ctx)
	return l
}

// Restyle draws in other styles from now on.
func (l *List[R]) Restyle(styles *theme.Styles) { l.canvas = pane.NewCanvas(styles, l.w) }

// Resize sets the rectangle, before the next View. It returns what must be
// fetched to fill it.
func (l *List[R]) Resize(w, h int) tea.Cmd {
	l.w, l.h = max(w, 0), max(h, 0)
	l.clamp()
	return l.ensure()
}

// Restart asks a new question: from the newest row, and following, unless the
// reader had gone elsewhere and stay is set. The rows there are stay on the
// screen until its answer comes.
func (l *List[R]) Restart(fetch Fetch[R], stay bool) tea.Cmd {
	l.query.fetch = fetch
	l.anew()
	l.query.stale, l.owed, l.err = false, 0, nil
	if r := l.Selected(); stay && !l.follow && r != nil {
		return l.around(l.src.ID(r))
	}
	l.follow = true
	return l.fetch(newest, event.ID{}, max(pageSize, l.h+16))
}

// around asks for the rows from id on.
func (l *List[R]) around(id event.ID) tea.Cmd {
	id.NS-- // exclusive: so that the row itself comes too
	l.older.after = id
	return l.fetch(oldest, id, pageSize)
}

// Refresh looks for what changed, because the trail said so.
func (l *List[R]) Refresh() tea.Cmd {
	if !l.follow {
		l.newer.done = false
		return tea.Batch(l.ensure(), l.reread())
	}
	if l.newer.busy {
		l.query.stale = true
		return nil
	}
	return l.fetch(newest, event.ID{}, l.h+16)
}

// reread asks for the rows on the screen once more: what was not known of them
// may have become known.
func (l *List[R]) reread() tea.Cmd {
	if l.query.rereading || l.fresh || l.top >= len(l.rows) {
		return nil
	}
	l.query.rereading = true
	after := l.src.ID(&l.rows[l.top])
	after.NS-- // exclusive: so that the row itself comes too
	return l.fetch(visible, after, l.h)
}

// Selected is the row under the cursor, nil when there is none.
func (l *List[R]) Selected() *R {
	if l.fresh && len(l.rows) == 0 || l.cursor < 0 || l.cursor >= len(l.rows) {
		return nil
	}
	return &l.rows[l.cursor]
}

// Following reports whether the newest row is kept in view.
func (l *List[R]) Following() bool { return l.follow }

// Busy reports whether rows are on their way.
func (l *List[R]) Busy() bool { return l.fresh || l.older.busy || l.owed != 0 }

// Err is why the last page did not come.
func (l *List[R]) Err() error { return l.err }

// Move moves the cursor by n rows; moving up ends following, reaching the
// newest row begins it again.
func (l *List[R]) Move(n int) tea.Cmd {
	if len(l.rows) == 0 {
		return nil
	}
	to := l.cursor + n
	switch {
	case to < 0 && !l.older.done:
		l.owed = to
	case to >= len(l.rows) && !l.newer.done:
		l.owed = to - (len(l.rows) - 1)
	default:
		l.owed = 0
	}
	l.cursor = min(max(to, 0), len(l.rows)-1)
	l.follow = l.newer.done && l.owed == 0 && l.cursor == len(l.rows)-1 && (n > 0 || l.follow)
	l.clamp()
	return l.ensure()
}

// Page moves by n screens.
func (l *List[R]) Page(n int) tea.Cmd { return l.Move(n * max(l.h-1, 1)) }

// Newest goes to the newest row and follows.
func (l *List[R]) Newest() tea.Cmd {
	l.follow, l.owed = true, 0
	if l.newer.done {
		l.cursor = max(len(l.rows)-1, 0)
		l.clamp()
		return l.ensure()
	}
	return l.jump(newest)
}

// Oldest goes to the oldest row.
func (l *List[R]) Oldest() tea.Cmd {
	l.owed = 0
	l.follow = false
	if l.older.done {
		l.cursor = 0
		l.clamp()
		return l.ensure()
	}
	return l.jump(oldest)
}

// anew forgets what is under way and where the rows in memory end.
func (l *List[R]) anew() {
	l.query.cancel()
	l.query.gen++
	l.query.ctx, l.query.cancel = context.WithCancel(l.base)
	l.older, l.newer, l.fresh, l.query.rereading = edge{}, edge{}, true, false
}

func (l *List[R]) jump(to arrival) tea.Cmd {
	l.anew()
	return l.fetch(to, event.ID{}, max(pageSize, l.h+16))
}

// Click puts the cursor on the row shown at line y.
func (l *List[R]) Click(y int) tea.Cmd {
	if y < 0 || y >= l.h || l.top+y >= len(l.rows) {
		return nil
	}
	return l.Move(l.top + y - l.cursor)
}

// Update takes in pages that arrived; every other message is not the list's.
func (l *List[R]) Update(msg tea.Msg) tea.Cmd {
	m, ok := msg.(loaded[R])
	if !ok || m.list != l || m.gen != l.query.gen {
		return nil
	}
	l.err = m.err
	switch m.kind {
	case newest, newer:
		l.newer.busy = false
	case visible:
		l.query.rereading = false
	default:
		l.older.busy = false
		if m.kind == oldest {
			l.newer.busy = false
		}
	}
	if m.err != nil {
		l.owed = 0
		return nil
	}
	switch m.kind {
	case newest:
		l.takeNewest(m.page)
	case oldest:
		l.takeOldest(m.page)
	case older:
		l.takeOlder(m.page)
	case newer:
		l.takeNewer(m.page)
	case visible:
		l.takeVisible(m.page)
		return nil
	}
	l.clamp()
	return tea.Batch(l.settle(), l.again())
}

// settle moves on by what is owed, now that rows have come.
func (l *List[R]) settle() tea.Cmd {
	if n := l.owed; n != 0 {
		l.owed = 0
		return l.Move(n)
	}
	return l.ensure()
}

func (l *List[R]) again() tea.Cmd {
	if !l.query.stale {
		return nil
	}
	l.query.stale = false
	return l.Refresh()
}

func (l *List[R]) takeNewest(p Page[R]) {
	if !l.follow && !l.fresh { // the reader went elsewhere meanwhile
		l.newer.done = false
		return
	}
	slices.Reverse(p.Rows)
	back := edge{after: l.first(p.Rows, p.Scanned), done: !p.More && p.Scanned.IsZero()}
	l.newer = edge{done: true}
	at := len(l.rows)
	if len(p.Rows) > 0 {
		at, _ = l.search(l.src.ID(&p.Rows[0]))
	}
	if l.fresh || back.done || at == len(l.rows) && len(p.Rows) > 0 {
		l.rows, l.older = p.Rows, back
	} else {
		l.rows = append(l.rows[:at], p.Rows...)
	}
	l.fresh = false
	l.cursor = len(l.rows) - 1
	l.trimOld()
}

func (l *List[R]) first(rows []R, scanned event.ID) event.ID {
	if !scanned.IsZero() || len(rows) == 0 {
		return scanned
	}
	return l.src.ID(&rows[0])
}

func (l *List[R]) last(rows []R, scanned event.ID) event.ID {
	if !scanned.IsZero() || len(rows) == 0 {
		return scanned
	}
	return l.src.ID(&rows[len(rows)-1])
}

func (l *List[R]) takeOldest(p Page[R]) {
	from := l.older.after
	l.rows, l.fresh = p.Rows, false
	l.older = edge{after: from, done: from.IsZero()}
	l.newer = edge{after: l.last(p.Rows, p.Scanned), done: !p.More && p.Scanned.IsZero()}
	l.cursor, l.top = 0, 0
}

func (l *List[R]) takeOlder(p Page[R]) {
	slices.Reverse(p.Rows)
	l.older = edge{after: l.first(p.Rows, p.Scanned), done: !p.More && p.Scanned.IsZero()}
	l.rows = slices.Insert(l.rows, 0, p.Rows...)
	l.cursor += len(p.Rows)
	l.top += len(p.Rows)
	if n := keepRows; len(l.rows) > n && !l.follow {
		clear(l.rows[n:])
		l.rows = l.rows[:n]
		l.newer = edge{after: l.src.ID(&l.rows[n-1])}
	}
}

func (l *List[R]) takeNewer(p Page[R]) {
	l.newer = edge{after: l.last(p.Rows, p.Scanned), done: !p.More && p.Scanned.IsZero()}
	l.rows = append(l.rows, p.Rows...)
	l.trimOld()
}

func (l *List[R]) takeVisible(p Page[R]) {
	for i := range p.Rows {
		if at, ok := l.search(l.src.ID(&p.Rows[i])); ok {
			l.rows[at] = p.Rows[i]
		}
	}
}

func (l *List[R]) search(id event.ID) (int, bool) {
	return slices.BinarySearchFunc(l.rows, id, func(r R, id event.ID) int { return l.src.ID(&r).Compare(id) })
}

// trimOld forgets the oldest rows beyond what is kept.
func (l *List[R]) trimOld() {
	n := len(l.rows) - keepRows
	if n <= 0 {
		return
	}
	l.rows = slices.Delete(l.rows, 0, n)
	l.cursor = max(l.cursor-n, 0)
	l.top = max(l.top-n, 0)
	l.older = edge{after: l.src.ID(&l.rows[0]), busy: l.older.busy}
}

// clamp keeps the cursor on a row and in view.
func (l *List[R]) clamp() {
	if l.follow {
		l.cursor = len(l.rows) - 1
	}
	l.cursor = min(max(l.cursor, 0), max(len(l.rows)-1, 0))
	l.top = min(l.top, l.cursor, max(len(l.rows)-l.h, 0))
	l.top = max(l.top, l.cursor-l.h+1, 0)
}

// ensure asks for the pages that the screen will need next.
func (l *List[R]) ensure() tea.Cmd {
	if l.fresh || l.h == 0 {
		return nil
	}
	var cmds []tea.Cmd
	if (l.top < l.h || l.owed < 0) && !l.older.done && !l.older.busy {
		l.older.busy = true
		cmds = append(cmds, l.fetch(older, l.older.after, pageSize))
	}
	if (l.top+2*l.h > len(l.rows) || l.owed > 0) && !l.newer.done && !l.newer.busy {
		after := l.newer.after
		if after.IsZero() && len(l.rows) > 0 {
			after = l.src.ID(&l.rows[len(l.rows)-1])
		}
		cmds = append(cmds, l.fetch(newer, after, pageSize))
	}
	return tea.Batch(cmds...)
}

func (l *List[R]) fetch(kind arrival, after event.ID, limit int) tea.Cmd {
	if kind == newest || kind == newer {
		l.newer.busy = true
	}
	q := l.query
	return func() tea.Msg {
		page, err := q.fetch(q.ctx, kind == oldest || kind == newer || kind == visible, after, min(limit, 1000))
		return loaded[R]{l, q.gen, kind, page, err}
	}
}

// Took reports whether msg was an answer to this list, and so may have changed
// what it shows.
func (l *List[R]) Took(msg tea.Msg) bool {
	m, ok := msg.(loaded[R])
	return ok && m.list == l
}
