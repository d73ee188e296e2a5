package proc_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/gumshoe-ir/gumshoe/collector"
	"github.com/gumshoe-ir/gumshoe/collector/kernel"
	"github.com/gumshoe-ir/gumshoe/collector/proc"
	"github.com/gumshoe-ir/gumshoe/event"
	"github.com/gumshoe-ir/gumshoe/internal/need"
)

// witness keeps what the table said of execs, connects and opens.
type witness struct {
	mu     sync.Mutex
	events []*event.Event
}

func (w *witness) Handle(_ context.Context, b *event.Batch) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := range b.Events {
		switch e := &b.Events[i]; e.Type {
		case event.SyscallExecveV19X, event.SocketConnectX, event.SyscallOpenatV2X, event.ProcexitV1E:
			w.events = append(w.events, e.Clone())
		}
	}
	return nil
}

// find waits for an event that ok likes.
func (w *witness) find(t *testing.T, what string, ok func(*event.Event) bool) *event.Event {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		w.mu.Lock()
		for _, e := range w.events {
			if e.Process != nil && ok(e) {
				w.mu.Unlock()
				return e
			}
		}
		w.mu.Unlock()
	}
	t.Fatalf("waited in vain for %s", what)
	return nil
}

// follow runs the kernel's events through a table until stop, which waits.
func follow(t *testing.T) (tab *proc.Table, w *witness, stop func()) {
	t.Helper()
	need.BPF(t)
	ring, err := kernel.New(kernel.Options{RingBytes: 4 << 20, Poison: true})
	if err != nil {
		t.Fatal(err)
	}
	tab, w = proc.New(proc.Options{Root: "/"}), &witness{}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- collector.Run(ctx, ring, tab, w) }()
	var once sync.Once
	stop = func() {
		once.Do(func() {
			cancel()
			if err := <-done; err != nil {
				t.Error(err)
			}
			if err := ring.Close(); err != nil {
				t.Error(err)
			}
			if err := tab.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	t.Cleanup(stop)
	return tab, w, stop
}

// shell starts a script in a process group that ends with the test.
func shell(t *testing.T, script string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(need.Program(t, "bash"), "-c", script)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Env = append(os.Environ(), "SSH_TTY=proof", "SECRET_TOKEN=hidden")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		_ = cmd.Wait()
	})
	return cmd
}

func names(p *event.Process) string {
	var out []string
	for ; p != nil && len(out) < 64; p = p.Parent {
		out = append(out, p.Name)
	}
	return strings.Join(out, "<")
}

func TestLive(t *testing.T) {
	_, w, stop := follow(t)
	server, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	cmd := shell(t, fmt.Sprintf("cd /tmp; exec 5<>/dev/tcp/127.0.0.1/%d; (cd /usr/bin && bash -c 'cat ../../etc/hostname; true'); true", server.Addr().(*net.TCPAddr).Port))
	pid := int32(cmd.Process.Pid)
	cat := w.find(t, "the exec of cat", func(e *event.Event) bool {
		return e.Type == event.SyscallExecveV19X && e.Process.Cmdline == "cat ../../etc/hostname"
	}).Process
	if got := names(cat); !strings.HasPrefix(got, "cat<bash<bash<bash<proc.test<") && !strings.HasPrefix(got, "cat<bash<bash<proc.test<") {
		t.Errorf("ancestry %s", got)
	}
	if cat.Cwd != "/usr/bin/" || cat.User == nil || cat.User.UID != uint32(os.Geteuid()) || cat.StartBoot == 0 || cat.PGID != pid || cat.MountNS == 0 || len(cat.Cgroups) == 0 {
		t.Errorf("%+v", cat)
	}
	if env := strings.Join(cat.Env, "\n"); !strings.Contains(env, "SSH_TTY=proof") || strings.Contains(env, "hidden") || !strings.Contains(env, "SECRET_TOKEN=<6 bytes>") {
		t.Error("the environment keeps too much or too little")
	}
	opened := w.find(t, "the open", func(e *event.Event) bool {
		return e.Type == event.SyscallOpenatV2X && e.TID == int64(cat.PID) && e.FD != nil && strings.HasSuffix(e.FD.Name, "hostname")
	})
	if opened.FD.Name != "/etc/hostname" || opened.FD.NameRaw != "../../etc/hostname" || opened.Origin&event.Raced != 0 {
		t.Errorf("%+v, origin %d", opened.FD, opened.Origin)
	}
	connected := w.find(t, "the connect", func(e *event.Event) bool {
		return e.Type == event.SocketConnectX && e.Process.PID == pid && e.FD != nil && e.FD.Kind == event.FDIPv4
	}).FD
	if connected.Dest.String() != server.Addr().String() || connected.Proto != event.ProtoTCP || connected.Socket == 0 || !connected.Source.IsValid() {
		t.Errorf("%+v", connected)
	}
	ended := w.find(t, "the end", func(e *event.Event) bool { return e.Type == event.ProcexitV1E && e.Process.PID == cat.PID })
	if ended.Process.ExitTime == 0 || ended.Process.Key(0) != cat.Key(0) {
		t.Errorf("%+v", ended.Process)
	}
	stop()
	raced := 0
	for _, e := range w.events {
		if e.Origin&event.Raced != 0 && e.Process != nil && strings.Contains(names(e.Process), "proc.test") {
			raced++
			t.Errorf("raced without a race: %s is %s", e.FD.Name, e.FD.RealPath)
		}
	}
}

