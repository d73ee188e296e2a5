package list

import "github.com/gumshoe-ir/gumshoe/tui/theme"

// View is exactly the rectangle's rows.
func (l *List[R]) View() string {
	c := l.canvas
	c.Reset(l.w)
	if len(l.rows) == 0 {
		l.viewEmpty()
	}
	for i := l.top; i < len(l.rows) && c.Rows() < l.h; i++ {
		selected := i == l.cursor
		c.Row(selected)
		l.src.Draw(c, &l.rows[i], selected)
	}
	c.Skip(l.h)
	return c.String()
}

func (l *List[R]) viewEmpty() {
	if l.h == 0 {
		return
	}
	c := l.canvas
	c.Skip(min(l.h/3, l.h-1))
	role, lines := theme.Muted, []string{"looking …"}
	switch {
	case l.err != nil:
		role, lines = theme.Danger, []string{l.err.Error()}
	case !l.fresh && !l.older.busy:
		role, lines = theme.Text, l.src.Empty()
	}
	for _, line := range lines {
		if c.Rows() < l.h {
			c.Row(false)
			c.Space(2)
			c.Put(role, line)
			role = theme.Muted
		}
	}
}
