package store

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gumshoe-ir/gumshoe/audit"
	"github.com/gumshoe-ir/gumshoe/event"
	"github.com/gumshoe-ir/gumshoe/rules/filter"
)

func reopen(t *testing.T, db *DB, opt Options) *DB {
	t.Helper()
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	opt.Dir = db.opt.Dir
	return openStore(t, opt)
}

func bar(t *testing.T, text string) filter.Node {
	t.Helper()
	n, err := filter.ParseBar(text)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestMetadataOfAContainerThatIsGoneFillsStoredRows(t *testing.T) {
	db := openStore(t, Options{})
	pending := &event.Container{ID: "aabbccddeeff", FullID: "aabbccddeeff00", Pending: true}
	p := &event.Process{PID: 5, TID: 5, Name: "id", LoginUID: event.NoID, Container: pending}
	hand(t, db, event.Activity{ID: event.ID{NS: noon}, Verb: "exec", Target: "id", Process: p, Count: 1})
	settle(t, db)
	if c := page(t, db, audit.Query{}).Rows[0].Process.Container; c == nil || !c.Pending {
		t.Fatalf("before the answer: %+v", c)
	}
	known := *pending
	known.Pending, known.Name, known.Namespace = false, "web", "shop"
	b := event.NewBatch(nil)
	b.Containers = []*event.Container{&known}
	b.Events = []event.Event{{ID: event.ID{NS: noon + 1e9}, Type: event.AsynceventE, TID: -1}}
	if err := db.Handle(context.Background(), b); err != nil {
		t.Fatal(err)
	}
	settle(t, db)
	check := func(db *DB) {
		t.Helper()
		rows := page(t, db, audit.Query{Selection: audit.Selection{Filter: bar(t, "container.name = web and k8s.ns.name = shop")}}).Rows
		if len(rows) != 1 || rows[0].Process.Container.Name != "web" {
			t.Errorf("after the answer: %+v", rows)
		}
	}
	check(db)
	hand(t, db, event.Activity{ID: event.ID{NS: noon + 2e9}, Verb: "exec", Target: "id", Count: 1, Process: &event.Process{PID: 6, Container: pending}})
	settle(t, db)
	db = reopen(t, db, Options{})
	if n := len(page(t, db, audit.Query{Selection: audit.Selection{Filter: bar(t, "container.name = web")}}).Rows); n != 2 {
		t.Errorf("an older snapshot took the name away: %d rows", n)
	}
}

// batch hands db one batch made by f.
func batch(t *testing.T, db *DB, f func(b *event.Batch)) {
	t.Helper()
	b := event.NewBatch(nil)
	f(b)
	if err := db.Handle(context.Background(), b); err != nil {
		t.Fatal(err)
	}
	settle(t, db)
}

func process(pid int32, parent *event.Process) *event.Process {
	p := &event.Process{PID: pid, TID: pid, StartBoot: uint64(pid) * 10, Name: fmt.Sprintf("p%d", pid), CloneTime: noon, LoginUID: event.NoID, Parent: parent}
	if parent != nil {
		p.PPID = parent.PID
	}
	return p
}

func exits(b *event.Batch, p *event.Process, ns uint64) {
	b.Events = append(b.Events, event.Event{ID: event.ID{NS: ns}, Type: event.ProcexitV1E, TID: int64(p.PID), Process: p})
}

// tree is the names of the processes at an instant, in order.
func tree(t *testing.T, db audit.Trail, q audit.TreeQuery) string {
	t.Helper()
	list, err := db.Tree(context.Background(), q)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[*event.Process]bool{}
	var names []string
	for _, p := range list {
		for _, other := range list {
			if p.Parent == other && !seen[other] {
				t.Errorf("%s comes before its parent", p.Name)
			}
		}
		seen[p] = true
		name := p.Name
		if p.ExitTime != 0 {
			name += "+"
		}
		names = append(names, name)
	}
	return strings.Join(names, " ")
}

func TestTreeAsOfAnInstant(t *testing.T) {
	db := openStore(t, Options{})
	top := process(1, nil)
	daemon, shell := process(20, top), process(3, top)
	batch(t, db, func(b *event.Batch) {
		b.State = []*event.Process{daemon, top, shell}
		b.Events = []event.Event{{ID: event.ID{NS: noon + 1e9}}}
	})
	cat, forked := process(40, shell), process(41, daemon)
	cat.CloneTime, forked.CloneTime = noon+5e9, noon+5e9
	res, err := event.EncodeParams(event.SyscallCloneV20X, int64(0))
	batch(t, db, func(b *event.Batch) {
		b.Activities = []event.Activity{{ID: event.ID{NS: noon + 5e9}, Verb: "exec", Process: cat, Count: 1}}
		b.Events = []event.Event{{ID: event.ID{NS: noon + 5e9}, Type: event.SyscallCloneV20X, TID: 41, Process: forked, Params: res}}
	})
	batch(t, db, func(b *event.Batch) { exits(b, cat, noon+10e9) })
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		at     uint64
		exited uint64
		filter string
		want   string
	}{
		{"before anything", noon - 1, 0, "", ""},
		{"at start", noon + 1e9, 0, "", "p1 p3 p20"},
		{"while a command runs", noon + 6e9, 0, "", "p1 p3 p40 p20 p41"},
		{"after it ended", noon + 11e9, 0, "", "p1 p3 p20 p41"},
		{"just ended ones on request", noon + 11e9, 2e9, "", "p1 p3 p40+ p20 p41"},
		{"ancestors come along", noon + 6e9, 0, "proc.name = p40", "p1 p3 p40"},
		{"nothing matches", noon + 6e9, 0, "proc.name = nobody", ""},
		{"another day before", noon - dayNS, 0, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			q := audit.TreeQuery{At: c.at, Exited: c.exited}
			if c.filter != "" {
				q.Filter = bar(t, c.filter)
			}
			if got := tree(t, db, q); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestProcessesGoneDuringAPauseAreEnded(t *testing.T) {
	db := openStore(t, Options{})
	top, old, gone := process(1, nil), process(2, nil), process(3, nil)
	batch(t, db, func(b *event.Batch) {
		b.State = []*event.Process{top, old, gone}
		b.Events = []event.Event{{ID: event.ID{NS: noon}}}
		b.Activities = []event.Activity{{ID: event.ID{NS: noon + 1e9}, Verb: "exec", Process: old, Count: 1}}
	})
	db = reopen(t, db, Options{})
	reused := process(3, nil)
	reused.StartBoot, reused.Name, reused.CloneTime = 999, "new3", noon+50e9
	batch(t, db, func(b *event.Batch) {
		b.State = []*event.Process{top, old, reused}
		b.Events = []event.Event{{ID: event.ID{NS: noon + 60e9}}}
	})
	if got := tree(t, db, audit.TreeQuery{At: noon + 61e9}); got != "p1 p2 new3" {
		t.Errorf("after the pause: %q", got)
	}
	if got := tree(t, db, audit.TreeQuery{At: noon + 5e8}); got != "p1 p2 p3" {
		t.Errorf("before it: %q", got)
	}
}

func TestTheLivingAreCarriedIntoTheNextDay(t *testing.T) {
	db := openStore(t, Options{})
	top := process(1, nil)
	batch(t, db, func(b *event.Batch) {
		b.State = []*event.Process{top, process(2, top)}
		b.Events = []event.Event{{ID: event.ID{NS: noon}}}
	})
	batch(t, db, func(b *event.Batch) {
		b.Activities = []event.Activity{{ID: event.ID{NS: noon + dayNS}, Verb: "exec", Process: top, Count: 1}}
	})
	if got := tree(t, db, audit.TreeQuery{At: noon + dayNS}); got != "p1 p2" {
		t.Errorf("next day: %q", got)
	}
}

func TestHostileTextIsStoredWhole(t *testing.T) {
	db := openStore(t, Options{})
	var want []event.Activity
	for i, s := range []string{"", "a\x00b", "\xff\xfe", "\x1b[2J\n\r", "\u202e", strings.Repeat("x\x00\xff", 350_000), strings.Repeat("long ", 250_000), "'; drop table activity; --", "%_\\"} {
		p := process(int32(i+1), nil)
		p.Name, p.Exe, p.ExePath, p.Cmdline, p.Cwd, p.Args, p.Env = s, s, s, s, s, []string{s, ""}, []string{s}
		p.User = &event.User{Name: s + "u", Home: s}
		p.Container = &event.Container{ID: fmt.Sprint("c", i) + s, Name: s, Labels: map[string]string{s: s}}
		want = append(want, event.Activity{ID: event.ID{NS: noon + uint64(i)}, Verb: "exec", Target: s, Name: s, RealPath: s, User: s, Process: p, Count: 1})
	}
	hand(t, db, want...)
	settle(t, db)
	if got := everything(t, db); !cmp.Equal(want, got, sameAddr) {
		for i := range got {
			if !cmp.Equal(want[i], got[i], sameAddr) {
				t.Errorf("activity %d (%.20q) differs", i, want[i].Target)
			}
		}
	}
	f, _ := event.LookupField("gumshoe.activity.target")
	for i, word := range []string{"\xfe", "b", "\u202e", "drop table", "x\x00\xffx"} {
		n := &filter.Check{Field: f, Op: filter.Contains, Values: []string{word}}
		if _, err := filter.Compile(n); err != nil {
			continue // the language has no such value
		}
		if rows := page(t, db, audit.Query{Selection: audit.Selection{Filter: n}}).Rows; len(rows) == 0 {
			t.Errorf("%d: nothing contains %q", i, word)
		}
	}
}

func TestUpdatesKeepOneRowAndTheCounts(t *testing.T) {
	db := openStore(t, Options{})
	a := event.Activity{ID: event.ID{NS: noon, CPU: 1}, Kind: event.Command, Severity: event.NoPriority, Verb: "exec", Target: "sleep 1", User: "anna", Count: 1, Process: process(9, nil)}
	other := a
	other.ID.CPU = 257 // the same low bits
	hand(t, db, a, other)
	settle(t, db)
	db = reopen(t, db, Options{})
	a.End, a.Result, a.Count, a.Severity, a.User = noon+1e9, 256, 4, event.Critical, "root"
	hand(t, db, a)
	settle(t, db)
	if diff := cmp.Diff([]event.Activity{a, other}, everything(t, db), sameAddr); diff != "" {
		t.Error(diff)
	}
	for _, f := range []string{"", "gumshoe.activity.user = root", "gumshoe.activity.user = anna"} {
		h, err := db.Histogram(context.Background(), audit.HistogramQuery{
			Selection: audit.Selection{Filter: bar(t, f), Range: audit.Range{Since: noon - 3600e9, Until: noon + 3600e9}}, Columns: 10,
		})
		want := uint64(1)
		if f == "" {
			want = 2
		}
		if err != nil || h.Total != want || !h.Exact {
			t.Errorf("%q: %d, %v, want %d", f, h.Total, err, want)
		}
	}
}

func TestOneWriterManyReaders(t *testing.T) {
	db := openStore(t, Options{})
	_, err := Open(context.Background(), Options{Dir: db.opt.Dir})
	if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("by pid %d", os.Getpid())) || strings.Contains(err.Error(), "\n") {
		t.Errorf("second writer: %v", err)
	}
	l := newLoad(20000)
	done := make(chan error, 2)
	for range 2 {
		r := openStore(t, Options{Dir: db.opt.Dir, ReadOnly: true})
		go func() {
			last := 0
			for stop := time.Now().Add(time.Minute); last < 20000 && time.Now().Before(stop); {
				h, err := r.Histogram(context.Background(), audit.HistogramQuery{Columns: 10})
				if err != nil || int(h.Total) < last {
					done <- fmt.Errorf("%d after %d: %w", h.Total, last, err)
					return
				}
				last = int(h.Total)
				if _, err := r.Page(context.Background(), audit.Query{}); err != nil {
					done <- err
					return
				}
			}
			done <- nil
		}()
	}
	l.pour(t, db, 20000)
	for range 2 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

func TestRetentionUnlinksWholeDays(t *testing.T) {
	dir := t.TempDir()
	now := uint64(time.Now().UnixNano())
	old := func(days uint64) event.Activity {
		return event.Activity{ID: event.ID{NS: now - days*dayNS}, Verb: "exec", Target: fmt.Sprint(days), Count: 1}
	}
	db := openStore(t, Options{Dir: dir})
	hand(t, db, old(0), old(1), old(2), old(9))
	settle(t, db)
	db = reopen(t, db, Options{Days: 2})
	waitFor(t, func() bool { return len(everything(t, db)) == 2 })
	for i, a := range everything(t, db) {
		if want := fmt.Sprint(1 - i); a.Target != want {
			t.Errorf("kept the activity of %s days ago, want %s", a.Target, want)
		}
	}
	db = reopen(t, db, Options{MaxBytes: 1})
	waitFor(t, func() bool { return len(everything(t, db)) == 1 })
	files, _ := filepath.Glob(filepath.Join(dir, "day-*"))
	if len(files) > 3 {
		t.Errorf("left behind: %v", files)
	}
}

func waitFor(t *testing.T, f func() bool) {
	t.Helper()
	for range 500 {
		if f() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatal("did not come true in 5 s")
}
