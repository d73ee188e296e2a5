package audit_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gumshoe-ir/gumshoe/audit"
	"github.com/gumshoe-ir/gumshoe/collector"
	"github.com/gumshoe-ir/gumshoe/collector/container"
	"github.com/gumshoe-ir/gumshoe/collector/kernel"
	"github.com/gumshoe-ir/gumshoe/collector/proc"
	"github.com/gumshoe-ir/gumshoe/event"
	"github.com/gumshoe-ir/gumshoe/internal/need"
	"github.com/gumshoe-ir/gumshoe/internal/runtimes"
)

// trail keeps the activities of this host as the line makes them, each as it
// was last handed on.
type trail struct {
	mu    sync.Mutex
	order []event.ID
	byID  map[event.ID]event.Activity
}

func (k *trail) Handle(_ context.Context, b *event.Batch) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, a := range b.Activities {
		if _, ok := k.byID[a.ID]; !ok {
			k.order = append(k.order, a.ID)
		}
		k.byID[a.ID] = a
	}
	return nil
}

// find waits for an activity that holds.
func (k *trail) find(t *testing.T, what string, holds func(*event.Activity) bool) event.Activity {
	t.Helper()
	for deadline := time.Now().Add(15 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		k.mu.Lock()
		for _, id := range k.order {
			if a := k.byID[id]; holds(&a) {
				k.mu.Unlock()
				return a
			}
		}
		k.mu.Unlock()
	}
	t.Errorf("no activity: %s", what)
	return event.Activity{}
}

// watch runs the whole line on this kernel until the test ends.
func watch(t *testing.T, o container.Options) *trail {
	t.Helper()
	need.BPF(t)
	k := &trail{byID: map[event.ID]event.Activity{}}
	ring, err := kernel.New(kernel.Options{Poison: true})
	if err != nil {
		t.Fatal(err)
	}
	resolver, err := container.New(o)
	if err != nil {
		t.Fatal(err)
	}
	table := proc.New(proc.Options{Root: "/", OnContainer: resolver.Want})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		done <- collector.Run(ctx, collector.Merge(ring, resolver), table, audit.New(audit.Options{BootID: "x"}), k)
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("the line ended with %v", err)
		}
		ring.Close()
		table.Close()
	})
	// What happens before /proc is scanned may be half known.
	up := filepath.Join(t.TempDir(), "up")
	if err := os.WriteFile(up, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	k.find(t, "that the line is up", verb(event.File, "create", up))
	return k
}

func verb(kind event.Kind, verb, target string) func(*event.Activity) bool {
	return func(a *event.Activity) bool {
		return a.Kind == kind && a.Verb == verb && strings.Contains(a.Target, target)
	}
}

func ended(then func(*event.Activity) bool) func(*event.Activity) bool {
	return func(a *event.Activity) bool { return a.End != 0 && then(a) }
}

func none() container.Options { return container.Options{Docker: []string{}, CRI: []string{}} }

func TestLiveCommandsAndFiles(t *testing.T) {
	k := watch(t, none())
	dir := t.TempDir()
	script := `echo x > made; cat /etc/shadow > /dev/null; ln -s made link; mv made moved; chmod 4755 moved; mkdir d; rmdir d; rm moved; kill -0 $$; ./missing; exit 3`
	cmd := exec.Command("/bin/sh", "-c", script)
	cmd.Dir = dir
	if err := cmd.Run(); err == nil {
		t.Fatal("the script did not end with 3")
	}
	sh := k.find(t, "the shell, ended", ended(verb(event.Command, "exec", "/bin/sh -c echo x > made")))
	if sh.Result != 3<<8 || sh.User == "" || sh.Session == 0 || sh.End <= sh.ID.NS {
		t.Errorf("the shell: %+v", sh)
	}
	for _, want := range []struct{ verb, target, name string }{
		{"create", dir + "/made", ""},
		{"read", "/etc/shadow", ""},
		{"symlink", dir + "/link", "made"},
		{"rename", dir + "/made", dir + "/moved"},
		{"chmod", dir + "/moved", ""},
		{"mkdir", dir + "/d", ""},
		{"rmdir", dir + "/d", ""},
		{"unlink", dir + "/moved", ""},
	} {
		a := k.find(t, want.verb+" "+want.target, verb(event.File, want.verb, want.target))
		if a.Name != want.name || a.Session != sh.Session {
			t.Errorf("%s: second path %q, session %x of %x", want.verb, a.Name, a.Session, sh.Session)
		}
	}
	cat := k.find(t, "cat, ended", ended(func(a *event.Activity) bool { return a.Target == "cat /etc/shadow" }))
	if cat.Process == nil || cat.Process.Parent == nil || cat.Process.Parent.PID != sh.Process.PID {
		t.Errorf("cat's parent is not the shell: %+v", cat.Process)
	}
}

