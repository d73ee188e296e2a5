package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/charmbracelet/x/term"
	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"

	"github.com/gumshoe-ir/gumshoe/fleet/socket"
)

// nobody is whom the console becomes when no one called sudo.
const nobody = 65534

// farewell is how long a console may take to leave the terminal.
const farewell = 2 * time.Second

// embedded is gumshoe without a command, below its guardian: the engine in this
// process, as root, and the console in a child of the calling user.
func (p *program) embedded(ctx context.Context) error {
	c, err := p.load()
	if err != nil {
		return err
	}
	if err := p.needTerminal(); err != nil {
		return err
	}
	if err := needLive(); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	e, err := p.openEngine(ctx, c, forConsole)
	if err != nil {
		return err
	}
	screen := saveTerminal(p.stdin)
	child, conn, err := p.startConsole(c)
	if err != nil {
		return errors.Join(err, e.close())
	}
	var g errgroup.Group
	g.Go(func() error { // beside the console, which shows what is stored meanwhile
		defer cancel()
		if err := e.attach(c, []uint32{uint32(child.Process.Pid)}); err != nil {
			return err
		}
		return e.run(ctx, c)
	})
	g.Go(func() error {
		return socket.Serve(ctx, socket.Once(conn), socket.Options{Trail: e.store, Feed: e.feed, Version: version})
	})
	go passStops(child.Process.Pid) // ends with the child
	died := p.waitConsole(ctx, child, conn)
	screen.restore(died != nil)
	cancel()
	return errors.Join(died, g.Wait(), e.close())
}

// needTerminal refuses to show a console where nobody could see it.
func (p *program) needTerminal() error {
	for _, f := range []any{p.stdin, p.stdout} {
		if file, ok := f.(*os.File); !ok || !term.IsTerminal(file.Fd()) {
			return usage("the console needs a terminal: use gumshoe activity, ps or tail in a pipe")
		}
	}
	if t := os.Getenv("TERM"); t == "" || t == "dumb" {
		return usage("the console cannot draw on TERM=%q: set TERM to what your terminal is, or use gumshoe activity", t)
	}
	return nil
}

// startConsole runs this program again as a console, as the calling user, with
// the terminal and one end of a socketpair. The other end is returned.
func (p *program) startConsole(c *config) (*exec.Cmd, net.Conn, error) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("make the console's socket: %w", err)
	}
	ours, theirs := os.NewFile(uintptr(pair[0]), "console"), os.NewFile(uintptr(pair[1]), "engine")
	defer theirs.Close()
	defer ours.Close() // FileConn keeps a copy
	conn, err := net.FileConn(ours)
	if err != nil {
		return nil, nil, fmt.Errorf("use the console's socket: %w", err)
	}
	cmd := exec.Command("/proc/self/exe", "console", "--fd", "3", "--theme", c.Screen.Theme, "--ascii="+strconv.FormatBool(c.Screen.ASCII))
	cmd.Args[0] = "gumshoe"
	cmd.Stdin, cmd.Stdout, cmd.Stderr = p.stdin, p.stdout, p.stderr
	cmd.ExtraFiles = []*os.File{theirs}
	uid, gid := caller(os.Getenv)
	cmd.Dir = "/"
	cmd.Env = consoleEnv(os.Environ())
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: gid}}
	if os.Geteuid() != 0 {
		cmd.SysProcAttr.Credential = nil // nothing to drop
	}
	if err := startUnprivileged(cmd); err != nil {
		return nil, nil, errors.Join(fmt.Errorf("start the console as user %d: %w", uid, err), conn.Close())
	}
	return cmd, conn, nil
}

// startUnprivileged starts cmd from a thread that can gain no privileges any
// more; the child inherits that. The thread ends with its goroutine.
func startUnprivileged(cmd *exec.Cmd) error {
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
			started <- fmt.Errorf("set no_new_privs: %w", err)
			return
		}
		started <- cmd.Start()
	}()
	return <-started
}

// caller is who started gumshoe with sudo, or nobody: the console is never root.
func caller(getenv func(string) string) (uid, gid uint32) {
	u, errU := strconv.ParseUint(getenv("SUDO_UID"), 10, 32)
	g, errG := strconv.ParseUint(getenv("SUDO_GID"), 10, 32)
	if errU != nil || errG != nil || u == 0 || g == 0 {
		return nobody, nobody
	}
	return uint32(u), uint32(g)
}

// consoleEnv is what a console may know of our environment: its terminal and
// language.
func consoleEnv(env []string) []string {
	keep := []string{
		"TERM", "COLORTERM", "TERM_PROGRAM", "TERM_PROGRAM_VERSION", "NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "COLORFGBG",
		"LANG", "LANGUAGE", "TZ", "TMUX", "STY", "SSH_TTY", "WT_SESSION", "TERMINFO", "TERMINFO_DIRS", "VTE_VERSION",
	}
	return slices.DeleteFunc(slices.Clone(env), func(v string) bool {
		name, _, _ := strings.Cut(v, "=")
		return !slices.Contains(keep, name) && !strings.HasPrefix(name, "LC_")
	})
}

// passStops stops the terminal's whole process group when the console has
// stopped itself (ctrl+z): it may not signal those that are root, and a shell
// takes the terminal back only when its own child has stopped. The engine
// itself hears the signal and goes on recording.
func passStops(pid int) {
	heard := make(chan os.Signal, 1)
	signal.Notify(heard, unix.SIGTSTP)
	defer signal.Stop(heard)
	for {
		err := unix.Waitid(unix.P_PID, pid, nil, unix.WSTOPPED, nil)
		switch {
		case err == nil:
			_ = unix.Kill(0, unix.SIGTSTP) // who cannot be stopped goes on
		case !errors.Is(err, unix.EINTR):
			return
		}
	}
}

// waitConsole waits for the console, and tells it to leave when ctx is done.
// Its error says how it died; nil means that it left by itself.
func (p *program) waitConsole(ctx context.Context, child *exec.Cmd, conn net.Conn) error {
	left := make(chan error, 1)
	go func() { left <- child.Wait() }()
	var err error
	select {
	case err = <-left:
	case <-ctx.Done():
		// Serve ends with ctx and closes the connection: the console sees that.
		select {
		case <-left:
			return nil
		case <-time.After(farewell):
			err = errors.Join(child.Process.Kill(), <-left)
		}
	}
	var died *exec.ExitError
	if !errors.As(err, &died) {
		return err
	}
	if died.Exited() {
		return &exit{code: died.ExitCode()} // it has said why
	}
	return fmt.Errorf("the console was ended by signal %v; what was collected is stored", died.Sys().(syscall.WaitStatus).Signal())
}
