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
	c.Row(false)
	c.Space(2)
	switch {
	case l.err != nil:
		c.Put(theme.Danger, l.err.Error())
	case l.fresh || l.older.busy:
		c.Put(theme.Muted, "looking …")
	default:
		c.Put(theme.Muted, l.src.Empty)
	}
}
