package e2e

import (
	"testing"

	"github.com/gumshoe-ir/gumshoe/internal/need"
)

// ctrl+z belongs to the shell: it gets its terminal back, the engine records
// on, and fg shows what happened meanwhile.
func TestConsoleSuspendsAndTheEngineRecordsOn(t *testing.T) {
	need.BPF(t)
	term := open(t, 120, 36, "bash --norc --noprofile -i")
	run := func(line string) {
		term.enter(line)
		term.press("Enter")
	}
	run(program + " --config " + configure(t))
	term.await("LIVE")
	term.filter("proc.name = true")
	term.awaitAfter("true before-the-stop", func() { mark(t, "before-the-stop") })
	term.press("C-z")
	term.await("Stopped")
	run("echo the shell has $((6 * 7))")
	term.await("the shell has 42")
	mark(t, "while-suspended")
	run("fg")
	term.await("true while-suspended")
	term.press("q")
	run("echo sane $((6 * 9))")
	term.await("sane 54")
}
