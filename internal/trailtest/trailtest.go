// Package trailtest holds every audit.Trail to its contract: the store and the
// console's end of the socket answer the same questions the same way.
package trailtest

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/gumshoe-ir/gumshoe/audit"
	"github.com/gumshoe-ir/gumshoe/event"
	"github.com/gumshoe-ir/gumshoe/rules/filter"
)

// Fixture is what a trail under test holds. Activities are in order of time,
// one second apart, the last one about a minute ago. Processes are all that
// they speak of, parents before children.
type Fixture struct {
	Activities []event.Activity
	Processes  []*event.Process
}

// Hostile is the target of one activity of the fixture: bytes that are not
// UTF-8, an escape sequence, a newline and a bidi override.
const Hostile = "sh -c \x1b]0;owned\x07\xff\xfe\n\u202egnp.exe"

const rows = 2500 // more than two of the largest pages

// New makes the fixture, with times before now.
func New(now time.Time) Fixture {
	boot := uint64(now.Add(-24 * time.Hour).UnixNano())
	user := &event.User{UID: 1000, GID: 1000, Name: "ana", Home: "/home/ana", Shell: "/bin/bash"}
	pod := &event.Container{
		ID: "0123456789ab", FullID: "0123456789abcdef", Runtime: event.Docker, Name: "web",
		Image: "shop/web:1.2", Repo: "shop/web", Tag: "1.2", Labels: map[string]string{"tier": "front"},
	}
	first := &event.Process{PID: 1, TID: 1, Name: "init", Exe: "/sbin/init", ExePath: "/sbin/init", Cmdline: "init", SID: 1, StartBoot: 1, CloneTime: boot, LoginUID: event.NoID}
	shell := &event.Process{
		PID: 100, TID: 100, PPID: 1, SID: 100, Name: "bash", Exe: "-bash", ExePath: "/bin/bash", Cmdline: "bash", Cwd: "/home/ana/",
		UID: 1000, GID: 1000, LoginUID: 1000, User: user, LoginUser: "ana", Group: "ana", StartBoot: 100, CloneTime: boot + 100, Parent: first,
	}
	shell.Leader = shell
	tool := &event.Process{
		PID: 101, TID: 101, PPID: 100, SID: 100, Name: "curl", Exe: "curl", ExePath: "/usr/bin/curl", Args: []string{"-s", "http://\xff/"},
		Cmdline: "curl -s http://\xff/", UID: 1000, GID: 1000, LoginUID: 1000, User: user, LoginUser: "ana",
		StartBoot: 101, CloneTime: boot + 101, Parent: shell, Leader: shell,
	}
	inner := &event.Process{
		PID: 102, TID: 102, PPID: 1, SID: 102, VPID: 7, Name: "nginx", Exe: "nginx", ExePath: "/usr/sbin/nginx", Cmdline: "nginx",
		LoginUID: event.NoID, User: &event.User{Name: "root"}, StartBoot: 102, CloneTime: boot + 102, Parent: first, Container: pod,
	}
	f := Fixture{Processes: []*event.Process{first, shell, tool, inner}}
	start := now.Add(-time.Minute - rows*time.Second)
	for i := range rows {
		f.Activities = append(f.Activities, row(i, uint64(start.Add(time.Duration(i)*time.Second).UnixNano()), shell, tool, inner))
	}
	return f
}

// row is the fixture's i-th activity: four kinds of line in turn.
func row(i int, ns uint64, shell, tool, inner *event.Process) event.Activity {
	a := event.Activity{ID: event.ID{NS: ns, CPU: uint16(i % 2), Ord: uint16(i % 4)}, Severity: event.NoPriority, Count: 1, Session: 77, User: "ana"}
	switch i % 4 {
	case 0:
		a.Kind, a.Verb, a.Target, a.Process = event.Command, "exec", fmt.Sprintf("ls -l /srv/%d", i), shell
		if i == 0 {
			a.Target = Hostile
		}
		a.End, a.Result = ns+1000, 256
	case 1:
		a.Kind, a.Verb, a.Target, a.Process = event.Connection, "connect", "192.0.2.7:443", tool
		a.Remote, a.Local = netip.MustParseAddrPort("192.0.2.7:443"), netip.MustParseAddrPort("[2001:db8::1]:40000")
		a.Proto, a.Sent, a.Received, a.Name = event.ProtoTCP, 100, 1<<40, "example.test"
	case 2:
		a.Kind, a.Verb, a.Target, a.Process = event.File, "write", fmt.Sprintf("/etc/cron.d/%d", i), shell
		a.Flags, a.RealPath, a.Origin = 7, "/real/cron", event.Raced
	case 3:
		a.Kind, a.Verb, a.Target, a.Process = event.System, "setuid", "0", inner
		a.User, a.Session, a.Result = "root", 0, -1
	}
	return a
}

// Run checks the trail that open makes of a fixture.
func Run(t *testing.T, open func(*testing.T, Fixture) audit.Trail) {
	f := New(time.Now())
	trail := open(t, f)
	for name, check := range map[string]func(*testing.T, Fixture, audit.Trail){
		"pages backward give every row once":     pagesBackward,
		"pages forward give every row once":      pagesForward,
		"rows come back whole":                   rowsWhole,
		"ranges include since and exclude until": ranges,
		"kinds select":                           kinds,
		"filters select":                         filters,
		"free text finds what a person sees":     freeText,
		"a limit is kept":                        limits,
		"histograms count every row once":        histograms,
		"histograms obey kinds and filters":      histogramsSelect,
		"facets count values":                    facets,
		"facets complete a prefix":               facetsComplete,
		"trees list parents before children":     trees,
		"a cancelled query says so":              cancelled,
	} {
		t.Run(name, func(t *testing.T) { check(t, f, trail) })
	}
}