// TestAsk is not a test but what TestLiveNames watches: a process that asks a
// name server of its own and connects to what it answered.
func TestAsk(t *testing.T) {
	if os.Getenv("GUMSHOE_TALK") == "" {
		return
	}
	server, err := net.ListenPacket("udp4", "127.7.7.7:53")
	if err != nil {
		t.Fatal(err)
	}
	client, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	const answer = "\x00\x01\x81\x80\x00\x01\x00\x01\x00\x00\x00\x00\x03www\x07example\x03org\x00\x00\x01\x00\x01" +
		"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\x7f\x01\x02\x03"
	if _, err := server.WriteTo([]byte(answer), client.LocalAddr()); err != nil {
		t.Fatal(err)
	}
	if _, _, err := client.ReadFrom(make([]byte, 512)); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp4", "127.1.2.3:0")
	if err != nil {
		t.Fatal(err)
	}
	c, err := net.Dial("tcp4", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	fmt.Println("ASKED", l.Addr())
	c.Close()
	l.Close()
}

func TestLiveNames(t *testing.T) {
	k := watch(t, none())
	cmd := exec.Command(os.Args[0], "-test.run=^TestAsk$")
	cmd.Env = append(os.Environ(), "GUMSHOE_TALK=1")
	said, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	var addr string
	if _, err := fmt.Sscanf(string(said), "ASKED %s", &addr); err != nil {
		t.Fatalf("%v in %q", err, said)
	}
	if a := k.find(t, "the connection", verb(event.Connection, "connect", addr)); a.Name != "www.example.org" {
		t.Errorf("%+v", a)
	}
	k.find(t, "the datagram to the client", verb(event.Connection, "send", "127.0.0.1:"))
}

// TestTalk is not a test but what TestLiveConnections watches: a process that
// talks to itself over TCP.
func TestTalk(t *testing.T) {
	if os.Getenv("GUMSHOE_TALK") == "" {
		return
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		c, err := l.Accept()
		if err != nil {
			return
		}
		c.Read(make([]byte, 5))
		c.Write(make([]byte, 1000))
		c.Close()
	}()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	c.Write([]byte("hello"))
	io.ReadAll(c)
	c.Close()
	<-done
	l.Close()
	fmt.Println("TALKED", l.Addr(), c.LocalAddr())
}

func TestLiveConnections(t *testing.T) {
	k := watch(t, none())
	cmd := exec.Command(os.Args[0], "-test.run=^TestTalk$")
	cmd.Env = append(os.Environ(), "GUMSHOE_TALK=1")
	said, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var addr, client string
	if _, err := fmt.Sscanf(string(said), "TALKED %s %s", &addr, &client); err != nil {
		t.Fatalf("%v in %q", err, said)
	}
	out := k.find(t, "the connection out, closed", ended(verb(event.Connection, "connect", addr)))
	if out.Sent != 5 || out.Received != 1000 || out.Proto != event.ProtoTCP || out.Result != 0 || out.Remote.String() != addr {
		t.Errorf("out: %+v", out)
	}
	in := k.find(t, "the connection in, closed", func(a *event.Activity) bool {
		return a.Verb == "accept" && a.Local.String() == addr && a.End != 0
	})
	if in.Sent != 1000 || in.Received != 5 || in.Remote.String() != client {
		t.Errorf("in: %+v", in)
	}
	k.find(t, "the listener, closed", ended(verb(event.Connection, "listen", addr)))
}

func TestLiveContainers(t *testing.T) {
	need.BPF(t)
	d := runtimes.NeedDocker(t)
	c := runtimes.NeedCRI(t)
	k := watch(t, container.Options{Docker: []string{d.Socket}, CRI: []string{c.Socket}})
	id, err := d.Run(t.Context(), "web-1", nil, "sleep", "100")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.CLI(t.Context(), "exec", id, "sh", "-c", "cat /etc/shadow >/dev/null; /bin/id"); err != nil {
		t.Fatal(err)
	}
	pod, err := c.RunPod(t.Context(), "billing", "api-7c9", "sleep", "100")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Exec(t.Context(), pod, "sh", "-c", "/bin/id; true"); err != nil {
		t.Fatal(err)
	}
	box := k.find(t, "id in the docker container", func(a *event.Activity) bool {
		return a.Kind == event.Command && a.Target == "/bin/id" && in(a, id)
	})
	if p := box.Process; p != nil && (p.Container.Name != "web-1" || p.Container.Image != runtimes.Image) {
		t.Errorf("docker: %+v", p.Container)
	}
	shell := k.find(t, "docker exec's shell", func(a *event.Activity) bool {
		return verb(event.Command, "exec", "sh -c cat")(a) && in(a, id)
	})
	main := k.find(t, "the container's first process", func(a *event.Activity) bool {
		return verb(event.Command, "exec", "sleep 100")(a) && in(a, id)
	})
	if box.Session != shell.Session || shell.Session == main.Session || shell.Session == 0 {
		t.Errorf("sessions: id %x, its shell %x, the container %x", box.Session, shell.Session, main.Session)
	}
	k.find(t, "the sensitive read in the container", func(a *event.Activity) bool {
		return verb(event.File, "read", "/etc/shadow")(a) && in(a, id)
	})
	inPod := k.find(t, "id in the pod, ended, with its pod", func(a *event.Activity) bool {
		return a.Kind == event.Command && a.Target == "/bin/id" && a.End != 0 && in(a, pod.Container) && a.Process.Container.Pod != ""
	})
	if p := inPod.Process; p != nil && (p.Container.Pod != "api-7c9" || p.Container.Namespace != "billing" || p.Container.Image != runtimes.Image) {
		t.Errorf("pod: %+v", p.Container)
	}
}

func in(a *event.Activity, id string) bool {
	return a.Process != nil && a.Process.Container != nil && strings.HasPrefix(id, a.Process.Container.ID)
}

func TestLiveShortNamesAreKept(t *testing.T) {
	k := watch(t, none())
	dir := t.TempDir()
	evil := filepath.Join(dir, "a\x1b[2J\nb\xff")
	if err := os.WriteFile(evil, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	k.find(t, "a file with a hostile name", verb(event.File, "create", evil))
}
