package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/charmbracelet/x/term"
	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"github.com/gumshoe-ir/gumshoe/bpf"
	"github.com/gumshoe-ir/gumshoe/event/safe"
)

// state is how a finding is.
type state string

const (
	stateOK   state = "ok"
	stateWarn state = "warn" // works, with less
	stateFail state = "fail"
)

// finding is one thing that doctor looked at.
type finding struct {
	Name  string `json:"name"`
	State state  `json:"state"`
	Found string `json:"found"`
	Mend  string `json:"mend,omitempty"`
	Live  bool   `json:"needed_to_collect"`
}

func (p *program) doctorCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "doctor", Short: "Say what this kernel and these permissions allow, and how to mend the rest", Args: cobra.NoArgs,
		RunE: p.do(func(context.Context, []string) error { return p.doctor(asJSON) }),
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "one JSON object per line")
	return cmd
}

// doctor prints all findings; its exit code is 1 when one fails.
func (p *program) doctor(asJSON bool) error {
	c, err := p.load()
	if err != nil {
		return err
	}
	all := slices.Concat(findings(), surroundings(), runtimes(c), storage(c.Store.Dir), []finding{screen(p.stdout)})
	var out []byte
	failed := false
	for _, f := range all {
		failed = failed || f.State == stateFail
		if asJSON {
			if out, err = appendJSON(out, f); err != nil {
				return err
			}
			continue
		}
		out = fmt.Appendf(out, "%-4s  %-36s %s\n", f.State, f.Name, safe.Line(f.Found, 200))
		if f.Mend != "" {
			out = fmt.Appendf(out, "      → %s\n", safe.Line(f.Mend, 400))
		}
	}
	if _, err := p.stdout.Write(out); err != nil {
		return err
	}
	if failed {
		return &exit{code: exitNone}
	}
	return nil
}

// findings are what live collection stands on.
func findings() []finding {
	var all []finding
	for _, f := range bpf.Probe() {
		one := finding{Name: f.Need, State: stateOK, Found: f.Have, Mend: f.Mend, Live: true}
		if !f.OK {
			one.State = stateFail
		}
		all = append(all, one)
	}
	return all
}

// surroundings are what collection makes use of where it is there.
func surroundings() []finding {
	return slices.Concat(tracepoints(), []finding{tracefs(), cgroups(), loginUIDs()})
}

// tracepoints looks for the hooks in the kernel's own type information.
func tracepoints() []finding {
	types, err := os.ReadFile("/sys/kernel/btf/vmlinux")
	var all []finding
	for _, hook := range []struct{ name, symbol, without string }{
		{"system call hook (tp_btf sys_exit)", "btf_trace_sys_exit", "boot a kernel built with CONFIG_FTRACE_SYSCALLS=y"},
		{"process hooks (tp_btf sched_process)", "btf_trace_sched_process_exec", "boot a kernel built with CONFIG_TRACEPOINTS=y"},
		{"io_uring hooks", "btf_trace_io_uring_complete", "opens and connects through io_uring are not seen here: forbid it with sysctl kernel.io_uring_disabled=2"},
		{"TCP state hook", "btf_trace_inet_sock_set_state", "connections show no byte counts here"},
	} {
		f := finding{Name: hook.name, State: stateOK, Found: "present"}
		switch {
		case err != nil:
			f.State, f.Found = stateWarn, "unknown: "+err.Error()
		case !bytes.Contains(types, []byte(hook.symbol+"\x00")):
			f.State, f.Found, f.Mend = stateWarn, "missing", hook.without
		}
		all = append(all, f)
	}
	return all
}

func tracefs() finding {
	f := finding{Name: "tracefs", State: stateOK}
	for _, dir := range []string{"/sys/kernel/tracing", "/sys/kernel/debug/tracing"} {
		if _, err := os.Stat(dir + "/events"); err == nil {
			f.Found = dir
			return f
		}
	}
	f.State, f.Found = stateWarn, "not mounted, or not readable"
	f.Mend = "not needed to collect; to mount it: mount -t tracefs tracefs /sys/kernel/tracing"
	return f
}

