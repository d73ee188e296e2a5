package prompt

import (
	"context"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/gumshoe-ir/gumshoe/audit"
	"github.com/gumshoe-ir/gumshoe/tui/pane"
)

// rest is how long typing rests before matches are counted.
const rest = 150 * time.Millisecond

// preview is how many activities of the window match what is typed.
type preview struct {
	gen    int
	known  bool
	total  uint64
	exact  bool
	cancel context.CancelFunc
}

// previewed is a count that arrived.
type previewed struct {
	bar   *Bar
	gen   int
	total uint64
	exact bool
}

// forget drops the count, and the one under way.
func (p *preview) forget() {
	if p.cancel != nil {
		p.cancel()
	}
	*p = preview{gen: p.gen + 1}
}

// count asks how many match, when the filter is valid.
func (b *Bar) count() tea.Cmd {
	p := &b.preview
	p.forget()
	if b.err != nil || b.node == nil || b.values == nil || b.scope.Now == nil {
		return nil
	}
	ctx, cancel := context.WithCancel(b.base)
	p.cancel = cancel
	gen, values := p.gen, b.values
	q := audit.HistogramQuery{Columns: 1}
	q.Range, q.Filter = b.scope.Window.Range(b.scope.Now()), b.node
	return func() tea.Msg {
		defer cancel()
		t := time.NewTimer(rest)
		defer t.Stop()
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
		}
		h, err := values.Histogram(ctx, q)
		if err != nil {
			return nil // a help, as completion is
		}
		return previewed{b, gen, h.Total, h.Exact}
	}
}

func (p *preview) take(b *Bar, m previewed) {
	if m.bar == b && m.gen == p.gen && b.editing {
		p.known, p.total, p.exact = true, m.total, m.exact
	}
}

// none reports whether it is certain that nothing matches.
func (p *preview) none() bool { return p.known && p.exact && p.total == 0 }

// text says what Enter will show.
func (p *preview) text() string {
	switch {
	case !p.known:
		return ""
	case p.none():
		return "matches 0 in window"
	case !p.exact:
		return "matches ~" + pane.Full(p.total)
	}
	return "matches " + pane.Full(p.total)
}
