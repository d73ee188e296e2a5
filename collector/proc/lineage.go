package proc

import "github.com/gumshoe-ir/gumshoe/event"

// Snapshots point to their ancestors' snapshots, and must show them as of the
// event. Telling all descendants of each change would let an attacker with
// many children make one exec expensive. So a change that others can see only
// advances the table's epoch, and a process whose epoch is older looks up its
// chain before its next event: a walk of pointers, which allocates only where
// an ancestor has really changed. The walk ends after maxDepth levels, of
// which at least half are current; above that a chain shows what it last knew.

// current is th's snapshot as of now.
func (t *Table) current(th *thread) *event.Process {
	g := th.group
	if g.epoch != t.epoch && !g.dead {
		t.refresh(g)
	}
	if th.tid == g.pid && !th.own {
		return g.proc
	}
	if th.base != g.proc {
		t.derive(th)
	}
	return th.snap
}

// snapshot is g's own snapshot as of now.
func (t *Table) snapshot(g *group) *event.Process {
	if g.epoch != t.epoch && !g.dead {
		t.refresh(g)
	}
	return g.proc
}

// derive makes a thread's snapshot of its process'.
func (t *Table) derive(th *thread) {
	p := new(event.Process)
	*p = *th.group.proc
	p.TID, p.VTID = th.tid, th.vtid
	if th.own {
		p.UID, p.GID = th.cred.uid, th.cred.gid
		p.CapInh, p.CapPerm, p.CapEff = th.cred.inh, th.cred.perm, th.cred.eff
		p.User, p.Group = t.users.lookup(th.group.cgroup, p.UID, p.GID)
	}
	if p.Leader == th.group.proc {
		p.Leader = p
	}
	th.base, th.snap = th.group.proc, p
}

// edit replaces g's snapshot by a copy, which the caller may change until it
// hands it out. While passive the copy is for the event alone.
func (t *Table) edit(g *group) *event.Process {
	p := new(event.Process)
	*p = *g.proc
	if p.Leader == g.proc {
		p.Leader = p
	}
	if t.passive {
		return p
	}
	g.proc = p
	if g.children > 0 || g.members > 0 {
		t.epoch++
	}
	return p
}

// refresh makes the links of g's snapshot, and of those above it, current.
func (t *Table) refresh(g *group) {
	if s := g.session; s != nil && s != g && !s.dead && s.epoch != t.epoch {
		t.climb(s)
	}
	t.climb(g)
}

func (t *Table) climb(g *group) {
	t.chain = t.chain[:0]
	top := g
	for top != nil && top.epoch != t.epoch && len(t.chain) < maxDepth {
		t.chain = append(t.chain, top)
		top = top.living()
	}
	sure := len(t.chain)
	if top != nil && top.epoch != t.epoch {
		sure /= 2 // those above have too little checked above themselves
	}
	for i := len(t.chain) - 1; i >= 0; i-- {
		t.relink(t.chain[i])
		if i < sure {
			t.chain[i].epoch = t.epoch
		}
		t.chain[i] = nil
	}
}

// relink replaces g's snapshot when one of its links is old.
func (t *Table) relink(g *group) {
	var parent, leader *event.Process
	var ppid int32
	if p := g.living(); p != nil {
		parent, ppid = p.proc, p.pid
	} else {
		ppid = g.proc.PPID
		if g.parent == nil && g.proc.Parent != nil {
			ppid = 0
		}
	}
	switch s := g.session; {
	case s == g:
		leader = g.proc
	case s != nil && !s.dead:
		leader = s.proc
	}
	container := g.container()
	old := g.proc
	user, groupName, login := old.User, old.Group, old.LoginUser
	if g.named != t.users.version {
		g.named = t.users.version
		user, groupName, login = t.users.of(g)
	}
	if old.Parent == parent && old.Leader == leader && old.Container == container && old.PPID == ppid &&
		old.User == user && old.Group == groupName && old.LoginUser == login {
		return
	}
	p := new(event.Process)
	*p = *old
	p.Parent, p.PPID, p.Container = parent, ppid, container
	p.User, p.Group, p.LoginUser = user, groupName, login
	if p.Leader = leader; g.session == g {
		p.Leader = p
	}
	g.proc = p
}

// container is the one g runs in, nil on the host.
func (g *group) container() *event.Container {
	if g.cgroup == nil || g.cgroup.in == nil {
		return nil
	}
	return g.cgroup.in.meta
}
