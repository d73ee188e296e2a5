// Package e2e runs the built program as a person would: in a real terminal,
// against the real kernel, with real containers.
package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gumshoe-ir/gumshoe/internal/need"
)

// program is the gumshoe that TestMain built.
var program string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "gumshoe-e2e")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	program = filepath.Join(dir, "gumshoe")
	build := exec.Command("go", "build", "-tags", "sqlite_fts5", "-o", program, "../../cmd/gumshoe")
	build.Stderr = os.Stderr
	code := 1
	if err := build.Run(); err == nil {
		code = m.Run()
	}
	os.RemoveAll(dir)
	os.Exit(code)
}

// patience bounds every wait. It is long because machines are slow, not
// because the program may be: what is asserted is the order of things.
const patience = 30 * time.Second

// terminal is one tmux server with one window.
type terminal struct {
	t      *testing.T
	server string
}

// open starts command in a terminal of w by h cells.
func open(t *testing.T, w, h int, command string) *terminal {
	t.Helper()
	need.Program(t, "tmux")
	term := &terminal{t: t, server: fmt.Sprintf("gumshoe-%d-%d", os.Getpid(), time.Now().UnixNano())}
	t.Cleanup(func() { exec.Command("tmux", "-L", term.server, "kill-server").Run() })
	term.tmux("-f", "/dev/null", "new-session", "-d", "-x", fmt.Sprint(w), "-y", fmt.Sprint(h), command)
	term.tmux("set-option", "-g", "remain-on-exit", "on")
	term.tmux("set-option", "-s", "escape-time", "0")
	return term
}

func (term *terminal) tmux(args ...string) string {
	term.t.Helper()
	out, err := exec.Command("tmux", append([]string{"-L", term.server}, args...)...).CombinedOutput()
	if err != nil {
		term.t.Fatalf("tmux %s: %v: %s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// press sends keys by tmux's names: "Enter", "Escape", "C-c", "x".
func (term *terminal) press(keys ...string) {
	term.t.Helper()
	term.tmux(append([]string{"send-keys"}, keys...)...)
}

// enter types text as it is.
func (term *terminal) enter(text string) {
	term.t.Helper()
	term.tmux("send-keys", "-l", text)
}

func (term *terminal) screen() string {
	term.t.Helper()
	return term.tmux("capture-pane", "-p")
}

// await waits until the screen shows text, and is the screen then.
func (term *terminal) await(text string) string {
	term.t.Helper()
	return term.awaitThat("shows "+text, func(s string) bool { return strings.Contains(s, text) })
}

func (term *terminal) awaitThat(what string, ok func(screen string) bool) string {
	term.t.Helper()
	var last string
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if last = term.screen(); ok(last) {
			return last
		}
	}
	term.t.Fatalf("the screen never %s; it shows:\n%s", what, last)
	return ""
}

// awaitAfter repeats act until the screen shows text: on a busy host one line
// may have scrolled away before anyone looked.
func (term *terminal) awaitAfter(text string, act func()) string {
	term.t.Helper()
	return term.awaitThat("shows "+text, func(s string) bool {
		if strings.Contains(s, text) {
			return true
		}
		act()
		return false
	})
}

// filter applies a filter as a person would type it.
func (term *terminal) filter(condition string) {
	term.t.Helper()
	term.press("/")
	term.enter(condition)
	term.await(condition)
	term.press("Enter")
	term.awaitThat("leaves the filter bar", func(s string) bool { return !strings.Contains(s, "enter apply") })
}

// resize makes the window w by h cells.
func (term *terminal) resize(w, h int) {
	term.t.Helper()
	term.tmux("resize-window", "-x", fmt.Sprint(w), "-y", fmt.Sprint(h))
}

// ended reports whether the command has ended, and its exit status.
func (term *terminal) ended() (bool, string) {
	term.t.Helper()
	dead, status, _ := strings.Cut(strings.TrimSpace(term.tmux("display-message", "-p", "#{pane_dead} #{pane_dead_status}")), " ")
	return dead == "1", status
}
