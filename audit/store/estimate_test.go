package store

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/gumshoe-ir/gumshoe/audit"
	"github.com/gumshoe-ir/gumshoe/event"
)

// A graph that there is no time to count is estimated in all its length, not
// cut off: columns of few rows are right, others nearly.
func TestGraphsWithoutTimeAreSampled(t *testing.T) {
	r := rand.New(rand.NewPCG(seed(t), 4))
	db := openStore(t, Options{})
	var acts []event.Activity
	for i := range 8000 {
		a := event.Activity{Kind: event.File, Severity: event.NoPriority, Target: fmt.Sprintf("/srv/%d", i), Count: 1}
		a.ID.NS = noon + uint64(i)*20e9 // into the second day after
		if i%97 == 0 {
			a.Kind = event.Command
		}
		if r.IntN(4) == 0 {
			a.Target = fmt.Sprintf("/needle/%d", i)
		}
		acts = append(acts, a)
	}
	hand(t, db, acts...)
	settle(t, db)
	for _, columns := range []int{8, 500} {
		for _, kinds := range []audit.KindSet{0, audit.KindSet(0).With(event.Command)} {
			s, err := newSearch(audit.Selection{Filter: bar(t, "needle"), Kinds: kinds})
			if err != nil {
				t.Fatal(err)
			}
			s.Range = audit.Range{Since: noon, Until: noon + 8000*20e9}
			h := layout(s, columns)
			s.sample, s.deadline = true, time.Now().Add(time.Hour)
			list, err := days(db.opt.Dir)
			if err != nil || len(list) != 3 {
				t.Fatal(list, err)
			}
			for _, d := range list {
				if err := db.ask(context.Background(), d, func(r *reader) error { return r.count(context.Background(), s, &h) }); err != nil {
					t.Fatal(err)
				}
			}
			if h.Exact {
				t.Error("an estimate calls itself exact")
			}
			want := like(&h)
			for i := range acts {
				if s.wants(&acts[i]) {
					if err := addTo(want, acts[i].ID.NS, int64(acts[i].Kind), 1); err != nil {
						t.Fatal(err)
					}
				}
			}
			compareEstimate(t, fmt.Sprintf("%d columns, kinds %b", columns, kinds), want, &h)
		}
	}
}

func compareEstimate(t *testing.T, what string, want, got *audit.Histogram) {
	t.Helper()
	few := got.Step <= 20*minuteNS // 60 rows, all of which are looked at
	wanted, found := uint32(0), uint32(0)
	for i := range want.Columns {
		for k, n := range want.Columns[i] {
			wanted, found = wanted+n, found+got.Columns[i][k]
			// Of a column's 1,000 rows 64 are asked: six standard deviations.
			if off := max(n, got.Columns[i][k]) - min(n, got.Columns[i][k]); few && off > 0 || off > n+120 {
				t.Errorf("%s: column %d has %d of kind %d, want %d", what, i, got.Columns[i][k], k, n)
			}
		}
	}
	if off := max(wanted, found) - min(wanted, found); off > wanted/2+20 {
		t.Errorf("%s: %d in all, want %d", what, found, wanted)
	}
}
