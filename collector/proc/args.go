package proc

import (
	"bytes"

	"github.com/gumshoe-ir/gumshoe/event"
)

// Limits of arguments that come in pieces.
const (
	maxArgs      = 2 << 20     // bytes of one argv; the kernel's programs send no more
	maxAllPieces = 16 << 20    // of all that wait for their exec
	pieceWait    = uint64(1e9) // ns; the exec follows at once unless it was lost
	cutAt        = 4096        // bytes of a parameter that an exec event cuts there
)

// argvs are arguments whose exec has not come yet, by thread.
type argvs struct {
	waiting map[int32]*argv
	bytes   int
}

type argv struct {
	text  []byte
	total uint64
	since uint64 // ns since the epoch
}

// gather keeps a piece, if it continues those before it.
func (w *argvs) gather(e *event.Event) {
	offset, ok := e.Params.Uint(event.ArgsOffset)
	total, _ := e.Params.Uint(event.ArgsTotal)
	piece := e.Params.At(event.ArgsPiece)
	if !ok || e.TID <= 0 || e.TID != int64(int32(e.TID)) || len(piece) == 0 {
		return
	}
	tid := int32(e.TID)
	a := w.waiting[tid]
	if offset == 0 {
		w.drop(tid)
		size := int(min(total, maxArgs))
		if w.bytes+size > maxAllPieces {
			return
		}
		if w.waiting == nil {
			w.waiting = make(map[int32]*argv)
		}
		a = &argv{text: make([]byte, 0, size), total: total, since: e.ID.NS}
		w.waiting[tid] = a
		w.bytes += size
	}
	if a == nil || total != a.total || offset != uint64(len(a.text)) || len(piece) > cap(a.text)-len(a.text) {
		w.drop(tid)
		return
	}
	a.text = append(a.text, piece...)
}

func (w *argvs) drop(tid int32) {
	if a := w.waiting[tid]; a != nil {
		w.bytes -= cap(a.text)
		delete(w.waiting, tid)
	}
}

// take is what was gathered for the exec of thread tid, nil when nothing was or
// a piece is missing, and whether that is all.
func (w *argvs) take(tid int64) (text []byte, whole bool) {
	if len(w.waiting) == 0 || tid != int64(int32(tid)) {
		return nil, false
	}
	a := w.waiting[int32(tid)]
	w.drop(int32(tid))
	if a == nil || len(a.text) < cap(a.text) {
		return nil, false
	}
	return a.text, uint64(len(a.text)) == a.total
}

// expire forgets what waited too long.
func (w *argvs) expire(now uint64) {
	for tid, a := range w.waiting {
		if now > a.since+pieceWait {
			w.drop(tid)
		}
	}
}

// describeArgs sets Exe and Args of p, which the exec e of g began: from the
// pieces that came before it, or from e alone when it holds them whole, or else
// from /proc. What is cut all the same is marked.
func (t *Table) describeArgs(g *group, p *event.Process, e *event.Event) {
	exe, raw := cut(e.Params.At(parExe)), t.clip(e.Params.At(parArgs))
	text, whole := t.argv.take(e.TID)
	isCut := len(raw) >= cutAt || len(e.Params.At(parExe)) >= cutAt
	if text == nil && isCut && !t.passive {
		text, whole = t.readArgs(g.pid, exe, raw)
	}
	if text != nil {
		exe, raw, _ = bytes.Cut(text, []byte{0})
		isCut = !whole
	}
	p.Exe = same(p.Exe, exe)
	p.Args = event.SplitNUL(raw)
	p.ExeFlags &^= event.ArgsCut
	if isCut {
		p.ExeFlags |= event.ArgsCut
		t.live.CutTexts++
	}
}

// readArgs is the argv of pid from /proc if it begins as the event says, which
// another program's would not.
func (t *Table) readArgs(pid int32, exe, raw []byte) (text []byte, whole bool) {
	if t.opts.Root == "" {
		return nil, false
	}
	d, err := openProc(t.opts.Root, pid, t.scanner().buf)
	if err != nil {
		return nil, false
	}
	defer d.close()
	b, err := d.read("cmdline")
	if err != nil || !bytes.HasPrefix(b, exe) {
		return nil, false
	}
	if rest, ok := bytes.CutPrefix(b[len(exe):], []byte{0}); ok && !bytes.HasPrefix(rest, raw) {
		return nil, false
	}
	return b, len(b) < len(d.buf)
}

// sharesArgs tells whether exe and raw, as a clone event has them, are p's or
// what fits an event of them.
func sharesArgs(p *event.Process, exe, raw []byte) bool {
	if len(exe) == cutAt-1 && len(p.Exe) > len(exe) {
		return p.Exe[:len(exe)] == string(exe) // what follows it is its own rest
	}
	return string(exe) == p.Exe && equalNUL(p.Args, raw)
}
