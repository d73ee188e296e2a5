package socket

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"

	"github.com/gumshoe-ir/gumshoe/event"
	"github.com/gumshoe-ir/gumshoe/fleet/socket/wire"
)

// Bounds on one stream from an engine. An honest one stays far below.
const (
	maxEntries = 1 << 20   // users, containers, processes or rows
	maxStream  = 256 << 20 // bytes
)

var errMalformed = errors.New("the engine's answer makes no sense")

// decoder reads one stream. Processes may name only what came before them, so
// that no answer can make a cycle.
type decoder struct {
	users      []*event.User
	containers []*event.Container
	processes  []*event.Process
	size       int // bytes read
}

// add takes the table of a message of size bytes.
func (d *decoder) add(t *wire.Table, size int) error {
	if d.size += size + 1; d.size > maxStream {
		return fmt.Errorf("%w: more than %d bytes", errMalformed, maxStream)
	}
	if len(d.users)+len(t.GetUsers()) > maxEntries || len(d.containers)+len(t.GetContainers()) > maxEntries ||
		len(d.processes)+len(t.GetProcesses()) > maxEntries {
		return fmt.Errorf("%w: more than %d entries", errMalformed, maxEntries)
	}
	for _, u := range t.GetUsers() {
		d.users = append(d.users, &event.User{
			UID: u.GetUid(), GID: u.GetGid(),
			Name: string(u.GetName()), Home: string(u.GetHome()), Shell: string(u.GetShell()),
		})
	}
	for _, c := range t.GetContainers() {
		d.containers = append(d.containers, decodeContainer(c))
	}
	for _, p := range t.GetProcesses() {
		if err := d.addProcess(p); err != nil {
			return err
		}
	}
	return nil
}

func (d *decoder) addProcess(w *wire.Process) error {
	p := decodeProcess(w)
	var err1, err2, err3, err4 error
	p.Parent, err1 = at(d.processes, w.GetParent())
	p.User, err2 = at(d.users, w.GetUser())
	p.Container, err3 = at(d.containers, w.GetContainer())
	d.processes = append(d.processes, p)
	p.Leader, err4 = at(d.processes, w.GetLeader())
	return errors.Join(err1, err2, err3, err4)
}

// at is the entry at place n of list, nil for place 0.
func at[T any](list []*T, n uint32) (*T, error) {
	if n == 0 {
		return nil, nil
	}
	if uint64(n) > uint64(len(list)) {
		return nil, fmt.Errorf("%w: it names entry %d of %d", errMalformed, n, len(list))
	}
	return list[n-1], nil
}

func decodeProcess(w *wire.Process) *event.Process {
	return &event.Process{
		PID: w.GetPid(), TID: w.GetTid(), PPID: w.GetPpid(), PGID: w.GetPgid(), SID: w.GetSid(),
		VPID: w.GetVpid(), VTID: w.GetVtid(), VPGID: w.GetVpgid(),
		Name: string(w.GetName()), Exe: string(w.GetExe()), ExePath: string(w.GetExePath()),
		Args: listStrings(w.GetArgs()), Env: listStrings(w.GetEnv()), Cmdline: string(w.GetCmdline()),
		Cwd: string(w.GetCwd()), Root: string(w.GetRoot()), Cgroups: listStrings(w.GetCgroups()),
		UID: w.GetUid(), GID: w.GetGid(), LoginUID: w.GetLoginUid(),
		Group: string(w.GetGroup()), LoginUser: string(w.GetLoginUser()), TTY: w.GetTty(),
		CapInh: w.GetCapInh(), CapPerm: w.GetCapPerm(), CapEff: w.GetCapEff(),
		ExeFlags: event.ExeFlags(w.GetExeFlags()), ExeIno: w.GetExeIno(),
		ExeCtime: w.GetExeChanged(), ExeMtime: w.GetExeModified(),
		StartBoot: w.GetStartBoot(), CloneTime: w.GetCloneTime(), ExecTime: w.GetExecTime(), ExitTime: w.GetExitTime(),
		PidnsStart: w.GetPidnsStart(), PidfsIno: w.GetPidfsIno(), MountNS: w.GetMountNs(), KernelTask: w.GetKernelTask(),
	}
}

