package proc

import (
	"bytes"
	"strings"

	"github.com/gumshoe-ir/gumshoe/event"
)

// Parameters of execve (spec/scap.md §6.1).
const (
	execEnv, execTTY, execVPGID, execLoginUID, execFlags    = 15, 16, 17, 18, 19
	execCapInh, execCapPerm, execCapEff                     = 20, 21, 22
	execIno, execCtime, execMtime                           = 23, 24, 25
	execUID, execExePath, execPGID, execGID, execByFilename = 26, 27, 28, 29, 30
)

// exec handles execve and execveat. A failed one is shown with its caller.
func (t *Table) exec(e *event.Event) {
	res, ok := e.Params.Int(0)
	th := t.actor(e)
	if !ok || res < 0 {
		if th != nil {
			th.enter = nil
			e.Process = t.current(th)
		}
		return
	}
	if th == nil {
		if th = t.bornByExec(e); th == nil {
			return
		}
	}
	g := th.group
	if th.tid != g.pid {
		if lead := t.threads[g.pid]; lead != nil && lead.group == g {
			th = lead // an exec makes its thread the leader
		}
	}
	if th.dead && !g.dead { // a leader that had ended: another thread took its place
		th.dead = false
		g.alive++
	}
	th.used = anyHand
	if t.passive = g.dead || e.ID.NS < g.scanned; t.passive {
		p := t.edit(g)
		t.describeExec(g, p, th, e)
		e.Process, t.passive = p, false
		return
	}
	t.endGroupThreads(g, th)
	p := t.edit(g)
	t.describeExec(g, p, th, e)
	th.own, th.enter = false, nil
	g.epoch, g.named = 0, 0
	t.setCgroups(g, e.Params.At(parCgroups), nil)
	t.adoptBy(g, e)
	t.files.exec(g)
	t.users.visit(t, g, e.ID.NS)
	e.Process = t.current(th)
}

// bornByExec makes a process known by nothing but its exec.
func (t *Table) bornByExec(e *event.Event) *thread {
	if e.TID <= 0 || e.TID != int64(int32(e.TID)) || t.threads[int32(e.TID)] != nil {
		return nil
	}
	tid := int32(e.TID)
	ppid, _ := e.Params.Int(parPPID)
	p := &event.Process{PID: tid, TID: tid, VPID: tid, VTID: tid, PPID: int32(ppid), UID: event.NoID, GID: event.NoID, LoginUID: event.NoID}
	p.CloneTime = e.ID.NS
	var up, session *group
	if parent := t.threads[int32(ppid)]; parent != nil && !parent.group.dead {
		up, session = parent.group, parent.group.session
		from := parent.group.proc
		p.SID, p.Root, p.MountNS, p.Cwd = from.SID, from.Root, from.MountNS, from.Cwd
		p.UID, p.GID = from.UID, from.GID
	}
	start, _ := e.Detail.Uint(event.DetailStartBoot)
	p.StartBoot = ticks(start)
	g := t.addGroup(p, up, session)
	if g.start, g.exact = p.StartBoot, start != 0; !g.exact {
		p.StartBoot = t.sinceBoot(e.ID.NS)
		g.start = p.StartBoot
	}
	g.files = t.files.fork(nil, false)
	return t.addThread(g, tid, tid)
}

// adoptBy follows the parent that e names, where it is another than ours: an
// exit was lost.
func (t *Table) adoptBy(g *group, e *event.Event) {
	ppid, ok := e.Params.Int(parPPID)
	if !ok || ppid <= 0 || ppid != int64(int32(ppid)) {
		return
	}
	if up := g.living(); up != nil && up.pid == int32(ppid) {
		return
	}
	th := t.threads[int32(ppid)]
	if th == nil || th.group.dead || th.group == g.living() || descends(th.group, g) {
		return
	}
	g.setParent(th.group)
	g.epoch = 0
}

