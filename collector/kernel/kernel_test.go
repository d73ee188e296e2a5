package kernel

import (
	"context"
	"os/exec"
	"testing"
	"time"

	"github.com/gumshoe-ir/gumshoe/event"
	"github.com/gumshoe-ir/gumshoe/internal/need"
)

// watch runs the real kernel's programs while act runs, and returns clones of
// all events recorded.
func watch(t *testing.T, o Options, act func()) []*event.Event {
	t.Helper()
	need.BPF(t)
	r, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	out := make(chan *event.Batch)
	done := make(chan error)
	go func() { done <- r.Run(ctx, out) }()
	var events []*event.Event
	go func() {
		act()
		time.Sleep(2 * paceIdle)
		cancel()
	}()
	for {
		select {
		case b := <-out:
			for i := range b.Events {
				events = append(events, b.Events[i].Clone())
			}
			if n := b.Lost.Dropped(); n != 0 {
				t.Errorf("%d events lost: %v", n, b.Lost)
			}
			b.Release()
		case err := <-done:
			if err != nil {
				t.Fatal(err)
			}
			return events
		}
	}
}

func TestExecOfARealProcess(t *testing.T) {
	ev := watch(t, Options{Poison: true, Only: processLife}, func() {
		if err := exec.Command("/bin/sh", "-c", "/bin/true hello").Run(); err != nil {
			t.Error(err)
		}
	})
	for _, e := range ev {
		t.Log(e.ID, e.TID, e.Type, e.Params.Len())
		info, ok := e.Info()
		if !ok {
			continue
		}
		for i := range info.Params {
			t.Logf("   %s %q", info.Params[i].Name, e.Params.At(i))
		}
	}
}

// processLife is the programs of bpf/process.c, and the dispatcher.
var processLife = []string{
	"sys_exit", "process_exec", "process_fork", "process_exit",
	"call_clone", "call_execve", "call_execveat", "call_setsid",
}
