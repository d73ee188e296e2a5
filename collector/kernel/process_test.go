package kernel

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/gumshoe-ir/gumshoe/event"
)

// Events of process life.
const (
	cloneExit    event.Type = 223
	clone3Exit   event.Type = 335
	execExit     event.Type = 293
	execveatExit event.Type = 331
	procExit     event.Type = 186
)

// params is an event's parameters by name, as text or number.
func params(t *testing.T, e *event.Event) map[string]any {
	t.Helper()
	info, ok := e.Info()
	if !ok || e.Params.Len() != len(info.Params) {
		t.Fatalf("event %d has %d parameters", e.Type, e.Params.Len())
	}
	m := map[string]any{}
	for i, p := range info.Params {
		switch p.Type {
		case event.TypeCharbuf, event.TypeFSPath:
			m[p.Name], _ = e.Params.Text(i)
		case event.TypeBytebuf:
			m[p.Name] = strings.Join(e.Params.Strings(i), "|")
		default:
			m[p.Name], _ = e.Params.Int(i)
		}
	}
	return m
}

// proc is what /proc says of a process, under the names of the exec event.
func proc(t *testing.T, pid int) map[string]any {
	t.Helper()
	read := func(name string) string {
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", pid, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	link := func(name string) string {
		s, err := os.Readlink(fmt.Sprintf("/proc/%d/%s", pid, name))
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	status := map[string][]string{}
	for line := range strings.Lines(read("status")) {
		key, value, _ := strings.Cut(line, ":")
		status[key] = strings.Fields(value)
	}
	number := func(s string, base int) int64 {
		n, err := strconv.ParseUint(s, base, 64)
		if err != nil {
			t.Fatal(err)
		}
		return int64(n)
	}
	stat := strings.Fields(read("stat")[strings.LastIndex(read("stat"), ")")+2:])
	args := strings.Split(strings.TrimSuffix(read("cmdline"), "\x00"), "\x00")
	var exe unix.Stat_t
	if err := unix.Stat(fmt.Sprintf("/proc/%d/exe", pid), &exe); err != nil {
		t.Fatal(err)
	}
	return map[string]any{
		"res": int64(0), "exe": args[0], "args": strings.Join(args[1:], "|"),
		"tid": int64(pid), "pid": int64(pid), "ptid": number(status["PPid"][0], 10),
		"cwd": link("cwd"), "comm": status["Name"][0],
		"env":     strings.Join(strings.Split(strings.TrimSuffix(read("environ"), "\x00"), "\x00"), "|"),
		"uid":     number(status["Uid"][1], 10),
		"gid":     number(status["Gid"][1], 10),
		"tty":     number(stat[4], 10),
		"pgid":    number(stat[2], 10),
		"vpgid":   number(status["NSpgid"][len(status["NSpgid"])-1], 10),
		"exe_ino": int64(exe.Ino), "exe_ino_ctime": exe.Ctim.Nano(), "exe_ino_mtime": exe.Mtim.Nano(),
		"trusted_exepath": link("exe"),
		"cap_inheritable": number(status["CapInh"][0], 16),
		"cap_permitted":   number(status["CapPrm"][0], 16),
		"cap_effective":   number(status["CapEff"][0], 16),
		"loginuid":        int64(int32(number(read("loginuid"), 10))),
	}
}

func compare(t *testing.T, got, want map[string]any) {
	t.Helper()
	for name, w := range want {
		if got[name] != w {
			t.Errorf("%s is %v, want %v", name, got[name], w)
		}
	}
}

func TestExecSaysWhatProcSays(t *testing.T) {
	root := helper(t, "exit", "an argument", "", "mit Ümlaut\nand newline\x1b[31m")
	root.Dir = t.TempDir()
	user := helper(t, "exit")
	// Who is not root may not reach the test binary: run a copy anybody can.
	dir, err := os.MkdirTemp("/tmp", "gumshoe-kernel")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	b, err := os.ReadFile(user.Path)
	if err != nil {
		t.Fatal(err)
	}
	user.Path, user.Dir = filepath.Join(dir, "anybody.test"), "/"
	for _, err := range []error{os.WriteFile(user.Path, b, 0o755), os.Chmod(dir, 0o755)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	user.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}, Setpgid: true}
	want := map[*child]map[string]any{root: nil, user: nil}
	starts := map[*child]string{}
	events := watch(t, Options{Only: processLife}, func() {
		for c := range want {
			c.start(t)
			want[c] = proc(t, c.pid())
			starts[c] = identity(t, c.pid())
			c.finish(t)
		}
	})
	for c, w := range want {
		e := find(t, events, "exec", of(execExit, c.pid()))
		got := params(t, e)
		w["filename"] = c.Path
		w["flags"] = int64(event.ExeWritable)
		if c == user {
			w["flags"] = int64(0)
		}
		compare(t, got, w)
		for _, name := range []string{"fdlimit", "vm_size", "pgft_min"} {
			if n, _ := got[name].(int64); n <= 0 {
				t.Errorf("%s is %v", name, got[name])
			}
		}
		if s := got["cgroups"].(string); !strings.HasPrefix(s, "cpuset=/") || !strings.Contains(s, "|cpu=/") || !strings.Contains(s, "|memory=/") {
			t.Errorf("cgroups are %q", s)
		}
		if id := detailIdentity(e); id != starts[c] {
			t.Errorf("identity is %s, want %s", id, starts[c])
		}
	}
}

