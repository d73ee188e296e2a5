package main

import (
	"os"

	"github.com/charmbracelet/x/term"
	"golang.org/x/sys/unix"
)

// restoreScreen undoes what a console may have asked of a terminal before it
// was killed: synchronized output, alternate screen, mouse, paste and focus
// reports, keyboard protocols, attributes, hidden cursor (xterm's ctlseqs).
const restoreScreen = "\x1b[?2026l\x1b[?1049l\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?1004l\x1b[?2004l\x1b[?2048l" +
	"\x1b[<u\x1b[>4m\x1b[?1l\x1b>\x1b[0m\x1b[?25h\r"

// terminal is the state of a terminal as it was before a console took it.
type terminal struct {
	file *os.File
	was  *unix.Termios
}

// saveTerminal remembers f's state; it is nil when f is no terminal.
func saveTerminal(f any) *terminal {
	file, ok := f.(*os.File)
	if !ok {
		return nil
	}
	was, err := unix.IoctlGetTermios(int(file.Fd()), unix.TCGETS)
	if err != nil {
		return nil
	}
	return &terminal{file, was}
}

// restore brings the terminal back. killed says that the console could not
// clean up after itself.
func (t *terminal) restore(killed bool) {
	if t == nil {
		return
	}
	if killed {
		// A terminal that is gone needs no cleaning.
		_, _ = t.file.WriteString(restoreScreen)
		_ = unix.IoctlSetTermios(int(t.file.Fd()), unix.TCSETSF, t.was)
		return
	}
	_ = unix.IoctlSetTermios(int(t.file.Fd()), unix.TCSETSW, t.was)
}

// width is how many columns w has: 0 when it is no terminal.
func width(w any) int {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(f.Fd()) {
		return 0
	}
	columns, _, err := term.GetSize(f.Fd())
	if err != nil || columns <= 0 {
		return 80
	}
	return columns
}
