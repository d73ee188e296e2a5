package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"

	"github.com/gumshoe-ir/gumshoe/internal/need"
)

// patience bounds every wait: machines are slow. What is asserted is order.
const patience = 60 * time.Second

// gumshoe is the program with args, its store and metrics in a folder of the test.
func gumshoe(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	dir := t.TempDir()
	conf := filepath.Join(dir, "config.yaml")
	text := fmt.Sprintf("store: {dir: %q}\nmetrics: {socket: %q}\ncollect: {ring: 4MiB}\n", dir+"/trail", dir+"/metrics.sock")
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	path, err := exec.LookPath("gumshoe")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, append([]string{"--config", conf}, args...)...)
	cmd.Env = append(os.Environ(), "TERM=xterm-256color")
	t.Cleanup(func() {
		if cmd.Process != nil {
			cmd.Process.Kill() // ended already unless the test failed
		}
	})
	return cmd
}

// programs are the BPF programs that pid holds, by their ids.
func programs(t *testing.T, pid int) []uint32 {
	t.Helper()
	infos, err := filepath.Glob(fmt.Sprintf("/proc/%d/fdinfo/*", pid))
	if err != nil {
		t.Fatal(err)
	}
	var ids []uint32
	for _, name := range infos {
		text, err := os.ReadFile(name)
		if err != nil {
			continue // closed since
		}
		for line := range strings.Lines(string(text)) {
			var id uint32
			if n, _ := fmt.Sscanf(line, "prog_id: %d", &id); n == 1 && !slices.Contains(ids, id) {
				ids = append(ids, id)
			}
		}
	}
	return ids
}

// unloaded checks by the kernel's own account that programs are gone.
func unloaded(t *testing.T, ids []uint32) {
	t.Helper()
	if len(ids) == 0 {
		t.Error("no program was attached: this test would prove nothing")
	}
	bpftool := need.Program(t, "bpftool")
	for _, id := range ids {
		await(t, fmt.Sprintf("program %d to be unloaded", id), func() bool {
			return exec.Command(bpftool, "prog", "show", "id", fmt.Sprint(id)).Run() != nil
		})
	}
}

// await polls until done holds.
func await(t *testing.T, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !done(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

func TestFollowPrintsWhatRuns(t *testing.T) {
	need.BPF(t)
	cmd := gumshoe(t, "activity", "--json", "--follow")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = t.Output()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	found := make(chan error, 1)
	go func() {
		lines := bufio.NewReader(out)
		for {
			line, err := lines.ReadBytes('\n')
			if err != nil || bytes.Contains(line, []byte(`"target":"true gumshoe-marker"`)) {
				found <- err
				return
			}
		}
	}()
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for waiting, end := true, time.After(patience); waiting; {
		select {
		case err := <-found:
			if err != nil {
				t.Errorf("read: %v", err)
			}
			waiting = false
		case <-tick.C:
			if err := exec.Command("true", "gumshoe-marker").Run(); err != nil {
				t.Fatal(err)
			}
		case <-end:
			t.Error("the marker never came")
			waiting = false
		}
	}
	held := programs(t, cmd.Process.Pid)
	// The reader goes away: the program ends by itself at its next row.
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for waiting := true; waiting; {
		select {
		case err := <-ended:
			if err != nil {
				t.Errorf("after its pipe was closed: %v", err)
			}
			waiting = false
		case <-tick.C:
			if err := exec.Command("true").Run(); err != nil {
				t.Fatal(err)
			}
		}
	}
	unloaded(t, held)
}

func TestSignalsEndCollectionCleanly(t *testing.T) {
	need.BPF(t)
	for _, s := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP} {
		t.Run(s.String(), func(t *testing.T) {
			cmd := gumshoe(t, "collect")
			var said bytes.Buffer
			cmd.Stderr = &said
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			await(t, "attached programs", func() bool { return len(programs(t, cmd.Process.Pid)) > 0 })
			checkMetrics(t, metricsSocket(cmd))
			held := programs(t, cmd.Process.Pid)
			if err := cmd.Process.Signal(s); err != nil {
				t.Fatal(err)
			}
			if err := cmd.Wait(); err != nil {
				t.Errorf("%v: %s", err, said.String())
			}
			unloaded(t, held)
			if !strings.Contains(said.String(), "stopped") {
				t.Errorf("log: %s", said.String())
			}
			if _, err := os.Lstat(metricsSocket(cmd)); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("metrics socket left behind: %v", err)
			}
		})
	}
}