func decodeContainer(w *wire.Container) *event.Container {
	c := &event.Container{
		ID: string(w.GetId()), FullID: string(w.GetFullId()), Runtime: event.Runtime(w.GetRuntime()),
		Name: string(w.GetName()), Image: string(w.GetImage()), Repo: string(w.GetRepo()), Tag: string(w.GetTag()),
		ImageID: string(w.GetImageId()), Digest: string(w.GetDigest()),
		Pod: string(w.GetPod()), PodUID: string(w.GetPodUid()), Namespace: string(w.GetNamespace()),
		PodSandbox: w.GetPodSandbox(), Privileged: w.GetPrivileged(), Created: w.GetCreated(),
		Pending: w.GetPending(), Problem: string(w.GetProblem()),
	}
	c.IP, _ = netip.AddrFromSlice(w.GetIp()) // none or nonsense: no address
	if n := len(w.GetLabels()); n > 0 {
		c.Labels = make(map[string]string, n)
	}
	for _, l := range w.GetLabels() {
		c.Labels[string(l.GetKey())] = string(l.GetValue())
	}
	for _, m := range w.GetMounts() {
		c.Mounts = append(c.Mounts, event.Mount{
			Source: string(m.GetSource()), Dest: string(m.GetDest()), Mode: string(m.GetMode()),
			Propagation: string(m.GetPropagation()), RW: m.GetRw(),
		})
	}
	return c
}

func (d *decoder) activity(w *wire.Activity) (event.Activity, error) {
	p, err := at(d.processes, w.GetProcess())
	if err != nil {
		return event.Activity{}, err
	}
	return event.Activity{
		ID: decodeID(w.GetId()), End: w.GetEnd(), Kind: event.Kind(w.GetKind()), Severity: event.Priority(w.GetSeverity()),
		Verb: string(w.GetVerb()), Target: string(w.GetTarget()), Process: p,
		Session: event.SessionID(w.GetSession()), User: string(w.GetUser()), Result: w.GetResult(), Count: w.GetCount(),
		Origin: event.Origin(w.GetOrigin()), Remote: decodeAddr(w.GetRemote()), Local: decodeAddr(w.GetLocal()),
		Proto: event.L4Proto(w.GetProto()), Sent: w.GetSent(), Received: w.GetReceived(),
		Name: string(w.GetName()), Flags: w.GetFlags(), RealPath: string(w.GetRealPath()),
	}, nil
}

func decodeID(w *wire.ID) event.ID {
	return event.ID{NS: w.GetNs(), Host: w.GetHost(), CPU: uint16(w.GetCpu()), Ord: uint16(w.GetOrd())}
}

// decodeAddr reads what encodeAddr wrote; nonsense is no address.
func decodeAddr(b []byte) netip.AddrPort {
	if len(b) < 2 {
		return netip.AddrPort{}
	}
	addr, _ := netip.AddrFromSlice(b[:len(b)-2])
	return netip.AddrPortFrom(addr, binary.BigEndian.Uint16(b[len(b)-2:]))
}

func decodeStatus(w *wire.Status) event.Status {
	s := event.Status{
		Now: w.GetNow(), Host: string(w.GetHost()), Kernel: string(w.GetKernel()), Version: string(w.GetVersion()),
		Source: string(w.GetSource()), Started: w.GetStarted(), Events: w.GetEvents(), Activities: w.GetActivities(),
		Rate: w.GetRate(), LagNS: w.GetLagNs(), RingUsed: w.GetRingUsed(), QueueUsed: w.GetQueueUsed(),
		StoreBytes: w.GetStoreBytes(), StoreDays: int(w.GetStoreDays()), Processes: int(w.GetProcesses()),
		Containers: int(w.GetContainers()), CPUShare: w.GetCpuShare(), RSS: w.GetRss(), Notes: listStrings(w.GetNotes()),
	}
	copy(s.Lost[:], w.GetLost())
	return s
}

func listStrings(list [][]byte) []string {
	if len(list) == 0 {
		return nil
	}
	out := make([]string, len(list))
	for i, b := range list {
		out[i] = string(b)
	}
	return out
}
