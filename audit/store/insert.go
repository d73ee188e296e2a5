package store

import (
	"database/sql/driver"
	"fmt"
	"os"
	"path/filepath"

	"github.com/gumshoe-ir/gumshoe/event"
)

// file is a day being written. It belongs to the writer.
type file struct {
	day    day
	path   string
	c      *conn
	names  *names
	counts map[bucket]int64 // changes to share in this transaction
	open   bool             // a transaction is
}

// openFile opens d's file in dir for writing, making or migrating it.
func openFile(dir string, d day) (*file, error) {
	f := &file{day: d, path: filepath.Join(dir, d.name()), counts: map[bucket]int64{}}
	// SQLite gives -wal and -shm the file's own mode; it must exist to have ours.
	made, err := os.OpenFile(f.path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := made.Close(); err != nil {
		return nil, err
	}
	if f.c, err = connect(f.path); err != nil {
		return nil, fmt.Errorf("open %s: %w", d.name(), err)
	}
	if err = prepare(f.c); err == nil {
		f.names, err = newNames(f.c)
	}
	if err != nil {
		_ = f.c.close() // the first error says it
		return nil, fmt.Errorf("open %s: %w", d.name(), err)
	}
	return f, nil
}

func (f *file) begin() error {
	if f.open {
		return nil
	}
	if err := f.c.exec("begin immediate"); err != nil {
		return err
	}
	f.open = true
	return nil
}

// commit makes all since begin durable against the end of this process.
func (f *file) commit() error {
	if !f.open {
		return nil
	}
	if err := f.flushCounts(); err != nil {
		return err
	}
	if err := f.c.exec("commit"); err != nil {
		return err
	}
	f.open = false
	return nil
}

// rollback forgets all since begin, also the ids it gave out.
func (f *file) rollback() {
	if f.open && !f.c.c.AutoCommit() {
		_ = f.c.exec("rollback") // a failed one leaves nothing to undo either
	}
	f.open = false
	clear(f.counts)
	f.names.forget()
}

// record is an activity as rows of one file.
type record struct {
	row, tail                  int64
	verb, target, process, who int64
	bucket                     bucket
	a                          *event.Activity
}

func (f *file) record(a *event.Activity) (r record, err error) {
	r = record{row: rowOf(a.ID), tail: tailOf(a.ID), a: a}
	if r.verb, err = f.names.verb(a.Verb); err != nil {
		return r, err
	}
	if r.target, err = f.names.str(a.Target); err != nil {
		return r, err
	}
	if r.process, err = f.names.process(a.Process, a.ID.NS); err != nil {
		return r, err
	}
	if r.who, err = f.names.who(a); err != nil {
		return r, err
	}
	r.bucket = bucket{r.who, minuteOf(r.row), uint8(a.Kind), uint8(a.Severity)}
	return r, nil
}

// minuteOf is the minute of the day that a row is in.
func minuteOf(row int64) int64 { return (row >> 16) / int64(minuteNS) }

// put stores a, or what more is known of it when it was stored before. It
// reports whether a is new.
func (f *file) put(a *event.Activity) (bool, error) {
	r, err := f.record(a)
	if err != nil {
		return false, err
	}
	changed, err := f.insert(&r)
	if err != nil {
		return false, err
	}
	if changed {
		f.counts[r.bucket]++
		return true, f.extra(&r)
	}
	return f.replace(&r)
}

func (f *file) insert(r *record) (bool, error) {
	a := r.a
	n, _, err := f.c.run(`insert into activity values(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) on conflict do nothing`,
		r.row, r.tail, int64(a.Kind), int64(a.Severity), r.verb, r.target, r.process, r.who,
		a.Result, int64(a.Count), int64(a.End), int64(a.Origin))
	return n == 1, err
}

// replace updates the row that has r's id, or finds r a free one beside the
// rows of the same instant.
func (f *file) replace(r *record) (bool, error) {
	first := r.row &^ 0xffff
	taken := map[int64]bool{}
	var was bucket
	found := int64(-1)
	err := f.c.each("select id, tail, kind, severity, who from activity where id between ? and ?",
		[]driver.Value{first, first | 0xffff}, func(row []driver.Value) error {
			id := row[0].(int64)
			taken[id] = true
			if row[1].(int64) == r.tail {
				found = id
				was = bucket{row[4].(int64), r.bucket.minute, uint8(row[2].(int64)), uint8(row[3].(int64))}
			}
			return nil
		})
	if err != nil {
		return false, err
	}
	if found >= 0 {
		r.row = found
		return false, f.update(r, was)
	}
	if len(taken) > 0xffff {
		return false, nil // 65,536 activities of one ns: not a clock
	}
	for taken[r.row] {
		r.row = first | (r.row+1)&0xffff
	}
	if _, err := f.insert(r); err != nil {
		return false, err
	}
	f.counts[r.bucket]++
	return true, f.extra(r)
}

func (f *file) update(r *record, was bucket) error {
	a := r.a
	_, _, err := f.c.run(`update activity set kind = ?, severity = ?, verb = ?, target = ?, process = ?, who = ?,
		result = ?, count = ?, end = ?, origin = ? where id = ?`,
		int64(a.Kind), int64(a.Severity), r.verb, r.target, r.process, r.who,
		a.Result, int64(a.Count), int64(a.End), int64(a.Origin), r.row)
	if err != nil {
		return err
	}
	if was != r.bucket {
		f.counts[was]--
		f.counts[r.bucket]++
	}
	if plain(a) {
		_, _, err = f.c.run("delete from extra where id = ?", r.row)
		return err
	}
	return f.extra(r)
}

// plain reports whether a has nothing for extra.
func plain(a *event.Activity) bool {
	return !a.Remote.IsValid() && !a.Local.IsValid() && a.Proto == 0 && a.Sent == 0 && a.Received == 0 &&
		a.Name == "" && a.Flags == 0 && a.RealPath == ""
}

// extra stores what few activities have: addresses, bytes, second names.
func (f *file) extra(r *record) error {
	a := r.a
	if plain(a) {
		return nil
	}
	var ids [3]int64
	remote := ""
	if a.Remote.IsValid() {
		remote = a.Remote.String()
	}
	for i, s := range []string{remote, a.Name, a.RealPath} {
		var err error
		if ids[i], err = f.names.str(s); err != nil {
			return err
		}
	}
	local := driver.Value(nil)
	if b := appendAddr(a.Local); b != nil {
		local = b
	}
	_, _, err := f.c.run("insert or replace into extra values(?, ?, ?, ?, ?, ?, ?, ?, ?)",
		r.row, ids[0], local, int64(a.Proto), int64(a.Sent), int64(a.Received), ids[1], int64(a.Flags), ids[2])
	return err
}
