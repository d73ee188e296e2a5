package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gumshoe-ir/gumshoe/audit"
	"github.com/gumshoe-ir/gumshoe/event"
	"github.com/gumshoe-ir/gumshoe/rules/filter"
)

// load is a made-up host's activity over three days: paths by Zipf's law and
// some that occur once, 300 services and thousands of short commands, 40
// containers, 20 users, 800 sessions.
type load struct {
	r        *rand.Rand
	paths    []string
	zipf     *rand.Zipf
	services []*event.Process
	short    *event.Process
	boxes    []*event.Container
	users    []*event.User
	n, total int
}

func newLoad(total int) *load {
	r := rand.New(rand.NewPCG(7, 7))
	l := &load{r: r, total: total, zipf: rand.NewZipf(r, 1.2, 8, 19999)}
	for i := range 20000 {
		l.paths = append(l.paths, fmt.Sprintf("/srv/app%02d/data/%05d/part-%04x.log", i%40, i, r.IntN(65536)))
	}
	for i := range 20 {
		l.users = append(l.users, &event.User{UID: uint32(i), Name: fmt.Sprintf("user%02d", i)})
	}
	for i := range 40 {
		l.boxes = append(l.boxes, &event.Container{
			ID: fmt.Sprintf("%012x", i+1), FullID: fmt.Sprintf("%064x", i+1), Name: fmt.Sprintf("box-%02d", i),
			Image: fmt.Sprintf("registry/app-%d:1", i%12), Pod: fmt.Sprintf("pod-%02d", i), Namespace: fmt.Sprintf("ns-%d", i%6), Runtime: event.Containerd,
		})
	}
	for i := range 300 {
		l.services = append(l.services, l.process(int32(i+1), nil))
	}
	return l
}

func (l *load) process(pid int32, parent *event.Process) *event.Process {
	u := l.users[l.r.IntN(len(l.users))]
	p := &event.Process{
		PID: pid, TID: pid, StartBoot: uint64(pid) * 1000, Name: fmt.Sprintf("prog%03d", l.r.IntN(200)), UID: u.UID, User: u, LoginUID: event.NoID,
		Parent: parent, Cwd: "/", CloneTime: firstDay + uint64(l.n), Env: []string{"PATH=/usr/bin", "HOME=<5 bytes>"},
	}
	p.ExePath = "/usr/bin/" + p.Name
	p.Args = []string{"--job", strconv.Itoa(int(pid))}
	p.Cmdline = p.Name + " --job " + p.Args[1]
	if parent != nil {
		p.PPID, p.SID, p.Container, p.Leader = parent.PID, parent.SID, parent.Container, parent
		if pid%20 != 0 {
			p.User, p.UID = parent.User, parent.UID
		}
		return p
	}
	if p.SID = pid; l.r.IntN(4) > 0 {
		p.Container = l.boxes[l.r.IntN(len(l.boxes))]
	}
	return p
}

const (
	firstDay = uint64(20774) * dayNS
	loadDays = 3
)

// next is the following activity; times are even with some jitter.
func (l *load) next() event.Activity {
	step := loadDays * dayNS / uint64(l.total)
	a := event.Activity{
		ID:       event.ID{NS: firstDay + uint64(l.n)*step + l.r.Uint64N(step/2+1), Host: 1, CPU: uint16(l.n & 1), Ord: uint16(l.n)},
		Severity: event.NoPriority, Count: 1,
	}
	l.n++
	switch k := l.r.IntN(100); {
	case k < 2 || l.short == nil:
		l.short = l.process(int32(1000+l.n), l.services[l.r.IntN(len(l.services))])
		a.Kind, a.Verb, a.Target, a.Process = event.Command, "exec", l.short.Cmdline, l.short
	case k < 15:
		a.Kind, a.Verb, a.Proto = event.Connection, "connect", event.ProtoTCP
		a.Remote = netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 1, byte(l.r.IntN(8)), byte(l.r.IntN(256))}), 443)
		a.Local = netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, 1}), uint16(32768+l.r.IntN(28000)))
		a.Target, a.Sent, a.Received = a.Remote.String(), 1000, 5000
	case k < 17:
		a.Kind, a.Verb, a.Target = event.File, "open", fmt.Sprintf("/tmp/once-%08x", l.n)
	default:
		a.Kind, a.Verb, a.Target = event.File, "open", l.paths[l.zipf.Uint64()]
	}
	if a.Process == nil {
		if a.Process = l.services[l.r.IntN(len(l.services))]; l.r.IntN(3) == 0 {
			a.Process = l.short
		}
	}
	// Who acts hangs together: a service and its children are one session, and
	// one command in twenty comes from a login, of which there are 500.
	a.Session = event.SessionID(1 + a.Process.SID)
	if a.Process.PID > 300 && a.Process.PID%20 == 0 {
		a.Session = event.SessionID(1000 + l.n/(l.total/500+1))
	}
	a.User = a.Process.User.Name
	return a
}

