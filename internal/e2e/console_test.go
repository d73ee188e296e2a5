package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gumshoe-ir/gumshoe/internal/need"
)

// configure writes a configuration with everything below a folder of the test.
func configure(t *testing.T, lines ...string) (path string) {
	t.Helper()
	dir := t.TempDir()
	text := fmt.Sprintf("store: {dir: %[1]s/trail}\nmetrics: {socket: %[1]s/metrics.sock}\ncollect: {ring: 4MiB}\n%s\n", dir, strings.Join(lines, "\n"))
	path = filepath.Join(dir, "config.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// mark runs a command that is easy to find again.
func mark(t *testing.T, word string) {
	t.Helper()
	if out, err := exec.Command("true", word).CombinedOutput(); err != nil {
		t.Fatalf("true: %v: %s", err, out)
	}
}

func TestConsoleShowsWhatThisHostDoes(t *testing.T) {
	need.BPF(t)
	term := open(t, 120, 36, program+" --config "+configure(t))
	term.await("LIVE")
	term.press("3")
	term.await("Frequency")
	term.awaitAfter("true marker-one", func() { mark(t, "marker-one") })

	// A filter keeps only what it names.
	term.filter("proc.name = true and marker-two")
	term.awaitThat("hides the first marker", func(s string) bool { return !strings.Contains(s, "true marker-one") })
	mark(t, "marker-two")
	term.await("true marker-two")

	// A mistake keeps the rows and says where and what to do.
	term.press("/")
	term.press("C-u")
	term.enter("proc.nmae = ls")
	term.await("did you mean proc.name?")
	term.press("Escape")
	term.awaitThat("leaves the filter as it was", func(s string) bool {
		return strings.Contains(s, "true marker-two") && !strings.Contains(s, "did you mean")
	})

	term.press(`\`)
	term.await("everything")
	term.resize(80, 24)
	term.awaitThat("fits 80 columns", func(s string) bool {
		for _, line := range strings.Split(s, "\n") {
			if len([]rune(line)) > 80 {
				return false
			}
		}
		return strings.Contains(s, "Activity") && strings.Contains(s, "LIVE")
	})
	term.resize(40, 10)
	term.await("needs 60x16")
	term.resize(120, 36)
	term.await("Frequency")

	term.press("5")
	term.await("Processes")
	term.press("1")
	term.await("Engine")
	term.press("2")
	term.await("rules")
	term.press("?")
	term.await("Keys")
	term.press("Escape")
	term.awaitThat("closes the help", func(s string) bool { return !strings.Contains(s, "━ Keys ━") })
	term.press("q")
	term.awaitThat("is left", func(string) bool { dead, _ := term.ended(); return dead })
	if _, status := term.ended(); status != "0" {
		t.Errorf("q ended the console with status %s:\n%s", status, term.screen())
	}
}

func TestPauseHoldsTheScreenAndCounts(t *testing.T) {
	need.BPF(t)
	term := open(t, 120, 36, program+" --config "+configure(t))
	term.await("LIVE")
	term.press("3")
	term.filter("proc.name = true")
	term.awaitAfter("true before-the-pause", func() { mark(t, "before-the-pause") })
	term.press("p")
	term.await("PAUSED")
	mark(t, "while-paused")
	term.awaitThat("counts what is new", func(s string) bool { return strings.Contains(s, "PAUSED +") })
	if s := term.screen(); strings.Contains(s, "true while-paused") {
		t.Errorf("a paused screen moved:\n%s", s)
	}
	term.press("p")
	term.await("true while-paused")
	term.press("q")
}

// A command line may hold anything. Nothing of it may reach the terminal as
// a command, and all of it must be in the store.
func TestHostileCommandLinesStayText(t *testing.T) {
	need.BPF(t)
	conf := configure(t)
	term := open(t, 120, 36, program+" --config "+conf)
	term.await("LIVE")
	term.press("3")
	term.filter("proc.args contains hostile")
	hostile := "hostile\x1b]0;owned\x07\x1b[2J\r\n\u202egnp.exe\xff" + strings.Repeat("A", 3000)
	if out, err := exec.Command("true", hostile).CombinedOutput(); err != nil {
		t.Fatalf("true: %v: %s", err, out)
	}
	s := term.await("true hostile")
	if title := term.tmux("display-message", "-p", "#{pane_title}"); strings.Contains(title, "owned") {
		t.Errorf("the command line set the terminal's title to %q", title)
	}
	if strings.Contains(s, "\u202e") {
		t.Errorf("a bidi override reached the screen:\n%q", s)
	}
	term.press("q")
	term.awaitThat("is left", func(string) bool { dead, _ := term.ended(); return dead })
	out, err := exec.Command(program, "--config", conf, "activity", "--json", "--filter", "proc.args contains hostile").Output()
	if err != nil {
		t.Fatalf("activity: %v", err)
	}
	for _, part := range []string{`\u001b]0;owned\u0007`, strings.Repeat("A", 3000)} {
		if !strings.Contains(string(out), part) {
			t.Errorf("the store lost %.20q of a hostile command line", part)
		}
	}
}
