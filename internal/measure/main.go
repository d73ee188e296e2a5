// Command measure runs the repository's benchmarks in one go and writes
// docs/performance.md: every figure beside its goal, from the same run on the
// same machine. Timings of different machines do not compare; ratios do.
package main

import (
	"bufio"
	"bytes"
	"cmp"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"
)

// result is one benchmark's line: its metrics by unit.
type result struct {
	Package, Name string
	Metrics       map[string]float64
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "measure:", err)
		os.Exit(1)
	}
}

func run() error {
	out := flag.String("o", "docs/performance.md", "the file to write")
	only := flag.String("only", ".", "run benchmarks matching this expression")
	flag.Parse()
	start := time.Now()
	var all []result
	for _, s := range suites {
		fmt.Fprintf(os.Stderr, "== %s %s\n", s.Package, s.Bench)
		got, err := s.run(*only)
		if err != nil {
			return fmt.Errorf("%s: %w", s.Package, err)
		}
		all = append(all, got...)
	}
	var doc bytes.Buffer
	write(&doc, all, start)
	return os.WriteFile(*out, doc.Bytes(), 0o644)
}

// suite is one package's benchmarks and how to run them.
type suite struct {
	Package string
	Bench   string
	Time    string // -benchtime
	Env     []string
}

func (s suite) run(only string) ([]result, error) {
	if ok, err := regexp.MatchString(only, s.Package+" "+s.Bench); err != nil || !ok {
		return nil, err
	}
	cmd := exec.Command("go", "test", "-tags", "sqlite_fts5", "-run", "^$", "-bench", s.Bench, "-benchmem",
		"-benchtime", s.Time, "-timeout", "60m", s.Package)
	cmd.Env = append(s.Env, os.Environ()...) // the caller's settings count
	cmd.Stderr = os.Stderr
	var text bytes.Buffer
	cmd.Stdout = io.MultiWriter(&text, os.Stderr)
	if err := cmd.Run(); err != nil {
		return nil, err
	}
	return parse(s.Package, &text), nil
}

// parse reads the lines that go test prints for benchmarks.
func parse(pkg string, r io.Reader) []result {
	var all []result
	for sc := bufio.NewScanner(r); sc.Scan(); {
		f := strings.Fields(sc.Text())
		if len(f) < 4 || !strings.HasPrefix(f[0], "Benchmark") {
			continue
		}
		one := result{Package: pkg, Name: strings.TrimSuffix(f[0], "-"+strconv.Itoa(runtime.NumCPU())), Metrics: map[string]float64{}}
		for i := 2; i+1 < len(f); i += 2 {
			if v, err := strconv.ParseFloat(f[i], 64); err == nil {
				one.Metrics[f[i+1]] = v
			}
		}
		all = append(all, one)
	}
	return all
}

func write(w io.Writer, all []result, start time.Time) {
	fmt.Fprintf(w, "# Performance\n\nWritten by `make bench` on %s, in one run of %s, on %d shared cores, %s, %s.\n",
		start.UTC().Format("2006-01-02"), time.Since(start).Round(time.Second), runtime.NumCPU(), kernel(), runtime.Version())
	fmt.Fprint(w, "Timings on shared machines are noisy: compare figures of one run, not of two.\n\n")
	fmt.Fprint(w, "## Goals\n\n| what | measured | goal | |\n|---|---|---|---|\n")
	for _, g := range goals {
		fmt.Fprintf(w, "| %s | %s |\n", g.What, g.judge(all))
	}
	fmt.Fprint(w, "\n## Every benchmark\n\n| package | benchmark | figures |\n|---|---|---|\n")
	for _, r := range all {
		fmt.Fprintf(w, "| %s | %s | %s |\n", strings.TrimPrefix(r.Package, "./"), strings.TrimPrefix(r.Name, "Benchmark"), r.figures())
	}
}

func (r result) figures() string {
	units := make([]string, 0, len(r.Metrics))
	for u := range r.Metrics {
		units = append(units, u)
	}
	slices.SortFunc(units, func(a, b string) int {
		return cmp.Or(-cmp.Compare(a, "ns/op")*cmp.Compare("ns/op", a), cmp.Compare(a, b))
	})
	parts := make([]string, len(units))
	for i, u := range units {
		parts[i] = number(r.Metrics[u]) + " " + u
	}
	return strings.Join(parts, ", ")
}

// goal is a limit on one metric of one benchmark, or on that metric's distance
// from its floor, another metric of the same benchmark.
type goal struct {
	What   string
	Bench  string // "Name", or "folder.Name" where two packages share one
	Unit   string
	Floor  string
	Limit  float64
	AtMost bool
}

func (g goal) judge(all []result) string {
	v, ok := find(all, g.Bench, g.Unit)
	if !ok {
		return fmt.Sprintf("not measured | %s |", g.limit())
	}
	if g.Floor != "" {
		floor, ok := find(all, g.Bench, g.Floor)
		if !ok {
			return fmt.Sprintf("not measured | %s |", g.limit())
		}
		v -= floor
	}
	verdict := "met"
	if g.AtMost && v > g.Limit || !g.AtMost && v < g.Limit {
		verdict = "**missed**"
	}
	return fmt.Sprintf("%s %s | %s | %s", number(v), g.Unit, g.limit(), verdict)
}

func (g goal) limit() string {
	sign := "≥"
	if g.AtMost {
		sign = "≤"
	}
	return sign + " " + number(g.Limit)
}

func find(all []result, name, unit string) (float64, bool) {
	for _, r := range all {
		plain := strings.TrimPrefix(r.Name, "Benchmark")
		if plain != name && path.Base(r.Package)+"."+plain != name {
			continue
		}
		if v, ok := r.Metrics[unit]; ok {
			return v, true
		}
	}
	return 0, false
}

func number(v float64) string {
	switch {
	case v >= 1000 || v == float64(int64(v)):
		return strconv.FormatFloat(v, 'f', 0, 64)
	case v >= 10:
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	return strconv.FormatFloat(v, 'g', 3, 64)
}

func kernel() string {
	b, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if err != nil {
		return "an unknown kernel"
	}
	return "Linux " + strings.TrimSpace(string(b))
}
