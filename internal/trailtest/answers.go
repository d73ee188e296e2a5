package trailtest

import (
	"slices"
	"testing"

	"github.com/gumshoe-ir/gumshoe/audit"
	"github.com/gumshoe-ir/gumshoe/event"
)

func rowsWhole(t *testing.T, f Fixture, trail audit.Trail) {
	p, err := trail.Page(t.Context(), audit.Query{Forward: true, Limit: 4})
	if err != nil || len(p.Rows) != 4 {
		t.Fatalf("%d rows, %v", len(p.Rows), err)
	}
	for i, got := range p.Rows {
		want := f.Activities[i]
		if got.Process == nil {
			t.Fatalf("row %d lost its process", i)
		}
		sameProcess(t, got.Process, want.Process)
		got.Process, want.Process = nil, nil
		if got != want {
			t.Errorf("row %d:\n got %+v\nwant %+v", i, got, want)
		}
	}
}

// sameProcess compares what people read of a process, and its ancestry.
func sameProcess(t *testing.T, got, want *event.Process) {
	t.Helper()
	for ; want != nil; got, want = got.Parent, want.Parent {
		if got == nil {
			t.Errorf("ancestor %s is missing", want.Name)
			return
		}
		if got.PID != want.PID || got.StartBoot != want.StartBoot || got.Name != want.Name || got.ExePath != want.ExePath ||
			got.Cmdline != want.Cmdline || !slices.Equal(got.Args, want.Args) || got.UID != want.UID || got.LoginUID != want.LoginUID {
			t.Errorf("process:\n got %+v\nwant %+v", got, want)
		}
		if want.User != nil && (got.User == nil || got.User.Name != want.User.Name) {
			t.Errorf("process %s: user %+v, want %+v", want.Name, got.User, want.User)
		}
		sameContainer(t, got.Container, want.Container)
	}
}

func sameContainer(t *testing.T, got, want *event.Container) {
	t.Helper()
	if want == nil {
		if got != nil {
			t.Errorf("container %+v, want none", got)
		}
		return
	}
	if got == nil || got.ID != want.ID || got.Name != want.Name || got.Image != want.Image ||
		got.Runtime != want.Runtime || got.Labels["tier"] != want.Labels["tier"] {
		t.Errorf("container:\n got %+v\nwant %+v", got, want)
	}
}

// span is a range that holds the whole fixture.
func span(f Fixture) audit.Range {
	return audit.Range{Since: f.Activities[0].ID.NS, Until: f.Activities[rows-1].ID.NS + 1}
}

func histograms(t *testing.T, f Fixture, trail audit.Trail) {
	h := histogram(t, trail, audit.Selection{Range: span(f)})
	var sum [event.Kinds]uint32
	for i, c := range h.Columns {
		for k, n := range c {
			sum[k] += n
			if n > 0 && (h.Start+uint64(i+1)*h.Step < f.Activities[0].ID.NS || h.Start+uint64(i)*h.Step > f.Activities[rows-1].ID.NS) {
				t.Errorf("column %d counts rows outside of its time", i)
			}
		}
	}
	want := [event.Kinds]uint32{event.Command: rows / 4, event.Connection: rows / 4, event.File: rows / 4, event.System: rows / 4}
	if sum != want || h.Total != rows || !h.Exact {
		t.Errorf("sums %v, total %d, exact %v; want %v", sum, h.Total, h.Exact, want)
	}
}

func histogram(t *testing.T, trail audit.Trail, s audit.Selection) audit.Histogram {
	t.Helper()
	h, err := trail.Histogram(t.Context(), audit.HistogramQuery{Selection: s, Columns: 60})
	if err != nil {
		t.Fatal(err)
	}
	if len(h.Columns) == 0 || len(h.Columns) > 61 || h.Step == 0 {
		t.Fatalf("%d columns of %d ns", len(h.Columns), h.Step)
	}
	return h
}

func histogramsSelect(t *testing.T, f Fixture, trail audit.Trail) {
	s := audit.Selection{Range: span(f), Kinds: audit.KindSet(0).With(event.File)}
	if h := histogram(t, trail, s); h.Total != rows/4 {
		t.Errorf("files: total %d, want %d", h.Total, rows/4)
	}
	s = audit.Selection{Range: span(f), Filter: condition(t, "proc.name = nginx")}
	if h := histogram(t, trail, s); h.Total != rows/4 {
		t.Errorf("one program: total %d, want %d", h.Total, rows/4)
	}
}

func facets(t *testing.T, f Fixture, trail audit.Trail) {
	got, err := trail.Facets(t.Context(), audit.FacetQuery{Selection: audit.Selection{Range: span(f)}, Field: "proc.name"})
	if err != nil {
		t.Fatal(err)
	}
	want := []audit.Facet{{Value: "bash", Count: rows / 2}, {Value: "curl", Count: rows / 4}, {Value: "nginx", Count: rows / 4}}
	if len(got) == 0 || got[0] != want[0] {
		t.Errorf("facets %v: the commonest value comes first", got)
	}
	slices.SortFunc(got, func(a, b audit.Facet) int { return slices.Compare([]byte(a.Value), []byte(b.Value)) })
	if !slices.Equal(got, want) {
		t.Errorf("facets %v, want %v", got, want)
	}
}

func facetsComplete(t *testing.T, f Fixture, trail audit.Trail) {
	got, err := trail.Facets(t.Context(), audit.FacetQuery{Selection: audit.Selection{Range: span(f)}, Field: "proc.name", Prefix: "cu", Limit: 3})
	if err != nil || len(got) != 1 || got[0].Value != "curl" {
		t.Errorf("completions of cu: %v, %v", got, err)
	}
}

func trees(t *testing.T, f Fixture, trail audit.Trail) {
	list, err := trail.Tree(t.Context(), audit.TreeQuery{})
	if err != nil {
		t.Fatal(err)
	}
	if len(list) != len(f.Processes) {
		t.Errorf("%d processes, want %d", len(list), len(f.Processes))
	}
	seen := map[event.ProcessKey]bool{}
	for _, p := range list {
		if p.Parent != nil && !seen[p.Parent.Key(0)] {
			t.Errorf("%s comes before its parent", p.Name)
		}
		seen[p.Key(0)] = true
	}
	for _, p := range f.Processes {
		if !seen[p.Key(0)] {
			t.Errorf("%s is missing", p.Name)
		}
	}
}
