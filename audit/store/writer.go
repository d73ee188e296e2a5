package store

import (
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/gumshoe-ir/gumshoe/event"
	"github.com/mattn/go-sqlite3"
)

const (
	commitEvery = 50 * time.Millisecond // how long something may wait for its transaction
	commitBytes = 8 << 20               // and how much
	retryEvery  = time.Second           // after the disk refused
	forkAge     = uint64(time.Second)   // younger processes that did nothing are not worth a row
	retainEvery = time.Minute
	openFiles   = 4 // days held open for writing, each with its page cache
)

// writer moves parcels from the queue to the files. It is one goroutine.
type writer struct {
	db     *DB
	files  map[day]*file
	order  []day // of files, least recently used first
	young  []fork
	live   map[event.ProcessKey]*event.Process // of host, as last seen
	host   uint32
	kept   time.Time // when old days were last looked for
	newest event.ID
}

// fork is a process that did nothing yet.
type fork struct {
	p  *event.Process
	at uint64
}

func (w *writer) run() {
	w.live = map[event.ProcessKey]*event.Process{}
	defer w.closeFiles()
	w.retain()
	var pending []*parcel
	for {
		if len(pending) == 0 {
			select {
			case <-w.db.queue.wake:
				w.pause(commitEvery)
			case <-w.db.queue.closing: // whose wake-up may be one with the last parcel's
			}
		}
		pending = w.gather(pending)
		if len(pending) == 0 {
			if w.db.queue.isClosed() {
				return
			}
			continue
		}
		if err := w.store(pending); err != nil {
			w.fail(err)
			if w.db.queue.isClosed() {
				w.giveUp(pending)
				return
			}
			w.pause(retryEvery)
			continue
		}
		for _, p := range pending {
			w.db.queue.done(p.bytes)
		}
		pending = nil
		if w.db.queue.used() > 0 { // what did not fit into one transaction
			w.db.queue.rewake()
		}
	}
}

// pause waits for d, or until the queue closes.
func (w *writer) pause(d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-w.db.queue.closing:
	}
}

// gather takes parcels for one transaction.
func (w *writer) gather(pending []*parcel) []*parcel {
	bytes := 0
	for _, p := range pending {
		bytes += p.bytes
	}
	for bytes < commitBytes {
		p := w.db.queue.take()
		if p == nil {
			break
		}
		pending = append(pending, p)
		bytes += p.bytes
	}
	return pending
}

// giveUp counts what the closing store could not write.
func (w *writer) giveUp(pending []*parcel) {
	for p := w.db.queue.take(); p != nil; p = w.db.queue.take() {
		pending = append(pending, p)
	}
	w.db.mu.Lock()
	defer w.db.mu.Unlock()
	for _, p := range pending {
		w.db.stats.Lost += uint64(len(p.activities))
	}
}

// fail undoes the transaction and says why; a damaged file is set aside, so
// that the next try begins another.
func (w *writer) fail(err error) {
	for _, f := range w.files {
		f.rollback()
	}
	var bad *fileError
	if isDamage(err) && errors.As(err, &bad) {
		w.forgetFile(bad.day)
		w.db.damaged(filepath.Join(w.db.opt.Dir, bad.day.name()), err)
		return
	}
	why := err.Error()
	if isCode(err, sqlite3.ErrFull) || errors.Is(err, errNoSpace) {
		why = "disk full"
	}
	w.db.note("write", fmt.Sprintf("store cannot write, retrying: %s", why))
}

// fileError says which day an error happened in.
type fileError struct {
	day day
	err error
}

func (e *fileError) Error() string { return e.day.name() + ": " + e.err.Error() }
func (e *fileError) Unwrap() error { return e.err }

// store writes parcels and commits. After an error nothing of them is stored,
// except in files committed before the one that failed; storing them again
// changes nothing there.
func (w *writer) store(parcels []*parcel) error {
	if err := w.space(); err != nil {
		return err
	}
	stored, newest := uint64(0), w.newest
	for _, p := range parcels {
		n, err := w.parcel(p)
		if err != nil {
			return err
		}
		stored += n
		for i := range p.activities {
			if id := p.activities[i].ID; id.Compare(newest) > 0 {
				newest = id
			}
		}
	}
	for _, f := range w.files {
		if err := f.commit(); err != nil {
			return &fileError{f.day, err}
		}
	}
	w.newest = newest
	if time.Since(w.kept) > retainEvery {
		w.retain()
	}
	w.db.mu.Lock()
	w.db.stats.Stored += stored
	w.db.stats.Newest = newest
	delete(w.db.notes, "write")
	w.db.mu.Unlock()
	if w.db.opt.Committed != nil {
		w.db.opt.Committed()
	}
	return nil
}

func (w *writer) parcel(p *parcel) (stored uint64, err error) {
	if len(p.state) > 0 {
		if err := w.state(p); err != nil {
			return 0, err
		}
	}
	for i := range p.activities {
		a := &p.activities[i]
		f, err := w.file(dayOf(a.ID))
		if err != nil {
			return 0, err
		}
		isNew, err := f.put(a)
		if err != nil {
			return 0, &fileError{f.day, err}
		}
		if isNew {
			stored++
		}
		w.meet(a.Process, a.ID.Host)
	}
	return stored, w.lives(p)
}

// file is d's, open and inside a transaction.
func (w *writer) file(d day) (*file, error) {
	if f, ok := w.files[d]; ok {
		if err := f.begin(); err != nil {
			return nil, &fileError{d, err}
		}
		return f, nil
	}
	if len(w.order) >= openFiles {
		oldest := w.order[0]
		if err := w.files[oldest].commit(); err != nil {
			return nil, &fileError{oldest, err}
		}
		w.forgetFile(oldest)
	}
	f, err := openFile(w.db.opt.Dir, d)
	if err != nil {
		return nil, &fileError{d, err}
	}
	w.files[d], w.order = f, append(w.order, d)
	if err := f.begin(); err != nil {
		return nil, &fileError{d, err}
	}
	w.retain()
	return f, w.carry(f)
}

func (w *writer) forgetFile(d day) {
	if f, ok := w.files[d]; ok {
		_ = f.c.close() // all that counts is committed
	}
	delete(w.files, d)
	for i, o := range w.order {
		if o == d {
			w.order = append(w.order[:i], w.order[i+1:]...)
			break
		}
	}
}

func (w *writer) closeFiles() {
	for _, f := range w.files {
		f.rollback()
		_ = f.c.close()
	}
	w.files = nil
}
