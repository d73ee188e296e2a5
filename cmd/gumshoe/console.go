package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/gumshoe-ir/gumshoe/fleet/socket"
	"github.com/gumshoe-ir/gumshoe/tui"
)

// consoleCommand is what an engine starts: the screen, at the other end of a
// descriptor that it inherits.
func (p *program) consoleCommand() *cobra.Command {
	var fd int
	var o tui.Options
	cmd := &cobra.Command{
		Use: "console", Short: "Show the screen of an engine", Hidden: true, Args: cobra.NoArgs,
		RunE: p.do(func(ctx context.Context, _ []string) error { return p.console(ctx, fd, o) }),
	}
	cmd.Flags().IntVar(&fd, "fd", 3, "descriptor of the engine's socket")
	cmd.Flags().StringVar(&o.Theme, "theme", "auto", "auto, dark, light, 16 or mono")
	cmd.Flags().BoolVar(&o.ASCII, "ascii", false, "draw with ASCII characters only")
	return cmd
}

func (p *program) console(ctx context.Context, fd int, o tui.Options) error {
	if os.Geteuid() == 0 && os.Getuid() == 0 {
		return &exit{exitRefused, errors.New("the console is never root: gumshoe starts it as the calling user")}
	}
	// When the engine is killed, the shell takes the terminal back before we
	// have cleaned it: being in the background must not stop us.
	signal.Ignore(syscall.SIGTTOU)
	// We were started as /proc/self/exe: be called by our name in process lists.
	// Without it they say "exe", which harms nobody.
	_ = os.WriteFile("/proc/self/comm", []byte("gumshoe"), 0)
	file := os.NewFile(uintptr(fd), "engine")
	if file == nil {
		return usage("descriptor %d is no socket: the engine starts the console", fd)
	}
	conn, err := net.FileConn(file)
	if err != nil {
		return usage("descriptor %d is no socket: the engine starts the console", fd)
	}
	if err := file.Close(); err != nil {
		return fmt.Errorf("use the engine's socket: %w", err)
	}
	client, err := socket.Dial(ctx, conn, version)
	if err != nil {
		return &exit{exitNoLive, err}
	}
	ctx, cancel := context.WithCancel(ctx)
	var watch sync.WaitGroup
	watch.Go(func() {
		select {
		case <-client.Gone():
		case <-ctx.Done():
		}
		cancel()
	})
	defer watch.Wait()
	defer cancel()
	screen := saveTerminal(p.stdin)
	o.Trail, o.Feed = client, client
	err = tui.Run(ctx, o)
	screen.restore(false)
	select {
	case <-client.Gone():
		err = errors.Join(err, &exit{code: exitNoLive}) // its guardian, or it, says why
	default:
	}
	return errors.Join(err, client.Close())
}
