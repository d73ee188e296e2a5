package store

import (
	"crypto/rand"
	"database/sql/driver"
	"errors"
	"fmt"
)

// version is the shape of the day files that this program writes.
const version = 1

// application marks our files, so that no other database is taken for one
// ("gmsh", SQLite's pragma application_id).
const application = 0x676d7368

// ErrNewer says that a file was written by a newer gumshoe.
var ErrNewer = errors.New("written by a newer gumshoe")

// migrations take a file from version i to i+1. The first makes an empty file.
//
// Strings are interned once per file; who is the dimension that graphs and
// facets are asked by; activity's id is its time (day.go); share counts rows
// per span of ten minutes and in it per minute, written with the rows
// (rollup.go): who 0 is everyone, span -1 the whole day.
var migrations = [version]string{`
create table meta(name text primary key, value) without rowid;
create table string(id integer primary key, hash integer not null, odd integer not null, value blob not null);
create index string_hash on string(hash);
create index string_odd on string(id) where odd;
create table verb(id integer primary key);
create table list(id integer primary key, hash integer not null, value blob not null);
create index list_hash on list(hash);
create table container(id integer primary key, name blob not null unique, data blob not null);
create table process(id integer primary key, hash integer not null, pid integer not null, start integer not null,
	seen integer not null, name integer not null, exepath integer not null, cmdline integer not null,
	parent integer not null, leader integer not null, container integer not null, data blob not null);
create index process_hash on process(hash);
create index process_name on process(name);
create index process_exepath on process(exepath);
create index process_cmdline on process(cmdline);
create index process_parent on process(parent);
create index process_pid on process(pid, start, seen);
create table life(pid integer, start integer, begin integer not null, exit integer not null,
	guessed integer not null, primary key(pid, start)) without rowid;
create table who(id integer primary key, container integer not null, session integer not null, user blob not null,
	uid integer not null, name blob not null, loginuid integer not null, login blob not null);
create index who_all on who(session, container, user, uid, name, loginuid, login);
create table activity(id integer primary key, tail integer not null, kind integer not null, severity integer not null,
	verb integer not null, target integer not null, process integer not null, who integer not null,
	result integer not null, count integer not null, end integer not null, origin integer not null);
create index activity_target on activity(target);
create index activity_process on activity(process, kind);
create index activity_who on activity(who, kind);
create table extra(id integer primary key, remote integer not null, local blob, proto integer not null,
	sent integer not null, received integer not null, name integer not null, flags integer not null, realpath integer not null);
create index extra_remote on extra(remote);
create index extra_local on extra(local);
create index extra_name on extra(name);
create table share(who integer, span integer, kind integer, severity integer, n integer not null,
	m0 integer not null default 0, m1 integer not null default 0, m2 integer not null default 0, m3 integer not null default 0,
	m4 integer not null default 0, m5 integer not null default 0, m6 integer not null default 0, m7 integer not null default 0,
	m8 integer not null default 0, m9 integer not null default 0, primary key(who, span, kind, severity)) without rowid;
`}

// trigrams indexes the strings for substrings, never the rows. It exists only
// in files made by a build with FTS5 (-tags sqlite_fts5).
const trigrams = `create virtual table word using fts5(value, content='string', content_rowid='id',
	tokenize='trigram', detail='none')`

// prepare brings an open file to the current version, in one transaction.
func prepare(c *conn) error {
	found, err := c.integer("pragma user_version")
	if err != nil {
		return err
	}
	switch {
	case found > version:
		return ErrNewer
	case found == version:
		return nil
	case found < 0:
		return fmt.Errorf("version %d is none of ours", found)
	}
	if err := c.exec("begin immediate"); err != nil {
		return err
	}
	if err := migrate(c, int(found)); err != nil {
		return errors.Join(err, c.exec("rollback"))
	}
	return c.exec("commit")
}

func migrate(c *conn, from int) error {
	for i := from; i < version; i++ {
		if err := c.exec(migrations[i]); err != nil {
			return fmt.Errorf("migrate to version %d: %w", i+1, err)
		}
	}
	if from == 0 {
		if err := fill(c); err != nil {
			return err
		}
	}
	return c.exec(fmt.Sprintf("pragma user_version = %d", version))
}

// fill writes what a new file needs besides its tables.
func fill(c *conn) error {
	if err := c.exec(fmt.Sprintf("pragma application_id = %d", application)); err != nil {
		return err
	}
	var salt [16]byte
	if _, err := rand.Read(salt[:]); err != nil {
		return fmt.Errorf("make the file's salt: %w", err)
	}
	if err := c.exec("insert into meta values('salt', ?), ('containers', 0), ('words', 0)", driver.Value(salt[:])); err != nil {
		return err
	}
	fts, err := hasFTS(c)
	if err != nil || !fts {
		return err
	}
	if err := c.exec(trigrams); err != nil {
		return err
	}
	return c.exec("update meta set value = 1 where name = 'words'")
}

// hasFTS reports whether this build has the full-text engine.
func hasFTS(c *conn) (bool, error) {
	n, err := c.integer("select sqlite_compileoption_used('ENABLE_FTS5')")
	return n == 1, err
}
