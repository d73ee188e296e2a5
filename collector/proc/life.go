package proc

import (
	"strings"

	"github.com/gumshoe-ir/gumshoe/event"
)

// Flags of the clone family (PPM_CL_*, spec/scap.md §6.1).
const (
	cloneFiles    = 1 << 0
	cloneNewPID   = 1 << 6
	cloneParent   = 1 << 8
	cloneThread   = 1 << 13
	cloneNewUser  = 1 << 20
	cloneVfork    = 1 << 27
	cloneInPidns  = 1 << 29
	elsewhere     = cloneInPidns | cloneNewPID | cloneParent | cloneVfork
	sameBirth     = uint64(2e9) // both sides of one clone come within this many ns
	allCaps       = uint64(1)<<41 - 1
	subreaper     = 36 // PR_SET_CHILD_SUBREAPER
	atCwd         = -100
	closeOnExec   = 4096 // PPM_O_CLOEXEC
	openDirectory = 1024 // PPM_O_DIRECTORY
)

// Parameters of the clone family and of execve that both have.
const (
	parExe, parArgs, parPID, parPPID, parCwd, parComm, parCgroups = 1, 2, 4, 5, 6, 13, 14
)

// Parameters of the clone family.
const (
	cloneFlags, cloneUID, cloneGID, cloneVTID, cloneVPID, clonePidns = 15, 16, 17, 18, 19, 20
)

// actor is the thread that e is of, or nil. It tells apart processes that had
// the same pid, and looks at /proc for a thread that nobody has told of.
func (t *Table) actor(e *event.Event) *thread {
	if e.TID <= 0 || e.TID != int64(int32(e.TID)) {
		return nil
	}
	th := t.threads[int32(e.TID)]
	if th != nil && e.Detail.Len() > 0 {
		th = t.identify(th, e)
	} else if th != nil && t.stale(th.group, e) {
		return nil
	}
	if th == nil {
		th = t.find(int32(e.TID), e.ID.NS)
	}
	if th == nil {
		t.live.Unknown++
	}
	return th
}

// stale tells whether e happened before g began: it is of an earlier process
// with the same pid.
func (t *Table) stale(g *group, e *event.Event) bool {
	return g.exact && g.start != 0 && t.boot != 0 && e.ID.NS+2*tick < t.boot+g.start
}

// identify compares th with what the kernel says of e's process. It is nil
// when they are not the same; a process whose exit was missed is removed.
func (t *Table) identify(th *thread, e *event.Event) *thread {
	g := th.group
	ns, _ := e.Detail.Uint(event.DetailStartBoot)
	start := ticks(ns)
	switch {
	case ns == 0:
		if t.stale(g, e) {
			return nil
		}
	case start == g.start:
		g.exact = true
	case !g.exact && (g.start == 0 || distance(start, g.start) < sameBirth):
		g.start, g.exact = start, true
		t.edit(g).StartBoot = start
	case start > g.start:
		t.forget(th)
		return nil
	default:
		return nil
	}
	ino, _ := e.Detail.Uint(event.DetailPidfsIno)
	mount, _ := e.Detail.Uint(event.DetailMountNS)
	if ino != 0 && ino != g.proc.PidfsIno || mount != 0 && mount != g.proc.MountNS {
		if e.ID.NS >= g.scanned && !g.dead {
			p := t.edit(g)
			p.PidfsIno, p.MountNS = pick(ino, p.PidfsIno), pick(mount, p.MountNS)
		}
	}
	return th
}

func pick(a, b uint64) uint64 {
	if a != 0 {
		return a
	}
	return b
}

func distance(a, b uint64) uint64 {
	if a > b {
		return a - b
	}
	return b - a
}

// forget removes the whole process of th: its end was not seen, or only in
// the batch in hand, and its number has a new owner.
func (t *Table) forget(th *thread) {
	g := th.group
	if !g.dead {
		t.live.Vanished++
	}
	t.endGroupThreads(g, nil)
	t.endGroup(g, nil)
	if t.threads[th.tid] == th {
		t.removeThread(th)
	}
}

// endGroupThreads removes all threads of g but keep.
func (t *Table) endGroupThreads(g *group, keep *thread) {
	for th := g.threads; th != nil; {
		next := th.next
		if th != keep {
			t.removeThread(th)
		}
		th = next
	}
}

// clone handles clone, clone3, fork and vfork, as seen by parent and child:
// either may come first or not at all.
func (t *Table) clone(e *event.Event) {
	res, ok := e.Params.Int(0)
	var th *thread
	if ok && res == 0 {
		th = t.cloneInChild(e)
	} else if th = t.actor(e); th != nil && res > 0 && res == int64(int32(res)) {
		t.cloneInParent(th, e, int32(res))
	}
	if th != nil {
		th.used = anyHand
		e.Process = t.current(th)
	}
}

