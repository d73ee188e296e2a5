package store

import (
	"slices"

	"github.com/gumshoe-ir/gumshoe/event"
)

// depth bounds chains of ancestry: deeper ones are cut at their far end.
const depth = 128

// process is the row of snapshot p, seen at ns. Its ancestors come along.
func (n *names) process(p *event.Process, ns uint64) (int64, error) {
	if p == nil {
		return 0, nil
	}
	if id, ok := n.processes.get(p); ok {
		return id, nil
	}
	chain := []*event.Process{p}
	for a := p.Parent; a != nil && len(chain) < depth; a = a.Parent {
		if _, ok := n.processes.get(a); ok {
			break
		}
		chain = append(chain, a)
	}
	var id, parent int64
	if top := chain[len(chain)-1].Parent; top != nil && len(chain) < depth {
		parent, _ = n.processes.get(top)
	}
	for _, a := range slices.Backward(chain) {
		var err error
		if id, err = n.snapshot(a, parent, ns); err != nil {
			return 0, err
		}
		parent = id
	}
	return id, nil
}

// snapshot is the row of p, whose parent's row is known. A process that leads
// its own session has leader -1.
func (n *names) snapshot(p *event.Process, parent int64, ns uint64) (int64, error) {
	leader := int64(0)
	switch l := p.Leader; {
	case l == p || l != nil && l.PID == p.PID && l.StartBoot == p.StartBoot:
		leader = -1
	case l != nil:
		id, ok := n.processes.get(l)
		if !ok {
			alone := *l // a leader's own leader is itself, its ancestry comes with the parents
			alone.Leader = &alone
			var err error
			if id, err = n.process(&alone, ns); err != nil {
				return 0, err
			}
			n.processes.put(l, id)
		}
		leader = id
	}
	id, err := n.addSnapshot(p, parent, leader, ns)
	if err != nil {
		return 0, err
	}
	n.processes.put(p, id)
	return id, n.live(p, ns)
}

func (n *names) addSnapshot(p *event.Process, parent, leader int64, ns uint64) (int64, error) {
	var ids [4]int64
	for i, s := range []string{p.Name, p.ExePath, p.Cmdline, p.Cwd} {
		var err error
		if ids[i], err = n.str(s); err != nil {
			return 0, err
		}
	}
	env, err := n.list(p.Env)
	if err != nil {
		return 0, err
	}
	cgroups, err := n.list(p.Cgroups)
	if err != nil {
		return 0, err
	}
	container, err := n.container(p.Container)
	if err != nil {
		return 0, err
	}
	data := appendProcess(nil, p, ids[3], env, cgroups)
	key := encoder{slices.Clone(data)}
	key.uint(uint64(p.PID), p.StartBoot, uint64(ids[0]), uint64(ids[1]), uint64(ids[2]), uint64(parent), uint64(leader), uint64(container))
	h := n.hash(key.b)
	id, err := n.c.integer("select id from process where hash = ?", h)
	if err != nil || id != 0 {
		return id, err
	}
	_, id, err = n.c.run(`insert into process(hash, pid, start, seen, name, exepath, cmdline, parent, leader, container, data)
		values(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		h, int64(p.PID), int64(p.StartBoot), int64(ns), ids[0], ids[1], ids[2], parent, leader, container, data)
	return id, err
}

// live notes that p's process exists, and its end when p knows it.
func (n *names) live(p *event.Process, ns uint64) error {
	k := p.Key(0)
	if _, ok := n.lives.get(k); !ok {
		begin := p.CloneTime
		if begin == 0 {
			begin = p.ExecTime
		}
		if begin == 0 || begin > ns {
			begin = ns
		}
		_, _, err := n.c.run("insert into life values(?, ?, ?, 0, 0) on conflict do nothing", int64(p.PID), int64(p.StartBoot), int64(begin))
		if err != nil {
			return err
		}
		n.lives.put(k, true)
	}
	if p.ExitTime != 0 {
		return n.exit(k, p.ExitTime)
	}
	return nil
}

// exit ends a process at ns.
func (n *names) exit(k event.ProcessKey, ns uint64) error {
	_, _, err := n.c.run("update life set exit = ?, guessed = 0 where pid = ? and start = ?", int64(ns), int64(k.PID), int64(k.StartBoot))
	return err
}
