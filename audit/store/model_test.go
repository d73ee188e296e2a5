package store

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gumshoe-ir/gumshoe/audit"
	"github.com/gumshoe-ir/gumshoe/event"
	"github.com/gumshoe-ir/gumshoe/rules/filter"
)

// world makes random activities out of few values, so that filters meet them.
type world struct {
	r     *rand.Rand
	procs []*event.Process
}

func newWorld(seed uint64) *world {
	w := &world{r: rand.New(rand.NewPCG(seed, 1))}
	var boxes []*event.Container
	for i := range 4 {
		boxes = append(boxes, &event.Container{
			ID: fmt.Sprintf("c%d", i), FullID: fmt.Sprintf("c%d-full", i), Name: fmt.Sprintf("box%d", i), Image: "img:" + fmt.Sprint(i%2),
			Pod: []string{"", "pod-a"}[i%2], Namespace: []string{"", "shop"}[i%2], Runtime: event.Docker,
		})
	}
	names := []string{"sh", "nginx", "curl", "po\x00w", "\xff\xfebin", "ümlaut"}
	for i := range 40 {
		p := &event.Process{PID: int32(i + 1), TID: int32(i + 1), StartBoot: uint64(i), LoginUID: event.NoID, UID: uint32(i % 3), Name: names[w.r.IntN(len(names))]}
		p.ExePath, p.Cmdline, p.CloneTime = "/usr/bin/"+p.Name, p.Name+fmt.Sprintf(" --n=%d", i%7), noon
		p.User = &event.User{UID: p.UID, Name: []string{"root", "anna", "www"}[p.UID]}
		if i > 0 {
			p.Parent = w.procs[w.r.IntN(len(w.procs))]
			p.Container = []*event.Container{nil, boxes[w.r.IntN(4)]}[w.r.IntN(2)]
		}
		if p.Leader = p.Parent; w.r.IntN(3) == 0 {
			p.Leader = p
		}
		w.procs = append(w.procs, p)
	}
	return w
}

func pick[T any](w *world, from ...T) T { return from[w.r.IntN(len(from))] }

// activity is one of host 1 or 2 in the days around noon; some share an instant.
func (w *world) activity() event.Activity {
	a := event.Activity{
		ID: event.ID{
			NS: noon + uint64(w.r.IntN(40))*uint64(dayNS)/20 + pick(w, 0, 1, uint64(w.r.IntN(100))*1e9), Host: 1 + uint32(w.r.IntN(2)),
			CPU: uint16(w.r.IntN(2) * 256), Ord: uint16(w.r.IntN(3)),
		},
		Kind: event.Kind(w.r.IntN(int(event.Kinds))), Severity: pick(w, event.NoPriority, event.Warning),
		Session: event.SessionID(w.r.IntN(3)), User: pick(w, "", "anna", "root"), Count: 1 + uint32(w.r.IntN(2)), Result: int64(w.r.IntN(2)),
	}
	if w.r.IntN(10) > 0 {
		a.Process = w.procs[w.r.IntN(len(w.procs))]
	}
	switch a.Kind {
	case event.Connection:
		a.Verb = pick(w, "connect", "accept", "listen")
		a.Proto = event.ProtoTCP
		if w.r.IntN(4) > 0 {
			a.Remote = netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, byte(w.r.IntN(4))}), pick[uint16](w, 80, 443))
		}
		if w.r.IntN(4) > 0 {
			a.Local = pick(w, netip.MustParseAddrPort("[::1]:80"), netip.MustParseAddrPort("10.0.0.1:5000"))
		}
		a.Target, a.Name = pick(w, a.Remote.String(), "/run/sock"), pick(w, "", "evil.example")
	case event.File:
		a.Verb = pick(w, "open", "unlink", "rename")
		a.Target = pick(w, "/etc/passwd", "/etc/shadow", "/tmp/100%_x", "/TMP/Mixed", "/tmp/\xff\x00bad", "relative")
		if a.Verb == "rename" {
			a.Name = pick(w, "/etc/passwd", "/tmp/new")
		}
	default:
		a.Verb, a.Target = pick(w, "exec", "setuid"), pick(w, "sh -c id", "curl http://x", "", "nginx")
	}
	return a
}

// condition is a random filter.
func (w *world) condition(deep int) filter.Node {
	if deep > 0 {
		switch w.r.IntN(4) {
		case 0:
			return &filter.And{Terms: []filter.Node{w.condition(deep - 1), w.condition(deep - 1)}}
		case 1:
			return &filter.Or{Terms: []filter.Node{w.condition(deep - 1), w.condition(deep - 1)}}
		case 2:
			return &filter.Not{Term: w.condition(deep - 1)}
		}
	}
	if w.r.IntN(6) == 0 {
		return &filter.Text{Word: pick(w, "sh", "passwd", "PASS", "anna", "box1", "10.0.0.1", "443", "exec", "evil", "img:0", "shop", "x", "nothing", "ümlaut", "::1:80", "0.1:5")}
	}
	for {
		c := w.check()
		if _, err := filter.Compile(c); err == nil {
			return c
		}
	}
}

