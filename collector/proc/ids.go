package proc

import "github.com/gumshoe-ir/gumshoe/event"

// credOf is th's credentials now.
func credOf(th *thread) cred {
	if th.own {
		return th.cred
	}
	p := th.group.proc
	return cred{p.UID, p.GID, p.CapInh, p.CapPerm, p.CapEff}
}

// setCred makes c the credentials of th, for the whole process when it leads.
func (t *Table) setCred(th *thread, e *event.Event, c cred) {
	if c == credOf(th) {
		return
	}
	if th.tid == th.group.pid || t.passive {
		p := t.edit(th.group)
		p.UID, p.GID, p.CapInh, p.CapPerm, p.CapEff = c.uid, c.gid, c.inh, c.perm, c.eff
		p.User, p.Group = t.users.lookup(th.group.cgroup, p.UID, p.GID)
		if t.passive {
			e.Process = p
		}
		return
	}
	th.own, th.cred, th.base = true, c, nil
}

func succeeded(e *event.Event) bool {
	res, ok := e.Params.Int(0)
	return ok && res >= 0
}

// sets makes the handler of the set*id calls: which parameter is the
// effective id, and whether it is a group's.
func sets(param int, isGroup bool) handler {
	return func(t *Table, th *thread, e *event.Event) *event.FD {
		v, ok := e.Params.Uint(param)
		if id := uint32(v); ok && succeeded(e) && id != event.NoID {
			c := credOf(th)
			if isGroup {
				c.gid = id
			} else {
				c.uid = id
			}
			t.setCred(th, e, c)
		}
		return nil
	}
}

func capsetX(t *Table, th *thread, e *event.Event) *event.FD {
	if succeeded(e) && e.Params.Len() > 3 {
		c := credOf(th)
		setUint64(&c.inh, &e.Params, 1)
		setUint64(&c.perm, &e.Params, 2)
		setUint64(&c.eff, &e.Params, 3)
		t.setCred(th, e, c)
	}
	return nil
}

func (t *Table) allCaps(th *thread, e *event.Event) {
	c := credOf(th)
	c.perm, c.eff = allCaps, allCaps
	t.setCred(th, e, c)
}

func unshareX(t *Table, th *thread, e *event.Event) *event.FD {
	flags, _ := e.Params.Uint(1)
	if !succeeded(e) {
		return nil
	}
	if flags&cloneNewUser != 0 {
		t.allCaps(th, e)
	}
	if flags&cloneFiles != 0 && !t.passive {
		t.files.unshare(th.group)
	}
	return nil
}

func setnsX(t *Table, th *thread, e *event.Event) *event.FD {
	if flags, _ := e.Params.Uint(2); succeeded(e) && flags&cloneNewUser != 0 {
		t.allCaps(th, e)
	}
	return th.group.usedFD(e, 1)
}

func setsidX(t *Table, th *thread, e *event.Event) *event.FD {
	g := th.group
	if !succeeded(e) || t.passive || g.session == g {
		return nil
	}
	p := t.edit(g)
	p.SID, p.PGID, p.VPGID = p.PID, p.PID, p.VPID
	g.setSession(g)
	p.Leader = p
	t.epoch++
	return nil
}

// setpgidX follows setpgid. Its numbers are the caller's pid namespace's;
// from inside one, only its own and equal numbers can be told.
func setpgidX(t *Table, th *thread, e *event.Event) *event.FD {
	pid, ok := e.Params.Int(1)
	pgid, ok2 := e.Params.Int(2)
	if !ok || !ok2 || !succeeded(e) || t.passive {
		return nil
	}
	g, caller := th.group, th.group.proc
	inside := caller.VPID != 0 && caller.VPID != caller.PID
	if pid != 0 && pid != int64(caller.VPID) {
		other := t.threads[int32(pid)]
		if inside || other == nil || other.group.dead {
			return nil
		}
		g = other.group
	}
	vpgid := int32(pgid)
	if pgid == 0 {
		vpgid = g.proc.VPID
	}
	real := vpgid
	switch {
	case vpgid == g.proc.VPID:
		real = g.proc.PID
	case inside:
		real = g.proc.PGID
	}
	if g.proc.PGID != real || g.proc.VPGID != vpgid {
		p := t.edit(g)
		p.PGID, p.VPGID = real, vpgid
	}
	return nil
}

// setCwd makes dir g's working directory.
func (t *Table) setCwd(g *group, dir string) {
	if dir = slashed(dir); dir != g.proc.Cwd && !t.passive {
		t.edit(g).Cwd = dir
	}
}

func chdirX(t *Table, th *thread, e *event.Event) *event.FD {
	if path := cut(e.Params.At(1)); succeeded(e) && len(path) > 0 && !t.passive {
		t.setCwd(th.group, join(th.group.dirName(), path))
	}
	return nil
}

// dirName is g's working directory, or the mark of an unknown one.
func (g *group) dirName() string {
	if g.proc.Cwd == "" {
		return unknown
	}
	return g.proc.Cwd
}

func fchdirX(t *Table, th *thread, e *event.Event) *event.FD {
	fd := th.group.usedFD(e, 1)
	if succeeded(e) && fd != nil && fd.Name != "" {
		t.setCwd(th.group, fd.Name)
	}
	return fd
}

func getcwdX(t *Table, th *thread, e *event.Event) *event.FD {
	if path := cut(e.Params.At(1)); succeeded(e) && len(path) > 0 && path[0] == '/' && !t.passive {
		if cwd := sameSlashed(th.group.proc.Cwd, path); cwd != th.group.proc.Cwd {
			t.setCwd(th.group, cwd)
		}
	}
	return nil
}

func chrootX(t *Table, th *thread, e *event.Event) *event.FD {
	g := th.group
	if path := cut(e.Params.At(1)); succeeded(e) && len(path) > 0 && !t.passive {
		if root := join(g.dirName(), path); root != g.proc.Root {
			t.edit(g).Root = root
			t.setCgroups(g, nil, nil)
		}
	}
	return nil
}

func prctlX(t *Table, th *thread, e *event.Event) *event.FD {
	if option, _ := e.Params.Uint(1); option == subreaper && succeeded(e) && !t.passive {
		on, _ := e.Params.Int(3)
		th.group.reaper = on != 0
	}
	return nil
}
