package tui

import (
	"bytes"
	"context"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/ansi"

	"github.com/gumshoe-ir/gumshoe/internal/faketrail"
)

// screenful collects what a program writes and tells when text has come.
type screenful struct {
	mu   sync.Mutex
	buf  bytes.Buffer
	more chan struct{}
}

func (s *screenful) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.buf.Write(b)
	select {
	case s.more <- struct{}{}:
	default:
	}
	return len(b), nil
}

func (s *screenful) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buf.String()
}

// await waits until text was written after the first from bytes.
func (s *screenful) await(t *testing.T, text string, from int) int {
	t.Helper()
	late := time.After(20 * time.Second)
	for {
		all := s.text()
		if i := strings.Index(all[from:], text); i >= 0 {
			return len(all)
		}
		select {
		case <-s.more:
		case <-late:
			t.Fatalf("%q was not written: %q", text, all[from:])
		}
	}
}

// allowed are the sequences that the console may send a terminal: by their
// introducer, their final byte and, for modes, their number.
func allowed(seq string) bool {
	switch {
	case strings.HasPrefix(seq, "\x1b]52;c;"):
		return strings.Trim(seq[7:], "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=") == "\x07"
	case strings.HasPrefix(seq, "\x1b]"):
		return seq == "\x1b]11;?\x07" || seq == "\x1b]2;\x07"
	case strings.HasPrefix(seq, "\x1b["):
		// Moving, erasing, scrolling, inserting, styles, modes and their queries,
		// keyboard protocols.
		return strings.ContainsRune("ABCDEFGHJKLMPSTXZ@`abcdefghlmnpqrsu", rune(seq[len(seq)-1]))
	case len(seq) == 2 && seq[0] == 0x1b:
		return strings.ContainsRune("78=>MDE", rune(seq[1]))
	case len(seq) == 1:
		return seq[0] >= 0x20 && seq[0] < 0x7f || seq[0] == '\r' || seq[0] == '\n' || seq[0] == '\b' || seq[0] == '\t'
	}
	return seq[0] >= 0xc2 // a character of several bytes
}

// TestOnlyKnownSequencesReachTheTerminal runs the whole program over hostile
// text and looks at every byte that it writes.
func TestOnlyKnownSequencesReachTheTerminal(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	v := villain{faketrail.New(5000, 20*time.Millisecond)}
	a, err := newApp(ctx, Options{Trail: v, Feed: v, Now: v.Now})
	if err != nil {
		t.Fatal(err)
	}
	out := &screenful{more: make(chan struct{}, 1)}
	keys, typed := io.Pipe()
	p := tea.NewProgram(a, tea.WithContext(ctx), tea.WithInput(keys), tea.WithOutput(out), tea.WithWindowSize(120, 36),
		tea.WithColorProfile(colorprofile.TrueColor), tea.WithFPS(120), tea.WithoutSignals())
	done := make(chan error, 1)
	go func() {
		_, err := p.Run()
		done <- err
	}()
	at := out.await(t, `\x1b]52`, 0)
	typed.Write([]byte("kkkkkkkk"))
	at = out.await(t, "scrolled", at)
	typed.Write([]byte("y"))
	at = out.await(t, "\x1b]52;c;", at)
	typed.Write([]byte("1"))
	at = out.await(t, "Engine", at)
	typed.Write([]byte("5"))
	at = out.await(t, "fold", at)
	typed.Write([]byte("?"))
	out.await(t, "find a key", at)
	typed.Write([]byte("\x03"))
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	all, state := out.text(), byte(0)
	for len(all) > 0 {
		seq, _, n, next := ansi.DecodeSequence(all, state, nil)
		state, all = next, all[n:]
		if !allowed(seq) {
			t.Errorf("the terminal was sent %q", seq)
		}
	}
}
