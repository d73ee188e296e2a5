package store

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gumshoe-ir/gumshoe/audit"
	"github.com/gumshoe-ir/gumshoe/event"
	"github.com/gumshoe-ir/gumshoe/rules/filter"
)

// minutely is a store with n activities in one day, at random minutes that
// thin out, of three users and kinds, and the minute of each.
func minutely(t *testing.T, r *rand.Rand, n int) (*DB, day, []event.Activity) {
	t.Helper()
	db, d := openStore(t, Options{}), dayOf(event.ID{NS: noon})
	var acts []event.Activity
	for i := range n {
		minute := r.Uint64N(1 + r.Uint64N(uint64(dayMinutes)))
		acts = append(acts, event.Activity{
			ID:   event.ID{NS: d.start() + minute*minuteNS + uint64(i), Host: d.host},
			Kind: event.Kind(r.IntN(3)), Severity: event.NoPriority, User: []string{"", "anna", "root"}[r.IntN(3)], Target: "x", Count: 1,
		})
	}
	hand(t, db, acts...)
	settle(t, db)
	return db, d, acts
}

func minuteIn(d day, a *event.Activity) int64 { return int64((a.ID.NS - d.start()) / minuteNS) }

func TestCountsOfAnyMinutesAddUp(t *testing.T) {
	r := rand.New(rand.NewPCG(seed(t), 2))
	db, d, acts := minutely(t, r, 2000)
	for i := range 300 {
		lo := r.Int64N(dayMinutes)
		hi := min(lo+r.Int64N(1+r.Int64N(dayMinutes)), dayMinutes-1)
		switch i % 10 {
		case 0:
			lo, hi = 0, dayMinutes-1
		case 1:
			lo = 0
		case 2:
			hi = dayMinutes - 1
		case 3:
			hi = lo - 1
		}
		want := map[int64]int64{}
		for i := range acts {
			if m := minuteIn(d, &acts[i]); lo <= m && m <= hi {
				want[int64(acts[i].Kind)]++
			}
		}
		for _, where := range []string{fmt.Sprintf("who = %d", everyone), "who in (select id from who)"} {
			got := map[int64]int64{}
			err := db.ask(context.Background(), d, func(r *reader) error {
				text := "select kind, sum(n) from (" + spans(lo, hi, where) + ") group by kind having sum(n) > 0"
				return r.query(context.Background(), text, func(rows *sql.Rows) error {
					var kind, n int64
					err := rows.Scan(&kind, &n)
					got[kind] = n
					return err
				})
			})
			if err != nil || !maps.Equal(want, got) {
				t.Fatalf("minutes %d to %d of %s: %v, want %v (%v)", lo, hi, where, got, want, err)
			}
		}
	}
}

func TestTheNearestMinuteWithRows(t *testing.T) {
	r := rand.New(rand.NewPCG(seed(t), 3))
	db, d, acts := minutely(t, r, 60)
	for range 500 {
		lo := r.Int64N(dayMinutes)
		hi := min(lo+r.Int64N(1+r.Int64N(dayMinutes)), dayMinutes-1)
		kind, forward := r.IntN(4), r.IntN(2) == 0
		want := int64(-1)
		for i := range acts {
			m := minuteIn(d, &acts[i])
			if int(acts[i].Kind) == kind && lo <= m && m <= hi && (want < 0 || (m < want) == forward) {
				want = m
			}
		}
		err := db.ask(context.Background(), d, func(r *reader) error {
			got, err := r.nearest(context.Background(), lo, hi, forward, fmt.Sprint(kind))
			if got != want {
				t.Errorf("kind %d, %d to %d, forward %v: minute %d, want %d", kind, lo, hi, forward, got, want)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// A word that many strings hold is looked for in the newest rows first; when
// those are others, all must still be found.
func TestWordsOfManyStringsFindTheirRows(t *testing.T) {
	db := openStore(t, Options{})
	var acts []event.Activity
	want := 0
	for i := range quickWords + quickRows + 1500 {
		a := event.Activity{ID: event.ID{NS: noon + uint64(i)*1e6}, Kind: event.File, Severity: event.NoPriority, Verb: "open", Count: 1}
		switch a.Target = fmt.Sprintf("/new/%d", i); {
		case i < quickWords+500:
			a.Target = fmt.Sprintf("/old/needle/%d", i)
			want++
		case i%500 == 0:
			a.Target = fmt.Sprintf("/new/needle/%d", i)
			want++
		}
		acts = append(acts, a)
	}
	hand(t, db, acts...)
	settle(t, db)
	for _, text := range []string{"needle", "gumshoe.activity.target contains needle", "needle and gumshoe.activity.kind = file", "needle old or needle new"} {
		for _, forward := range []bool{false, true} {
			got := pages(t, db, audit.Query{Selection: audit.Selection{Filter: bar(t, text)}, Forward: forward, Limit: 700})
			if len(got) != want {
				t.Errorf("%s, forward %v: %d rows, want %d", text, forward, len(got), want)
			}
		}
		h, err := db.Histogram(context.Background(), audit.HistogramQuery{Selection: audit.Selection{Filter: bar(t, text)}, Columns: 20})
		if err != nil || h.Total != uint64(want) || !h.Exact {
			t.Errorf("%s: graph of %d (%v), want %d", text, h.Total, err, want)
		}
	}
}

func TestSubstringsWithWildcardsAndOfAnyLength(t *testing.T) {
	db := openStore(t, Options{})
	targets := []string{
		"/100%/done", "/100/done", "/a_b/%_%_%_%_%_%_", "/axb/%%%%%%", "/" + strings.Repeat("long/", 30_000) + "end", "/" + strings.Repeat("_", 300),
		"/x", "/ü/" + strings.Repeat("ü", 600) + "!", "/%", "",
	}
	var acts []event.Activity
	for i, s := range targets {
		acts = append(acts, event.Activity{ID: event.ID{NS: noon + uint64(i)}, Kind: event.File, Severity: event.NoPriority, Target: s, Count: 1})
	}
	hand(t, db, acts...)
	settle(t, db)
	for _, part := range []string{
		"100%", "%/d", "_", "%", "__", "a_b", "%_%_%_%_%_%_", strings.Repeat("_", 299), "/x", "x", strings.Repeat("long/", 20_000), strings.Repeat("long/", 30_000) + "end",
		strings.Repeat("long/", 30_000) + "and", strings.Repeat("ü", 600), strings.Repeat("ü", 601), "none at all",
	} {
		var want []event.ID
		for i, s := range targets {
			if strings.Contains(s, part) {
				want = append(want, acts[i].ID)
			}
		}
		f, ok := event.LookupField("gumshoe.activity.target")
		if !ok {
			t.Fatal("no target field")
		}
		got := page(t, db, audit.Query{Forward: true, Selection: audit.Selection{Filter: contains(f, part)}})
		if diff := cmp.Diff(want, ids(got.Rows), cmp.Transformer("len", func(l []event.ID) string { return fmt.Sprint(l) })); diff != "" {
			t.Errorf("%.40s: %s", part, diff)
		}
	}
}

func contains(f *event.Field, part string) *filter.Check {
	return &filter.Check{Field: f, Op: filter.Contains, Values: []string{part}}
}
