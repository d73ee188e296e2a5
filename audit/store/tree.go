package store

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/gumshoe-ir/gumshoe/audit"
	"github.com/gumshoe-ir/gumshoe/event"
)

// Tree is the processes that lived at q.At, by host, each as it was last seen
// until then; parents come before children, siblings by pid.
func (db *DB) Tree(ctx context.Context, q audit.TreeQuery) ([]*event.Process, error) {
	match, err := compile(q.Filter)
	if err != nil {
		return nil, err
	}
	list, err := days(db.opt.Dir)
	if err != nil {
		return nil, fmt.Errorf("list store: %w", err)
	}
	at := q.At
	if at == 0 {
		at = max(uint64(time.Now().UnixNano()), db.Stats().Newest.NS)
	}
	latest := map[uint32]day{} // by host: the last day that began before at
	for _, d := range list {
		if d.start() <= at {
			latest[d.host] = d
		}
	}
	var out []*event.Process
	for _, d := range list {
		if latest[d.host] != d {
			continue
		}
		err := db.ask(ctx, d, func(r *reader) error {
			all, err := r.living(ctx, at, q.Exited)
			if err != nil {
				return err
			}
			out = append(out, ordered(withAncestors(all, at, d.host, match))...)
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// living is the processes that lived at an instant or ended less than exited
// before, linked to one another.
func (r *reader) living(ctx context.Context, at, exited uint64) (map[event.ProcessKey]*event.Process, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.refresh(ctx); err != nil {
		return nil, err
	}
	at = min(at, math.MaxInt64)
	type life struct{ id, exit int64 }
	var lives []life
	var ids []int64
	err := r.query(ctx, `select l.exit, (select p.id from process p where p.pid = l.pid and p.start = l.start and p.seen <= ?1
			order by p.seen desc, p.id desc limit 1)
		from life l where l.begin <= ?1 and (l.exit = 0 or l.exit > ?2)`,
		func(rows *sql.Rows) error {
			var exit int64
			var id sql.NullInt64
			if err := rows.Scan(&exit, &id); err != nil {
				return err
			}
			if id.Valid {
				lives, ids = append(lives, life{id.Int64, exit}), append(ids, id.Int64)
			}
			return nil
		}, int64(at), int64(at-min(at, exited)))
	if err != nil {
		return nil, err
	}
	snapshots, err := r.snapshots(ctx, ids)
	if err != nil {
		return nil, err
	}
	all := make(map[event.ProcessKey]*event.Process, len(lives))
	for _, l := range lives {
		p := *snapshots[l.id]
		if p.ExitTime = 0; l.exit != 0 && uint64(l.exit) <= at {
			p.ExitTime = uint64(l.exit)
		}
		all[p.Key(0)] = &p
	}
	relink(all)
	return all, nil
}

// relink makes the parents and leaders of all be members of all.
func relink(all map[event.ProcessKey]*event.Process) {
	for _, p := range all {
		if p.Parent != nil {
			if q, ok := all[p.Parent.Key(0)]; ok && q != p {
				p.Parent = q
			}
		}
		if p.Leader != nil {
			if q, ok := all[p.Leader.Key(0)]; ok {
				p.Leader = q
			}
		}
	}
}

// withAncestors is those of all that match, and their ancestors in all.
func withAncestors(all map[event.ProcessKey]*event.Process, at uint64, host uint32, match func(event.Record) bool) map[event.ProcessKey]*event.Process {
	if match == nil {
		return all
	}
	keep := map[event.ProcessKey]*event.Process{}
	for _, p := range all {
		a := event.Activity{ID: event.ID{NS: at, Host: host}, Process: p}
		if !match(&a) {
			continue
		}
		for n := 0; p != nil && n < depth; n++ {
			k := p.Key(0)
			if keep[k] != nil || all[k] == nil {
				break
			}
			keep[k] = all[k]
			p = all[k].Parent
		}
	}
	return keep
}

// ordered is all with parents before children, siblings by pid and start.
func ordered(all map[event.ProcessKey]*event.Process) []*event.Process {
	children := map[*event.Process][]*event.Process{}
	for _, p := range all {
		parent := p.Parent
		if parent != nil && all[parent.Key(0)] != parent {
			parent = nil
		}
		children[parent] = append(children[parent], p)
	}
	out := make([]*event.Process, 0, len(all))
	var walk func(parent *event.Process)
	walk = func(parent *event.Process) {
		list := children[parent]
		delete(children, parent)
		slices.SortFunc(list, func(a, b *event.Process) int {
			return cmp.Or(cmp.Compare(a.PID, b.PID), cmp.Compare(a.StartBoot, b.StartBoot))
		})
		for _, p := range list {
			out = append(out, p)
			walk(p)
		}
	}
	walk(nil)
	return out
}
