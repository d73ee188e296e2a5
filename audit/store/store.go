// Package store keeps the audit trail in SQLite: activities, processes and
// containers, one file per host and UTC day. It answers audit's queries and
// forgets whole days; it does not know where activities come from.
package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gumshoe-ir/gumshoe/event"
	"golang.org/x/sys/unix"
)

// Options say where and how much a DB keeps. Only Dir must be set.
type Options struct {
	Dir        string // made with mode 0700 when missing
	ReadOnly   bool   // ask only, beside a writer of this or another process
	QueueBytes int    // what may wait for the disk; 0 means 64 MiB
	Days       int    // older days are unlinked; 0 means no limit
	MaxBytes   uint64 // oldest days are unlinked beyond it; 0 means no limit
	MinFree    uint64 // bytes of the disk left to others; 0 means 64 MiB
	// Committed, if set, is called after each transaction that stored
	// something, from the writer's goroutine. It must not wait.
	Committed func()
}

// DB is a store: a collector.Stage that keeps, and an audit.Trail that
// answers. It may be used from many goroutines; Handle from one at a time.
type DB struct {
	opt     Options
	lock    *os.File // held by the one writer
	queue   *queue
	readers *readers
	writer  sync.WaitGroup
	minFree atomic.Uint64
	budget  time.Duration // of a page; then it says how far it came
	spare   *parcel       // Handle's, when the last batch left nothing in it
	ripe    uint64        // when forks that were handed in may be stored; 0: none wait

	mu    sync.Mutex
	stats Stats
	notes map[string]string // problems by what they concern
}

// Stats is what a DB says of itself.
type Stats struct {
	Stored  uint64  // activities written since Open, updates not counted
	Lost    uint64  // activities that found the queue full
	Queue   float64 // share of the queue in use, 0..1
	Bytes   uint64  // of all files
	Days    int     // files kept
	Problem string  // what people should know, one line; empty when all is well
	Newest  event.ID
}

// Open opens the store in opt.Dir. A damaged file is set aside and told of in
// Stats; a file of a newer version and a second writer are errors of one line.
// ctx bounds opening only.
func Open(ctx context.Context, opt Options) (*DB, error) {
	if opt.QueueBytes == 0 {
		opt.QueueBytes = 64 << 20
	}
	if opt.MinFree == 0 {
		opt.MinFree = 64 << 20
	}
	db := &DB{opt: opt, queue: newQueue(opt.QueueBytes), notes: map[string]string{}}
	db.readers = newReaders(db)
	db.minFree.Store(opt.MinFree)
	db.budget = pageBudget
	if opt.ReadOnly {
		if _, err := os.ReadDir(opt.Dir); err != nil {
			return nil, fmt.Errorf("open store: %w", err)
		}
		return db, db.check(ctx)
	}
	if err := os.MkdirAll(opt.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("make store: %w", err)
	}
	var err error
	if db.lock, err = takeLock(opt.Dir); err != nil {
		return nil, err
	}
	if err := db.check(ctx); err != nil {
		return nil, errors.Join(err, db.lock.Close())
	}
	w := &writer{db: db, files: map[day]*file{}}
	db.writer.Go(w.run)
	return db, nil
}

// takeLock makes this process the writer of dir.
func takeLock(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, "writer.lock"), os.O_RDWR|os.O_CREATE|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock store: %w", err)
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		b, _ := io.ReadAll(io.LimitReader(f, 20)) // whose it is; unknown is no reason to fail otherwise
		_ = f.Close()
		if !errors.Is(err, unix.EWOULDBLOCK) {
			return nil, fmt.Errorf("lock store %s: %w", dir, err)
		}
		return nil, fmt.Errorf("store %s: %w by pid %s", dir, ErrLocked, strings.TrimSpace(string(b)))
	}
	// A full disk must not keep the store from opening: the pid is a courtesy.
	_ = f.Truncate(0)
	_, _ = f.WriteAt(fmt.Appendf(nil, "%d\n", os.Getpid()), 0)
	return f, nil
}

// ErrLocked says that another process writes the store.
var ErrLocked = errors.New("already being written")

// check looks at each file's first page: newer ones end opening, damaged ones
// are set aside.
func (db *DB) check(ctx context.Context) error {
	list, err := days(db.opt.Dir)
	if err != nil {
		return fmt.Errorf("open store: %w", err)
	}
	for _, d := range list {
		if err := ctx.Err(); err != nil {
			return err
		}
		path := filepath.Join(db.opt.Dir, d.name())
		err := checkHeader(path)
		switch {
		case errors.Is(err, errNotOurs):
			db.damaged(path, err)
		case err != nil:
			return fmt.Errorf("open store: %s: %w", d.name(), err)
		}
	}
	return nil
}

// damaged sets the file at path aside, or only says so when it may not write.
func (db *DB) damaged(path string, cause error) {
	name := filepath.Base(path)
	db.readers.drop(name)
	if db.opt.ReadOnly {
		db.note(name, fmt.Sprintf("%s is damaged and left out: %v", name, cause))
		return
	}
	aside, err := setAside(path, time.Now())
	if err != nil {
		db.note(name, err.Error())
		return
	}
	db.note(name, fmt.Sprintf("%s was damaged (%v); kept as %s", name, cause, filepath.Base(aside)))
}

// note sets, or with an empty text takes back, what is wrong with a thing.
func (db *DB) note(thing, text string) {
	db.mu.Lock()
	defer db.mu.Unlock()
	if text == "" {
		delete(db.notes, thing)
		return
	}
	db.notes[thing] = text
}

// Handle queues what b holds for the writer; it never waits. What finds no
// room is counted in b.Lost, and goes on counting in Stats.
func (db *DB) Handle(_ context.Context, b *event.Batch) error {
	p := db.spare
	if p == nil {
		p = &parcel{}
	}
	if lost := p.pack(b, db.queue.room()); lost > 0 {
		b.Lost[event.LostStore] += uint64(lost)
		db.mu.Lock()
		db.stats.Lost += uint64(lost)
		db.mu.Unlock()
	}
	switch ripe := db.ripe != 0 && p.at >= db.ripe; {
	case len(p.forks) > 0:
		db.ripe = p.at + forkAge
	case ripe:
		db.ripe = 0
	case p.empty():
		db.spare = p
		return nil
	}
	db.spare = nil
	db.queue.put(p)
	return nil
}

// Lost is how many activities found no room, or could not be stored.
func (db *DB) Lost() event.Losses {
	db.mu.Lock()
	defer db.mu.Unlock()
	return event.Losses{event.LostStore: db.stats.Lost}
}

// Stats says how the store is.
func (db *DB) Stats() Stats {
	list, _ := days(db.opt.Dir) // an unreadable folder shows in every query
	db.mu.Lock()
	defer db.mu.Unlock()
	s := db.stats
	s.Queue = float64(db.queue.used()) / float64(db.queue.max)
	s.Days = len(list)
	for _, d := range list {
		s.Bytes += size(filepath.Join(db.opt.Dir, d.name()))
	}
	var texts []string
	for _, t := range db.notes {
		texts = append(texts, t)
	}
	s.Problem = strings.Join(texts, "; ")
	return s
}

// Close stores what is queued and closes all files.
func (db *DB) Close() error {
	db.queue.close()
	db.writer.Wait()
	err := db.readers.close()
	if db.lock != nil {
		err = errors.Join(err, db.lock.Close())
		db.lock = nil
	}
	return err
}
