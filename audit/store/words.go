package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"unicode/utf8"

	"github.com/gumshoe-ir/gumshoe/event"
	"github.com/gumshoe-ir/gumshoe/rules/filter"
)

const (
	maxWords   = 50000 // strings in one condition; more are judged row by row
	quickWords = 1000  // strings in a condition made before rows are looked at
	maxScan    = 100000
	maxEnds    = 20000
	maxLike    = 1024 // bytes of a pattern; SQLite refuses 50,000
	maxWild    = 8    // wildcards in a pattern, each of which costs a search
)

// words are the ids of the strings for which c holds of what probe makes of
// them; 0, the empty string, among them. ok is false when there are too many
// to look at.
func (t *translator) words(c *filter.Check, probe func(string) *event.Activity) (ids []int64, ok bool, err error) {
	check := *c
	sample := probe("x")
	if sample.Verb == "" && sample.Name == "" && sample.Kind != event.File {
		// Any field that is one interned string is judged as the target.
		if check.Field, ok = event.LookupField("gumshoe.activity.target"); !ok {
			return nil, false, nil
		}
	}
	match, err := compile(&check)
	if err != nil {
		return nil, false, nil // an operator that only the field itself takes
	}
	text, args, ok, err := t.candidates(c, sample.Kind == event.File)
	if err != nil || !ok {
		return nil, false, err
	}
	if match(probe("")) {
		ids = append(ids, 0)
	}
	most := maxWords
	if t.quick {
		most = quickWords
	}
	err = t.r.query(t.ctx, text, func(rows *sql.Rows) error {
		var id int64
		var b sql.RawBytes
		if err := rows.Scan(&id, &b); err != nil {
			return err
		}
		if match(probe(string(b))) {
			ids = append(ids, id)
		}
		if len(ids) > most {
			return errMany
		}
		return nil
	}, args...)
	if errors.Is(err, errMany) {
		t.left = t.left || t.quick
		return nil, false, nil
	}
	return ids, err == nil, err
}

// errMany ends a query for strings.
var errMany = errors.New("too many strings")

// candidates is the query for all strings that c could hold for.
func (t *translator) candidates(c *filter.Check, part bool) (text string, args []any, ok bool, err error) {
	if !part && (c.Op == filter.Eq || c.Op == filter.In) {
		hashes := make([]int64, len(c.Values))
		for i, v := range c.Values {
			if hashes[i], err = t.r.hash(t.ctx, v); err != nil {
				return "", nil, false, err
			}
		}
		return "select id, value from string where hash in (" + in(hashes) + ")", nil, true, nil
	}
	likes, trigrams := patterns(c)
	for _, l := range likes {
		args = append(args, l)
	}
	if trigrams && t.r.words {
		found := strings.Repeat("select rowid, value from word where value like ? union all ", len(likes))
		return found + "select id, value from string where odd", args, true, nil
	}
	text = "select id, value from string"
	if len(likes) > 0 {
		text += " where odd" + strings.Repeat(" or value like ?", len(likes))
	}
	return text, args, t.r.fewStrings(t.ctx), nil
}

// patterns are LIKE patterns that together find all strings c can hold for;
// none when there are no such. trigrams says that each has the three
// characters that the trigram index needs.
func patterns(c *filter.Check) (likes []string, trigrams bool) {
	if len(c.Values) > 100 {
		return nil, false
	}
	trigrams = true
	for _, v := range c.Values {
		switch c.Op {
		case filter.Eq, filter.In, filter.Contains, filter.StartsWith, filter.EndsWith:
		case filter.IContains:
			if !isASCII(v) {
				return nil, false
			}
		case filter.Glob:
			v = literal(v)
		default:
			return nil, false
		}
		if isOdd(v) {
			return nil, false
		}
		run := longestRun(v)
		trigrams = trigrams && utf8.RuneCountInString(run) >= 3
		if len(v) > maxLike || strings.Count(v, "%")+strings.Count(v, "_") > maxWild {
			v = run[:runes(run, maxLike)]
		}
		likes = append(likes, "%"+v+"%")
	}
	return likes, trigrams && len(likes) > 0
}

// longestRun is the longest part of v without LIKE's wildcards.
func longestRun(v string) string {
	longest := ""
	for _, run := range strings.FieldsFunc(v, func(r rune) bool { return r == '%' || r == '_' }) {
		if len(run) > len(longest) {
			longest = run
		}
	}
	return longest
}

// runes is the length of as many whole runes of s as n bytes hold.
func runes(s string, n int) int {
	if n = min(n, len(s)); n == len(s) {
		return n
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return n
}

// literal is the longest run of a glob that stands for itself.
func literal(glob string) string {
	if strings.ContainsAny(glob, `\[{`) {
		return ""
	}
	best := ""
	for _, run := range strings.FieldsFunc(glob, func(r rune) bool { return r == '*' || r == '?' }) {
		if len(run) > len(best) {
			best = run
		}
	}
	return best
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// distinct are the values of a column of extra, found by leaping over
// its index.
func (t *translator) distinct(column string, each func(*sql.Rows) error) error {
	return t.r.query(t.ctx, fmt.Sprintf(`with recursive d(x) as (select min(%[1]s) from extra
		union all select (select min(%[1]s) from extra where %[1]s > x) from d where x is not null)
		select x from d where x is not null limit %[2]d`, column, maxEnds+1), each)
}

// remotes are the rows whose remote address is wanted.
func (t *translator) remotes(wanted func(netip.AddrPort) bool) (term, bool, error) {
	var ids []int64
	err := t.distinct("remote", func(rows *sql.Rows) error {
		var id int64
		err := rows.Scan(&id)
		ids = append(ids, id)
		return err
	})
	if err != nil || len(ids) > maxEnds {
		return term{}, false, err
	}
	t.r.mu.Lock()
	text, err := t.r.texts(t.ctx, ids)
	t.r.mu.Unlock()
	if err != nil {
		return term{}, false, err
	}
	out := term{op: set, column: "remote"}
	for id, s := range text {
		if a, err := netip.ParseAddrPort(s); err == nil && wanted(a) {
			out.ids = append(out.ids, id)
		}
	}
	return out.simplify(), true, nil
}

// locals are the rows whose local address is wanted.
func (t *translator) locals(wanted func(netip.AddrPort) bool) (term, bool, error) {
	out := term{op: set, column: "local"}
	n := 0
	err := t.distinct("local", func(rows *sql.Rows) error {
		var b sql.RawBytes
		if err := rows.Scan(&b); err != nil {
			return err
		}
		n++
		if a, err := readAddr(b); err == nil && wanted(a) {
			out.blobs = append(out.blobs, fmt.Sprintf("x'%x'", []byte(b)))
		}
		return nil
	})
	return out.simplify(), n <= maxEnds, err
}

// fewStrings reports whether all strings may be looked at one by one.
func (r *reader) fewStrings(ctx context.Context) bool {
	var n sql.NullInt64
	err := r.tx.QueryRowContext(ctx, "select max(id) from string").Scan(&n)
	return err == nil && n.Int64 <= maxScan
}

// hash is names.hash for this file.
func (r *reader) hash(ctx context.Context, s string) (int64, error) {
	var salt []byte
	if err := r.tx.QueryRowContext(ctx, "select value from meta where name = 'salt'").Scan(&salt); err != nil {
		return 0, err
	}
	sum := sha256.Sum256(append(salt, s...))
	return int64(binary.LittleEndian.Uint64(sum[:]) >> 1), nil
}
