package audit

import (
	"strconv"
	"strings"

	"github.com/gumshoe-ir/gumshoe/event"
)

// becomes makes the handler of a call that sets ids. Only one that changed
// something is told: daemons set the ids that they have all the time.
func becomes(verb string, uidParam, gidParam int) func(*Sessions, *event.Event) {
	return func(s *Sessions, e *event.Event) {
		res, ok := e.Result()
		p := e.Process
		if !ok || p == nil {
			return
		}
		param := max(uidParam, gidParam)
		n, ok := e.Params.Uint(param)
		want := uint32(n)
		if !ok || want == event.NoID {
			return
		}
		had := s.actors.byKey.get(p.Key(e.ID.Host))
		before := event.NoID
		if had != nil {
			id := &had.uid
			if gidParam >= 0 {
				id = &had.gid
			}
			if before = *id; before == want {
				return
			}
			if res >= 0 {
				*id = want
			}
		}
		what := "uid "
		if gidParam >= 0 {
			what = "gid "
		}
		if before != event.NoID {
			what += strconv.FormatUint(uint64(before), 10) + " -> "
		}
		a := s.activity(e, event.System, verb, what+strconv.FormatUint(uint64(want), 10))
		a.Flags = want
		s.note(&a)
	}
}

// capset is told when the effective capabilities grew or shrank.
func (s *Sessions) capset(e *event.Event) {
	res, ok := e.Result()
	p := e.Process
	if !ok || p == nil {
		return
	}
	caps, _ := e.Params.Uint(3)
	if had := s.actors.byKey.get(p.Key(e.ID.Host)); had != nil && res >= 0 {
		if had.caps == caps {
			return
		}
		had.caps = caps
	}
	a := s.activity(e, event.System, "capset", "effective 0x"+strconv.FormatUint(caps, 16))
	s.note(&a)
}

func (s *Sessions) setns(e *event.Event) {
	if _, ok := e.Result(); !ok {
		return
	}
	flags, _ := e.Params.Uint(2)
	target := namespaces(e, 2)
	if e.FD != nil && e.FD.Name != "" {
		target = strings.TrimSpace(target + " " + e.FD.Name)
	}
	a := s.activity(e, event.System, "setns", target)
	a.Flags = uint32(flags)
	s.note(&a)
}

// unshare of nothing but files, as thread libraries do, is left out.
func (s *Sessions) unshare(e *event.Event) {
	const newNS, newNamespaces, newUser, newCgroup = 1 << 5, 1<<4 | 1<<5 | 1<<6 | 1<<7 | 1<<3, 1 << 20, 1 << 28
	flags, ok := e.Params.Uint(1)
	if !ok || flags&(newNS|newNamespaces|newUser|newCgroup) == 0 {
		return
	}
	a := s.activity(e, event.System, "unshare", namespaces(e, 1))
	a.Flags = uint32(flags)
	s.note(&a)
}

// namespaces is flags parameter i as text: "CLONE_NEWNS|CLONE_NEWPID".
func namespaces(e *event.Event, i int) string {
	flags, _ := e.Params.Uint(i)
	info, ok := e.Info()
	if !ok || i >= len(info.Params) {
		return ""
	}
	var parts []string
	for _, f := range info.Params[i].Flags {
		if f.Value != 0 && flags&f.Value == f.Value {
			parts = append(parts, f.Name)
		}
	}
	return strings.Join(parts, "|")
}

// enum is the name of enumeration parameter i.
func enum(e *event.Event, i int) string {
	v, ok := e.Params.Uint(i)
	info, known := e.Info()
	if !ok || !known || i >= len(info.Params) {
		return ""
	}
	for _, f := range info.Params[i].Flags {
		if f.Value == v {
			return f.Name
		}
	}
	return strconv.FormatUint(v, 10)
}

