package activity

// rect is a part's inside, without its frame, in the screen's cells.
type rect struct{ x, y, w, h int }

func (r rect) has(x, y int) bool { return x >= r.x && x < r.x+r.w && y >= r.y && y < r.y+r.h }

type part uint8

const (
	onList part = iota
	onDetail
)

type place uint8

const (
	byWidth place = iota // beside when there is room, else away
	beside
	below
	away
)

// box is a part of the screen: its rectangle, and whether a frame is drawn
// just inside it.
type box struct {
	rect
	framed bool
}

// inside is what the frame leaves.
func (b box) inside() rect {
	if !b.framed {
		return b.rect
	}
	return rect{b.x + 1, b.y + 1, max(b.w-2, 0), max(b.h-2, 0)}
}

// layout divides the screen's rectangle into boxes that cover it; those
// without height are not shown.
type layout struct {
	w, h                int
	focus               part
	zoom                bool
	place               place
	opened              bool // the detail was opened where it is not shown otherwise
	graph, list, detail box
}

const (
	wide      = 100 // from here frames, lanes and a detail beside
	lanes     = 5
	sideWidth = 42
	lowest    = 16 // below this height there are no frames
)

// where is the place of the detail that there is room for.
func (l *layout) where() place {
	p := l.place
	switch {
	case p == byWidth && l.w >= wide:
		p = beside
	case p == byWidth:
		p = away
	case p == beside && l.w < wide:
		p = below
	}
	if l.h < lowest {
		p = away
	}
	return p
}

// compute sets the boxes.
func (l *layout) compute() {
	framed := l.w >= wide && l.h >= lowest
	l.graph, l.list, l.detail = box{framed: framed}, box{framed: framed}, box{framed: framed}
	place := l.where()
	if place == away && !l.opened {
		l.focus = onList
	}
	full := rect{0, 0, l.w, l.h}
	switch {
	case (l.zoom || place == away) && l.focus == onDetail:
		l.detail.rect = full
		return
	case l.zoom:
		l.list.rect = full
		return
	case framed:
		l.graph.rect = rect{0, 0, l.w, lanes + 3}
	case l.h >= 8:
		l.graph.rect = rect{0, 0, l.w, 2}
	}
	y := l.graph.h
	h := l.h - y
	switch place {
	case beside:
		side := min(sideWidth+max(l.w-120, 0)/2, 90)
		l.list.rect = rect{0, y, l.w - side, h}
		l.detail.rect = rect{l.w - side, y, side, h}
	case below:
		dh := min(max(h/3, 6), h-3)
		l.list.rect = rect{0, y, l.w, h - dh}
		// It always has a frame: it must stand out from the rows.
		l.detail = box{rect{0, y + h - dh, l.w, dh}, true}
	default:
		l.list.rect = rect{0, y, l.w, h}
	}
}

func (l *layout) next() {
	if l.where() == away {
		l.open()
		return
	}
	l.focus ^= 1
}

func (l *layout) flip() {
	l.opened = false
	switch l.where() {
	case beside:
		l.place = below
	case below:
		l.place = away
	default:
		l.place = beside
	}
}

func (l *layout) open() {
	l.focus = onDetail
	l.opened = l.where() == away
}

func (l *layout) back() {
	l.zoom, l.opened, l.focus = false, false, onList
}
