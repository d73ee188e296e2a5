package proc

import (
	"strings"
	"testing"

	"github.com/gumshoe-ir/gumshoe/event"
)

// piece is one ExecArgs of text's bytes from offset on.
func (l *line) piece(tid int64, text string, offset, size, total int) event.Event {
	return l.ev(event.ExecArgs, tid, uint32(offset), uint32(total), []byte(text[offset:min(offset+size, len(text))]))
}

func TestArgumentsInPieces(t *testing.T) {
	const size = 32 << 10
	text := "prog\x00" + strings.Repeat("x", 100<<10) + "\x00last\x00"
	cutArgs := []string{text[5 : 5+cutAt-1]}
	n := len(text)
	pieces := func(l *line, offsets ...int) (out []event.Event) {
		for _, o := range offsets {
			out = append(out, l.piece(100, text, o*size, size, n))
		}
		return out
	}
	tests := []struct {
		name  string
		send  func(l *line) []event.Event
		whole bool
	}{
		{"all", func(l *line) []event.Event { return pieces(l, 0, 1, 2, 3) }, true},
		{"begun again", func(l *line) []event.Event { return pieces(l, 0, 1, 0, 1, 2, 3) }, true},
		{"another thread's between", func(l *line) []event.Event {
			return append(append(pieces(l, 0, 1), l.piece(1, text, 0, size, n)), pieces(l, 2, 3)...)
		}, true},
		{"none", func(l *line) []event.Event { return nil }, false},
		{"the first is missing", func(l *line) []event.Event { return pieces(l, 1, 2, 3) }, false},
		{"one is missing", func(l *line) []event.Event { return pieces(l, 0, 2, 3) }, false},
		{"the last is missing", func(l *line) []event.Event { return pieces(l, 0, 1, 2) }, false},
		{"twice the same", func(l *line) []event.Event { return pieces(l, 0, 1, 1, 2, 3) }, false},
		{"more than announced", func(l *line) []event.Event {
			return append(pieces(l, 0, 1, 2, 3), l.piece(100, text, 0, 5, 10), l.piece(100, text, 5, 20, 10))
		}, false},
		{"another total", func(l *line) []event.Event {
			return append(pieces(l, 0, 1, 2), l.piece(100, text, 3*size, size, n+1))
		}, false},
		{"too long ago", func(l *line) []event.Event {
			l.send(pieces(l, 0, 1, 2, 3)...)
			l.now += pieceWait + 1
			l.one(event.SyscallFlockX, 1)
			return nil
		}, false},
	}
	for _, tt := range tests {
		l := newLine(t)
		l.init()
		l.send(tt.send(l)...)
		l.send(l.exec(100, execed{args: cutArgs, comm: "prog"}))
		p := l.ask(100)
		want := strings.Split(strings.TrimSuffix(text[5:], "\x00"), "\x00")
		if !tt.whole {
			want = cutArgs
		}
		if strings.Join(p.Args, "|") != strings.Join(want, "|") || p.Exe != "prog" {
			t.Errorf("%s: %d arguments of %d bytes, want %d of %d", tt.name, len(p.Args), len(p.Cmdline), len(want), len(text))
		}
		if isCut := p.ExeFlags&event.ArgsCut != 0; isCut == tt.whole {
			t.Errorf("%s: marked as cut: %v", tt.name, isCut)
		}
		if tt.name != "another thread's between" && l.tab.argv.bytes != 0 {
			t.Errorf("%s: %d bytes are kept for ever", tt.name, l.tab.argv.bytes)
		}
	}
}

func TestArgumentsOverTheBoundAreMarked(t *testing.T) {
	l := newLine(t)
	l.init()
	text := "prog\x00" + strings.Repeat("y", maxArgs-5)
	for o := 0; o < len(text); o += 32 << 10 {
		l.send(l.piece(100, text, o, 32<<10, len(text)+1))
	}
	l.send(l.exec(100, execed{args: []string{text[5 : 5+cutAt-1]}, comm: "prog"}))
	p := l.ask(100)
	if len(p.Args) != 1 || len(p.Args[0]) != maxArgs-5 || p.ExeFlags&event.ArgsCut == 0 {
		t.Errorf("%d arguments, flags %x", len(p.Args), p.ExeFlags)
	}
}

func TestPiecesWithoutExecAreBounded(t *testing.T) {
	l := newLine(t)
	l.init()
	for tid := int64(1000); tid < 1100; tid++ {
		l.send(l.piece(tid, "x", 0, 1, 1<<31))
	}
	if got := l.tab.argv.bytes; got > maxAllPieces || got != len(l.tab.argv.waiting)*maxArgs {
		t.Errorf("%d bytes for %d threads", got, len(l.tab.argv.waiting))
	}
}

// FuzzPieces sends pieces of any order and size: 5 bytes make one.
func FuzzPieces(f *testing.F) {
	f.Add([]byte{1, 0, 6, 3, 0, 1, 3, 6, 3, 0, 1, 0, 0, 0, 1})
	f.Add([]byte{1, 0, 255, 9, 255, 2, 0, 0, 1, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		var w argvs
		for ; len(b) >= 5; b = b[5:] {
			piece := strings.Repeat("x", int(b[3]))
			params, err := event.EncodeParams(event.ExecArgs, uint32(b[1]), uint32(b[2])<<(b[4]%24), []byte(piece))
			if err != nil {
				t.Fatal(err)
			}
			w.gather(&event.Event{ID: event.ID{NS: uint64(b[4])}, TID: int64(b[0] % 4), Params: params})
			if b[4] > 250 {
				if text, whole := w.take(int64(b[0] % 4)); whole && len(text) == 0 || len(text) > maxArgs {
					t.Errorf("%d bytes, whole %v", len(text), whole)
				}
			}
			sum := 0
			for _, a := range w.waiting {
				sum += cap(a.text)
			}
			if sum != w.bytes || sum > maxAllPieces {
				t.Fatalf("%d bytes are kept, %d counted", sum, w.bytes)
			}
		}
	})
}
