package prompt

import (
	"context"
	"errors"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/gumshoe-ir/gumshoe/audit"
	"github.com/gumshoe-ir/gumshoe/rules/filter"
	"github.com/gumshoe-ir/gumshoe/tui/pane"
	"github.com/gumshoe-ir/gumshoe/tui/theme"
)

const (
	// pause is how long typing rests before values are asked for.
	pause = 60 * time.Millisecond
	// maxChoices is how many ways to go on are listed.
	maxChoices = 10
)

// choices are the ways to go on at the cursor.
type choices struct {
	from, to int
	list     []choice
	picked   int
	gen      int
	cancel   context.CancelFunc
}

type choice struct{ text, doc string }

// valued are the values of a field that arrived.
type valued struct {
	bar    *Bar
	gen    int
	facets []audit.Facet
}

// complete finds what may stand at the cursor; values of a field are asked for
// beside, in the window that is shown.
func (b *Bar) complete() tea.Cmd {
	if b.choices.cancel != nil {
		b.choices.cancel()
	}
	found := filter.Complete(b.line.String(), b.line.Cursor())
	b.choices = choices{from: found.From, to: found.To, gen: b.choices.gen + 1}
	typed := b.line.String()[min(found.From, len(b.line.String())):b.line.Cursor()]
	for _, c := range found.Choices {
		if len(b.choices.list) < maxChoices && c.Text != typed {
			b.choices.list = append(b.choices.list, choice{c.Text, c.Doc})
		}
	}
	if found.ValuesOf == nil || b.values == nil {
		return nil
	}
	ctx, cancel := context.WithCancel(b.base)
	b.choices.cancel = cancel
	gen, values := b.choices.gen, b.values
	q := audit.FacetQuery{Field: found.ValuesOf.Name, Prefix: found.Prefix, Limit: maxChoices}
	if b.scope.Now != nil {
		q.Range = b.scope.Window.Range(b.scope.Now())
	}
	return func() tea.Msg {
		defer cancel()
		t := time.NewTimer(pause)
		defer t.Stop()
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
		}
		facets, err := values.Facets(ctx, q)
		if err != nil {
			return nil // completion is a help: without it people type on
		}
		return valued{b, gen, facets}
	}
}

func (b *Bar) take(m valued) {
	if m.bar != b || m.gen != b.choices.gen || !b.editing {
		return
	}
	for _, f := range m.facets {
		if f.Value != "" && len(b.choices.list) < maxChoices {
			b.choices.list = append(b.choices.list, choice{filter.Quote(f.Value), pane.Count(f.Count)})
		}
	}
}

// pick inserts the choice under the popup's cursor.
func (b *Bar) pick() tea.Cmd {
	c := &b.choices
	if c.picked >= len(c.list) {
		return nil
	}
	text := c.list[c.picked].text
	if !strings.HasSuffix(text, "(") {
		text += " "
	}
	b.line.Replace(c.from, c.to, text)
	return b.changed()
}

// Popup is what hangs below the bar while editing: what is wrong and where,
// and what may follow.
func (b *Bar) Popup(w, h int) string {
	if h <= 0 {
		return ""
	}
	c := pane.NewCanvas(b.styles, w)
	if b.err != nil {
		b.drawProblem(c)
	}
	at := pane.Width(b.line.String()[:min(b.choices.from, len(b.line.String()))])
	for i, choice := range b.choices.list {
		if c.Rows() >= h {
			break
		}
		c.Row(i == b.choices.picked)
		c.Space(min(3+at, max(w-72, 0)))
		c.Cell(theme.Accent, choice.text, 26)
		c.Space(1)
		c.Put(theme.Muted, choice.doc)
	}
	if c.Rows() == 0 {
		return ""
	}
	c.Row(false)
	return c.String()
}

// drawProblem points at what is wrong.
func (b *Bar) drawProblem(c *pane.Canvas) {
	c.Row(false)
	text, role, offset := b.err.Error(), theme.Danger, 0
	var e *filter.Error
	if errors.As(b.err, &e) {
		text, offset = e.Line(), min(max(e.Pos.Offset, 0), len(b.line.String()))
		if e.Incomplete {
			role = theme.Muted
		}
	}
	at := 3 + pane.Width(b.line.String()[:offset])
	if room := c.Left() - pane.Width(text) - 3; at <= room {
		c.Space(at)
		c.Put(role, "^ ")
	} else {
		c.Space(3)
	}
	c.Put(role, text)
}