// identity is start (clock ticks), pidfs inode and mount namespace of a process.
func identity(t *testing.T, pid int) string {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Fatal(err)
	}
	ticks := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+2:]))[19]
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		t.Fatal(err)
	}
	ns, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/mnt", pid))
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%s %d %s", ticks, st.Ino, ns)
}

func detailIdentity(e *event.Event) string {
	start, _ := e.Detail.Uint(event.DetailStartBoot)
	ino, _ := e.Detail.Uint(event.DetailPidfsIno)
	ns, _ := e.Detail.Uint(event.DetailMountNS)
	return fmt.Sprintf("%d %d mnt:[%d]", start/10_000_000, ino, ns)
}

func TestChildIsKnownBeforeItActs(t *testing.T) {
	h := helper(t, "exit")
	events := watch(t, Options{Only: processLife}, func() { h.run(t) })
	clone := find(t, events, "clone", func(e *event.Event) bool {
		res, _ := e.Params.Int(0)
		return e.Type == cloneExit && e.TID == int64(h.pid()) && res == 0
	})
	compare(t, params(t, clone), map[string]any{
		"pid": int64(h.pid()), "tid": int64(h.pid()), "ptid": int64(os.Getpid()), "exe": os.Args[0], "uid": int64(0),
		"flags": int64(1<<15 | 1<<27), // VM, VFORK: how Go makes processes
	})
	exec := find(t, events, "exec", of(execExit, h.pid()))
	if clone.ID.Compare(exec.ID) >= 0 || clone.Num >= exec.Num {
		t.Errorf("clone %s (%d) is not before exec %s (%d)", clone.ID, clone.Num, exec.ID, exec.Num)
	}
	find(t, events, "parent's clone", func(e *event.Event) bool {
		res, _ := e.Params.Int(0)
		return e.Type == cloneExit && res == int64(h.pid())
	})
}

func TestThreadNamesItsGroup(t *testing.T) {
	h := helper(t, "thread")
	events := watch(t, Options{Only: processLife}, func() { h.run(t) })
	e := find(t, events, "thread", func(e *event.Event) bool {
		pid, _ := e.Params.Int(4)
		res, _ := e.Params.Int(0)
		return (e.Type == cloneExit || e.Type == clone3Exit) && pid == int64(h.pid()) && e.TID != pid && res == 0
	})
	if flags, _ := e.Params.Uint(15); flags&(1<<13) == 0 {
		t.Errorf("flags of a thread's clone are %#x", flags)
	}
	find(t, events, "exit of the thread", of(procExit, int(e.TID)))
}

func TestFailedExecKeepsItsArguments(t *testing.T) {
	h := helper(t, "exec-fail")
	events := watch(t, Options{Only: processLife}, func() { h.run(t) })
	failed := func(typ event.Type) *event.Event {
		return find(t, events, "failed exec", func(e *event.Event) bool {
			res, _ := e.Params.Int(0)
			return e.Type == typ && e.TID == int64(h.pid()) && res < 0
		})
	}
	compare(t, params(t, failed(execExit)), map[string]any{
		"res": int64(-2), "exe": "zero", "args": "one|two", "env": "A=1|B=2", "filename": "/no/such/program",
		"trusted_exepath": h.Path,
	})
	compare(t, params(t, failed(execveatExit)), map[string]any{"res": int64(-2), "exe": "x", "args": "", "env": ""})
}

func TestExecFromMemoryIsFlagged(t *testing.T) {
	h := helper(t, "memfd")
	events := watch(t, Options{Only: processLife}, func() { h.run(t) })
	e := find(t, events, "exec from memory", func(e *event.Event) bool {
		flags, _ := e.Params.Uint(19)
		return of(execExit, h.pid())(e) && event.ExeFlags(flags)&event.ExeFromMemfd != 0
	})
	compare(t, params(t, e), map[string]any{"exe": "payload", "trusted_exepath": "memfd:payload"})
}

func TestExitSaysHow(t *testing.T) {
	code, signal, orphan := helper(t, "exit"), helper(t, "die"), helper(t, "orphan")
	events := watch(t, Options{Only: processLife}, func() {
		code.run(t)
		signal.run(t)
		orphan.run(t)
	})
	for _, c := range []struct {
		what  string
		child *child
		want  map[string]any
	}{
		{"by code", code, map[string]any{"status": int64(0x700), "ret": int64(7), "sig": int64(0), "core": int64(0), "reaper_tid": int64(0)}},
		{"by signal", signal, map[string]any{"status": int64(9), "ret": int64(0), "sig": int64(9), "core": int64(0)}},
	} {
		t.Run(c.what, func(t *testing.T) {
			compare(t, params(t, find(t, events, "exit", of(procExit, c.child.pid()))), c.want)
		})
	}
	reaped := find(t, events, "exit with children", func(e *event.Event) bool {
		reaper, _ := e.Params.Int(4)
		return e.Type == procExit && reaper > 0
	})
	if reaper, _ := reaped.Params.Int(4); reaper == reaped.TID {
		t.Errorf("thread %d is its own reaper", reaper)
	}
}