func (t *Table) cloneInParent(parent *thread, e *event.Event, tid int32) {
	flags, _ := e.Params.Uint(cloneFlags)
	if flags&elsewhere != 0 || e.Type == event.SyscallVforkV20X || parent.vtid != 0 && parent.vtid != parent.tid {
		return // the number is not ours, or the child tells more
	}
	if t.justDied(tid, e.ID.NS) || parent.group.dead {
		return
	}
	if old := t.threads[tid]; old != nil {
		if old.dead || old.group.scanned > e.ID.NS || distance(old.born(), e.ID.NS) < sameBirth {
			return
		}
		t.replace(old)
	}
	t.born(parent, e, tid, tid, flags)
}

func (t *Table) cloneInChild(e *event.Event) *thread {
	if e.TID <= 0 || e.TID != int64(int32(e.TID)) {
		return nil
	}
	tid := int32(e.TID)
	flags, _ := e.Params.Uint(cloneFlags)
	vtid, _ := e.Params.Int(cloneVTID)
	if old := t.threads[tid]; old != nil {
		if old.dead || t.stale(old.group, e) {
			t.replace(old)
		} else if t.sameBirth(old, e) {
			return t.confirm(old, e, int32(vtid))
		} else {
			t.replace(old)
		}
	}
	of := parPPID
	if flags&cloneThread != 0 {
		of = parPID
	}
	id, _ := e.Params.Int(of)
	parent := t.threads[int32(id)]
	if parent == nil && id > 0 {
		parent = t.find(int32(id), e.ID.NS)
	}
	if parent != nil && (parent.dead || parent.group.dead) {
		parent = nil
	}
	if flags&cloneThread != 0 && t.threads[tid] != nil {
		return t.threads[tid] // reading /proc for its leader found it too
	}
	if old := t.threads[tid]; old != nil {
		return t.confirm(old, e, int32(vtid))
	}
	return t.born(parent, e, tid, int32(vtid), flags)
}

// born is when th was cloned, 0 when unknown.
func (th *thread) born() uint64 { return th.group.proc.CloneTime }

// sameBirth tells whether e, the child's side of a clone, made th.
func (t *Table) sameBirth(th *thread, e *event.Event) bool {
	if ns, _ := e.Detail.Uint(event.DetailStartBoot); ns != 0 && th.group.exact {
		return ticks(ns) == th.group.start
	}
	if th.tid != th.group.pid {
		return true // threads carry no time of their own
	}
	return th.group.scanned > e.ID.NS || distance(th.born(), e.ID.NS) < sameBirth
}

// replace removes th, or its process when it leads one, for a new owner of
// its number.
func (t *Table) replace(th *thread) {
	if th.tid == th.group.pid {
		t.forget(th)
	} else {
		t.removeThread(th)
	}
}

// confirm adds to a child made from its parent's event what its own says.
func (t *Table) confirm(th *thread, e *event.Event, vtid int32) *thread {
	if t.identify(th, e) == nil {
		return nil
	}
	th.vtid = vtid
	g := th.group
	if th.tid != g.pid || e.ID.NS < g.scanned || g.dead {
		return th
	}
	vpid, _ := e.Params.Int(cloneVPID)
	pidns, _ := e.Params.Uint(clonePidns)
	cg := e.Params.At(parCgroups)
	if g.proc.VTID != vtid || g.proc.VPID != int32(vpid) || g.proc.PidnsStart != pidns {
		p := t.edit(g)
		p.VTID, p.VPID, p.PidnsStart = vtid, int32(vpid), pidns
	}
	t.setCgroups(g, cg, nil)
	return th
}

// born makes the thread or process tid of the clone e. parent is the cloning
// thread or, for a thread's own event, one of its group; nil when unknown.
func (t *Table) born(parent *thread, e *event.Event, tid, vtid int32, flags uint64) *thread {
	if flags&cloneThread != 0 && parent != nil {
		th := t.addThread(parent.group, tid, vtid)
		th.own, th.cred = parent.own, parent.cred
		return th
	}
	p := &event.Process{PID: tid, LoginUID: event.NoID}
	var up, session *group
	if parent != nil {
		up, session = parent.group, parent.group.session
		*p = *t.current(parent)
		p.PID = tid
	}
	if flags&cloneThread != 0 { // its leader is unknown: make what we can of it
		if pid, ok := e.Params.Int(parPID); ok && pid > 0 && pid == int64(int32(pid)) && t.threads[int32(pid)] == nil {
			p.PID = int32(pid)
		}
	}
	p.TID, p.VTID, p.VPID, p.Parent, p.Leader = p.PID, vtid, vtid, nil, nil
	p.CloneTime, p.ExecTime, p.ExitTime, p.PidfsIno = e.ID.NS, 0, 0, 0
	if p.PPID = 0; up != nil {
		p.PPID = up.pid
	} else if id, ok := e.Params.Int(parPPID); ok {
		p.PPID = int32(id)
	}
	g := t.addGroup(p, up, session)
	t.describeBirth(g, parent, e, flags)
	th := t.addThread(g, p.PID, vtid)
	if p.PID != tid {
		th = t.addThread(g, tid, vtid)
	}
	return th
}

