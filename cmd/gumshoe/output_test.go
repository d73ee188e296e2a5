package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"

	"github.com/gumshoe-ir/gumshoe/audit/store"
	"github.com/gumshoe-ir/gumshoe/event"
	"github.com/gumshoe-ir/gumshoe/internal/trailtest"
)

func TestJSONKeepsTextThatIsNotUTF8(t *testing.T) {
	a := event.Activity{Target: "a\xffb\n\x1b", Process: &event.Process{Args: []string{"ok", "\xfe"}, Parent: &event.Process{Name: "\xfd"}}}
	line, err := appendActivity(nil, &a)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Count(line, []byte("\n")) != 1 || bytes.ContainsRune(line, 0x1b) {
		t.Errorf("not one printable line: %q", line)
	}
	var got activityJSON
	if err := json.Unmarshal(line, &got); err != nil {
		t.Fatal(err)
	}
	for place, want := range map[string]string{
		"target": "a\xffb\n\x1b", "process.args[1]": "\xfe", "process.ancestors[0].name": "\xfd",
	} {
		if b, err := base64.StdEncoding.DecodeString(got.Raw[place]); err != nil || string(b) != want {
			t.Errorf("%s: %q, %v; want %q", place, b, err, want)
		}
	}
	if len(got.Raw) != 3 {
		t.Errorf("raw %v: only what is not UTF-8 belongs there", got.Raw)
	}
}

func TestTableLinesFitTheTerminal(t *testing.T) {
	f := trailtest.New(time.Now())
	for _, width := range []int{20, 80, 120} {
		table := activityTable(width)
		for i := range f.Activities[:8] {
			line := strings.TrimSuffix(table.line(activityCells(&f.Activities[i])), "\n")
			if ansi.StringWidth(line) > width || strings.ContainsAny(line, "\n\x1b") {
				t.Errorf("width %d: %q", width, line)
			}
		}
	}
}

func TestResultsAreNamed(t *testing.T) {
	for _, c := range []struct {
		a    event.Activity
		want string
	}{
		{event.Activity{Kind: event.Command}, "-"},
		{event.Activity{Kind: event.Command, End: 1}, "ok"},
		{event.Activity{Kind: event.Command, End: 1, Result: 3 << 8}, "3"},
		{event.Activity{Kind: event.Command, End: 1, Result: 9}, "sig9"},
		{event.Activity{Kind: event.File}, "ok"},
		{event.Activity{Kind: event.File, Result: -13}, "-13"},
	} {
		if got := result(&c.a); got != c.want {
			t.Errorf("%+v: %q, want %q", c.a, got, c.want)
		}
	}
}

func TestTimesAreDurationsOrRFC3339(t *testing.T) {
	now := time.Unix(1_000_000, 0)
	for _, c := range []struct {
		text string
		want uint64
		ok   bool
	}{
		{"", 0, true},
		{"10m", uint64(now.Add(-10 * time.Minute).UnixNano()), true},
		{"-10m", uint64(now.Add(-10 * time.Minute).UnixNano()), true},
		{"2026-01-02T03:04:05Z", 1767323045e9, true},
		{"2026-01-02T03:04:05.5+01:00", 1767319445_500000000, true},
		{"1500-01-02T03:04:05Z", 0, false},
		{"10", 0, false},
	} {
		got, err := instant("--since", c.text, now)
		if got != c.want || (err == nil) != c.ok {
			t.Errorf("%q = %d, %v; want %d", c.text, got, err, c.want)
		}
	}
}

func TestTheJournalGetsLevelsAsPrefixes(t *testing.T) {
	var b bytes.Buffer
	log := slog.New(&journal{w: &b, opts: &slog.HandlerOptions{Level: slog.LevelInfo}, mu: &sync.Mutex{}}).With("who", "x")
	log.Debug("left out")
	log.Info("one", "n", 1)
	log.Warn("two\nlines")
	log.Error("three")
	want := "<6>msg=one who=x n=1\n<4>msg=\"two\\nlines\" who=x\n<3>msg=three who=x\n"
	if b.String() != want {
		t.Errorf("journal:\n%s\nwant\n%s", b.String(), want)
	}
}

func TestASecondCollectorIsToldWhatToDo(t *testing.T) {
	c, err := parseConfig("default.yaml", nil)
	if err != nil {
		t.Fatal(err)
	}
	c.Store.Dir = t.TempDir()
	p := &program{stderr: t.Output()}
	first, err := p.openEngine(t.Context(), c, forService)
	if err != nil {
		t.Fatal(err)
	}
	_, err = p.openEngine(t.Context(), c, forService)
	if !errors.Is(err, store.ErrLocked) || !strings.Contains(err.Error(), "activity --follow") {
		t.Errorf("a second one: %v", err)
	}
	if err := first.close(); err != nil {
		t.Fatal(err)
	}
}

func TestDamageIsToldWhenRowsAreListed(t *testing.T) {
	dir := t.TempDir()
	if err := fillStore(dir); err != nil {
		t.Fatal(err)
	}
	days, err := filepath.Glob(filepath.Join(dir, "*.db"))
	if err != nil || len(days) == 0 {
		t.Fatal("no day in the store", err)
	}
	for _, day := range days {
		if err := os.WriteFile(day, []byte("garbage"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, command := range []string{"activity", "ps"} {
		var out, errs bytes.Buffer
		if code := run(t.Context(), []string{command, "--store", dir}, nil, &out, &errs); code != exitNone || out.Len() > 0 {
			t.Errorf("%s: code %d, %q", command, code, out.String())
		}
		if !strings.Contains(errs.String(), "damaged") || strings.Count(errs.String(), "\n") != 1 {
			t.Errorf("%s said %q", command, errs.String())
		}
	}
}

func TestWhatGoesWrongIsLoggedOnceAndItsEnd(t *testing.T) {
	var b bytes.Buffer
	c, err := parseConfig("default.yaml", nil)
	if err != nil {
		t.Fatal(err)
	}
	c.Store.Dir = t.TempDir()
	e, err := (&program{stderr: &b}).openEngine(t.Context(), c, forService)
	if err != nil {
		t.Fatal(err)
	}
	said := ""
	look := e.logChanges(func() string { return said })
	for _, s := range []string{"", "disk full", "disk full", "", ""} {
		said = s
		look()
	}
	if got := b.String(); strings.Count(got, "disk full") != 1 || strings.Count(got, "all is well again") != 1 || strings.Count(got, "\n") != 2 {
		t.Errorf("logged %q", got)
	}
	if err := e.close(); err != nil {
		t.Fatal(err)
	}
}