func metricsSocket(cmd *exec.Cmd) string {
	return filepath.Join(filepath.Dir(cmd.Args[2]), "metrics.sock")
}

func checkMetrics(t *testing.T, path string) {
	t.Helper()
	await(t, "the metrics socket", func() bool { _, err := os.Stat(path); return err == nil })
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("socket: %v, %v; want mode 0600", info.Mode(), err)
	}
	web := http.Client{Transport: &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) { return net.Dial("unix", path) }}}
	defer web.CloseIdleConnections()
	reply, err := web.Get("http://gumshoe/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer reply.Body.Close()
	text, err := io.ReadAll(reply.Body)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"gumshoe_events_total ", `gumshoe_lost_total{cause="ring"} `, "gumshoe_resident_bytes ", "gumshoe_lag_seconds "} {
		if !bytes.Contains(text, []byte(want)) {
			t.Errorf("metrics lack %s", want)
		}
	}
}

// console is a running gumshoe on a terminal of its own.
type console struct {
	cmd    *exec.Cmd
	tty    *os.File // the program's side, to look at
	before unix.Termios
	mu     sync.Mutex
	out    bytes.Buffer
	ended  chan error
}

func openConsole(t *testing.T) *console {
	t.Helper()
	need.BPF(t)
	ours, tty, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	if err := pty.Setsize(ours, &pty.Winsize{Rows: 36, Cols: 120}); err != nil {
		t.Fatal(err)
	}
	c := &console{cmd: gumshoe(t), tty: tty, ended: make(chan error, 1)}
	c.before = c.termios(t)
	c.cmd.Stdin, c.cmd.Stdout, c.cmd.Stderr = tty, tty, tty
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { c.ended <- c.cmd.Wait() }()
	var reader sync.WaitGroup
	reader.Go(func() {
		for buf := make([]byte, 64<<10); ; {
			n, err := ours.Read(buf)
			if err != nil {
				return
			}
			c.mu.Lock()
			c.out.Write(buf[:n])
			c.mu.Unlock()
		}
	})
	t.Cleanup(func() {
		c.cmd.Process.Kill()
		tty.Close()
		if t.Failed() {
			t.Logf("on the terminal: %q", c.text())
		}
		ours.Close()
		reader.Wait()
	})
	await(t, "a first frame", func() bool { return strings.Contains(c.text(), "\x1b[?1049h") && len(c.text()) > 2000 })
	await(t, "attached programs", func() bool { return len(programs(t, c.engine(t))) > 0 })
	return c
}

func (c *console) text() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.out.String()
}

func (c *console) termios(t *testing.T) unix.Termios {
	t.Helper()
	s, err := unix.IoctlGetTermios(int(c.tty.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	return *s
}

// engine is the engine's process, below its guardian.
func (c *console) engine(t *testing.T) int {
	t.Helper()
	return childOf(t, c.cmd.Process.Pid)
}

// child is the console's process.
func (c *console) child(t *testing.T) int {
	t.Helper()
	return childOf(t, c.engine(t))
}

// childOf waits for the first child of pid.
func childOf(t *testing.T, pid int) (child int) {
	t.Helper()
	await(t, fmt.Sprintf("a child of %d", pid), func() bool {
		out, err := exec.Command("pgrep", "-P", fmt.Sprint(pid)).Output()
		if err != nil {
			return false
		}
		_, err = fmt.Sscan(string(out), &child)
		return err == nil
	})
	return child
}

// sane checks the terminal after the end: modes as before, and every screen
// mode that was set is off again.
func (c *console) sane(t *testing.T) {
	t.Helper()
	await(t, "the terminal's old modes", func() bool { return c.termios(t) == c.before })
	for _, mode := range []string{"?1049", "?1002", "?1006", "?2004", "?25"} {
		on, off := "h", "l"
		if mode == "?25" { // the cursor: hidden first, shown at the end
			on, off = "l", "h"
		}
		await(t, "mode "+mode+" to be off", func() bool {
			text := c.text()
			return strings.LastIndex(text, "\x1b["+mode+off) >= strings.LastIndex(text, "\x1b["+mode+on)
		})
	}
}

func TestTheConsoleIsNeverRoot(t *testing.T) {
	c := openConsole(t)
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", c.child(t)))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Uid:\t65534\t65534\t65534\t65534", "CapEff:\t0000000000000000", "NoNewPrivs:\t1", "Groups:\t \n"} {
		if !strings.Contains(string(status), want) {
			t.Errorf("the console's status lacks %q:\n%s", want, status)
		}
	}
	env, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", c.child(t)))
	if err != nil || bytes.Contains(env, []byte("HOME=")) || !bytes.Contains(env, []byte("TERM=")) {
		t.Errorf("the console's environment: %q, %v", env, err)
	}
}

func TestTheTerminalIsSaneAfterEveryEnd(t *testing.T) {
	for name, end := range map[string]func(*testing.T, *console) error{
		"console killed":  func(t *testing.T, c *console) error { return syscall.Kill(c.child(t), syscall.SIGKILL) },
		"engine killed":   func(t *testing.T, c *console) error { return syscall.Kill(c.engine(t), syscall.SIGKILL) },
		"guardian killed": func(_ *testing.T, c *console) error { return c.cmd.Process.Kill() },
		"terminated":      func(_ *testing.T, c *console) error { return c.cmd.Process.Signal(syscall.SIGTERM) },
		"hung up":         func(_ *testing.T, c *console) error { return c.cmd.Process.Signal(syscall.SIGHUP) },
		"terminated with a stopped console": func(t *testing.T, c *console) error {
			return errors.Join(syscall.Kill(c.child(t), syscall.SIGSTOP), c.cmd.Process.Signal(syscall.SIGTERM))
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := openConsole(t)
			child, held := c.child(t), programs(t, c.engine(t))
			if err := end(t, c); err != nil {
				t.Fatal(err)
			}
			select {
			case <-c.ended:
			case <-time.After(patience):
				t.Fatal("it does not end")
			}
			if name != "guardian killed" && c.termios(t) != c.before {
				t.Error("the shell would find the terminal in the console's modes")
			}
			await(t, "the console to end", func() bool { return errors.Is(syscall.Kill(child, 0), syscall.ESRCH) })
			c.sane(t)
			unloaded(t, held)
		})
	}
}

