package socket

import (
	"encoding/binary"
	"maps"
	"net/netip"
	"slices"

	"google.golang.org/protobuf/proto"

	"github.com/gumshoe-ir/gumshoe/event"
	"github.com/gumshoe-ir/gumshoe/fleet/socket/wire"
)

// encoder writes one stream. Each process, container and user goes into the
// table once, before the first row or process that names it.
type encoder struct {
	users      map[*event.User]uint32
	containers map[*event.Container]uint32
	processes  map[*event.Process]uint32
	open       map[*event.Process]bool // being written: guards against a cycle
	table      *wire.Table
	size       int // bytes in table, about
}

func newEncoder() *encoder {
	return &encoder{
		users:      map[*event.User]uint32{},
		containers: map[*event.Container]uint32{},
		processes:  map[*event.Process]uint32{},
		open:       map[*event.Process]bool{},
		table:      &wire.Table{},
	}
}

// take is the table's new entries since the last take.
func (e *encoder) take() *wire.Table {
	t := e.table
	e.table, e.size = &wire.Table{}, 0
	return t
}

// process is p's place, 0 for nil. Parents get their places first, so that no
// reader needs to look ahead.
func (e *encoder) process(p *event.Process) uint32 {
	if p == nil || e.open[p] {
		return 0
	}
	if n, ok := e.processes[p]; ok {
		return n
	}
	e.open[p] = true
	parent := e.process(p.Parent)
	var leader uint32
	if p.Leader != p {
		leader = e.process(p.Leader)
	}
	delete(e.open, p)
	n := uint32(len(e.processes) + 1)
	e.processes[p] = n
	if p.Leader == p {
		leader = n
	}
	w := processFields(p)
	w.Parent, w.Leader = parent, leader
	w.User, w.Container = e.user(p.User), e.container(p.Container)
	e.size += proto.Size(w)
	e.table.Processes = append(e.table.Processes, w)
	return n
}

func (e *encoder) user(u *event.User) uint32 {
	if u == nil {
		return 0
	}
	if n, ok := e.users[u]; ok {
		return n
	}
	n := uint32(len(e.users) + 1)
	e.users[u] = n
	w := &wire.User{Uid: u.UID, Gid: u.GID, Name: []byte(u.Name), Home: []byte(u.Home), Shell: []byte(u.Shell)}
	e.size += proto.Size(w)
	e.table.Users = append(e.table.Users, w)
	return n
}

func (e *encoder) container(c *event.Container) uint32 {
	if c == nil {
		return 0
	}
	if n, ok := e.containers[c]; ok {
		return n
	}
	n := uint32(len(e.containers) + 1)
	e.containers[c] = n
	w := containerFields(c)
	e.size += proto.Size(w)
	e.table.Containers = append(e.table.Containers, w)
	return n
}

func processFields(p *event.Process) *wire.Process {
	return &wire.Process{
		Pid: p.PID, Tid: p.TID, Ppid: p.PPID, Pgid: p.PGID, Sid: p.SID,
		Vpid: p.VPID, Vtid: p.VTID, Vpgid: p.VPGID,
		Name: []byte(p.Name), Exe: []byte(p.Exe), ExePath: []byte(p.ExePath),
		Args: listBytes(p.Args), Env: listBytes(p.Env), Cmdline: []byte(p.Cmdline),
		Cwd: []byte(p.Cwd), Root: []byte(p.Root), Cgroups: listBytes(p.Cgroups),
		Uid: p.UID, Gid: p.GID, LoginUid: p.LoginUID,
		Group: []byte(p.Group), LoginUser: []byte(p.LoginUser), Tty: p.TTY,
		CapInh: p.CapInh, CapPerm: p.CapPerm, CapEff: p.CapEff,
		ExeFlags: uint32(p.ExeFlags), ExeIno: p.ExeIno, ExeChanged: p.ExeCtime, ExeModified: p.ExeMtime,
		StartBoot: p.StartBoot, CloneTime: p.CloneTime, ExecTime: p.ExecTime, ExitTime: p.ExitTime,
		PidnsStart: p.PidnsStart, PidfsIno: p.PidfsIno, MountNs: p.MountNS, KernelTask: p.KernelTask,
	}
}