// describeBirth fills the new process g with what the clone e says.
func (t *Table) describeBirth(g *group, parent *thread, e *event.Event, flags uint64) {
	p := g.proc
	inChild := e.TID == int64(p.PID)
	t.describeImage(g, e, parent)
	if uid, ok := e.Params.Uint(cloneUID); ok {
		p.UID = uint32(uid)
	}
	if gid, ok := e.Params.Uint(cloneGID); ok {
		p.GID = uint32(gid)
	}
	if inChild {
		if v, ok := e.Params.Int(cloneVPID); ok {
			p.VPID = int32(v)
		}
		p.PidnsStart, _ = e.Params.Uint(clonePidns)
		p.StartBoot, _ = e.Detail.Uint(event.DetailStartBoot)
		p.PidfsIno, _ = e.Detail.Uint(event.DetailPidfsIno)
		if m, _ := e.Detail.Uint(event.DetailMountNS); m != 0 {
			p.MountNS = m
		}
	} else {
		p.StartBoot = 0
	}
	if p.StartBoot = ticks(p.StartBoot); p.StartBoot != 0 {
		g.exact = true
	} else {
		p.StartBoot = t.sinceBoot(e.ID.NS)
	}
	g.start = p.StartBoot
	var from *group
	if parent != nil {
		from = parent.group
		g.image = from.image
		if g.image != nil {
			g.image.refs++
		}
	}
	t.setCgroups(g, e.Params.At(parCgroups), from)
	if g.files = t.files.fork(from, flags&cloneFiles != 0); parent == nil {
		if cwd := string(cut(e.Params.At(parCwd))); cwd != "" {
			p.Cwd = slashed(cwd)
		}
	}
}

// describeImage takes name and arguments from a clone, sharing the parent's
// where they are equal, as they are nearly always.
func (t *Table) describeImage(g *group, e *event.Event, parent *thread) {
	p := g.proc
	name := same(p.Name, cut(e.Params.At(parComm)))
	exe, raw := cut(e.Params.At(parExe)), t.clip(e.Params.At(parArgs))
	switch {
	case parent != nil && (sharesArgs(p, exe, raw) || len(raw) == 0 && len(exe) == 0):
	case parent != nil && len(raw) == 0: // our parent's side leaves out what is the same
		p.Exe = same(p.Exe, exe)
	default:
		if len(exe) > 0 {
			p.Exe = same(p.Exe, exe)
		}
		p.Args = event.SplitNUL(raw)
		p.Cmdline = ""
		if len(raw) >= cutAt {
			p.ExeFlags |= event.ArgsCut
		}
	}
	if name != p.Name || p.Cmdline == "" {
		p.Name = name
		p.Cmdline = cmdline(name, p.Args)
	}
}

// exit handles procexit: its process is shown once more, with the end noted
// when this was its last thread, and removed with the next batch.
func (t *Table) exit(e *event.Event) {
	th := t.actor(e)
	if th == nil {
		return
	}
	g := th.group
	if th.dead || g.dead || e.ID.NS < g.scanned {
		e.Process = t.current(th)
		return
	}
	t.remember(th.tid, e.ID.NS)
	th.dead = true
	g.alive--
	t.dead = append(t.dead, th)
	if g.alive > 0 {
		e.Process = t.current(th)
		return
	}
	if lead := t.threads[g.pid]; lead != nil && lead != th && lead.dead && lead.group == g {
		t.dead = append(t.dead, lead)
	}
	t.snapshot(g)
	t.edit(g).ExitTime = e.ID.NS
	e.Process = t.current(th)
	var heir *group
	if tid, ok := e.Params.Int(4); ok && tid > 0 && tid == int64(int32(tid)) {
		if r := t.threads[int32(tid)]; r != nil {
			heir = r.group
		}
	}
	t.endGroup(g, heir)
}

// cmdline is name and args as proc.cmdline shows them.
func cmdline(name string, args []string) string {
	if len(args) == 0 {
		return name
	}
	var b strings.Builder
	n := len(name) + len(args)
	for _, a := range args {
		n += len(a)
	}
	b.Grow(n)
	b.WriteString(name)
	for _, a := range args {
		b.WriteByte(' ')
		b.WriteString(a)
	}
	return b.String()
}
