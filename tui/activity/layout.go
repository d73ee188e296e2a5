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

// layout divides the screen's rectangle.
type layout struct {
	w, h                int
	focus               part
	zoom                bool
	place               place
	opened              bool // the detail was opened where it is not shown otherwise
	framed              bool
	graph, list, detail rect
}

const (
	wide      = 100 // from here frames, lanes and a detail beside
	lanes     = 5
	sideWidth = 42
)

func (l *layout) where() place {
	switch {
	case l.place == byWidth && l.w >= wide:
		return beside
	case l.place == byWidth:
		return away
	case l.place == beside && l.w < wide:
		return below
	}
	return l.place
}

// compute sets the rectangles.
func (l *layout) compute() {
	l.framed = l.w >= wide && l.h >= 16
	l.graph, l.list, l.detail = rect{}, rect{}, rect{}
	edge := 0
	if l.framed {
		edge = 1
	}
	full := rect{edge, edge, l.w - 2*edge, l.h - 2*edge}
	place := l.where()
	if place == away && !l.opened {
		l.focus = onList
	}
	if l.zoom || l.opened && place == away {
		if l.focus == onDetail {
			l.detail = full
		} else {
			l.list = full
		}
		return
	}
	y := l.placeGraph(edge)
	l.placeBody(y, edge, place)
}

func (l *layout) placeGraph(edge int) (below int) {
	switch {
	case l.h < 8:
		return 0
	case !l.framed:
		l.graph = rect{0, 0, l.w, 2}
		return 2
	}
	l.graph = rect{edge, edge, l.w - 2*edge, lanes + 1}
	return lanes + 1 + 2*edge
}

func (l *layout) placeBody(y, edge int, where place) {
	h := l.h - y
	switch where {
	case beside:
		side := min(sideWidth+max(l.w-120, 0)/2, 90)
		l.list = rect{edge, y + edge, l.w - side - 2*edge, h - 2*edge}
		l.detail = rect{l.w - side + edge, y + edge, side - 2*edge, h - 2*edge}
	case below:
		// The detail below always has a frame: it must stand out from the rows.
		dh := min(max(h/3, 6), h)
		l.list = rect{edge, y + edge, l.w - 2*edge, max(h-dh-2*edge, 0)}
		l.detail = rect{1, y + h - dh + 1, l.w - 2, max(dh-2, 0)}
	default:
		l.list = rect{edge, y + edge, l.w - 2*edge, h - 2*edge}
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