// TestLiveAgreesWithProc compares what events told of processes in odd states
// with what /proc says of them in the end.
func TestLiveAgreesWithProc(t *testing.T) {
	tab, w, stop := follow(t)
	first := shell(t, "sleep 61")
	w.find(t, "the line to begin", func(e *event.Event) bool {
		return e.Type == event.SyscallExecveV19X && e.Process.PID == int32(first.Process.Pid)
	})
	for _, script := range []string{
		"cd /usr && exec sleep 62",
		"setsid sleep 63 & wait",
		"(sleep 64 &) ; sleep 64", // the first is an orphan
		"exec -a other sleep 65",
		"bash -c 'exec 7</etc/passwd 8<&7; sleep 66; true'",
		need.Program(t, "script") + " -qec 'exec sleep 67' /dev/null </dev/null >/dev/null", // a terminal of its own
		need.Program(t, "unshare") + " --fork --pid sleep 68",
		"unshare --fork --pid bash -mc 'sleep 69 & (setsid sleep 60 & wait) & wait'", // groups and sessions by other numbers
	} {
		shell(t, script)
	}
	for _, n := range []int{60, 62, 63, 64, 65, 66, 67, 68, 69} {
		w.find(t, fmt.Sprintf("sleep %d", n), func(e *event.Event) bool {
			return e.Type == event.SyscallExecveV19X && strings.HasSuffix(e.Process.Cmdline, fmt.Sprintf("sleep %d", n))
		})
	}
	time.Sleep(500 * time.Millisecond) // for the orphan's parent to end
	stop()
	fresh := proc.New(proc.Options{Root: "/"})
	defer fresh.Close()
	if err := fresh.Scan(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := make(map[int32]*event.Process)
	for _, p := range fresh.Processes() {
		want[p.PID] = p
	}
	compared, onTerminal, elsewhere := 0, 0, 0
	for _, p := range tab.Processes() {
		q := want[p.PID]
		if q == nil || !strings.HasPrefix(p.Cmdline, "sleep 6") {
			continue
		}
		compared++
		if p.TTY != 0 {
			onTerminal++
		}
		if p.VPID != p.PID {
			elsewhere++
		}
		if a, b := summary(p), summary(q); a != b {
			t.Errorf("%s:\nevents say %s\n/proc says %s", p.Cmdline, a, b)
		}
	}
	if compared < 11 || onTerminal == 0 || elsewhere < 3 {
		t.Errorf("compared %d processes, %d with a terminal, %d in pid namespaces", compared, onTerminal, elsewhere)
	}
}

func summary(p *event.Process) string {
	parent, leader := int32(0), int32(0)
	if p.Parent != nil {
		parent = p.Parent.PID
	}
	if p.Leader != nil {
		leader = p.Leader.PID
	}
	return fmt.Sprint(p.PID, p.PPID, parent, leader, p.PGID, p.SID, p.VPID, p.VTID, p.VPGID, p.Name, p.Exe, p.ExePath, p.Args, p.Cwd, p.Root, p.UID, p.GID,
		p.LoginUID, p.TTY, p.CapEff, p.CapPerm, p.ExeIno, p.ExeCtime, p.ExeMtime, p.StartBoot, p.MountNS, p.User.Name, p.Group, len(p.Env))
}