func containerFields(c *event.Container) *wire.Container {
	w := &wire.Container{
		Id: []byte(c.ID), FullId: []byte(c.FullID), Runtime: uint32(c.Runtime),
		Name: []byte(c.Name), Image: []byte(c.Image), Repo: []byte(c.Repo), Tag: []byte(c.Tag),
		ImageId: []byte(c.ImageID), Digest: []byte(c.Digest),
		Pod: []byte(c.Pod), PodUid: []byte(c.PodUID), Namespace: []byte(c.Namespace),
		PodSandbox: c.PodSandbox, Privileged: c.Privileged, Ip: c.IP.AsSlice(), Created: c.Created,
		Pending: c.Pending, Problem: []byte(c.Problem),
	}
	for _, k := range slices.Sorted(maps.Keys(c.Labels)) {
		w.Labels = append(w.Labels, &wire.Label{Key: []byte(k), Value: []byte(c.Labels[k])})
	}
	for _, m := range c.Mounts {
		w.Mounts = append(w.Mounts, &wire.Mount{
			Source: []byte(m.Source), Dest: []byte(m.Dest), Mode: []byte(m.Mode),
			Propagation: []byte(m.Propagation), Rw: m.RW,
		})
	}
	return w
}

func (e *encoder) activity(a *event.Activity) *wire.Activity {
	return &wire.Activity{
		Id: encodeID(a.ID), End: a.End, Kind: uint32(a.Kind), Severity: uint32(a.Severity),
		Verb: []byte(a.Verb), Target: []byte(a.Target), Process: e.process(a.Process),
		Session: uint64(a.Session), User: []byte(a.User), Result: a.Result, Count: a.Count,
		Origin: uint32(a.Origin), Remote: encodeAddr(a.Remote), Local: encodeAddr(a.Local),
		Proto: uint32(a.Proto), Sent: a.Sent, Received: a.Received,
		Name: []byte(a.Name), Flags: a.Flags, RealPath: []byte(a.RealPath),
	}
}

func encodeID(id event.ID) *wire.ID {
	return &wire.ID{Ns: id.NS, Host: id.Host, Cpu: uint32(id.CPU), Ord: uint32(id.Ord)}
}

// encodeAddr drops an address's zone: the kernel's records have none.
func encodeAddr(a netip.AddrPort) []byte {
	if !a.Addr().IsValid() {
		if a.Port() == 0 {
			return nil
		}
		return binary.BigEndian.AppendUint16(nil, a.Port())
	}
	return binary.BigEndian.AppendUint16(a.Addr().AsSlice(), a.Port())
}

func encodeStatus(s *event.Status) *wire.Status {
	return &wire.Status{
		Now: s.Now, Host: []byte(s.Host), Kernel: []byte(s.Kernel), Version: []byte(s.Version),
		Source: []byte(s.Source), Started: s.Started, Events: s.Events, Activities: s.Activities,
		Rate: s.Rate, Lost: s.Lost[:], LagNs: s.LagNS, RingUsed: s.RingUsed, QueueUsed: s.QueueUsed,
		StoreBytes: s.StoreBytes, StoreDays: uint32(s.StoreDays), Processes: uint32(s.Processes),
		Containers: uint32(s.Containers), CpuShare: s.CPUShare, Rss: s.RSS, Notes: listBytes(s.Notes),
	}
}

func listBytes(list []string) [][]byte {
	if len(list) == 0 {
		return nil
	}
	out := make([][]byte, len(list))
	for i, s := range list {
		out[i] = []byte(s)
	}
	return out
}
