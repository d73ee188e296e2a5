package store

import (
	"bytes"
	"crypto/sha256"
	"database/sql/driver"
	"encoding/binary"
	"strings"
	"unicode/utf8"

	"github.com/gumshoe-ir/gumshoe/event"
)

// names gives the rows of one file that others point to: strings, lists,
// containers, processes and who. It belongs to the writer; after a rollback it
// forgets everything, since ids handed out may be void.
type names struct {
	c          *conn
	salt       []byte
	words      bool // the file has a trigram index and this build can write it
	strings    *cache[string, int64]
	lists      *cache[string, int64]
	processes  *cache[*event.Process, int64]
	containers *cache[*event.Container, int64]
	whos       map[whoKey]int64
	verbs      map[int64]bool
	lives      *cache[event.ProcessKey, bool]
	buf        []byte
}

// whoKey is what graphs and facets are asked by.
type whoKey struct {
	container     int64
	session       event.SessionID
	user          string // whom to name
	uid, loginUID uint32
	name, login   string // of uid and loginUID
}

func newNames(c *conn) (*names, error) {
	n := &names{c: c}
	n.forget()
	err := c.each("select value from meta where name = 'salt'", nil, func(row []driver.Value) error {
		n.salt = bytes.Clone(asBytes(row[0]))
		return nil
	})
	if err != nil {
		return nil, err
	}
	indexed, err := c.integer("select value from meta where name = 'words'")
	if err != nil || indexed == 0 {
		return n, err
	}
	if n.words, err = hasFTS(c); err != nil || n.words {
		return n, err
	}
	// This build cannot keep the index complete; from now on it is not used.
	return n, c.exec("update meta set value = 0 where name = 'words'")
}

func (n *names) forget() {
	n.strings = newCache[string, int64](16384)
	n.lists = newCache[string, int64](1024)
	n.processes = newCache[*event.Process, int64](4096)
	n.containers = newCache[*event.Container, int64](1024)
	n.lives = newCache[event.ProcessKey, bool](8192)
	n.whos = map[whoKey]int64{}
	n.verbs = map[int64]bool{}
}

// asBytes is a text or blob column's value, valid until the next row.
func asBytes(v driver.Value) []byte {
	switch v := v.(type) {
	case []byte:
		return v
	case string:
		return []byte(v)
	}
	return nil
}

// hash names b inside this file. It is salted, so that nobody outside can make
// two values agree, and wide enough that chance does not.
func (n *names) hash(b []byte) int64 {
	n.buf = append(append(n.buf[:0], n.salt...), b...)
	sum := sha256.Sum256(n.buf)
	if cap(n.buf) > 1<<20 {
		n.buf = nil
	}
	return int64(binary.LittleEndian.Uint64(sum[:]) >> 1)
}

// isOdd reports whether SQLite would not see all of s as text.
func isOdd(s string) bool { return strings.IndexByte(s, 0) >= 0 || !utf8.ValidString(s) }

// cachable bounds the memory of the caches: longer strings are looked up.
const cachable = 1024

// str is the id of s; 0 is the empty string.
func (n *names) str(s string) (int64, error) {
	if s == "" {
		return 0, nil
	}
	if id, ok := n.strings.get(s); ok {
		return id, nil
	}
	h := n.hash([]byte(s))
	id, err := n.c.integer("select id from string where hash = ?", h)
	if err != nil {
		return 0, err
	}
	if id == 0 {
		if id, err = n.addString(s, h); err != nil {
			return 0, err
		}
	}
	if len(s) <= cachable {
		n.strings.put(strings.Clone(s), id)
	}
	return id, nil
}

// verb is the id of s, remembered as one of the few strings that are verbs.
func (n *names) verb(s string) (int64, error) {
	id, err := n.str(s)
	if err != nil || n.verbs[id] || id == 0 {
		return id, err
	}
	if _, _, err = n.c.run("insert into verb values(?) on conflict do nothing", id); err != nil {
		return 0, err
	}
	n.verbs[id] = true
	return id, nil
}

