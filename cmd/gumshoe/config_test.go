package main

import (
	"strings"
	"testing"
)

func TestSizesAreReadWithTheirUnit(t *testing.T) {
	for _, c := range []struct {
		text size
		want uint64
		ok   bool
	}{
		{"0", 0, true},
		{"4096", 4096, true},
		{"16MiB", 16 << 20, true},
		{"2 GiB", 2 << 30, true},
		{"1TiB", 1 << 40, true},
		{"", 0, false},
		{"-1", 0, false},
		{"1.5MiB", 0, false},
		{"16MB", 0, false},
		{"99999999999TiB", 0, false},
	} {
		got, err := c.text.bytes()
		if got != c.want || (err == nil) != c.ok {
			t.Errorf("%q = %d, %v; want %d", c.text, got, err, c.want)
		}
	}
}

func TestTheDefaultsAreValid(t *testing.T) {
	c, err := parseConfig("default.yaml", defaultConfig)
	if err != nil {
		t.Fatal(err)
	}
	if c.Store.Dir != "/var/lib/gumshoe" || c.Collect.Ring.n() != 16<<20 || !c.Collect.Thin {
		t.Errorf("defaults read as %+v", c)
	}
}

func TestDeepNestingIsRefusedBeforeParsing(t *testing.T) {
	for _, unit := range []string{"[", "{a: ", "- ", "-\t"} {
		_, err := parseConfig("f", []byte("a:\n  "+strings.Repeat(unit, 10_000)))
		if err == nil || !strings.HasPrefix(err.Error(), "f:2:1: more than") {
			t.Errorf("10,000 times %q: %v", unit, err)
		}
	}
}

// FuzzConfig: no file makes the parser panic or say more than one line a problem.
func FuzzConfig(f *testing.F) {
	f.Add(string(defaultConfig))
	f.Add("store: {dir: [1]}\n")
	f.Add("store:\n  days: !!binary x\n---\n&a [*a]")
	f.Add("\x00\xff: \x1b[2J")
	f.Add("0\n---") // a second document without a body
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > maxConfig {
			return
		}
		c, err := parseConfig("f", []byte(text))
		if err != nil && !strings.HasPrefix(err.Error(), "f:") {
			t.Errorf("error without a place: %v", err)
		}
		if err == nil && c.Store.Dir == "" {
			t.Error("accepted without a folder for the store")
		}
	})
}
