package store

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/gumshoe-ir/gumshoe/event"
)

var errNotOurs = errors.New("not a gumshoe store file, or cut off")

// checkHeader looks at the first page of a file (sqlite.org/fileformat2.html
// §1.3): ErrNewer, errNotOurs, or nil when it may be opened.
func checkHeader(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close() //nolint:errcheck // only read
	fi, err := f.Stat()
	if err != nil || fi.Size() == 0 { // empty: all of it is still in the log
		return err
	}
	var h [100]byte
	if _, err := f.ReadAt(h[:], 0); err != nil || string(h[:16]) != "SQLite format 3\x00" {
		return errNotOurs
	}
	if app := binary.BigEndian.Uint32(h[68:]); app != 0 && app != application {
		return errNotOurs
	}
	if v := binary.BigEndian.Uint32(h[60:]); v > version {
		return fmt.Errorf("%w (file version %d, this one reads %d): upgrade gumshoe or choose another store", ErrNewer, v, version)
	}
	page := int64(binary.BigEndian.Uint16(h[16:]))
	if page == 1 {
		page = 65536
	}
	wal, err := os.Stat(path + "-wal")
	if pages := int64(binary.BigEndian.Uint32(h[28:])); (err != nil || wal.Size() == 0) && fi.Size() < pages*page {
		return errNotOurs
	}
	return nil
}

// readers are the files opened for asking, each when first asked.
type readers struct {
	db   *DB
	mu   sync.Mutex
	open map[string]*source
	warm []*source // those with something in their caches, least recently used first
	done bool
}

// warmSources is how many days' names and processes are remembered.
const warmSources = 3

func newReaders(db *DB) *readers { return &readers{db: db, open: map[string]*source{}} }

// reader asks one day's file as of one instant: all its answers fit together.
type reader struct {
	*source
	tx *sql.Conn // in a transaction
}

// source is a file opened for asking, with what was read of it. It may be used
// from many goroutines.
type source struct {
	day   day
	path  string
	sql   *sql.DB
	words bool // the trigram index is complete and readable

	mu        sync.Mutex
	strings   *cache[int64, string]
	lists     *cache[int64, []string]
	processes *cache[int64, *event.Process]
	named     *cache[int64, *event.Container]
	whos      map[int64]*event.Activity // only what who knows is filled
	whoTop    int64                     // all up to it are in whos
	seq       int64                     // of the containers in the caches
}

// get is the source of d; nil when the file holds nothing yet.
func (rs *readers) get(ctx context.Context, d day) (*source, error) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	if rs.done {
		return nil, errors.New("store is closed")
	}
	if r, ok := rs.open[d.name()]; ok {
		rs.touch(r)
		return r, nil
	}
	path := filepath.Join(rs.db.opt.Dir, d.name())
	r, err := openSource(ctx, path, d)
	if err != nil || r == nil {
		return nil, err
	}
	rs.open[d.name()] = r
	rs.touch(r)
	return r, nil
}

// touch makes r the last to be forgotten, and others forget when they are many.
func (rs *readers) touch(r *source) {
	if n := len(rs.warm); n > 0 && rs.warm[n-1] == r {
		return
	}
	rs.warm = append(slices.DeleteFunc(rs.warm, func(s *source) bool { return s == r }), r)
	for len(rs.warm) > warmSources && rs.warm[0].mu.TryLock() { // one in use waits for the next time
		rs.warm[0].forget()
		rs.warm[0].mu.Unlock()
		rs.warm = slices.Delete(rs.warm, 0, 1)
	}
}

func openSource(ctx context.Context, path string, d day) (*source, error) {
	if err := checkHeader(path); err != nil {
		return nil, fmt.Errorf("open %s: %w", d.name(), err)
	}
	dsn := "file:" + (&url.URL{Path: path}).EscapedPath() + "?mode=ro&_query_only=1&_busy_timeout=2000&_cache_size=-2048"
	r, err := trySource(ctx, dsn, d)
	if err != nil && !isDamage(err) && !errors.Is(err, ErrNewer) && !writable(filepath.Dir(path)) {
		// The log's index cannot be made here; without a log none is needed.
		if fi, statErr := os.Stat(path + "-wal"); statErr != nil || fi.Size() == 0 {
			r, err = trySource(ctx, dsn+"&immutable=1", d)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", d.name(), err)
	}
	if r != nil {
		r.path = path
	}
	return r, nil
}

func writable(dir string) bool {
	f, err := os.CreateTemp(dir, ".probe-*")
	if err != nil {
		return false
	}
	_ = f.Close()
	return os.Remove(f.Name()) == nil
}

func trySource(ctx context.Context, dsn string, d day) (_ *source, err error) {
	db, err := sql.Open("sqlite3", dsn)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, db.Close())
		}
	}()
	db.SetMaxOpenConns(4)
	db.SetMaxIdleConns(1)
	db.SetConnMaxIdleTime(15 * time.Second) // page caches go back
	var v int
	if err := db.QueryRowContext(ctx, "pragma user_version").Scan(&v); err != nil {
		return nil, err
	}
	switch {
	case v > version:
		return nil, ErrNewer
	case v < version: // being made, or to be migrated by a writer
		return nil, db.Close()
	}
	r := &source{day: d, sql: db}
	r.forget()
	var words, fts bool
	if err := db.QueryRowContext(ctx, "select value, sqlite_compileoption_used('ENABLE_FTS5') from meta where name = 'words'").Scan(&words, &fts); err != nil {
		return nil, err
	}
	r.words = words && fts
	return r, nil
}

// forget empties the caches.
func (r *source) forget() {
	r.strings = newCache[int64, string](4096)
	r.lists = newCache[int64, []string](512)
	r.processes = newCache[int64, *event.Process](1024)
	r.named = newCache[int64, *event.Container](512)
	r.whos, r.whoTop = map[int64]*event.Activity{}, 0
}

// drop closes the reader of the file called name, if it is open.
func (rs *readers) drop(name string) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	if r, ok := rs.open[name]; ok {
		_ = r.sql.Close() // read only: nothing can be lost
		delete(rs.open, name)
		rs.warm = slices.DeleteFunc(rs.warm, func(s *source) bool { return s == r })
	}
}

func (rs *readers) close() error {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	rs.done = true
	var errs []error
	for name, r := range rs.open {
		errs = append(errs, r.sql.Close())
		delete(rs.open, name)
	}
	return errors.Join(errs...)
}

// query calls scan for each row of text's answer.
func (r *reader) query(ctx context.Context, text string, scan func(*sql.Rows) error, args ...any) (err error) {
	rows, err := r.tx.QueryContext(ctx, text, args...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// gone reports whether d's file is no longer there.
func (rs *readers) gone(d day) bool {
	_, err := os.Stat(filepath.Join(rs.db.opt.Dir, d.name()))
	return os.IsNotExist(err)
}

// snapshot calls f with a reader that sees the file as it is now.
func (r *source) snapshot(ctx context.Context, f func(*reader) error) (err error) {
	tx, err := r.sql.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, tx.Close()) }()
	if _, err := tx.ExecContext(ctx, "begin"); err != nil {
		return err
	}
	err = f(&reader{r, tx})
	_, ended := tx.ExecContext(context.WithoutCancel(ctx), "rollback") // nothing was written
	return errors.Join(err, ended)
}
