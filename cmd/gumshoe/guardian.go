package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"
)

// embeddedCommand is what the guardian starts.
func (p *program) embeddedCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "embedded", Short: "Run the engine with a console", Hidden: true, Args: cobra.NoArgs,
		RunE: p.do(func(ctx context.Context, _ []string) error { return p.embedded(ctx) }),
	}
	p.screenFlags(cmd)
	return cmd
}

// screenFlags are the flags of commands that show a console.
func (p *program) screenFlags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&p.theme, "theme", "", "auto, dark, light, 16 or mono (default from the configuration)")
	cmd.Flags().BoolVar(&p.ascii, "ascii", false, "draw with ASCII characters only")
}

// guarded runs engine and console below this process, which does nothing but
// wait and give the terminal back. A shell takes the terminal the moment its
// own child has died: were that the engine, killing it would leave shell and
// console setting the terminal's modes at the same time.
func (p *program) guarded(ctx context.Context) error {
	screen := saveTerminal(p.stdin)
	if screen == nil {
		return p.embedded(ctx) // which says that it needs one
	}
	// The engine ends with the thread that started it (prctl, PR_SET_PDEATHSIG).
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	// Where orphans cannot be adopted, a console left alone ends by itself.
	_ = unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
	cmd := exec.Command("/proc/self/exe", p.embeddedArgs()...)
	cmd.Args[0] = "gumshoe"
	cmd.Stdin, cmd.Stdout, cmd.Stderr = p.stdin, p.stdout, p.stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start the engine: %w", err)
	}
	forwarded := context.AfterFunc(ctx, func() { _ = cmd.Process.Signal(syscall.SIGTERM) }) // it may have ended
	err := cmd.Wait()
	forwarded()
	var died *exec.ExitError
	if !errors.As(err, &died) {
		return err
	}
	if died.Exited() {
		return &exit{code: died.ExitCode()} // it has said why
	}
	reapOrphans(time.Now().Add(farewell))
	screen.restore(true)
	signal := died.Sys().(syscall.WaitStatus).Signal()
	return &exit{exitNoLive, fmt.Errorf("the engine was ended by signal %v; what it collected is stored", signal)}
}

// embeddedArgs are the arguments that hand our own flags on.
func (p *program) embeddedArgs() []string {
	args := []string{"embedded"}
	if p.configFile != "" {
		args = append(args, "--config", p.configFile)
	}
	if p.storeDir != "" {
		args = append(args, "--store", p.storeDir)
	}
	if p.theme != "" {
		args = append(args, "--theme", p.theme)
	}
	return append(args, "--ascii="+strconv.FormatBool(p.ascii))
}

// reapOrphans waits until no child is left, and kills those that are left at
// end.
func reapOrphans(end time.Time) {
	for killed := false; ; {
		pid, err := unix.Wait4(-1, nil, unix.WNOHANG, nil)
		switch {
		case err == unix.EINTR:
		case err != nil: // ECHILD: all are gone
			return
		case pid > 0: // one of them
		case !killed && time.Now().After(end):
			killed = true
			killChildren()
		default:
			time.Sleep(5 * time.Millisecond)
		}
	}
}

// killChildren kills whatever we are the parent of (proc_pid_task_children).
func killChildren() {
	lists, err := filepath.Glob("/proc/self/task/*/children")
	if err != nil {
		return // the pattern is right
	}
	for _, path := range lists {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // a thread that ended
		}
		for _, f := range strings.Fields(string(text)) {
			if pid, err := strconv.Atoi(f); err == nil {
				_ = unix.Kill(pid, unix.SIGKILL) // it may have ended
			}
		}
	}
}
