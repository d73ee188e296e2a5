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

	"github.com/gumshoe-ir/gumshoe/event"
	"github.com/gumshoe-ir/gumshoe/rules/filter"
)

const (
	maxWords   = 50000 // strings in one condition; more are judged row by row
	quickWords = 1000  // strings in a condition made before rows are looked at
	maxScan    = 100000
	maxEnds    = 20000
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
	if likes, ok := patterns(c); ok && t.r.words {
		parts := make([]string, len(likes), len(likes)+1)
		for i, l := range likes {
			parts[i] = "select rowid, value from word where value like ?"
			args = append(args, l)
		}
		parts = append(parts, "select id, value from string where odd")
		return strings.Join(parts, " union all "), args, true, nil
	}
	return "select id, value from string", nil, t.r.fewStrings(t.ctx), nil
}

// patterns are LIKE patterns that together find all strings c can hold for,
// each with the three characters that the trigram index needs.
func patterns(c *filter.Check) ([]string, bool) {
	if len(c.Values) > 100 {
		return nil, false
	}
	var out []string
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
		if len([]rune(v)) < 3 || isOdd(v) || strings.ContainsAny(v, "%_") && wordsIn(v) < 3 {
			return nil, false
		}
		out = append(out, "%"+v+"%")
	}
	return out, len(out) > 0
}

// wordsIn is the length of the longest run in v without LIKE's wildcards.
func wordsIn(v string) int {
	longest := 0
	for _, run := range strings.FieldsFunc(v, func(r rune) bool { return r == '%' || r == '_' }) {
		longest = max(longest, len([]rune(run)))
	}
	return longest
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
