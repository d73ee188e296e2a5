package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"

	"charm.land/fang/v2"
	"github.com/spf13/cobra"

	"github.com/gumshoe-ir/gumshoe/event/safe"
)

// Exit codes, the same for every command.
const (
	exitRows    = 0 // done, or there were rows
	exitNone    = 1 // nothing found, or it went wrong
	exitUsage   = 2 // flags, arguments or configuration make no sense
	exitNoLive  = 3 // nothing can be collected here, or no engine answers
	exitRefused = 4 // not allowed
)

// exit is an error that chooses its exit code.
type exit struct {
	code int
	err  error // nil: nothing to say
}

func (e *exit) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit %d", e.code)
	}
	return e.err.Error()
}

func (e *exit) Unwrap() error { return e.err }

func usage(format string, args ...any) error {
	return &exit{exitUsage, fmt.Errorf(format, args...)}
}

// program is one run of gumshoe.
type program struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	configFile     string
	storeDir       string // flags, over the configuration
	theme          string
	ascii          bool
	code           int
}

// run is the program: it ends with args done, ctx done or a signal, and
// returns the exit code.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
	defer stop()
	signal.Ignore(syscall.SIGPIPE) // a closed pipe is an error of its Write: the end is orderly
	defer signal.Reset(syscall.SIGPIPE)
	p := &program{stdin: stdin, stdout: stdout, stderr: stderr}
	root := p.command()
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := fang.Execute(ctx, root, fang.WithVersion(version), fang.WithErrorHandler(func(io.Writer, fang.Styles, error) {}))
	if err != nil { // only cobra's own: commands keep theirs
		p.fail(usage("%w (see gumshoe --help)", err))
	}
	return p.code
}

// do makes f a command's action: its errors are said in one line, and choose
// the exit code.
func (p *program) do(f func(context.Context, []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		if err := f(cmd.Context(), args); err != nil {
			p.fail(err)
		}
		return nil
	}
}

// fail says err, unless it is a reader that went away or the user's own ctrl-c.
func (p *program) fail(err error) {
	if errors.Is(err, syscall.EPIPE) || errors.Is(err, context.Canceled) {
		return
	}
	p.code = exitNone
	var e *exit
	if errors.As(err, &e) {
		p.code = e.code
		if e.err == nil {
			return
		}
	}
	if errors.Is(err, os.ErrPermission) && p.code == exitNone {
		p.code = exitRefused
	}
	fmt.Fprintln(p.stderr, "gumshoe:", safe.Line(strings.ReplaceAll(err.Error(), "\n", "; "), 4096))
}

// command is the tree of all commands.
func (p *program) command() *cobra.Command {
	root := &cobra.Command{
		Use:   "gumshoe",
		Short: "See what happened on a Linux host, and who did it",
		Long: "gumshoe collects what this host does from its kernel, keeps an audit trail of it and shows it.\n" +
			"Without a command it starts the console. Exit codes: 0 rows or done, 1 none or failed, 2 usage,\n" +
			"3 nothing can be collected here, 4 refused.",
		Args: cobra.NoArgs,
		RunE: p.do(func(ctx context.Context, _ []string) error { return p.guarded(ctx) }),
	}
	root.PersistentFlags().StringVar(&p.configFile, "config", "", "configuration file (default "+configPath+")")
	root.PersistentFlags().StringVar(&p.storeDir, "store", "", "folder of the audit trail (default from the configuration)")
	p.screenFlags(root)
	root.AddCommand(p.embeddedCommand(), p.consoleCommand(), p.collectCommand(), p.activityCommand(), p.psCommand(), p.tailCommand(),
		p.doctorCommand(), p.configCommand(), p.versionCommand())
	return root
}

func (p *program) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Say which version this is", Args: cobra.NoArgs,
		RunE: p.do(func(context.Context, []string) error {
			line := "gumshoe " + version
			if info, ok := debug.ReadBuildInfo(); ok {
				line += " " + info.GoVersion
			}
			_, err := fmt.Fprintln(p.stdout, line)
			return err
		}),
	}
}
