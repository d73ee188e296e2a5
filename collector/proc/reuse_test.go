package proc

import (
	"fmt"
	"testing"

	"github.com/gumshoe-ir/gumshoe/event"
)

// started gives e the kernel's word of when its process began, ns since boot.
func (l *line) started(e event.Event, ns uint64) event.Event {
	l.t.Helper()
	var values [event.DetailStartBoot + 1]any
	values[event.DetailStartBoot] = ns
	d, err := event.EncodeParams(event.Detail, values[:]...)
	if err != nil {
		l.t.Fatal(err)
	}
	e.Detail = d
	return e
}

// A pid may come back within one tick of the clock that processes are told
// apart by, and within one batch.
func TestAPidUsedAgainAtOnceIsAnotherProcess(t *testing.T) {
	for _, batched := range []bool{true, false} {
		l := newLine(t)
		l.init()
		var all []event.Event
		for i := range 8 {
			began := uint64(1e9) + uint64(i)*3e6
			all = append(all,
				l.ev(event.SyscallCloneV20X, 100, 200, "sh", []string(nil), 100, 100, 1, "/", nil, nil, nil, nil, nil, nil, "sh", nil, 0),
				l.started(l.child(200, 100, 0), began),
				l.started(l.exec(200, execed{comm: fmt.Sprint("p", i), path: "/bin/x", ppid: 100}), began),
				l.started(l.exit(200, 0), began))
		}
		before, got := l.tab.Stats(), []event.Event(nil)
		if batched {
			got = l.send(all...)
		} else {
			for _, e := range all {
				got = append(got, l.send(e)...)
			}
		}
		if st := l.tab.Stats(); st.Vanished != 0 || st.Unknown != before.Unknown {
			t.Errorf("batched %v: %d vanished, %d unknown", batched, st.Vanished, st.Unknown)
		}
		for i := range 8 {
			child, exec, exit := got[4*i+1].Process, got[4*i+2].Process, got[4*i+3].Process
			want := fmt.Sprint("p", i)
			switch {
			case child == nil || exec == nil || exit == nil:
				t.Errorf("batched %v: nobody is known to have been %s: %v %v %v", batched, want, child, exec, exit)
			case child.Name != "sh" || exec.Name != want || exit.Name != want || exit.ExitTime == 0 || exec.Parent == nil || exec.Parent.PID != 100:
				t.Errorf("batched %v: %s was born %q, ran %q below %v, ended %q at %d", batched, want, child.Name, exec.Name, exec.Parent, exit.Name, exit.ExitTime)
			}
		}
	}
}
