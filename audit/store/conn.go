package store

import (
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net/url"

	"github.com/mattn/go-sqlite3"
)

// conn is one connection to a file, used by one goroutine. It goes past
// database/sql, whose locks and conversions cost more than an insert.
type conn struct {
	c     *sqlite3.SQLiteConn
	stmts map[string]*sqlite3.SQLiteStmt
}

// connect opens path for writing, creating it when it is missing.
func connect(path string) (*conn, error) {
	dsn := "file:" + (&url.URL{Path: path}).EscapedPath() +
		"?_journal_mode=WAL&_synchronous=NORMAL&_busy_timeout=5000&_cache_size=-8192&mode=rwc"
	raw, err := (&sqlite3.SQLiteDriver{}).Open(dsn)
	if err != nil {
		return nil, err
	}
	c := &conn{c: raw.(*sqlite3.SQLiteConn), stmts: map[string]*sqlite3.SQLiteStmt{}}
	if err := c.exec("pragma journal_size_limit = 67108864; pragma wal_autocheckpoint = 2000; pragma temp_store = memory"); err != nil {
		return nil, errors.Join(err, c.close())
	}
	return c, nil
}

func (c *conn) close() error {
	var errs []error
	for _, s := range c.stmts {
		errs = append(errs, s.Close())
	}
	c.stmts = nil
	return errors.Join(append(errs, c.c.Close())...)
}

// exec runs text once; text may hold several statements.
func (c *conn) exec(text string, args ...driver.Value) error {
	_, err := c.c.Exec(text, args)
	return err
}

func (c *conn) stmt(text string) (*sqlite3.SQLiteStmt, error) {
	if s, ok := c.stmts[text]; ok {
		return s, nil
	}
	s, err := c.c.Prepare(text)
	if err != nil {
		return nil, err
	}
	c.stmts[text] = s.(*sqlite3.SQLiteStmt)
	return c.stmts[text], nil
}

// run executes text prepared, and is how many rows it changed and the last id.
func (c *conn) run(text string, args ...driver.Value) (changed, id int64, err error) {
	s, err := c.stmt(text)
	if err != nil {
		return 0, 0, err
	}
	r, err := s.Exec(args)
	if err != nil {
		return 0, 0, err
	}
	changed, _ = r.RowsAffected()
	id, _ = r.LastInsertId()
	return changed, id, nil
}

// each calls f for every row of text's answer. The row is reused.
func (c *conn) each(text string, args []driver.Value, f func(row []driver.Value) error) (err error) {
	s, err := c.stmt(text)
	if err != nil {
		return err
	}
	rows, err := s.Query(args)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	row := make([]driver.Value, len(rows.Columns()))
	for {
		switch err := rows.Next(row); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		if err := f(row); err != nil {
			return err
		}
	}
}

// integer is the one number that text answers.
func (c *conn) integer(text string, args ...driver.Value) (int64, error) {
	var n int64
	err := c.each(text, args, func(row []driver.Value) error {
		v, ok := row[0].(int64)
		if !ok && row[0] != nil {
			return fmt.Errorf("want a number, got %T", row[0])
		}
		n = v
		return nil
	})
	return n, err
}

// isCode reports whether err is one of SQLite's result codes.
func isCode(err error, codes ...sqlite3.ErrNo) bool {
	var e sqlite3.Error
	if !errors.As(err, &e) {
		return false
	}
	for _, c := range codes {
		if e.Code == c {
			return true
		}
	}
	return false
}

// isDamage reports whether err says that a file cannot be read as ours.
func isDamage(err error) bool { return isCode(err, sqlite3.ErrCorrupt, sqlite3.ErrNotADB) }
