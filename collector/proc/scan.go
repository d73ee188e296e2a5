package proc

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/gumshoe-ir/gumshoe/event"
)

// scanner reads /proc, with what is of use for one pass only.
type scanner struct {
	t    *Table
	buf  []byte
	nets nets
	text map[string]string // paths seen, kept once
}

const (
	scanFDs     = 1 << 10 // descriptors read of one process
	scanThreads = 1 << 12 // threads read of one process
)

func (t *Table) scanner() *scanner {
	if t.buf == nil {
		t.buf = make([]byte, maxArgs)
	}
	return &scanner{t: t, buf: t.buf, text: make(map[string]string)}
}

// Scan reads the processes, descriptors and accounts of the host. Handle does
// so with its first batch unless it was called before. Events older than what
// it saw of their process change nothing any more. Without a Root it does
// nothing. It fails when /proc cannot be listed.
func (t *Table) Scan(ctx context.Context) error {
	t.scanned = true
	if t.opts.Root == "" {
		return nil
	}
	t.users.refresh(t, t.now())
	dir := filepath.Join(t.opts.Root, "proc")
	f, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("scan processes: %w", err)
	}
	defer f.Close()
	names, err := f.Readdirnames(-1)
	if err != nil {
		return fmt.Errorf("scan processes: %w", err)
	}
	var pids []int32
	for _, name := range names {
		if pid, err := strconv.ParseInt(name, 10, 32); err == nil && pid > 0 {
			pids = append(pids, int32(pid))
		}
	}
	slices.Sort(pids)
	s := t.scanner()
	for _, pid := range pids {
		if ctx.Err() != nil {
			return fmt.Errorf("scan processes: %w", ctx.Err())
		}
		s.process(pid)
	}
	t.relate(pids)
	t.start = t.Processes()
	return nil
}

// now is the time of the line, in ns since the epoch.
func (t *Table) now() uint64 {
	if t.boot == 0 {
		return 0
	}
	return uint64(time.Now().UnixNano())
}

// process reads process pid, unless it is a thread or ends meanwhile.
func (s *scanner) process(pid int32) *group {
	t := s.t
	d, err := openProc(t.opts.Root, pid, s.buf)
	if err != nil {
		return nil
	}
	defer d.close()
	b, err := d.read("stat")
	if err != nil {
		return nil
	}
	st := parseStat(b)
	if !st.ok {
		return nil
	}
	p := &event.Process{PID: pid, TID: pid}
	cgroups := d.describe(p, &st, &t.env)
	if t.boot != 0 {
		p.CloneTime = t.boot + p.StartBoot
	}
	g := t.addGroup(p, nil, nil)
	g.start, g.exact, g.scanned = p.StartBoot, t.boot != 0, t.now()
	t.charge(g, p)
	t.addThread(g, pid, p.VTID)
	t.setCgroups(g, cgroups, nil)
	g.files = t.files.fork(nil, false)
	if !st.kernel {
		s.descriptors(&d, g)
		t.users.visit(t, g, g.scanned)
	}
	if st.threads > 1 {
		s.threads(&d, g)
	}
	return g
}

// threads adds the other threads of g.
func (s *scanner) threads(d *procDir, g *group) {
	for i, name := range list(d, "task", scanThreads) {
		tid, err := strconv.ParseInt(name, 10, 32)
		if err != nil || tid <= 0 || i >= scanThreads || s.t.threads[int32(tid)] != nil {
			continue
		}
		vtid := int32(tid)
		if g.proc.VPID != g.pid {
			vtid = 0
			if b, err := d.read("task/" + name + "/status"); err == nil {
				vtid = parseStatus(b).vtid
			}
		}
		s.t.addThread(g, int32(tid), vtid)
	}
}

// relate links the processes of a scan to parents and session leaders.
func (t *Table) relate(pids []int32) {
	for _, pid := range pids {
		if th := t.threads[pid]; th != nil && th.tid == th.group.pid {
			t.relateOne(th.group)
		}
	}
	t.epoch++
}

// relateOne links g to the parent and session leader that its numbers name.
func (t *Table) relateOne(g *group) {
	if g.parent == nil && g.pid != 1 {
		if up := t.threads[g.proc.PPID]; up != nil && !up.group.dead && !descends(up.group, g) {
			g.setParent(up.group)
		}
	}
	if g.session == nil && g.proc.SID > 0 {
		if lead := t.threads[g.proc.SID]; lead != nil && !lead.group.dead && lead.group.pid == g.proc.SID {
			g.setSession(lead.group)
		}
	}
	g.epoch = 0
}

// find is the thread tid that no event has told of, read from /proc; nil when
// it is gone or there is none to read. It asks again for a thread that was
// not there only after a while.
func (t *Table) find(tid int32, now uint64) *thread {
	if t.opts.Root == "" || t.threads[tid] != nil || t.misses.has(tid, now) {
		return nil
	}
	s := t.scanner()
	pid := tid
	if d, err := openProc(t.opts.Root, tid, s.buf); err == nil {
		if b, err := d.read("status"); err == nil {
			pid = cmp.Or(parseStatus(b).tgid, tid)
		}
		d.close()
	}
	if lead := t.threads[pid]; lead != nil && pid != tid && !lead.group.dead {
		return t.addThread(lead.group, tid, tid)
	}
	g := s.process(pid)
	if g == nil {
		t.misses.add(tid, now)
		return nil
	}
	t.relateOne(g)
	if th := t.threads[tid]; th != nil {
		return th
	}
	return t.addThread(g, tid, tid)
}

// adopt takes in the processes of a capture's header.
func (t *Table) adopt(state []*event.Process) {
	if len(state) == 0 {
		return
	}
	var pids []int32
	for _, from := range state {
		if from.PID <= 0 || t.threads[from.TID] != nil {
			continue
		}
		if lead := t.threads[from.PID]; lead != nil {
			t.addThread(lead.group, from.TID, from.VTID)
			continue
		}
		p := new(event.Process)
		*p = *from
		p.TID, p.Parent, p.Leader, p.Container = p.PID, nil, nil, nil
		g := t.addGroup(p, nil, nil)
		g.start = p.StartBoot
		g.files = t.files.fork(nil, false)
		t.addThread(g, p.PID, p.VPID)
		if from.TID != from.PID {
			t.addThread(g, from.TID, from.VTID)
		}
		t.charge(g, p)
		t.setCgroups(g, joinNUL(p.Cgroups), nil)
		pids = append(pids, p.PID)
	}
	t.relate(pids)
}

func joinNUL(list []string) []byte {
	var b []byte
	for _, s := range list {
		b = append(append(b, s...), 0)
	}
	return b
}