func (w *world) check() *filter.Check {
	name := pick(w, "gumshoe.activity.target", "gumshoe.activity.verb", "gumshoe.activity.kind", "gumshoe.activity.user", "gumshoe.activity.name",
		"gumshoe.session", "user.name", "user.uid", "user.loginuid", "container.name", "container.id", "container.image", "k8s.pod.name", "k8s.ns.name",
		"proc.name", "proc.exepath", "proc.cmdline", "proc.pid", "proc.pname", "proc.aname", "proc.acmdline", "proc.args", "proc.sname",
		"fd.name", "fd.directory", "fd.filename", "fs.path.name", "fs.path.source", "fs.path.target", "fd.ip", "fd.rip", "fd.lip", "fd.cip", "fd.sip",
		"fd.port", "fd.rport", "fd.sport", "fd.net", "fd.rnet", "fd.l4proto", "evt.type", "evt.failed", "gumshoe.activity.count", "gumshoe.host")
	f, _ := event.LookupField(name)
	c := &filter.Check{Field: f, Op: pick(w, filter.Operators(f)...)}
	value := func() string {
		switch f.Kind {
		case event.Bool:
			return pick(w, "true", "false")
		case event.IP:
			return pick(w, "10.0.0.1", "::1", "10.0.0.2", "9.9.9.9")
		case event.Net:
			return pick(w, "10.0.0.0/31", "::/0", "9.0.0.0/8")
		case event.Int, event.Uint:
			return pick(w, "0", "1", "2", "80", "443", "7", "-1")
		}
		return pick(w, "", "/etc/passwd", "/etc", "etc", "passwd", "sh", "SH", "nginx", "/tmp/100%_x", "%_x", "/tmp/\xff", "\xff", "exec", "open", "connect", "cmd", "net",
			"file", "anna", "root", "box1", "c1", "img:0", "pod-a", "shop", "host", "tcp", "10.0.0.1", "10.0.0.1:443", "evil.example", "*etc*", "/t?p/*", "--n=3", "ümlaut", "relative", "mixed")
	}
	switch c.Op {
	case filter.Exists:
	case filter.In, filter.Intersects, filter.PMatch:
		c.Values = []string{value(), value(), value()}
	default:
		c.Values = []string{value()}
	}
	return c
}

// naive answers as the store must, from a slice.
type naive []event.Activity

func (n naive) selected(t *testing.T, s audit.Selection) []event.Activity {
	match, err := filter.Compile(s.Filter)
	if err != nil {
		t.Fatal(err)
	}
	var out []event.Activity
	for i := range n {
		a := &n[i]
		if a.ID.NS >= s.Range.Since && (s.Range.Until == 0 || a.ID.NS < s.Range.Until) && s.Kinds.Has(a.Kind) && match.Match(a) {
			out = append(out, *a)
		}
	}
	return out
}

// filled is a store and the same activities, oldest first, each once.
func filled(t *testing.T, w *world, n int) (*DB, naive) {
	db := openStore(t, Options{})
	last := map[event.ID]event.Activity{}
	for range n / 50 {
		var acts []event.Activity
		for range 50 {
			a := w.activity()
			if len(acts) > 0 && w.r.IntN(10) == 0 { // more is known of an earlier one
				a.ID = acts[w.r.IntN(len(acts))].ID
			}
			last[a.ID] = a
			acts = append(acts, a)
		}
		hand(t, db, acts...)
	}
	settle(t, db)
	var model naive
	for _, a := range last {
		model = append(model, a)
	}
	slices.SortFunc(model, func(a, b event.Activity) int { return a.ID.Compare(b.ID) })
	return db, model
}

func (w *world) selection() audit.Selection {
	s := audit.Selection{}
	if w.r.IntN(3) > 0 {
		s.Filter = w.condition(2)
	}
	if w.r.IntN(3) == 0 {
		s.Kinds = s.Kinds.With(event.Kind(w.r.IntN(int(event.Kinds)))).With(event.File)
	}
	if w.r.IntN(3) == 0 {
		s.Range.Since = noon + uint64(w.r.IntN(20))*dayNS/10
		s.Range.Until = s.Range.Since + uint64(w.r.IntN(10))*dayNS/10
	}
	return s
}

