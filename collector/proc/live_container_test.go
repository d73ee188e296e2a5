package proc_test

import (
	"strings"
	"testing"

	"github.com/gumshoe-ir/gumshoe/event"
	"github.com/gumshoe-ir/gumshoe/internal/need"
	"github.com/gumshoe-ir/gumshoe/internal/runtimes"
)

// TestLiveContainer starts a container whose users have other names than the
// host's, and asks who did what in it.
func TestLiveContainer(t *testing.T) {
	need.BPF(t)
	docker := runtimes.NeedDocker(t)
	_, w, _ := follow(t)
	first := shell(t, "sleep 61")
	w.find(t, "the line to begin", func(e *event.Event) bool {
		return e.Type == event.SyscallExecveV19X && e.Process.PID == int32(first.Process.Pid)
	})
	id, err := docker.Run(t.Context(), "web", []string{"--user=1000:1000"}, "sleep", "3600")
	if err != nil {
		t.Fatal(err)
	}
	id = strings.TrimSpace(id)
	entry := w.find(t, "the container's first process", func(e *event.Event) bool {
		return e.Type == event.SyscallExecveV19X && e.Process.Cmdline == "sleep 3600"
	}).Process
	if c := entry.Container; c == nil || c.FullID != id || c.ID != id[:12] || c.Runtime != event.Docker || !c.Pending {
		t.Errorf("container %+v, want %s", entry.Container, id)
	}
	if entry.User == nil || entry.User.Name != "app" || entry.Group != "app" {
		t.Errorf("user %+v of %d, group %q of %d", entry.User, entry.UID, entry.Group, entry.GID)
	}
	if host := execOf(t, w, first.Process.Pid); entry.VPID != 1 || entry.MountNS == host.MountNS || host.Container != nil {
		t.Errorf("pid %d inside, mount namespace %d", entry.VPID, entry.MountNS)
	}
	if got := names(entry); !strings.HasPrefix(got, "sleep<containerd-shim<") {
		t.Errorf("ancestry %s", got)
	}
	if shim := entry.Parent; shim == nil || shim.Container != nil {
		t.Errorf("the runtime's shim is in a container: %+v", shim)
	}
	if _, err := docker.CLI(t.Context(), "exec", "web", "sh", "-c", "cd /tmp; echo x > made; true"); err != nil {
		t.Fatal(err)
	}
	made := w.find(t, "a file made in the container", func(e *event.Event) bool {
		return e.FD != nil && e.FD.Name == "/tmp/made"
	})
	if p := made.Process; p.Container != entry.Container || p.Name != "sh" || p.User == nil || p.User.Name != "app" || p.Cwd != "/tmp/" {
		t.Errorf("%+v", p)
	}
}

// execOf is the process of pid's exec.
func execOf(t *testing.T, w *witness, pid int) *event.Process {
	t.Helper()
	return w.find(t, "an exec", func(e *event.Event) bool { return e.Type == event.SyscallExecveV19X && int(e.Process.PID) == pid }).Process
}
