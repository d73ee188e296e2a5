package proc

import "github.com/gumshoe-ir/gumshoe/event"

// group is a thread group: a process.
type group struct {
	pid     int32
	dead    bool
	exact   bool   // start is known, not guessed from an event's time
	start   uint64 // ns since boot in ticks, 0 when unknown
	scanned uint64 // ns since the epoch when /proc was read; older events change nothing
	proc    *event.Process
	epoch   uint64
	named   uint64 // version of users by which its ids were named
	kin
	alive   int // threads that have not exited
	files   *fdTable
	cgroup  *cgroupSet
	image   *image
	threads *thread // list of its threads
}

// kin is what a process has to do with others.
type kin struct {
	parent   *group
	heir     *group // who took the children of a dead one; nil when nobody is known
	session  *group
	children int
	members  int  // other groups whose session leader this is
	reaper   bool // PR_SET_CHILD_SUBREAPER
}

// thread is one thread; the state that threads of a process share is in group.
type thread struct {
	tid, vtid int32
	slot      int
	group     *group
	next      *thread // in group.threads
	prev      *thread
	used      uint8 // hands that have not passed since its last event
	dead      bool
	missing   uint64 // ns since the epoch when /proc no longer had it
	cred      cred
	own       bool           // cred differs from the leader's
	base      *event.Process // group snapshot that snap was made of
	snap      *event.Process
	enter     *event.Event // stored enter of a capture
}

// cred are what set*id and capset change of one thread.
type cred struct {
	uid, gid       uint32
	inh, perm, eff uint64
}

// image is what an exec brought, shared by the forks of a process.
type image struct {
	bytes, refs int
}

// gone remembers that a tid ended, against late news of its birth.
type gone struct {
	tid int32
	ns  uint64
}

func (t *Table) remember(tid int32, ns uint64) {
	t.recent[uint32(tid)%recentSize] = gone{tid, ns}
}

// justDied tells whether tid ended within the second before ns, or after it.
func (t *Table) justDied(tid int32, ns uint64) bool {
	g := t.recent[uint32(tid)%recentSize]
	return g.tid == tid && g.ns+uint64(1e9) > ns
}

// addThread puts a thread of g into the table, evicting one when it is full.
func (t *Table) addThread(g *group, tid, vtid int32) *thread {
	if len(t.slots) >= maxThreads {
		t.evict()
	}
	th := &thread{tid: tid, vtid: vtid, group: g, slot: len(t.slots), used: anyHand}
	t.slots = append(t.slots, th)
	t.threads[tid] = th
	th.next = g.threads
	if g.threads != nil {
		g.threads.prev = th
	}
	g.threads = th
	g.alive++
	return th
}

// removeThread takes th out of the table, and its group with the last one.
func (t *Table) removeThread(th *thread) {
	if t.threads[th.tid] == th {
		delete(t.threads, th.tid)
	}
	last := len(t.slots) - 1
	if th.slot <= last && t.slots[th.slot] == th {
		t.slots[th.slot] = t.slots[last]
		t.slots[th.slot].slot = th.slot
		t.slots[last] = nil
		t.slots = t.slots[:last]
	}
	g := th.group
	if !th.dead {
		th.dead = true
		g.alive--
	}
	if th.prev != nil {
		th.prev.next = th.next
	} else if g.threads == th {
		g.threads = th.next
	}
	if th.next != nil {
		th.next.prev = th.prev
	}
	th.next, th.prev = nil, nil
	if g.alive == 0 && !g.dead {
		t.dead = append(t.dead, threadsOf(g)...) // a leader that ended before
		t.endGroup(g, nil)
	}
}

func threadsOf(g *group) []*thread {
	var out []*thread
	for th := g.threads; th != nil; th = th.next {
		out = append(out, th)
	}
	return out
}

// addGroup makes process pid, child of parent, in the session of session.
// p becomes its snapshot, and is linked.
func (t *Table) addGroup(p *event.Process, parent, session *group) *group {
	g := &group{pid: p.PID, proc: p}
	t.live.Processes++
	g.setParent(parent)
	g.setSession(session)
	return g
}

func (g *group) setParent(p *group) {
	if p == g {
		p = nil
	}
	if old := g.living(); old != nil {
		old.children--
	}
	if g.parent = p; p != nil {
		p.children++
	}
}

func (g *group) setSession(s *group) {
	if g.session != nil && g.session != g {
		g.session.members--
	}
	if g.session = s; s != nil && s != g {
		s.members++
	}
}

// endGroup marks g dead and hands its children to heir in one step, however
// many they are: each finds out when it is next looked at.
func (t *Table) endGroup(g *group, heir *group) {
	if g.dead {
		return
	}
	g.dead = true
	t.live.Processes--
	g.living() // so that whoever counts it as a child is told
	if heir == nil {
		heir = t.reaperOf(g)
	}
	if heir != nil && (heir.dead || heir == g || descends(heir, g)) {
		heir = nil
	}
	if g.children > 0 || g.members > 0 {
		t.epoch++
	}
	if g.heir = heir; heir != nil {
		heir.children += g.children
	}
	g.setParent(nil)
	g.setSession(nil)
	g.children = 0
	t.files.release(g.files)
	t.releaseImage(g.image)
	if g.cgroup != nil {
		t.containers.release(g.cgroup)
	}
	g.files, g.image, g.cgroup, g.threads = nil, nil, nil, nil
}

// reaperOf is who gets g's children by Linux' rules: the nearest sub-reaper
// or init of a pid namespace above it, else init.
func (t *Table) reaperOf(g *group) *group {
	p := g.living()
	for range maxDepth {
		if p == nil {
			break
		}
		if p.reaper || p.proc.VPID == 1 {
			return p
		}
		p = p.living()
	}
	if th := t.threads[1]; th != nil && !th.group.dead {
		return th.group
	}
	return nil
}

// descends tells whether g hangs below above. Chains too long to walk count
// as descending: a link given up is better than a circle.
func descends(g, above *group) bool {
	for range 8 * maxDepth {
		if g == nil {
			return false
		}
		if g == above {
			return true
		}
		g = g.living()
	}
	return true
}

// living is g's parent now, following those who took the children of dead
// ones; what it finds it keeps.
func (g *group) living() *group {
	p := g.parent
	if p == nil || !p.dead {
		return p
	}
	for p != nil && p.dead {
		if next := p.heir; next != nil && next.dead {
			p.heir = next.heir // halve the path for whoever comes next
		}
		p = p.heir
	}
	g.parent = p // its heir counted it with the others
	return p
}

// bury removes what died in the batch before, now that its events were shown.
// A leader stays while its process has other threads.
func (t *Table) bury() {
	for i := 0; i < len(t.dead); i++ {
		th := t.dead[i]
		if th.dead && (th.group.dead || th.tid != th.group.pid) {
			t.removeThread(th)
		}
		t.dead[i] = nil
	}
	t.dead = t.dead[:0]
}

func (t *Table) releaseImage(i *image) {
	if i == nil {
		return
	}
	if i.refs--; i.refs == 0 {
		t.hand.text -= i.bytes
	}
}
