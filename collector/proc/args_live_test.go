package proc_test

import (
	"bytes"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/gumshoe-ir/gumshoe/event"
)

// TestLiveArgumentsAreWhole runs /bin/true, which ends at once, with arguments
// far longer than an event.
func TestLiveArgumentsAreWhole(t *testing.T) {
	hostile := "\x1b]0;x\x07\n\u202egpj.\xff\xfe\u200b\t"
	_, w, stop := follow(t)
	for _, c := range []struct {
		name string
		exe  string
		args []string
		cut  bool
	}{
		{"one just too long for an event", "true", []string{strings.Repeat("a", 4095)}, false},
		{"one of 120 KiB", "true", []string{strings.Repeat(hostile, 120<<10/len(hostile))}, false},
		{"argv[0] of 100 KiB", strings.Repeat("0", 100<<10), []string{"x", "", hostile}, false},
		{"1 MiB in many", "true", numbered(1<<20, 1000), false},
		{"1.5 MiB in few", "true", numbered(3<<19, 100<<10), false},
	} {
		cmd := &exec.Cmd{Path: "/bin/true", Args: append([]string{c.exe}, c.args...), Env: []string{}}
		if err := cmd.Run(); err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		e := w.find(t, c.name, func(e *event.Event) bool {
			return e.Type == event.SyscallExecveV19X && e.TID == int64(cmd.Process.Pid)
		})
		p := e.Process
		if p.Exe != c.exe || !slices.Equal(p.Args, c.args) {
			t.Errorf("%s: %d bytes of argv[0] and %d arguments of %d bytes, want %d, %d and %d", c.name,
				len(p.Exe), len(p.Args), len(strings.Join(p.Args, "")), len(c.exe), len(c.args), len(strings.Join(c.args, "")))
		}
		if want := p.Name + " " + strings.Join(c.args, " "); p.Cmdline != want {
			t.Errorf("%s: the command line has %d bytes, want %d", c.name, len(p.Cmdline), len(want))
		}
		if got := p.ExeFlags&event.ArgsCut != 0; got != c.cut {
			t.Errorf("%s: marked as cut: %v", c.name, got)
		}
	}
	stop()
}

// TestLiveForkKeepsLongArguments forks from a process whose arguments do not
// fit an event: the child has the same. Pieces may be lost on a busy machine;
// then what is left is marked, and the next try counts.
func TestLiveForkKeepsLongArguments(t *testing.T) {
	_, w, stop := follow(t)
	defer stop()
	long := numbered(200<<10, 5000)
	for range 4 {
		cmd := exec.Command("/bin/bash", append([]string{"-c", "(cat /etc/hostname; :) >/dev/null; true", "name"}, long...)...)
		if err := cmd.Run(); err != nil {
			t.Fatal(err)
		}
		e := w.find(t, "the end of the child", func(e *event.Event) bool {
			return e.Type == event.ProcexitV1E && e.Process.PPID == int32(cmd.Process.Pid) && e.Process.Name == "bash"
		})
		got := e.Process.Args
		if slices.Equal(got[min(3, len(got)):], long) {
			return
		}
		if e.Process.ExeFlags&event.ArgsCut == 0 {
			t.Fatalf("the child has %d arguments, want %d, and is not marked", len(got), len(long)+3)
		}
	}
	t.Error("the arguments were cut each time")
}

// TestLivePathsAreWhole runs a program from, and in, a folder with the longest
// path that there is, with a hostile name.
func TestLivePathsAreWhole(t *testing.T) {
	_, w, stop := follow(t)
	name := "\x1b[2J\n\xff\u202e;'$"
	dir := t.TempDir()
	part := "/" + strings.Repeat("\xfe\x1b[7m\n", 40)
	for len(dir)+len(part)+len(name) < 4000 {
		dir += part
	}
	dir += "/" + strings.Repeat("z", 4095-len(dir)-2-len(name))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile("/bin/true")
	if err != nil {
		t.Fatal(err)
	}
	path := dir + "/" + name
	if err := os.WriteFile(path, b, 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := &exec.Cmd{Path: path, Args: []string{"x"}, Dir: dir}
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	e := w.find(t, "the exec", func(e *event.Event) bool {
		return e.Type == event.SyscallExecveV19X && e.TID == int64(cmd.Process.Pid)
	})
	p := e.Process
	if p.ExePath != path || p.Cwd != dir+"/" || p.Name != name[:min(len(name), 15)] {
		t.Errorf("executable of %d bytes in a folder of %d called %q, want %d, %d and %q", len(p.ExePath), len(p.Cwd), p.Name, len(path), len(dir)+1, name)
	}
	if !bytes.HasPrefix(e.Params.At(30), []byte(path)) {
		t.Errorf("the path asked for has %d bytes, want %d", len(e.Params.At(30)), len(path))
	}
	stop()
}

// numbered is arguments of size bytes in all, each of about each.
func numbered(size, each int) []string {
	var out []string
	for n := 0; n < size; n += each {
		out = append(out, strings.Repeat(string(rune('a'+n/each%26)), each-1))
	}
	return out
}
