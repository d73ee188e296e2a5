// Package runtimes starts container runtimes of its own for tests and for the
// demo: a docker daemon and a containerd with CRI, each in a folder and on
// sockets of its own, with images made on the spot. It touches no runtime
// that was there before and ends only what it started.
package runtimes

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	startTimeout = 30 * time.Second
	stopTimeout  = 15 * time.Second
)

// daemon is one program of a runtime, ended by its pid.
type daemon struct {
	dir    string
	cmd    *exec.Cmd
	exited chan struct{}
}

// start runs argv with its output in dir/log. It ends with us: a test binary
// that dies leaves no daemon behind.
func start(dir string, argv ...string) (*daemon, error) {
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", argv[0], err)
	}
	d := &daemon{dir: dir, cmd: cmd, exited: make(chan struct{})}
	go func() {
		defer close(d.exited)
		// How it ended stands in its log; stop and ready look at exited only.
		_ = cmd.Wait()
	}()
	return d, nil
}

// ready waits until probe succeeds.
func (d *daemon) ready(ctx context.Context, probe func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for {
		err := probe(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-d.exited:
			return fmt.Errorf("%s ended at start: %s", d.cmd.Path, d.lastWords())
		case <-ctx.Done():
			return fmt.Errorf("%s did not answer: %w: %s", d.cmd.Path, err, d.lastWords())
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func (d *daemon) lastWords() string {
	b, err := os.ReadFile(filepath.Join(d.dir, "log"))
	if err != nil {
		return err.Error()
	}
	return string(b[max(0, len(b)-2000):])
}

// stop ends the daemon, what it mounted below its folder, and the folder.
func (d *daemon) stop() error {
	err := d.cmd.Process.Signal(syscall.SIGTERM)
	if errors.Is(err, os.ErrProcessDone) {
		err = nil
	}
	select {
	case <-d.exited:
	case <-time.After(stopTimeout):
		err = errors.Join(err, d.cmd.Process.Kill())
		<-d.exited
	}
	return errors.Join(err, unmountBelow(d.dir), os.RemoveAll(d.dir))
}

// unmountBelow detaches what containers left mounted in dir, the newest first.
func unmountBelow(dir string) error {
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		return err
	}
	lines := strings.Split(string(mounts), "\n")
	for i := len(lines) - 1; i >= 0; i-- {
		fields := strings.Fields(lines[i])
		if len(fields) > 1 && strings.HasPrefix(fields[1], dir+"/") {
			if err := unix.Unmount(fields[1], unix.MNT_DETACH); err != nil {
				return fmt.Errorf("unmount %s: %w", fields[1], err)
			}
		}
	}
	return nil
}

// output runs a client program and is what it printed.
func output(ctx context.Context, argv ...string) (string, error) {
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return stdout.String(), fmt.Errorf("%s: %w: %s", strings.Join(argv, " "), err, bytes.TrimSpace(stderr.Bytes()))
	}
	return strings.TrimSpace(stdout.String()), nil
}

// tempDir is a new folder whose path is short enough for unix sockets.
func tempDir() (string, error) { return os.MkdirTemp("/tmp", "gumshoe-rt-") }
