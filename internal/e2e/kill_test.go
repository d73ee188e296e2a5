package e2e

import (
	"flag"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gumshoe-ir/gumshoe/internal/need"
)

const interrupt = syscall.SIGTERM

// checksum is what md5sum prints of the terminal's modes.
var checksum = regexp.MustCompile(`(?m)^[0-9a-f]{32}`)

// programID is how fdinfo names a BPF program.
var programID = regexp.MustCompile(`(?m)^prog_id:\s*(\d+)`)

var kills = flag.Int("kills", 4, "how often engine and console are each killed at a random moment")

// children are the processes whose parent is pid.
func children(t *testing.T, pid int) (all []int) {
	t.Helper()
	lists, err := filepath.Glob("/proc/" + strconv.Itoa(pid) + "/task/*/children")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range lists {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // a thread that ended
		}
		for _, f := range strings.Fields(string(text)) {
			n, err := strconv.Atoi(f)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, n)
		}
	}
	return all
}

// engine is the pid of the engine below the guardian that the terminal's shell
// started.
func (term *terminal) engine() int {
	term.t.Helper()
	return term.gumshoeBelow(term.gumshoeBelow(term.process(), "--config"), "embedded")
}

// process is what the terminal runs.
func (term *terminal) process() int {
	term.t.Helper()
	pid, err := strconv.Atoi(strings.TrimSpace(term.tmux("display-message", "-p", "#{pane_pid}")))
	if err != nil {
		term.t.Fatal(err)
	}
	return pid
}

// gumshoeBelow waits for parent to have a child that runs the program with arg
// among its arguments.
func (term *terminal) gumshoeBelow(parent int, arg string) int {
	term.t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if pid := gumshoeWith(term.t, parent, arg); pid != 0 {
			return pid
		}
	}
	term.t.Fatalf("%d started no gumshoe %s", parent, arg)
	return 0
}

// gumshoeWith is the child of parent that runs the program with arg, 0 when it
// has none. Go's runtime forks short-lived children of its own to probe the
// kernel; those carry their parent's arguments.
func gumshoeWith(t *testing.T, parent int, arg string) int {
	t.Helper()
	for _, pid := range children(t, parent) {
		text, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/cmdline") // gone: no match
		args := strings.Split(string(text), "\x00")
		if slices.Contains(args, arg) && (args[0] == "gumshoe" || args[0] == program) {
			return pid
		}
	}
	return 0
}

// programs are the ids of the BPF programs that pid holds (its fdinfo).
func programs(t *testing.T, pid int) (ids []string) {
	t.Helper()
	infos, err := filepath.Glob("/proc/" + strconv.Itoa(pid) + "/fdinfo/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range infos {
		text, _ := os.ReadFile(name) // closed since: holds none
		for _, m := range programID.FindAllStringSubmatch(string(text), -1) {
			ids = append(ids, m[1])
		}
	}
	return ids
}

// unloaded waits until the kernel's own list holds none of ids.
func unloaded(t *testing.T, ids []string) {
	t.Helper()
	bpftool := need.Program(t, "bpftool")
	for _, id := range ids {
		end := time.Now().Add(patience)
		for exec.Command(bpftool, "prog", "show", "id", id).Run() == nil {
			if time.Now().After(end) {
				t.Errorf("program %s is still loaded", id)
				return
			}
			time.Sleep(20 * time.Millisecond)
		}
	}
}

func TestKilledAtAnyMomentNothingIsLeftBehind(t *testing.T) {
	need.BPF(t)
	conf := configure(t)
	for i := range *kills {
		for _, victim := range []string{"engine", "console"} {
			killOnce(t, conf, victim, strconv.Itoa(i))
		}
	}
}

// killOnce runs the console in a shell, kills one of the two processes at a
// random moment, and looks at what is left: modes of the terminal, programs
// in the kernel, and the rows of the store.
func killOnce(t *testing.T, conf, victim, turn string) {
	t.Helper()
	term := open(t, 100, 30, "env PS1='ready> ' sh")
	term.await("ready>")
	term.enter("stty -a | md5sum; " + program + " --config " + conf + "; stty -a | md5sum; echo the-shell-''is-back")
	term.press("Enter")
	engine := term.engine()
	word := "kill-" + victim + "-" + turn
	kept := false
	if rand.IntN(3) > 0 { // else kill while it starts
		term.await("LIVE")
		mark(t, word)
		time.Sleep(time.Duration(200+rand.IntN(400)) * time.Millisecond)
		kept = len(rows(t, conf, "proc.args contains "+word)) > 0
	} else {
		time.Sleep(time.Duration(rand.IntN(250)) * time.Millisecond)
	}
	held := programs(t, engine)
	if kept && len(held) == 0 {
		t.Errorf("%s: the engine holds no program: nothing would be proved", victim)
	}
	pid := engine
	if console := gumshoeWith(t, engine, "console"); victim == "console" && console != 0 {
		pid = console
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && err != syscall.ESRCH {
		t.Fatal(err)
	}
	screen := term.await("the-shell-is-back")
	sums := map[string]bool{}
	for _, sum := range checksum.FindAllString(screen, -1) {
		sums[sum] = true
	}
	if len(sums) != 1 {
		t.Errorf("%s killed: terminal modes differ afterwards:\n%s", victim, screen)
	}
	if alt := strings.TrimSpace(term.tmux("display-message", "-p", "#{alternate_on}#{mouse_any_flag}")); alt != "00" {
		t.Errorf("%s killed: alternate screen or mouse still on (%s)", victim, alt)
	}
	unloaded(t, held)
	if kept && len(rows(t, conf, "proc.args contains "+word)) == 0 {
		t.Errorf("%s killed: a row that could be read before is gone", victim)
	}
}