// all reads every page of q.
func all(t *testing.T, trail audit.Trail, q audit.Query) []event.Activity {
	t.Helper()
	var got []event.Activity
	for range 10 * rows {
		p, err := trail.Page(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, p.Rows...)
		switch {
		case !p.Scanned.IsZero():
			q.After = p.Scanned
		case p.More && len(p.Rows) == 0:
			t.Fatal("a page without rows says that there are more")
		case p.More:
			q.After = p.Rows[len(p.Rows)-1].ID
		default:
			return got
		}
	}
	t.Fatal("pages do not end")
	return nil
}

func ids(list []event.Activity) []event.ID {
	out := make([]event.ID, len(list))
	for i := range list {
		out[i] = list[i].ID
	}
	return out
}

func same(t *testing.T, got, want []event.Activity) {
	t.Helper()
	if !slices.Equal(ids(got), ids(want)) {
		t.Errorf("got %d rows, want %d, or another order", len(got), len(want))
	}
}

func pick(f Fixture, keep func(event.Activity) bool) []event.Activity {
	var out []event.Activity
	for _, a := range f.Activities {
		if keep(a) {
			out = append(out, a)
		}
	}
	return out
}

func condition(t *testing.T, text string) filter.Node {
	t.Helper()
	n, err := filter.Parse(text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return n
}

func pagesBackward(t *testing.T, f Fixture, trail audit.Trail) {
	want := slices.Clone(f.Activities)
	slices.Reverse(want)
	same(t, all(t, trail, audit.Query{Limit: 1000}), want)
	same(t, all(t, trail, audit.Query{}), want)
}

func pagesForward(t *testing.T, f Fixture, trail audit.Trail) {
	same(t, all(t, trail, audit.Query{Forward: true, Limit: 333}), f.Activities)
}

func ranges(t *testing.T, f Fixture, trail audit.Trail) {
	q := audit.Query{Forward: true}
	q.Range = audit.Range{Since: f.Activities[10].ID.NS, Until: f.Activities[20].ID.NS}
	same(t, all(t, trail, q), f.Activities[10:20])
	q.Range = audit.Range{Since: f.Activities[rows-1].ID.NS + 1}
	same(t, all(t, trail, q), nil)
}

func kinds(t *testing.T, f Fixture, trail audit.Trail) {
	q := audit.Query{Forward: true, Limit: 1000}
	q.Kinds = audit.KindSet(0).With(event.Connection).With(event.System)
	same(t, all(t, trail, q), pick(f, func(a event.Activity) bool { return a.Kind == event.Connection || a.Kind == event.System }))
}

func filters(t *testing.T, f Fixture, trail audit.Trail) {
	for text, keep := range map[string]func(event.Activity) bool{
		`proc.name = curl`:                       func(a event.Activity) bool { return a.Process.Name == "curl" },
		`proc.name in (curl, nginx)`:             func(a event.Activity) bool { return a.Process.Name != "bash" },
		`not proc.name = bash`:                   func(a event.Activity) bool { return a.Process.Name != "bash" },
		`container.name = web and proc.pid > 0`:  func(a event.Activity) bool { return a.Process.Container != nil },
		`container.id = 0123456789ab`:            func(a event.Activity) bool { return a.Process.Container != nil },
		`proc.name = curl or proc.name = nobody`: func(a event.Activity) bool { return a.Process.Name == "curl" },
		`proc.name startswith ng`:                func(a event.Activity) bool { return a.Process.Name == "nginx" },
		`proc.pname = bash`:                      func(a event.Activity) bool { return a.Process.Name == "curl" },
		`proc.name = "no such program"`:          func(event.Activity) bool { return false },
	} {
		q := audit.Query{Forward: true, Limit: 1000}
		q.Filter = condition(t, text)
		if got, want := all(t, trail, q), pick(f, keep); !slices.Equal(ids(got), ids(want)) {
			t.Errorf("%s: %d rows, want %d", text, len(got), len(want))
		}
	}
}

func freeText(t *testing.T, f Fixture, trail audit.Trail) {
	q := audit.Query{Forward: true, Limit: 1000}
	q.Filter = &filter.Text{Word: "cron.d/1002"}
	same(t, all(t, trail, q), pick(f, func(a event.Activity) bool { return a.Target == "/etc/cron.d/1002" }))
}

func limits(t *testing.T, f Fixture, trail audit.Trail) {
	for _, c := range []struct{ ask, want int }{{1, 1}, {7, 7}, {0, 100}, {1000, 1000}, {5000, 1000}} {
		p, err := trail.Page(t.Context(), audit.Query{Limit: c.ask})
		if err != nil || len(p.Rows) != c.want || !p.More {
			t.Errorf("limit %d: %d rows, more %v, %v", c.ask, len(p.Rows), p.More, err)
		}
	}
}

func cancelled(t *testing.T, _ Fixture, trail audit.Trail) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := trail.Page(ctx, audit.Query{}); !errors.Is(err, context.Canceled) {
		t.Errorf("Page = %v, want a cancelled context", err)
	}
}