// pour hands n activities to db as fast as it takes them.
func (l *load) pour(b testing.TB, db *DB, n int) {
	batch := event.NewBatch(nil)
	batch.Host = 1
	for n > 0 {
		batch.Reset()
		for range min(n, 256) {
			batch.Activities = append(batch.Activities, l.next())
		}
		n -= len(batch.Activities)
		for db.queue.used() > db.queue.max/2 {
			time.Sleep(time.Millisecond)
		}
		if err := db.Handle(context.Background(), batch); err != nil || db.Lost().Dropped() > 0 {
			b.Fatal(err, db.Stats())
		}
	}
	for db.queue.used() > 0 {
		time.Sleep(time.Millisecond)
	}
	if s := db.Stats(); s.Problem != "" {
		b.Fatal(s.Problem)
	}
}

func benchRows() int {
	if n, err := strconv.Atoi(os.Getenv("GUMSHOE_BENCH_ROWS")); err == nil && n > 0 {
		return n
	}
	return 1_000_000
}

// benchStore is a store of benchRows activities, made once in
// GUMSHOE_BENCH_DIR or the temporary folder, and asked read-only.
func benchStore(b *testing.B) *DB {
	b.Helper()
	base := os.Getenv("GUMSHOE_BENCH_DIR")
	if base == "" {
		base = filepath.Join(os.TempDir(), "gumshoe-bench-"+strconv.Itoa(os.Getuid()))
	}
	dir := filepath.Join(base, fmt.Sprintf("rows-%d-v%d", benchRows(), version))
	ready := filepath.Join(dir, "ready")
	if _, err := os.Stat(ready); err != nil {
		if err := os.RemoveAll(dir); err != nil {
			b.Fatal(err)
		}
		db, err := Open(context.Background(), Options{Dir: dir})
		if err != nil {
			b.Fatal(err)
		}
		start := time.Now()
		newLoad(benchRows()).pour(b, db, benchRows())
		b.Logf("%d rows in %v, %d MiB", benchRows(), time.Since(start).Round(time.Second), db.Stats().Bytes>>20)
		if err := db.Close(); err != nil {
			b.Fatal(err)
		}
		if err := os.WriteFile(ready, nil, 0o600); err != nil {
			b.Fatal(err)
		}
	}
	db, err := Open(context.Background(), Options{Dir: dir, ReadOnly: true})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = db.Close() })
	return db
}

// percentiles runs f b.N times and reports the middle and the slow end.
func percentiles(b *testing.B, f func(i int)) {
	b.ReportAllocs()
	var took []time.Duration
	i := 0
	for b.Loop() {
		start := time.Now()
		f(i)
		took = append(took, time.Since(start))
		i++
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
}

func BenchmarkInsert(b *testing.B) {
	db := openStore(b, Options{Dir: b.TempDir()})
	l := newLoad(max(b.N, 1_000_000))
	b.ReportAllocs()
	b.ResetTimer()
	l.pour(b, db, b.N)
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "rows/s")
	b.ReportMetric(float64(db.Stats().Bytes)/float64(b.N), "B/row")
}

func benchPage(b *testing.B, bar func(i int) string, q audit.Query) {
	db := benchStore(b)
	percentiles(b, func(i int) {
		q := q
		if bar != nil {
			n, err := filter.ParseBar(bar(i))
			if err != nil {
				b.Fatal(err)
			}
			q.Filter = n
		} else if i%2 == 1 { // anywhere in the past
			q.After = event.ID{NS: firstDay + uint64(i*7919%benchRows())*(loadDays*dayNS/uint64(benchRows()))}
		}
		p, err := db.Page(context.Background(), q)
		if err != nil {
			b.Fatal(err)
		}
		if bar == nil && i == 0 && len(p.Rows) != 100 {
			b.Fatalf("%d rows", len(p.Rows))
		}
	})
}

func BenchmarkPage(b *testing.B) { benchPage(b, nil, audit.Query{}) }

func BenchmarkFilter(b *testing.B) {
	for _, c := range []struct {
		name string
		bar  func(i int) string
	}{
		{"container", func(i int) string { return fmt.Sprintf("container.name = box-%02d", i%40) }},
		{"user", func(i int) string { return fmt.Sprintf("user.name = user%02d", i%20) }},
		{"session", func(i int) string { return fmt.Sprintf("gumshoe.session = %d", []int{2 + i%300, 1000 + i%500}[i%2]) }},
		{"process", func(i int) string { return fmt.Sprintf("proc.name = prog%03d", i%200) }},
		{"pid", func(i int) string { return fmt.Sprintf("proc.pid = %d", 1+i%300) }},
		{"ancestor", func(i int) string { return fmt.Sprintf("proc.aname = prog%03d", i%200) }},
		{"target", func(i int) string { return fmt.Sprintf("gumshoe.activity.target = /tmp/once-%08x", i*31%benchRows()) }},
		{"directory", func(i int) string { return fmt.Sprintf("fd.name startswith /srv/app%02d/data", i%40) }},
		{"address", func(i int) string { return fmt.Sprintf("fd.rip = 10.1.%d.%d", i%8, i%256) }},
		{"kind", func(int) string { return "gumshoe.activity.kind = cmd" }},
		{"container and kind", func(i int) string {
			return fmt.Sprintf("container.name = box-%02d and gumshoe.activity.kind = cmd", i%40)
		}},
	} {
		b.Run(c.name, func(b *testing.B) { benchPage(b, c.bar, audit.Query{}) })
	}
}