// ptrace is told where it takes hold of a process or changes it; what a
// debugger does all day is not.
func (s *Sessions) ptrace(e *event.Event) {
	const traceme, pokeText, pokeData, pokeUser, attach, setRegset, seize, setRegs = 1, 5, 6, 7, 11, 19, 20, 27
	switch request, _ := e.Params.Uint(3); request {
	case traceme, pokeText, pokeData, pokeUser, attach, setRegset, seize, setRegs:
	default:
		return
	}
	pid, _ := e.Params.Int(4)
	a := s.activity(e, event.System, "ptrace", enum(e, 3)+" "+strconv.FormatInt(pid, 10))
	s.note(&a)
}

// bpf is told where a program or a link is made, attached or pinned; map
// traffic is not.
func (s *Sessions) bpf(e *event.Event) {
	const progLoad, objPin, objGet, attach, detach, rawTracepoint, linkCreate, linkUpdate = 5, 6, 7, 8, 9, 17, 28, 29
	switch cmd, _ := e.Params.Uint(1); cmd {
	case progLoad, objPin, objGet, attach, detach, rawTracepoint, linkCreate, linkUpdate:
	default:
		return
	}
	a := s.activity(e, event.System, "bpf", enum(e, 1))
	s.note(&a)
}

// module makes the handler of a call on kernel modules: named by the file, by
// a name, or by nothing but its arguments.
func module(verb string, text int) func(*Sessions, *event.Event) {
	return func(s *Sessions, e *event.Event) {
		target, _ := e.Params.Text(text)
		if e.FD != nil && verb == "finit_module" {
			target = strings.TrimSpace(e.FD.Name + " " + target)
		}
		a := s.activity(e, event.System, verb, target)
		s.note(&a)
	}
}

func (s *Sessions) mounted(e *event.Event) {
	dev, _ := e.Params.Text(1)
	flags, _ := e.Params.Uint(4)
	a := s.activity(e, event.System, "mount", e.Path(2))
	a.Name, a.Flags = dev, uint32(flags)
	s.note(&a)
}

// system makes the handler of a call whose path parameter is all there is to
// say; -1 when it has none.
func system(verb string, path int) func(*Sessions, *event.Event) {
	return func(s *Sessions, e *event.Event) {
		target := ""
		if path >= 0 {
			target = e.Path(path)
		}
		a := s.activity(e, event.System, verb, target)
		s.note(&a)
	}
}

func (s *Sessions) memfd(e *event.Event) {
	name, _ := e.Params.Text(1)
	flags, _ := e.Params.Uint(2)
	a := s.activity(e, event.System, "memfd_create", name)
	a.Flags = uint32(flags)
	s.note(&a)
}

// signals makes the handler of a call that sends a signal. Signal 0 only asks
// whether a process is there, and a process may do to itself what it likes.
func signals(pidParam, sigParam int) func(*Sessions, *event.Event) {
	return func(s *Sessions, e *event.Event) {
		sig, _ := e.Params.Uint(sigParam)
		pid, _ := e.Params.Int(pidParam)
		if sig == 0 || e.Process == nil || pid == int64(e.Process.PID) || pid == e.TID || pid == int64(e.Process.VPID) {
			return
		}
		a := s.activity(e, event.System, "kill", signalName(sig)+" "+strconv.FormatInt(pid, 10))
		a.Flags = uint32(sig)
		s.note(&a)
	}
}

// signalName is the name of the signals that people send (signal(7), numbers
// of x86 and arm64).
func signalName(n uint64) string {
	switch n {
	case 1:
		return "SIGHUP"
	case 2:
		return "SIGINT"
	case 3:
		return "SIGQUIT"
	case 6:
		return "SIGABRT"
	case 9:
		return "SIGKILL"
	case 10:
		return "SIGUSR1"
	case 12:
		return "SIGUSR2"
	case 13:
		return "SIGPIPE"
	case 15:
		return "SIGTERM"
	case 17:
		return "SIGCHLD"
	case 18:
		return "SIGCONT"
	case 19:
		return "SIGSTOP"
	}
	return "signal " + strconv.FormatUint(n, 10)
}
