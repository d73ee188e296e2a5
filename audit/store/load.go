package store

import (
	"context"
	"database/sql"
	"fmt"
	"net/netip"
	"slices"
	"strconv"

	"github.com/gumshoe-ir/gumshoe/event"
)

// line is one row of activity.
type line struct {
	row, tail, kind, severity, verb, target, process, who, result, count, end, origin int64
}

const lineColumns = "a.id, a.tail, a.kind, a.severity, a.verb, a.target, a.process, a.who, a.result, a.count, a.end, a.origin"

func (l *line) scan(rows *sql.Rows) error {
	return rows.Scan(&l.row, &l.tail, &l.kind, &l.severity, &l.verb, &l.target, &l.process, &l.who, &l.result, &l.count, &l.end, &l.origin)
}

// in is ids as the inside of an SQL list.
func in(ids []int64) string {
	b := make([]byte, 0, 8*len(ids))
	for i, id := range ids {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendInt(b, id, 10)
	}
	return string(b)
}

// load turns lines into whole activities.
func (r *reader) load(ctx context.Context, lines []line) ([]event.Activity, error) {
	if len(lines) == 0 {
		return nil, nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.refresh(ctx); err != nil {
		return nil, err
	}
	var texts, processes, whos, rows []int64
	for i := range lines {
		l := &lines[i]
		if l.kind < 0 || l.kind >= int64(event.Kinds) {
			return nil, fmt.Errorf("kind %d of row %d: %w", l.kind, l.row, errCodec)
		}
		texts = append(texts, l.verb, l.target)
		processes = append(processes, l.process)
		whos = append(whos, l.who)
		rows = append(rows, l.row)
	}
	text, err := r.texts(ctx, texts)
	if err != nil {
		return nil, err
	}
	process, err := r.snapshots(ctx, processes)
	if err != nil {
		return nil, err
	}
	if err := r.loadWhos(ctx, whos); err != nil {
		return nil, err
	}
	out := make([]event.Activity, len(lines))
	at := make(map[int64]int, len(lines))
	for i := range lines {
		l := &lines[i]
		out[i] = event.Activity{
			ID: r.day.idOf(l.row, l.tail), End: uint64(l.end), Kind: event.Kind(l.kind), Severity: event.Priority(l.severity),
			Verb: text[l.verb], Target: text[l.target], Process: process[l.process],
			Result: l.result, Count: uint32(l.count), Origin: event.Origin(l.origin),
		}
		if w := r.whos[l.who]; w != nil {
			out[i].Session, out[i].User = w.Session, w.User
		}
		at[l.row] = i
	}
	return out, r.extras(ctx, rows, func(row int64) *event.Activity { return &out[at[row]] })
}

// refresh drops what the caches know of containers when the file knows more.
func (r *reader) refresh(ctx context.Context) error {
	var seq int64
	if err := r.tx.QueryRowContext(ctx, "select value from meta where name = 'containers'").Scan(&seq); err != nil {
		return err
	}
	if seq != r.seq {
		r.processes.clear()
		r.named.clear()
		clear(r.whos)
		r.whoTop, r.seq = 0, seq
	}
	return nil
}

// missing are the ids, each once, that have finds nothing for.
func missing[V any](ids []int64, have map[int64]V, from *cache[int64, V]) []int64 {
	var out []int64
	for _, id := range ids {
		if _, ok := have[id]; ok || id <= 0 {
			continue
		}
		if v, ok := from.get(id); ok {
			have[id] = v
			continue
		}
		out = append(out, id)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// texts are strings by id.
func (r *reader) texts(ctx context.Context, ids []int64) (map[int64]string, error) {
	have := make(map[int64]string, len(ids))
	want := missing(ids, have, r.strings)
	if len(want) == 0 {
		return have, nil
	}
	return have, r.query(ctx, "select id, value from string where id in ("+in(want)+")", func(rows *sql.Rows) error {
		var id int64
		var b sql.RawBytes
		if err := rows.Scan(&id, &b); err != nil {
			return err
		}
		have[id] = string(b)
		if len(b) <= cachable {
			r.strings.put(id, have[id])
		}
		return nil
	})
}

func (r *reader) listsOf(ctx context.Context, ids []int64) (map[int64][]string, error) {
	have := make(map[int64][]string, len(ids))
	want := missing(ids, have, r.lists)
	if len(want) == 0 {
		return have, nil
	}
	return have, r.query(ctx, "select id, value from list where id in ("+in(want)+")", func(rows *sql.Rows) error {
		var id int64
		var b sql.RawBytes
		if err := rows.Scan(&id, &b); err != nil {
			return err
		}
		l, err := readList(b)
		if err != nil {
			return fmt.Errorf("list %d: %w", id, err)
		}
		have[id] = l
		r.lists.put(id, l)
		return nil
	})
}

func (r *reader) containersOf(ctx context.Context, ids []int64) (map[int64]*event.Container, error) {
	have := make(map[int64]*event.Container, len(ids))
	want := missing(ids, have, r.named)
	if len(want) == 0 {
		return have, nil
	}
	return have, r.query(ctx, "select id, data from container where id in ("+in(want)+")", func(rows *sql.Rows) error {
		var id int64
		var b sql.RawBytes
		if err := rows.Scan(&id, &b); err != nil {
			return err
		}
		c, err := readContainer(b)
		if err != nil {
			return fmt.Errorf("container %d: %w", id, err)
		}
		have[id] = c
		r.named.put(id, c)
		return nil
	})
}

// stub is a process row whose references are not yet filled in.
type stub struct {
	id, name, exepath, cmdline, parent, leader, container, cwd, env, cgroups int64
	p                                                                        *event.Process
}

// snapshots are process rows by id, with all ancestry.
func (r *reader) snapshots(ctx context.Context, ids []int64) (map[int64]*event.Process, error) {
	have := make(map[int64]*event.Process, len(ids))
	stubs := map[int64]*stub{}
	for want := missing(ids, have, r.processes); len(want) > 0; {
		var next []int64
		err := r.query(ctx, "select id, pid, start, name, exepath, cmdline, parent, leader, container, data from process where id in ("+in(want)+")",
			func(rows *sql.Rows) error {
				s, err := scanStub(rows)
				if err != nil {
					return err
				}
				stubs[s.id] = s
				next = append(next, s.parent, s.leader)
				return nil
			})
		if err != nil {
			return nil, err
		}
		next = slices.DeleteFunc(next, func(id int64) bool { return stubs[id] != nil })
		want = missing(next, have, r.processes)
	}
	return have, r.fill(ctx, stubs, have)
}

func scanStub(rows *sql.Rows) (*stub, error) {
	s := &stub{p: &event.Process{}}
	var start int64
	var data sql.RawBytes
	if err := rows.Scan(&s.id, &s.p.PID, &start, &s.name, &s.exepath, &s.cmdline, &s.parent, &s.leader, &s.container, &data); err != nil {
		return nil, err
	}
	s.p.StartBoot = uint64(start)
	var err error
	if s.cwd, s.env, s.cgroups, err = readProcess(data, s.p); err != nil {
		return nil, fmt.Errorf("process %d: %w", s.id, err)
	}
	return s, nil
}

// fill completes stubs and adds them to have.
func (r *reader) fill(ctx context.Context, stubs map[int64]*stub, have map[int64]*event.Process) error {
	if len(stubs) == 0 {
		return nil
	}
	var texts, lists, containers []int64
	for _, s := range stubs {
		texts = append(texts, s.name, s.exepath, s.cmdline, s.cwd)
		lists = append(lists, s.env, s.cgroups)
		containers = append(containers, s.container)
		have[s.id] = s.p
	}
	text, err := r.texts(ctx, texts)
	if err != nil {
		return err
	}
	list, err := r.listsOf(ctx, lists)
	if err != nil {
		return err
	}
	container, err := r.containersOf(ctx, containers)
	if err != nil {
		return err
	}
	for _, s := range stubs {
		p := s.p
		p.Name, p.ExePath, p.Cmdline, p.Cwd = text[s.name], text[s.exepath], text[s.cmdline], text[s.cwd]
		p.Env, p.Cgroups, p.Container = list[s.env], list[s.cgroups], container[s.container]
		p.Parent = have[s.parent]
		p.Leader = have[s.leader]
		if s.leader == -1 {
			p.Leader = p
		}
		r.processes.put(s.id, p)
	}
	return nil
}

// loadWhos fills r.whos for ids, or for all that the file has when ids is nil.
func (r *reader) loadWhos(ctx context.Context, ids []int64) error {
	where := fmt.Sprintf(" where id > %d", r.whoTop)
	all := ids == nil
	if !all {
		ids = slices.DeleteFunc(slices.Clone(ids), func(id int64) bool { return r.whos[id] != nil })
		if len(ids) == 0 {
			return nil
		}
		slices.Sort(ids)
		where = " where id in (" + in(slices.Compact(ids)) + ")"
	}
	type half struct {
		a         *event.Activity
		container int64
	}
	var halves []half
	var containers []int64
	err := r.query(ctx, "select id, container, session, user, uid, name, loginuid, login from who"+where, func(rows *sql.Rows) error {
		var id, container, session int64
		var user, name, login string
		p := &event.Process{}
		if err := rows.Scan(&id, &container, &session, &user, &p.UID, &name, &p.LoginUID, &login); err != nil {
			return err
		}
		a := &event.Activity{Session: event.SessionID(session), User: user}
		if container != nobody {
			a.Process, p.LoginUser = p, login
			if name != "" {
				p.User = &event.User{UID: p.UID, Name: name}
			}
		}
		r.whos[id] = a
		if all {
			r.whoTop = max(r.whoTop, id)
		}
		halves, containers = append(halves, half{a, container}), append(containers, container)
		return nil
	})
	if err != nil {
		return err
	}
	named, err := r.containersOf(ctx, containers)
	if err != nil {
		return err
	}
	for _, h := range halves {
		if h.a.Process != nil {
			h.a.Process.Container = named[h.container]
		}
	}
	return nil
}

// extras adds what few rows have.
func (r *reader) extras(ctx context.Context, rows []int64, of func(row int64) *event.Activity) error {
	type refs struct {
		a                      *event.Activity
		remote, name, realpath int64
	}
	var all []refs
	var ids []int64
	err := r.query(ctx, "select id, remote, local, proto, sent, received, name, flags, realpath from extra where id in ("+in(rows)+")",
		func(rows *sql.Rows) error {
			var row, sent, received int64
			var x refs
			var local sql.RawBytes
			var proto uint8
			var flags uint32
			if err := rows.Scan(&row, &x.remote, &local, &proto, &sent, &received, &x.name, &flags, &x.realpath); err != nil {
				return err
			}
			x.a = of(row)
			x.a.Proto, x.a.Sent, x.a.Received, x.a.Flags = event.L4Proto(proto), uint64(sent), uint64(received), flags
			var err error
			if x.a.Local, err = readAddr(local); err != nil {
				return fmt.Errorf("address of row %d: %w", row, err)
			}
			all, ids = append(all, x), append(ids, x.remote, x.name, x.realpath)
			return nil
		})
	if err != nil || len(all) == 0 {
		return err
	}
	text, err := r.texts(ctx, ids)
	if err != nil {
		return err
	}
	for _, x := range all {
		x.a.Name, x.a.RealPath = text[x.name], text[x.realpath]
		if s := text[x.remote]; s != "" {
			if x.a.Remote, err = netip.ParseAddrPort(s); err != nil {
				return fmt.Errorf("remote address %q: %w", s, errCodec)
			}
		}
	}
	return nil
}