// seed is another one each run; GUMSHOE_SEED repeats one.
func seed(t *testing.T) uint64 {
	n := uint64(time.Now().UnixNano())
	if s := os.Getenv("GUMSHOE_SEED"); s != "" {
		n, _ = strconv.ParseUint(s, 10, 64)
	}
	t.Logf("GUMSHOE_SEED=%d", n)
	return n
}

func TestPagesAnswerAsANaiveStoreDoes(t *testing.T) {
	w := newWorld(seed(t))
	db, model := filled(t, w, 2000)
	if diff := cmp.Diff([]event.Activity(model), everything(t, db), sameAddr); diff != "" {
		t.Fatal("all rows:\n" + diff)
	}
	for i := range 200 {
		q := audit.Query{Selection: w.selection(), Forward: i%2 == 0, Limit: 1 + w.r.IntN(200)}
		want := model.selected(t, q.Selection)
		if !q.Forward {
			slices.Reverse(want)
		}
		db.budget = time.Minute
		if i%25 == 0 {
			db.budget = 1 // out of time at once, it must say where it is
		}
		got := pages(t, db, q)
		if diff := cmp.Diff(ids(want), ids(got)); diff != "" {
			t.Fatalf("%d: %s kinds %b range %v: got %d, want %d rows:\n%s", i, written(q.Filter), q.Kinds, q.Range, len(got), len(want), diff)
		}
	}
}

func TestHistogramsCountAsANaiveStoreDoes(t *testing.T) {
	w := newWorld(seed(t))
	db, model := filled(t, w, 2000)
	for i := range 300 {
		q := audit.HistogramQuery{Selection: w.selection(), Columns: 1 + w.r.IntN(50)}
		if i%2 == 0 && q.Range.Since != 0 { // short ranges count rows
			q.Range.Until = q.Range.Since + uint64(w.r.IntN(120))*1e9
		}
		got, err := db.Histogram(context.Background(), q)
		if err != nil {
			t.Fatalf("%s: %v", written(q.Filter), err)
		}
		if len(got.Columns) == 0 {
			continue // an empty range
		}
		if !got.Exact {
			t.Errorf("%s: not exact", written(q.Filter))
		}
		sel := q.Selection
		sel.Range = audit.Range{Since: got.Start, Until: got.Start + got.Step*uint64(len(got.Columns))}
		want := make([][event.Kinds]uint32, len(got.Columns))
		rows := model.selected(t, sel)
		for _, a := range rows {
			want[(a.ID.NS-got.Start)/got.Step][a.Kind]++
		}
		if diff := cmp.Diff(want, got.Columns); diff != "" {
			t.Fatalf("%d: %s kinds %b range %v step %d:\n%s", i, written(q.Filter), q.Kinds, q.Range, got.Step, diff)
		}
	}
}

func TestFacetsCountAsANaiveStoreDoes(t *testing.T) {
	w := newWorld(seed(t))
	db, model := filled(t, w, 1000)
	for range 150 {
		q := audit.FacetQuery{
			Selection: w.selection(), Prefix: pick(w, "", "b", "an"), Limit: 1 + w.r.IntN(20),
			Field: pick(w, "container.name", "user.name", "gumshoe.session", "gumshoe.activity.kind", "proc.name", "gumshoe.activity.target", "fd.rport"),
		}
		got, err := db.Facets(context.Background(), q)
		if err != nil {
			t.Fatal(err)
		}
		f, _ := event.LookupField(q.Field)
		want := tally{field: f, prefix: q.Prefix, counts: map[string]uint64{}}
		rows := model.selected(t, q.Selection)
		for i := range rows {
			want.add(&rows[i], 1)
		}
		if diff := cmp.Diff(want.top(q.Limit), got); diff != "" {
			t.Fatalf("%s of %s kinds %b range %v:\n%s", q.Field, written(q.Filter), q.Kinds, q.Range, diff)
		}
	}
}

func written(n filter.Node) string {
	if n == nil {
		return "no filter"
	}
	return filter.Print(n)
}

func ids(acts []event.Activity) []event.ID {
	out := []event.ID{}
	for i := range acts {
		out = append(out, acts[i].ID)
	}
	return out
}

// pages is all of q's answer, following its cursors.
func pages(t *testing.T, db audit.Trail, q audit.Query) []event.Activity {
	var all []event.Activity
	for {
		p, err := db.Page(context.Background(), q)
		if err != nil {
			t.Fatalf("%s: %v", written(q.Filter), err)
		}
		all = append(all, p.Rows...)
		if !p.More {
			return all
		}
		if q.After = p.Scanned; q.After.IsZero() {
			q.After = p.Rows[len(p.Rows)-1].ID
		}
	}
}
