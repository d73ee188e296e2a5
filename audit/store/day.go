package store

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/gumshoe-ir/gumshoe/event"
)

const (
	dayNS    = uint64(24 * time.Hour)
	minuteNS = uint64(time.Minute)
)

// day names a file: one host's activities of one UTC day.
type day struct {
	date int64 // days since the epoch
	host uint32
}

func dayOf(id event.ID) day { return day{int64(id.NS / dayNS), id.Host} }

// start is the day's midnight, ns since the epoch.
func (d day) start() uint64 { return uint64(d.date) * dayNS }

// end is the next midnight.
func (d day) end() uint64 { return d.start() + dayNS }

// name is the day's file: day-20261120-0000002a.db.
func (d day) name() string {
	return fmt.Sprintf("day-%s-%08x.db", time.Unix(d.date*86400, 0).UTC().Format("20060102"), d.host)
}

// parseDay reads what name wrote.
func parseDay(name string) (day, bool) {
	rest, ok := strings.CutPrefix(name, "day-")
	if !ok {
		return day{}, false
	}
	rest, ok = strings.CutSuffix(rest, ".db")
	date, host, cut := strings.Cut(rest, "-")
	if !ok || !cut || len(host) != 8 {
		return day{}, false
	}
	t, err := time.Parse("20060102", date)
	if err != nil {
		return day{}, false
	}
	d := day{date: t.Unix() / 86400}
	if _, err := fmt.Sscanf(host, "%08x", &d.host); err != nil || d.name() != name {
		return day{}, false
	}
	return d, true
}

// days lists the day files in dir, oldest first.
func days(dir string) ([]day, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var out []day
	for _, e := range entries {
		if d, ok := parseDay(e.Name()); ok {
			out = append(out, d)
		}
	}
	slices.SortFunc(out, func(a, b day) int { return cmp.Or(cmp.Compare(a.date, b.date), cmp.Compare(a.host, b.host)) })
	return out, nil
}

// parts are the file at path and what SQLite keeps beside it.
func parts(path string) []string { return []string{path, path + "-wal", path + "-shm"} }

// size is how many bytes the file at path and its companions take.
func size(path string) uint64 {
	var n uint64
	for _, p := range parts(path) {
		if fi, err := os.Stat(p); err == nil {
			n += uint64(fi.Size())
		}
	}
	return n
}

// setAside renames a damaged file, whole, to a name that nobody opens.
func setAside(path string, now time.Time) (string, error) {
	aside := path + ".damaged-" + now.UTC().Format("20060102T150405")
	for i := 1; ; i++ {
		if _, err := os.Lstat(aside); os.IsNotExist(err) {
			break
		}
		aside = fmt.Sprintf("%s.damaged-%s.%d", path, now.UTC().Format("20060102T150405"), i)
	}
	for _, suffix := range []string{"-wal", "-shm", ""} {
		err := os.Rename(path+suffix, aside+suffix)
		if err != nil && !os.IsNotExist(err) {
			return "", fmt.Errorf("set the damaged %s aside: %w", filepath.Base(path), err)
		}
	}
	return aside, nil
}

// A row's id is its time: ns since midnight above 16 bits of CPU and ordinal,
// 63 bits in all. The whole CPU and ordinal are in tail; two activities of one
// ns whose low bits agree take neighbouring rows.
func rowOf(id event.ID) int64 {
	return int64(id.NS%dayNS)<<16 | int64(id.CPU&0xff)<<8 | int64(id.Ord&0xff)
}

func tailOf(id event.ID) int64 { return int64(id.CPU)<<16 | int64(id.Ord) }

// idOf is the activity's id from its row.
func (d day) idOf(row, tail int64) event.ID {
	return event.ID{NS: d.start() + uint64(row>>16), Host: d.host, CPU: uint16(tail >> 16), Ord: uint16(tail)}
}

// firstRow is the first row that an instant can have on d, clamped to the day.
func (d day) firstRow(ns uint64) int64 {
	switch {
	case ns <= d.start():
		return 0
	case ns >= d.end():
		return int64(dayNS) << 16
	}
	return int64(ns-d.start()) << 16
}
