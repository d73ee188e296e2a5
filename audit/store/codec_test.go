package store

import (
	"bytes"
	"testing"

	"github.com/gumshoe-ir/gumshoe/event"
)

// What a file holds may be damaged: reading it must fail or give something,
// never panic, and what was read must be written the same again.
func FuzzReadProcess(f *testing.F) {
	f.Add([]byte{})
	f.Add(appendProcess(nil, shell(), 3, 1, 2))
	f.Add(appendProcess(nil, &event.Process{}, 0, 0, 0))
	f.Fuzz(func(t *testing.T, b []byte) {
		var p, again event.Process
		cwd, env, cgroups, err := readProcess(b, &p)
		if err != nil {
			return
		}
		// Bytes are compared: cmp's own coverage differs from run to run, and
		// the fuzzer would try to shorten what it finds for ever.
		written := appendProcess(nil, &p, cwd, env, cgroups)
		if _, _, _, err := readProcess(written, &again); err != nil || !bytes.Equal(written, appendProcess(nil, &again, cwd, env, cgroups)) {
			t.Errorf("%+v came back as %+v, %v", p, again, err)
		}
	})
}

func FuzzReadContainer(f *testing.F) {
	f.Add([]byte{})
	f.Add(appendContainer(nil, shell().Container))
	f.Add(appendContainer(nil, &event.Container{Pending: true}))
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := readContainer(b)
		if err != nil {
			return
		}
		written := appendContainer(nil, c)
		again, err := readContainer(written)
		if err != nil || !bytes.Equal(written, appendContainer(nil, again)) {
			t.Errorf("%+v came back as %+v, %v", c, again, err)
		}
	})
}

func FuzzReadList(f *testing.F) {
	f.Add(appendList(nil, []string{"a", "", "\x00"}))
	f.Add([]byte{0xff, 0xff, 0x7f})
	f.Fuzz(func(t *testing.T, b []byte) {
		if l, err := readList(b); err == nil {
			written := appendList(nil, l)
			if again, err := readList(written); err != nil || !bytes.Equal(written, appendList(nil, again)) {
				t.Error(l, again, err)
			}
		}
	})
}

func TestDayFilesAreNamedAfterTheirDay(t *testing.T) {
	for _, c := range []struct {
		name string
		file string
		want day
		ok   bool
	}{
		{"a day", "day-20261120-0000002a.db", day{20777, 42}, true},
		{"its log", "day-20261120-0000002a.db-wal", day{}, false},
		{"set aside", "day-20261120-0000002a.db.damaged-20261121T000000", day{}, false},
		{"no such date", "day-20261340-0000002a.db", day{}, false},
		{"short host", "day-20261120-2a.db", day{}, false},
		{"no number", "day-20261120-zzzzzzzz.db", day{}, false},
		{"something else", "writer.lock", day{}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, ok := parseDay(c.file)
			if ok != c.ok || ok && (d != c.want || d.name() != c.file) {
				t.Errorf("%+v %v", d, ok)
			}
		})
	}
}

func TestRowsKeepTheOrderOfTime(t *testing.T) {
	d := day{20777, 42}
	for _, id := range []event.ID{
		{NS: d.start(), Host: 42},
		{NS: d.end() - 1, Host: 42, CPU: 65535, Ord: 65535},
		{NS: d.start() + 12345, Host: 42, CPU: 3, Ord: 700},
	} {
		row, tail := rowOf(id), tailOf(id)
		if row < 0 || d.idOf(row, tail) != id {
			t.Errorf("%v became row %d and came back as %v", id, row, d.idOf(row, tail))
		}
		if first, next := d.firstRow(id.NS), d.firstRow(id.NS+1); row < first || row >= next {
			t.Errorf("%v: row %d is not in %d..%d", id, row, first, next)
		}
	}
}
