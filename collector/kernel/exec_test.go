package kernel

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/gumshoe-ir/gumshoe/event"
	"github.com/gumshoe-ir/gumshoe/internal/need"
)

// terminal is a new pseudo terminal's other side.
func terminal(t *testing.T) *os.File {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	ok(t, err)
	t.Cleanup(func() { master.Close() })
	ok(t, unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0))
	n, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	ok(t, err)
	slave, err := os.OpenFile("/dev/pts/"+strconv.Itoa(n), os.O_RDWR|unix.O_NOCTTY, 0)
	ok(t, err)
	t.Cleanup(func() { slave.Close() })
	return slave
}

// TestExecInItsSurroundings compares execs on a terminal and in a pid
// namespace with /proc.
func TestExecInItsSurroundings(t *testing.T) {
	onTerminal, inside := helper(t, "exit"), helper(t, "exit")
	tty := terminal(t)
	onTerminal.ExtraFiles = []*os.File{tty}
	onTerminal.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true, Ctty: 3}
	inside.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWPID, Setpgid: true}
	want := map[*child]map[string]any{onTerminal: nil, inside: nil}
	unified, starts := map[*child]string{}, map[*child]uint64{}
	events := watch(t, Options{Only: processLife}, func() {
		for c := range want {
			c.start(t)
			want[c] = proc(t, c.pid())
			unified[c] = cgroup2(t, c.pid())
			c.finish(t)
		}
	})
	for c, w := range want {
		e := find(t, events, "exec", of(execExit, c.pid()))
		got := params(t, e)
		compare(t, got, w)
		starts[c], _ = e.Detail.Uint(event.DetailStartBoot)
		if cgroups := fmt.Sprint(e.Params.Strings(14)); !strings.Contains(cgroups, "="+unified[c]+" ") && !strings.Contains(cgroups, "="+unified[c]+"]") {
			t.Errorf("cgroups %s lack %s", cgroups, unified[c])
		}
	}
	if want[onTerminal]["tty"] == int64(0) || want[inside]["vpgid"] != int64(1) {
		t.Fatalf("the surroundings are not there: %v, %v", want[onTerminal]["tty"], want[inside]["vpgid"])
	}
	born := find(t, events, "clone", func(e *event.Event) bool {
		return e.TID == int64(inside.pid()) && (e.Type == cloneExit || e.Type == clone3Exit)
	})
	compare(t, params(t, born), map[string]any{"vtid": int64(1), "vpid": int64(1), "pidns_init_start_ts": int64(starts[inside])})
}

// cgroup2 is where pid is in the unified hierarchy.
func cgroup2(t *testing.T, pid int) string {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", pid))
	ok(t, err)
	for line := range strings.Lines(string(b)) {
		if path, found := strings.CutPrefix(strings.TrimSpace(line), "0::"); found {
			return path
		}
	}
	need.Skip(t, "needs cgroup v2")
	return ""
}

// TestExecFromAnOverlay runs a program of each layer, in a mount namespace.
func TestExecFromAnOverlay(t *testing.T) {
	dir := t.TempDir()
	for _, d := range []string{"l", "u", "w", "m"} {
		ok(t, os.Mkdir(filepath.Join(dir, d), 0o755))
	}
	copyTo(t, "/bin/true", filepath.Join(dir, "l", "lower"))
	copyTo(t, "/bin/true", filepath.Join(dir, "l", "changed"))
	script := `set -e; mount -t tmpfs none "$1/u"; mkdir "$1/u/u" "$1/u/w"
mount -t overlay overlay -o "lowerdir=$1/l,upperdir=$1/u/u,workdir=$1/u/w" "$1/m"
cp /bin/true "$1/m/upper"; echo >>"$1/m/changed"; cd "$1/m"; ./lower; ./upper; ./changed`
	ev := watch(t, Options{Only: processLife}, func() {
		cmd := exec.Command(need.Program(t, "unshare"), "-m", "sh", "-c", script, "sh", dir)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%v: %s", err, out)
		}
	})
	for name, want := range map[string]event.ExeFlags{
		"lower":   event.ExeLowerLayer,
		"upper":   event.ExeUpperLayer,
		"changed": event.ExeUpperLayer,
	} {
		e := find(t, ev, name, func(e *event.Event) bool {
			text, _ := e.Params.Text(30)
			return e.Type == execExit && text == "./"+name
		})
		flags, _ := e.Params.Uint(19)
		if got := event.ExeFlags(flags) & (event.ExeLowerLayer | event.ExeUpperLayer); got != want {
			t.Errorf("%s: flags %x, want %x", name, flags, want)
		}
	}
}

func copyTo(t *testing.T, from, to string) {
	t.Helper()
	in, err := os.Open(from)
	ok(t, err)
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY, 0o755)
	ok(t, err)
	_, err = io.Copy(out, in)
	ok(t, err)
	ok(t, out.Close())
}