// describeExec fills p, g's new snapshot, with what the exec e says.
func (t *Table) describeExec(g *group, p *event.Process, th *thread, e *event.Event) {
	a := &e.Params
	p.ExeFlags = 0
	p.Name = same(p.Name, cut(a.At(parComm)))
	t.describeArgs(g, p, e)
	p.Cmdline = cmdline(p.Name, p.Args)
	p.Env = t.env.filter(t.clip(a.At(execEnv)))
	if !t.passive {
		t.charge(g, p)
	}
	setUint32(&p.TTY, a, execTTY)
	setUint32(&p.LoginUID, a, execLoginUID)
	setUint32(&p.UID, a, execUID)
	setUint32(&p.GID, a, execGID)
	setInt32(&p.VPGID, a, execVPGID)
	setInt32(&p.PGID, a, execPGID)
	setUint64(&p.CapInh, a, execCapInh)
	setUint64(&p.CapPerm, a, execCapPerm)
	setUint64(&p.CapEff, a, execCapEff)
	p.ExeIno, p.ExeCtime, p.ExeMtime = 0, 0, 0
	setUint64(&p.ExeIno, a, execIno)
	setUint64(&p.ExeCtime, a, execCtime)
	setUint64(&p.ExeMtime, a, execMtime)
	flags, _ := a.Uint(execFlags)
	p.ExeFlags |= event.ExeFlags(flags) & (event.ExeWritable | event.ExeUpperLayer | event.ExeFromMemfd | event.ExeLowerLayer)
	if cwd := cut(a.At(parCwd)); (t.opts.Root != "" || p.Cwd == "") && len(cwd) > 0 && cwd[0] == '/' {
		p.Cwd = sameSlashed(p.Cwd, cwd) // our own collector's word; other writers' is not trusted
	}
	t.setExePath(p, th, e)
	p.ExecTime = e.ID.NS
}

const deletedMark = " (deleted)"

// setExePath takes the kernel's path of the executable, or joins the one that
// was asked for.
func (t *Table) setExePath(p *event.Process, th *thread, e *event.Event) {
	path := cut(e.Params.At(execExePath))
	if len(path) > 0 {
		if rest, ok := bytes.CutSuffix(path, []byte(deletedMark)); ok {
			path = rest
			p.ExeFlags |= event.ExeDeleted
		}
		p.ExePath = same(p.ExePath, path)
		return
	}
	name := cut(e.Params.At(execByFilename))
	if in := th.entered(e); in != nil && e.Type == event.SyscallExecveV19X {
		name = cut(in.Params.At(0))
	}
	if len(name) == 0 {
		p.ExePath = "<NA>"
		return
	}
	p.ExePath = join(p.Cwd, name)
}

// charge counts the texts of g's new image, and drops the environment, then
// the arguments, when all processes' together are too much.
func (t *Table) charge(g *group, p *event.Process) {
	n := len(p.Cmdline)
	for _, s := range p.Args {
		n += len(s) + 16
	}
	env := 0
	for _, s := range p.Env {
		env += len(s) + 16
	}
	t.releaseImage(g.image)
	if t.hand.text+n+env > maxAllText {
		p.Env, env = nil, 0
		t.live.CutTexts++
	}
	if t.hand.text+n > maxAllText {
		p.Args, p.Cmdline, n = nil, p.Name, len(p.Name)
		p.ExeFlags |= event.ArgsCut
	}
	g.image = &image{bytes: n + env, refs: 1}
	t.hand.text += n + env
}

// clip bounds an argv or environment.
func (t *Table) clip(b []byte) []byte {
	if len(b) > maxText {
		t.live.CutTexts++
		b = b[:maxText]
	}
	return b
}

func setUint32(to *uint32, a *event.Params, i int) {
	if v, ok := a.Uint(i); ok {
		*to = uint32(v)
	}
}

func setInt32(to *int32, a *event.Params, i int) {
	if v, ok := a.Int(i); ok {
		*to = int32(v)
	}
}

func setUint64(to *uint64, a *event.Params, i int) {
	if v, ok := a.Uint(i); ok {
		*to = v
	}
}

// cut is b up to its first NUL.
func cut(b []byte) []byte {
	if i := bytes.IndexByte(b, 0); i >= 0 {
		return b[:i]
	}
	return b
}

// same is b as text, and old itself where they are equal: without copying.
func same(old string, b []byte) string {
	if string(b) == old {
		return old
	}
	return string(b)
}

// sameSlashed is same for a folder, which gets its trailing slash.
func sameSlashed(old string, b []byte) string {
	if n := len(old) - 1; n >= 0 && old[n] == '/' && (string(b) == old[:n] || string(b) == old) {
		return old
	}
	return slashed(string(b))
}

func slashed(dir string) string {
	if strings.HasSuffix(dir, "/") {
		return dir
	}
	return dir + "/"
}

// equalNUL tells whether raw, NUL-separated, is list, or its beginning where an
// event had to cut it.
func equalNUL(list []string, raw []byte) bool {
	if len(list) == 0 {
		return len(raw) == 0
	}
	isCut := len(raw) == cutAt
	for i, s := range list {
		last := i == len(list)-1
		if isCut && len(raw) <= len(s) {
			return s[:len(raw)] == string(raw)
		}
		if !bytes.HasPrefix(raw, []byte(s)) {
			return false
		}
		raw = raw[len(s):]
		if len(raw) == 0 {
			return last || isCut
		}
		if raw[0] != 0 {
			return false
		}
		raw = raw[1:]
	}
	return len(raw) == 0
}