func (n *names) addString(s string, h int64) (int64, error) {
	value, odd := driver.Value(s), int64(0)
	if isOdd(s) {
		value, odd = []byte(s), 1
	}
	_, id, err := n.c.run("insert into string(hash, odd, value) values(?, ?, ?)", h, odd, value)
	if err != nil || !n.words || odd == 1 {
		return id, err
	}
	_, _, err = n.c.run("insert into word(rowid, value) values(?, ?)", id, s)
	return id, err
}

// list is the id of l; 0 is the empty list.
func (n *names) list(l []string) (int64, error) {
	if len(l) == 0 {
		return 0, nil
	}
	b := appendList(nil, l)
	if id, ok := n.lists.get(string(b)); ok {
		return id, nil
	}
	h := n.hash(b)
	id, err := n.c.integer("select id from list where hash = ?", h)
	if err != nil {
		return 0, err
	}
	if id == 0 {
		if _, id, err = n.c.run("insert into list(hash, value) values(?, ?)", h, b); err != nil {
			return 0, err
		}
	}
	if len(b) <= 4*cachable {
		n.lists.put(string(b), id)
	}
	return id, nil
}

// container is the row of c, brought up to date when c says more.
func (n *names) container(c *event.Container) (int64, error) {
	if c == nil {
		return 0, nil
	}
	if id, ok := n.containers.get(c); ok {
		return id, nil
	}
	name, data := []byte(c.ID), appendContainer(nil, c)
	if c.ID == "" {
		name = []byte(c.FullID)
	}
	if len(name) == 0 {
		name = []byte{}
	}
	var id int64
	var old []byte
	err := n.c.each("select id, data from container where name = ?", []driver.Value{name}, func(row []driver.Value) error {
		id, old = row[0].(int64), bytes.Clone(asBytes(row[1]))
		return nil
	})
	if err != nil {
		return 0, err
	}
	switch {
	case id == 0:
		_, id, err = n.c.run("insert into container(name, data) values(?, ?)", name, data)
	case !c.Pending && !bytes.Equal(old, data):
		_, _, err = n.c.run("update container set data = ? where id = ?", data, id)
	}
	if err != nil {
		return 0, err
	}
	if _, _, err = n.c.run("update meta set value = value + 1 where name = 'containers'"); err != nil {
		return 0, err
	}
	n.containers.put(c, id)
	return id, nil
}

// nobody is the container of activities without a process: not the host's.
const nobody = -1

// who is the dimension row of a.
func (n *names) who(a *event.Activity) (int64, error) {
	k := whoKey{container: nobody, session: a.Session, user: a.User, uid: event.NoID, loginUID: event.NoID}
	if p := a.Process; p != nil {
		var err error
		if k.container, err = n.container(p.Container); err != nil {
			return 0, err
		}
		k.uid, k.loginUID, k.login = p.UID, p.LoginUID, p.LoginUser
		if p.User != nil {
			k.name = p.User.Name
		}
	}
	if id, ok := n.whos[k]; ok {
		return id, nil
	}
	args := []driver.Value{k.container, int64(k.session), blob(k.user), int64(k.uid), blob(k.name), int64(k.loginUID), blob(k.login)}
	id, err := n.c.integer(`select id from who where container = ? and session = ? and user = ? and uid = ?
		and name = ? and loginuid = ? and login = ?`, args...)
	if err != nil {
		return 0, err
	}
	if id == 0 {
		_, id, err = n.c.run("insert into who(container, session, user, uid, name, loginuid, login) values(?, ?, ?, ?, ?, ?, ?)", args...)
		if err != nil {
			return 0, err
		}
	}
	if len(n.whos) >= 16384 {
		clear(n.whos)
	}
	k.user = strings.Clone(k.user)
	n.whos[k] = id
	return id, nil
}

// blob binds s as a blob that is never NULL.
func blob(s string) driver.Value { return append([]byte{}, s...) }
