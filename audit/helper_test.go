package audit

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/gumshoe-ir/gumshoe/event"
)

const (
	second = uint64(1e9)
	start  = uint64(1_700_000_000) * second
)

// line feeds events to Sessions as batches of one, and keeps what came out.
type line struct {
	t   testing.TB
	s   *Sessions
	now uint64
	out []event.Activity
}

func newLine(t testing.TB) *line { return &line{t: t, s: New(Options{BootID: "boot"}), now: start} }

// at moves the clock of events on.
func (l *line) wait(ns uint64) *line { l.now += ns; return l }

// ev is an event of p, encoded as from the kernel.
func (l *line) ev(p *event.Process, fd *event.FD, typ event.Type, values ...any) event.Event {
	l.t.Helper()
	params, err := event.EncodeParams(typ, values...)
	if err != nil {
		l.t.Fatal(err)
	}
	l.now++
	e := event.Event{ID: event.ID{NS: l.now, Host: 7}, TID: -1, Type: typ, Params: params, Process: p, FD: fd}
	if p != nil {
		e.TID = int64(p.PID)
	}
	if fd != nil && fd.Socket != 0 {
		if e.Detail, err = event.EncodeParams(event.Detail, nil, nil, nil, nil, fd.Socket); err != nil {
			l.t.Fatal(err)
		}
	}
	return e
}

// do hands events on as one batch, whose memory it then spoils.
func (l *line) do(events ...event.Event) []event.Activity {
	l.t.Helper()
	b := event.NewBatch(nil)
	b.Host, b.Events = 7, events
	if err := l.s.Handle(l.t.Context(), b); err != nil {
		l.t.Fatal(err)
	}
	for i := range events {
		_, data := events[i].Params.Raw()
		for k := range data {
			data[k] = 'X'
		}
	}
	l.out = append(l.out, b.Activities...)
	return b.Activities
}

// give is do of one event.
func (l *line) give(p *event.Process, fd *event.FD, typ event.Type, values ...any) []event.Activity {
	l.t.Helper()
	return l.do(l.ev(p, fd, typ, values...))
}

// process makes one with parent, born now.
func (l *line) process(pid int32, parent *event.Process, name string, args ...string) *event.Process {
	return &event.Process{
		PID: pid, TID: pid, VPID: pid, StartBoot: uint64(pid) * 10, Parent: parent, Name: name, Exe: name, Args: args,
		Cwd: "/srv/", UID: 1000, LoginUID: event.NoID, User: &event.User{UID: 1000, Name: "ann"},
	}
}

// brief is what most tests compare: kind, verb, target, second name, result,
// count.
func brief(list []event.Activity) string {
	var lines []string
	for i := range list {
		a := &list[i]
		s := fmt.Sprintf("%s %s %s", a.Kind, a.Verb, a.Target)
		if a.Name != "" {
			s += " (" + a.Name + ")"
		}
		if a.Result != 0 {
			s += fmt.Sprintf(" =%d", a.Result)
		}
		if a.Count != 1 {
			s += fmt.Sprintf(" x%d", a.Count)
		}
		lines = append(lines, s)
	}
	return strings.Join(lines, "; ")
}

func ap(s string) netip.AddrPort { return netip.MustParseAddrPort(s) }

func pair(a, b string) [2]netip.AddrPort { return [2]netip.AddrPort{ap(a), ap(b)} }
