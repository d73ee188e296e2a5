package audit

import (
	"bytes"
	"strings"

	"github.com/gumshoe-ir/gumshoe/event"
)

const errNoEntry = 2

// forked makes the child of a fork a member of its parent's session while the
// parent is sure to be known.
func (s *Sessions) forked(e *event.Event) {
	if e.Process == nil {
		return
	}
	if res, ok := e.Result(); ok && res == 0 && e.Process.TID == e.Process.PID {
		s.actors.of(e.Process)
	}
}

// execed begins a command, and ends the one before in the same process.
func (s *Sessions) execed(e *event.Event) {
	p := e.Process
	res, ok := e.Result()
	if !ok || p == nil {
		return
	}
	if res < 0 {
		s.execFailed(e)
		return
	}
	key := p.Key(e.ID.Host)
	if before := s.commands.get(key); before != nil {
		before.End = e.ID.NS
		s.handOn(remade(before), false)
		s.commands.remove(key)
	}
	s.actors.entered(p)
	a := s.activity(e, event.Command, "exec", commandLine(p.Exe, p.Args, p.Name))
	a.End = 0
	s.attribute(&a)
	s.handOn(&a, true)
	if len(a.Target) > keptTarget {
		a.Target = ""
	}
	s.forgot(s.commands.put(key, a))
}

// remade is the command a with a target that was too long to keep.
func remade(a *event.Activity) *event.Activity {
	if a.Target == "" {
		line := commandLine(a.Process.Exe, a.Process.Args, a.Process.Name)
		a.Target = line[:min(len(line), maxTarget)]
	}
	return a
}

// execFailed notes what was to be run, which is not what the process is. A
// command without a slash that is not there is one step of a search in PATH.
func (s *Sessions) execFailed(e *event.Event) {
	const filename = 30
	exe := cut(e.Params.At(1))
	if res, _ := e.Result(); res == -errNoEntry && len(exe) > 0 && bytes.IndexByte(exe, '/') < 0 {
		return
	}
	a := s.activity(e, event.Command, "exec failed", commandLine(string(exe), e.Params.Strings(2), e.Path(filename)))
	s.note(&a)
}

// commandLine is what was typed, as far as can be told: argv joined by blanks.
func commandLine(exe string, args []string, otherwise string) string {
	if exe == "" {
		exe = otherwise
	}
	if len(args) == 0 {
		return exe
	}
	var b strings.Builder
	n := len(exe)
	for _, arg := range args {
		n += 1 + len(arg)
	}
	b.Grow(min(n, maxTarget))
	b.WriteString(exe)
	for _, arg := range args {
		if b.Len() >= maxTarget {
			break
		}
		b.WriteByte(' ')
		b.WriteString(arg)
	}
	return b.String()
}

// exited ends the command of a process whose last thread is gone.
func (s *Sessions) exited(e *event.Event) {
	p := e.Process
	if p == nil || p.ExitTime == 0 {
		return
	}
	key := p.Key(e.ID.Host)
	if a := s.commands.get(key); a != nil {
		a.End, a.Process = e.ID.NS, p
		a.Result, _ = e.Params.Int(0)
		s.handOn(remade(a), false)
		s.commands.remove(key)
	}
	s.actors.ended(p)
}