// asNobody makes cmd run without privileges.
func asNobody(t *testing.T, cmd *exec.Cmd) *exec.Cmd {
	t.Helper()
	need.Root(t)
	cmd.Path, cmd.Args[0] = "/proc/self/exe", "gumshoe" // the test itself: reachable whoever we are
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	return cmd
}

func TestWithoutPermissionOneLineSaysWhatToDo(t *testing.T) {
	for _, c := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"tail", "--limit", "1"}, exitNoLive, "run as root"},
		{[]string{"collect"}, exitNoLive, "run as root"},
		{[]string{"activity", "--store", "/root/no/trail"}, exitRefused, "--store"},
		{[]string{"activity", "--follow", "--store", "/root/no/trail"}, exitRefused, "permission denied"},
	} {
		cmd := asNobody(t, exec.Command("gumshoe", c.args...))
		var said bytes.Buffer
		cmd.Stderr = &said
		err := cmd.Run()
		var exited *exec.ExitError
		if !errors.As(err, &exited) || exited.ExitCode() != c.code {
			t.Errorf("%v: %v, want exit code %d: %s", c.args, err, c.code, said.String())
		}
		if strings.Count(said.String(), "\n") != 1 || !strings.Contains(said.String(), c.says) {
			t.Errorf("%v says %q", c.args, said.String())
		}
	}
}

func TestTheCallerIsWhoCalledSudo(t *testing.T) {
	for _, c := range []struct {
		env      map[string]string
		uid, gid uint32
	}{
		{map[string]string{"SUDO_UID": "1000", "SUDO_GID": "100"}, 1000, 100},
		{nil, nobody, nobody},
		{map[string]string{"SUDO_UID": "0", "SUDO_GID": "0"}, nobody, nobody},
		{map[string]string{"SUDO_UID": "-1", "SUDO_GID": "5"}, nobody, nobody},
		{map[string]string{"SUDO_UID": "99999999999", "SUDO_GID": "5"}, nobody, nobody},
	} {
		if u, g := caller(func(k string) string { return c.env[k] }); u != c.uid || g != c.gid {
			t.Errorf("%v: %d:%d, want %d:%d", c.env, u, g, c.uid, c.gid)
		}
	}
}

func TestTheConsolesEnvironmentIsItsTerminalAndLanguage(t *testing.T) {
	got := consoleEnv([]string{"TERM=xterm", "LC_ALL=C", "HOME=/root", "LD_PRELOAD=/x.so", "SECRET=1", "NO_COLOR=1"})
	if !slices.Equal(got, []string{"TERM=xterm", "LC_ALL=C", "NO_COLOR=1"}) {
		t.Errorf("environment %v", got)
	}
}
