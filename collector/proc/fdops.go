package proc

import (
	"strconv"

	"github.com/gumshoe-ir/gumshoe/event"
)

// Commands of fcntl and flags of close_range, in the format's numbers.
const (
	fDupFD, fSetFD, fDupFDCloexec = 1, 3, 26
	rangeUnshare, rangeCloexec    = 2, 4
)

// dups makes the handler of dup, dup2 and dup3: the event shows the new one.
func dups(oldParam, flagsParam int) handler {
	return func(t *Table, th *thread, e *event.Event) *event.FD {
		res, ok := e.Params.Int(0)
		if !ok || res < 0 {
			return th.group.usedFD(e, oldParam)
		}
		cloexec := false
		if flagsParam >= 0 {
			flags, _ := e.Params.Uint(flagsParam)
			cloexec = flags&closeOnExec != 0
		}
		return t.duplicate(th.group, th.group.usedFD(e, oldParam), res, cloexec)
	}
}

// duplicate makes num of g a copy of from, which may be unknown.
func (t *Table) duplicate(g *group, from *event.FD, num int64, cloexec bool) *event.FD {
	if from == nil {
		t.drop(g, num)
		return nil
	}
	if from.Num == num {
		return from
	}
	fd := new(event.FD)
	*fd = *from
	fd.Num, fd.NameChanged = num, false
	if fd.Flags &^= closeOnExec; cloexec {
		fd.Flags |= closeOnExec
	}
	t.put(g, fd)
	return fd
}

func fcntlX(t *Table, th *thread, e *event.Event) *event.FD {
	fd := th.group.usedFD(e, 1)
	res, ok := e.Params.Int(0)
	cmd, _ := e.Params.Uint(2)
	if !ok || res < 0 || fd == nil {
		return fd
	}
	switch cmd {
	case fDupFD, fDupFDCloexec:
		return t.duplicate(th.group, fd, res, cmd == fDupFDCloexec)
	case fSetFD:
		arg, _ := e.Params.Uint(3)
		return t.setCloexec(th.group, fd, arg&1 != 0)
	}
	return fd
}

func (t *Table) setCloexec(g *group, fd *event.FD, on bool) *event.FD {
	if (fd.Flags&closeOnExec != 0) == on {
		return fd
	}
	changed := new(event.FD)
	*changed = *fd
	changed.Flags ^= closeOnExec
	t.put(g, changed)
	return changed
}

func closeX(t *Table, th *thread, e *event.Event) *event.FD {
	num, ok := e.Params.Int(1)
	if in := th.entered(e); !ok && in != nil {
		num, ok = in.Params.Int(0)
	}
	th.enter = nil
	if !ok {
		return nil
	}
	fd := th.group.fd(num)
	if res, ok := e.Params.Int(0); ok && res >= 0 {
		t.drop(th.group, num)
	}
	return fd
}

func closeRangeX(t *Table, th *thread, e *event.Event) *event.FD {
	g := th.group
	first, _ := e.Params.Uint(1)
	last, _ := e.Params.Uint(2)
	flags, _ := e.Params.Uint(3)
	if res, ok := e.Params.Int(0); !ok || res < 0 || t.passive || g.files == nil {
		return nil
	}
	if flags&rangeUnshare != 0 {
		t.files.unshare(g)
	}
	var hit []*event.FD
	g.files.set.each(func(fd *event.FD) {
		if n := uint64(fd.Num); n >= first && n <= last {
			hit = append(hit, fd)
		}
	})
	for _, fd := range hit {
		if flags&rangeCloexec != 0 {
			t.setCloexec(g, fd, true)
		} else {
			t.drop(g, fd.Num)
		}
	}
	return nil
}

func pipeX(t *Table, th *thread, e *event.Event) *event.FD {
	if res, ok := e.Params.Int(0); !ok || res < 0 {
		return nil
	}
	ino, _ := e.Params.Uint(3)
	flags, _ := e.Params.Uint(4)
	for i := range 2 {
		num, ok := e.Params.Int(1 + i)
		if ok && num >= 0 {
			t.put(th.group, &event.FD{Num: num, Kind: event.FDFifo, Ino: ino, Flags: uint32(flags) & closeOnExec})
		}
	}
	return th.group.usedFD(e, 1)
}

// creates makes the handler of a call whose result is a descriptor of kind.
// cloexec is the bit in parameter flagsParam that closes it at exec.
func creates(kind event.FDKind, nameParam, flagsParam int, cloexec uint64) handler {
	return func(t *Table, th *thread, e *event.Event) *event.FD {
		num, ok := e.Params.Int(0)
		if !ok || num < 0 {
			return nil
		}
		fd := &event.FD{Num: num, Kind: kind}
		if nameParam >= 0 {
			name := cut(e.Params.At(nameParam))
			fd.Name = string(name[:min(len(name), maxPath)])
		}
		if flagsParam >= 0 {
			if flags, _ := e.Params.Uint(flagsParam); flags&cloexec != 0 {
				fd.Flags = closeOnExec
			}
		}
		t.put(th.group, fd)
		return fd
	}
}

// bpfX keeps the descriptors that bpf makes; most of its commands make none.
func bpfX(t *Table, th *thread, e *event.Event) *event.FD {
	num, ok := e.Params.Int(0)
	cmd, _ := e.Params.Uint(1)
	const makesFD = 1<<0 | 1<<5 | 1<<7 | 1<<13 | 1<<14 | 1<<17 | 1<<18 | 1<<19 | 1<<28 | 1<<30 | 1<<33
	if !ok || num <= 0 || cmd > 63 || makesFD&(uint64(1)<<cmd) == 0 {
		return nil
	}
	fd := &event.FD{Num: num, Kind: event.FDBPF, Flags: closeOnExec}
	t.put(th.group, fd)
	return fd
}

func pidfdOpenX(t *Table, th *thread, e *event.Event) *event.FD {
	num, ok := e.Params.Int(0)
	pid, _ := e.Params.Int(1)
	if !ok || num < 0 {
		return nil
	}
	fd := &event.FD{Num: num, Kind: event.FDPidfd, Name: "/proc/" + strconv.FormatInt(pid, 10), Ino: uint64(pid), Flags: closeOnExec}
	t.put(th.group, fd)
	return fd
}

// pidfdGetfdX copies a descriptor of another process.
func pidfdGetfdX(t *Table, th *thread, e *event.Event) *event.FD {
	num, ok := e.Params.Int(0)
	if !ok || num < 0 {
		return nil
	}
	var from *event.FD
	if pidfd := th.group.usedFD(e, 1); pidfd != nil && pidfd.Kind == event.FDPidfd {
		if other := t.threads[int32(pidfd.Ino)]; other != nil {
			from = other.group.usedFD(e, 2)
		}
	}
	return t.duplicate(th.group, from, num, true)
}

// twoDirs notes the folders that the two paths of a call begin at.
func twoDirs(_ *Table, th *thread, e *event.Event) *event.FD {
	e.Dirs = [2]*event.FD{th.group.usedFD(e, 1), th.group.usedFD(e, 3)}
	return nil
}