func cgroups() finding {
	f := finding{Name: "control groups", State: stateOK}
	var fs unix.Statfs_t
	switch err := unix.Statfs("/sys/fs/cgroup", &fs); {
	case err != nil:
		f.State, f.Found, f.Mend = stateWarn, err.Error(), "containers are told by cgroups: mount them on /sys/fs/cgroup"
	case fs.Type == unix.CGROUP2_SUPER_MAGIC:
		f.Found = "version 2"
	default:
		f.Found = "version 1"
		if unix.Statfs("/sys/fs/cgroup/unified", &fs) == nil && fs.Type == unix.CGROUP2_SUPER_MAGIC {
			f.Found = "version 1, with version 2 in unified"
		}
	}
	return f
}

func loginUIDs() finding {
	f := finding{Name: "login users (audit loginuid)", State: stateOK, Found: "kept by this kernel"}
	if _, err := os.Stat("/proc/self/loginuid"); err != nil {
		f.State, f.Found, f.Mend = stateWarn, "missing", "boot a kernel built with CONFIG_AUDIT=y: without, people behind sudo are told by ancestry only"
	}
	return f
}

// runtimes looks for the sockets that name containers.
func runtimes(c *config) []finding {
	one := func(name string, sockets []string) finding {
		var there []string
		for _, s := range sockets {
			if info, err := os.Stat(s); err == nil && info.Mode().Type() == os.ModeSocket {
				there = append(there, s)
			}
		}
		if there == nil {
			return finding{
				Name: name, State: stateWarn, Found: "no socket",
				Mend: "its containers show without names: start the runtime, or name its socket in the configuration (containers)",
			}
		}
		return finding{Name: name, State: stateOK, Found: strings.Join(there, ", ")}
	}
	return []finding{one("docker or podman", c.Containers.Docker), one("CRI (Kubernetes)", c.Containers.CRI)}
}

// storage looks at the store's folder, or the nearest one above it that exists.
func storage(dir string) []finding {
	at := dir
	for at != "/" {
		if _, err := os.Stat(at); err == nil {
			break
		}
		at = filepath.Dir(at)
	}
	write := finding{Name: "audit trail's folder", State: stateOK, Found: dir}
	if err := unix.Access(at, unix.W_OK|unix.X_OK); err != nil {
		write.State, write.Found = stateFail, fmt.Sprintf("%s cannot be written: %v", at, err)
		write.Mend = "run as root, or choose another folder with --store"
	}
	space := finding{Name: "space for the audit trail", State: stateOK}
	var fs unix.Statfs_t
	if err := unix.Statfs(at, &fs); err != nil {
		space.State, space.Found = stateWarn, err.Error()
		return []finding{write, space}
	}
	free := fs.Bavail * uint64(fs.Bsize)
	space.Found = fmt.Sprintf("%.1f GiB free", float64(free)/(1<<30))
	switch {
	case free < 256<<20:
		space.State, space.Mend = stateFail, "free some space, or choose another folder with --store"
	case free < 2<<30:
		space.State, space.Mend = stateWarn, "the oldest days go first when it fills: free some space, or set store.days"
	}
	return []finding{write, space}
}

func screen(stdout any) finding {
	f := finding{Name: "terminal", State: stateOK, Found: "TERM=" + os.Getenv("TERM")}
	file, ok := stdout.(*os.File)
	switch {
	case !ok || !term.IsTerminal(file.Fd()):
		f.State, f.Found, f.Mend = stateWarn, "none here", "the console needs one; gumshoe activity, ps and tail do not"
	case os.Getenv("TERM") == "" || os.Getenv("TERM") == "dumb":
		f.State, f.Mend = stateFail, "set TERM to what your terminal is"
	default:
		if w, h, err := term.GetSize(file.Fd()); err == nil {
			f.Found += fmt.Sprintf(", %d×%d", w, h)
			if w < 60 || h < 16 {
				f.State, f.Mend = stateWarn, "make it 60×16 or larger"
			}
		}
	}
	return f
}
