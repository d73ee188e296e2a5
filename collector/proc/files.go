package proc

import "github.com/gumshoe-ir/gumshoe/event"

// fdTable is a process' descriptors, one for all processes that share them by
// CLONE_FILES. Forks share the set below until one of them changes it.
type fdTable struct {
	set  *fdSet
	refs int // groups
}

// fdSet holds descriptors by number.
type fdSet struct {
	low  []*event.FD // 0 … lowFDs-1
	high map[int64]*event.FD
	n    int
	refs int // tables
}

const lowFDs = 1 << 10

// fdBudget makes, shares and counts descriptor sets.
type fdBudget struct {
	used    int    // descriptors in all sets
	refused uint64 // not kept
}

func (s *fdSet) get(num int64) *event.FD {
	if num >= 0 && num < int64(len(s.low)) {
		return s.low[num]
	}
	return s.high[num]
}

func (s *fdSet) put(fd *event.FD) {
	if s.get(fd.Num) == nil {
		s.n++
	}
	if fd.Num < lowFDs {
		for int64(len(s.low)) <= fd.Num {
			s.low = append(s.low, nil)
		}
		s.low[fd.Num] = fd
		return
	}
	if s.high == nil {
		s.high = make(map[int64]*event.FD)
	}
	s.high[fd.Num] = fd
}

func (s *fdSet) remove(num int64) {
	if s.get(num) == nil {
		return
	}
	s.n--
	if num < lowFDs {
		s.low[num] = nil
	} else {
		delete(s.high, num)
	}
}

// each calls f for all descriptors; f may change or remove the one it is given.
func (s *fdSet) each(f func(*event.FD)) {
	for _, fd := range s.low {
		if fd != nil {
			f(fd)
		}
	}
	for _, fd := range s.high {
		f(fd)
	}
}

// fork is the table of a new process of from: shared, copied, or empty when
// from is unknown.
func (b *fdBudget) fork(from *group, share bool) *fdTable {
	if from == nil || from.files == nil {
		return &fdTable{set: &fdSet{refs: 1}, refs: 1}
	}
	if share {
		from.files.refs++
		return from.files
	}
	from.files.set.refs++
	return &fdTable{set: from.files.set, refs: 1}
}

// release gives up a group's hold of f, which may be nil.
func (b *fdBudget) release(f *fdTable) {
	if f == nil {
		return
	}
	if f.refs--; f.refs == 0 {
		b.drop(f.set)
	}
}

func (b *fdBudget) drop(s *fdSet) {
	if s.refs--; s.refs == 0 {
		b.used -= s.n
	}
}

// own makes f's set its own before a change. Beyond the budget only a fair
// share of the descriptors is copied.
func (b *fdBudget) own(f *fdTable) *fdSet {
	if f.set.refs == 1 {
		return f.set
	}
	old := f.set
	s := &fdSet{refs: 1}
	if b.used+old.n <= maxAllFDs {
		s.low = append(make([]*event.FD, 0, len(old.low)+8), old.low...)
		s.n = old.n
		if len(old.high) > 0 {
			s.high = make(map[int64]*event.FD, len(old.high))
			for k, v := range old.high {
				s.high[k] = v
			}
		}
	} else {
		old.each(func(fd *event.FD) {
			if s.n < fairFDs {
				s.put(fd)
			} else {
				b.refused++
			}
		})
	}
	b.used += s.n
	b.drop(old)
	f.set = s
	return s
}

// put keeps fd in g's table.
func (t *Table) put(g *group, fd *event.FD) {
	if t.passive || g.files == nil || fd.Num < 0 {
		return
	}
	if g.files.set.get(fd.Num) == fd {
		return
	}
	s := t.files.own(g.files)
	if old := s.get(fd.Num); old == nil {
		if s.n >= maxFDs || t.files.used >= maxAllFDs && s.n >= fairFDs || fd.Num > 1<<30 {
			t.files.refused++
			return
		}
		t.files.used++
	}
	s.put(fd)
}

// drop removes descriptor num of g.
func (t *Table) drop(g *group, num int64) {
	if t.passive || g.files == nil || g.files.set.get(num) == nil {
		return
	}
	s := t.files.own(g.files)
	if s.get(num) != nil {
		s.remove(num)
		t.files.used--
	}
}

// fd is descriptor num of g, nil when unknown.
func (g *group) fd(num int64) *event.FD {
	if g.files == nil || num < 0 {
		return nil
	}
	return g.files.set.get(num)
}

// usedFD is the descriptor that parameter i of e names.
func (g *group) usedFD(e *event.Event, i int) *event.FD {
	num, ok := e.Params.Int(i)
	if !ok {
		return nil
	}
	return g.fd(num)
}

// exec closes what g does not keep across an exec, and ends sharing.
func (b *fdBudget) exec(g *group) {
	if g.files == nil {
		return
	}
	b.unshare(g)
	var closing []int64
	g.files.set.each(func(fd *event.FD) {
		if fd.Flags&closeOnExec != 0 {
			closing = append(closing, fd.Num)
		}
	})
	if closing == nil {
		return
	}
	s := b.own(g.files)
	for _, num := range closing {
		if s.get(num) != nil {
			s.remove(num)
			b.used--
		}
	}
}

// unshare gives g a table of its own.
func (b *fdBudget) unshare(g *group) {
	if g.files == nil || g.files.refs == 1 {
		return
	}
	f := b.fork(g, false)
	g.files.refs--
	g.files = f
}