func BenchmarkSubstring(b *testing.B) {
	for _, c := range []struct {
		name string
		bar  func(i int) string
	}{
		{"rare", func(i int) string { return fmt.Sprintf("once-%07x", i*31%(benchRows()/16)) }},
		{"some", func(i int) string { return fmt.Sprintf("part-%03x", i%4096) }},
		{"common", func(int) string { return "data" }},
		{"one row in fifty", func(int) string { return "once-" }},
		{"short", func(i int) string { return fmt.Sprintf("%02d", i%100) }},
		{"absent", func(i int) string { return fmt.Sprintf("no such thing %d", i) }},
	} {
		b.Run(c.name, func(b *testing.B) { benchPage(b, c.bar, audit.Query{}) })
	}
}

func BenchmarkHistogram(b *testing.B) {
	for _, c := range []struct {
		name string
		bar  func(i int) string
	}{
		{"all", func(int) string { return "" }},
		{"container", func(i int) string { return fmt.Sprintf("container.name = box-%02d", i%40) }},
		{"user", func(i int) string { return fmt.Sprintf("user.name = user%02d", i%20) }},
		{"session", func(i int) string { return fmt.Sprintf("gumshoe.session = %d", []int{2 + i%300, 1000 + i%500}[i%2]) }},
		{"process", func(i int) string { return fmt.Sprintf("proc.name = prog%03d", i%200) }},
		{"word, estimated", func(int) string { return "data" }},
	} {
		b.Run(c.name, func(b *testing.B) {
			db := benchStore(b)
			percentiles(b, func(i int) {
				n, err := filter.ParseBar(c.bar(i))
				if err != nil {
					b.Fatal(err)
				}
				h, err := db.Histogram(context.Background(), audit.HistogramQuery{Selection: audit.Selection{Filter: n}, Columns: 120})
				if err != nil || h.Exact == strings.Contains(c.name, "estimated") || c.name == "all" && h.Total != uint64(benchRows()) {
					b.Fatal(err, h.Exact, h.Total)
				}
			})
		})
	}
}

func BenchmarkFacets(b *testing.B) {
	db := benchStore(b)
	percentiles(b, func(i int) {
		field := []string{"container.name", "user.name", "gumshoe.activity.kind"}[i%3]
		if _, err := db.Facets(context.Background(), audit.FacetQuery{Field: field}); err != nil {
			b.Fatal(err)
		}
	})
}

func BenchmarkOpen(b *testing.B) {
	dir := benchStore(b).opt.Dir
	percentiles(b, func(int) {
		db, err := Open(context.Background(), Options{Dir: dir, ReadOnly: true})
		if err != nil {
			b.Fatal(err)
		}
		if _, err := db.Page(context.Background(), audit.Query{Limit: 40}); err != nil {
			b.Fatal(err)
		}
		if err := db.Close(); err != nil {
			b.Fatal(err)
		}
	})
}

// BenchmarkRetention forgets the oldest day of a copy of the store.
func BenchmarkRetention(b *testing.B) {
	from := benchStore(b).opt.Dir
	list, err := days(from)
	if err != nil {
		b.Fatal(err)
	}
	var took []time.Duration
	for range b.N {
		dir := b.TempDir()
		for i, d := range list[:2] {
			if i == 0 {
				copyFile(b, filepath.Join(from, d.name()), filepath.Join(dir, d.name()))
			} else if err := os.WriteFile(filepath.Join(dir, d.name()), nil, 0o600); err != nil {
				b.Fatal(err)
			}
		}
		w := &writer{db: &DB{opt: Options{Dir: dir, Days: 1}}, files: map[day]*file{}}
		w.db.readers = newReaders(w.db)
		start := time.Now()
		if err := w.unlinkOld(time.Unix(list[1].date*86400, 0)); err != nil {
			b.Fatal(err)
		}
		took = append(took, time.Since(start))
		if left, _ := days(dir); len(left) != 1 {
			b.Fatal(left)
		}
	}
	b.ReportMetric(float64(slices.Max(took).Microseconds())/1000, "max-ms")
}

func copyFile(b *testing.B, from, to string) {
	b.Helper()
	in, err := os.Open(from)
	if err != nil {
		b.Fatal(err)
	}
	defer in.Close() //nolint:errcheck // only read
	out, err := os.Create(to)
	if err != nil {
		b.Fatal(err)
	}
	if _, err := io.Copy(out, in); err != nil {
		b.Fatal(err)
	}
	if err := errors.Join(out.Sync(), out.Close()); err != nil {
		b.Fatal(err)
	}
}
