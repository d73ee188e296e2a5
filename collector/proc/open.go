package proc

import "github.com/gumshoe-ir/gumshoe/event"

// openShape says where an open call has its parameters; -1 where it has none.
type openShape struct {
	dirfd, name, flags, mode, dev, ino int8
	fixed                              uint32 // flags that the call implies
}

// Shapes of the exits, and of the enters that captures of old have.
var (
	openX     = openShape{-1, 1, 2, 3, 4, 5, 0}
	creatX    = openShape{-1, 1, -1, 2, 3, 4, 256 | 4 | 2} // O_TRUNC, O_CREAT, O_WRONLY
	openatX   = openShape{1, 2, 3, 4, 5, 6, 0}
	openat2X  = openShape{1, 2, 3, 4, 6, 7, 0}
	byHandleX = openShape{-1, 3, 2, -1, 4, 5, 0}
	openatV1X = openShape{-1, -1, -1, -1, -1, -1, 0}
	openE     = openShape{-1, 0, 1, 2, -1, -1, 0}
	creatE    = openShape{-1, 0, -1, 1, -1, -1, 256 | 4 | 2}
	openatE   = openShape{0, 1, 2, 3, -1, -1, 0}
)

// opens makes the handler of one kind of open. enter is the shape of its
// enter event, whose path was read before anybody could change it.
func opens(exit, enter openShape) handler {
	return func(t *Table, th *thread, e *event.Event) *event.FD {
		asked, shape := &e.Params, exit
		if in := th.entered(e); in != nil && in.Params.Len() > int(enter.name) && enter.name >= 0 {
			asked, shape = &in.Params, enter
		}
		th.enter = nil
		res, ok := e.Params.Int(0)
		if !ok || shape.name < 0 {
			return nil
		}
		g := th.group
		raw := cut(asked.At(int(shape.name)))
		place := t.paths.lookup(g.dir(asked, int(shape.dirfd)), raw)
		if res < 0 {
			if place.failed == nil {
				place.failed = &event.FD{Num: -1, Name: place.name, NameRaw: place.raw}
			}
			return place.failed
		}
		fd := event.FD{Num: res, Kind: event.FDFile, Name: place.name, NameRaw: place.raw, Flags: shape.fixed}
		if v, ok := asked.Uint(int(shape.flags)); ok {
			fd.Flags = uint32(v)
		}
		if v, ok := asked.Uint(int(shape.mode)); ok {
			fd.Mode = uint32(v)
		}
		setUint32(&fd.Dev, &e.Params, int(exit.dev))
		setUint64(&fd.Ino, &e.Params, int(exit.ino))
		if fd.Flags&openDirectory != 0 {
			fd.Kind = event.FDDirectory
		}
		t.realPath(g, e, &fd, place)
		return t.keepOpened(g, &fd, place)
	}
}

// keepOpened puts fd into g's table: the very descriptor handed out for the
// same open before, when there was one.
func (t *Table) keepOpened(g *group, fd *event.FD, place *cachedPath) *event.FD {
	if place.opened == nil || *place.opened != *fd {
		made := new(event.FD)
		*made = *fd
		place.opened = made
	}
	t.put(g, place.opened)
	return place.opened
}

// dir is the folder that a relative path of g begins at: the descriptor in
// parameter i of a, or the working directory.
func (g *group) dir(a *event.Params, i int) string {
	num, ok := a.Int(i)
	if !ok || int32(num) == atCwd {
		if g.proc.Cwd == "" {
			return unknown
		}
		return g.proc.Cwd
	}
	if fd := g.fd(num); fd != nil && fd.Name != "" {
		return fd.Name
	}
	return unknown
}

// entered is the stored enter event that e is the exit of, or nil.
func (th *thread) entered(e *event.Event) *event.Event {
	if th.enter != nil && th.enter.Type == e.Type-1 {
		return th.enter
	}
	return nil
}

// keepEnter stores the enter of a call whose exit may not have all.
func keepEnter(_ *Table, th *thread, e *event.Event) *event.FD {
	th.enter = e.Clone()
	th.enter.Process, th.enter.FD = nil, nil
	return nil
}

// realPath notes the kernel's own path where it differs from fd's, and marks
// e raced when no symbolic link explains the difference.
func (t *Table) realPath(g *group, e *event.Event, fd *event.FD, place *cachedPath) {
	real := cut(e.Detail.At(event.DetailRealPath))
	if len(real) == 0 || string(real) == fd.Name {
		return
	}
	if place.opened != nil && place.opened.RealPath == string(real) {
		fd.RealPath = place.opened.RealPath
	} else {
		fd.RealPath = string(real)
	}
	if !t.explained(g, fd) {
		e.Origin |= event.Raced
	}
}
