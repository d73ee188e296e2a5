package store

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gumshoe-ir/gumshoe/audit"
	"github.com/gumshoe-ir/gumshoe/event"
	"github.com/gumshoe-ir/gumshoe/internal/need"
)

// TestMain lets the test binary be the writer that is killed.
func TestMain(m *testing.M) {
	if dir := os.Getenv("GUMSHOE_TEST_WRITE"); dir != "" {
		writeForEver(dir)
		return
	}
	os.Exit(m.Run())
}

// writeForEver stores numbered activities behind those already there, and
// prints how many are committed.
func writeForEver(dir string) {
	first, _ := strconv.Atoi(os.Getenv("GUMSHOE_TEST_FIRST"))
	var db *DB // nothing is committed before something is handed in
	db, err := Open(context.Background(), Options{Dir: dir, Committed: func() { fmt.Println(first + int(db.Stats().Stored)) }})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	for i := first; ; i += 16 {
		b := event.NewBatch(nil)
		for n := i; n < i+16; n++ {
			b.Activities = append(b.Activities, numbered(n))
		}
		if err := db.Handle(context.Background(), b); err != nil {
			os.Exit(1)
		}
		time.Sleep(200 * time.Microsecond)
	}
}

func numbered(n int) event.Activity {
	p := process(int32(n%500+1), nil)
	return event.Activity{ID: event.ID{NS: noon + uint64(n)*1000}, Verb: "open", Target: fmt.Sprintf("/path/%d", n), Process: p, Count: 1}
}

func TestNoCommittedRowIsLostToKill9(t *testing.T) {
	dir := t.TempDir()
	committed := 0
	for round := range 20 {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), "GUMSHOE_TEST_WRITE="+dir, fmt.Sprintf("GUMSHOE_TEST_FIRST=%d", committed))
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		stop := time.AfterFunc(time.Duration(60+rand.IntN(150))*time.Millisecond, func() { _ = cmd.Process.Kill() })
		said := committed
		for lines.Scan() {
			if said, err = strconv.Atoi(lines.Text()); err != nil {
				t.Fatal(lines.Text())
			}
		}
		stop.Stop()
		if err := cmd.Wait(); err == nil {
			t.Fatal("the writer ended by itself")
		}
		db := openStore(t, Options{Dir: dir})
		stored := 0
		q := audit.Query{Forward: true, Limit: 1000}
		for {
			p := page(t, db, q)
			for i := range p.Rows {
				if want := fmt.Sprintf("/path/%d", stored); p.Rows[i].Target != want || p.Rows[i].Process == nil {
					t.Fatalf("round %d: row %d is %s", round, stored, p.Rows[i].Target)
				}
				stored++
			}
			if !p.More {
				break
			}
			q.After = p.Rows[len(p.Rows)-1].ID
		}
		if stored < said {
			t.Fatalf("round %d: %d of %d committed rows are left", round, stored, said)
		}
		if h, err := db.Histogram(context.Background(), audit.HistogramQuery{Columns: 5}); err != nil || int(h.Total) != stored {
			t.Errorf("round %d: counts say %d, %v, rows say %d", round, h.Total, err, stored)
		}
		if s := db.Stats(); s.Problem != "" {
			t.Errorf("round %d: %s", round, s.Problem)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		committed = stored
	}
	if committed == 0 {
		t.Error("nothing was ever committed")
	}
}

// twoDays is a closed store with one activity on each of two days, and the
// path of the first.
func twoDays(t *testing.T) (dir, first string) {
	dir = t.TempDir()
	db := openStore(t, Options{Dir: dir})
	hand(t, db, numbered(0), event.Activity{ID: event.ID{NS: noon + dayNS}, Verb: "open", Target: "second", Count: 1})
	settle(t, db)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	return dir, filepath.Join(dir, dayOf(event.ID{NS: noon}).name())
}

func TestDamagedFilesAreSetAside(t *testing.T) {
	for name, harm := range map[string]func(b []byte) []byte{
		"noise":                func(b []byte) []byte { return []byte(strings.Repeat("noise", 5000)) },
		"cut off":              func(b []byte) []byte { return b[:len(b)/2] },
		"another application":  func(b []byte) []byte { b[68]++; return b },
		"no more than a start": func(b []byte) []byte { return b[:10] },
	} {
		t.Run(name, func(t *testing.T) {
			dir, first := twoDays(t)
			b, err := os.ReadFile(first)
			if err != nil {
				t.Fatal(err)
			}
			b = harm(b)
			if err := os.WriteFile(first, b, 0o600); err != nil {
				t.Fatal(err)
			}
			r := openStore(t, Options{Dir: dir, ReadOnly: true})
			if rows := everything(t, r); len(rows) != 1 || rows[0].Target != "second" {
				t.Errorf("a reader finds %d rows", len(rows))
			}
			if p := r.Stats().Problem; !strings.Contains(p, "damaged") || strings.Contains(p, "\n") {
				t.Errorf("a reader says %q", p)
			}
			db := openStore(t, Options{Dir: dir})
			if p := db.Stats().Problem; !strings.Contains(p, "kept as "+filepath.Base(first)+".damaged-") || strings.Contains(p, "\n") {
				t.Errorf("the writer says %q", p)
			}
			aside, _ := filepath.Glob(first + ".damaged-*")
			if len(aside) != 1 {
				t.Fatalf("set aside: %v", aside)
			}
			if kept, err := os.ReadFile(aside[0]); err != nil || string(kept) != string(b) {
				t.Errorf("the damaged file was changed: %v", err)
			}
			hand(t, db, numbered(1))
			settle(t, db)
			if rows := everything(t, db); len(rows) != 2 {
				t.Errorf("afterwards %d rows", len(rows))
			}
		})
	}
}

func TestDamageInsideAFileLeavesTheOthersReadable(t *testing.T) {
	dir, first := twoDays(t)
	b, err := os.ReadFile(first)
	if err != nil {
		t.Fatal(err)
	}
	for i := 4096; i < len(b); i++ {
		b[i] = 0xee
	}
	if err := os.WriteFile(first, b, 0o600); err != nil {
		t.Fatal(err)
	}
	db := openStore(t, Options{Dir: dir})
	if rows := everything(t, db); len(rows) != 1 || rows[0].Target != "second" {
		t.Errorf("%d rows", len(rows))
	}
	if p := db.Stats().Problem; !strings.Contains(p, "damaged") {
		t.Errorf("says %q", p)
	}
	hand(t, db, numbered(1)) // into the damaged file: it is set aside
	settle(t, db)
	if rows := everything(t, db); len(rows) != 2 {
		t.Errorf("afterwards %d rows", len(rows))
	}
}

func TestANewerStoreIsRefused(t *testing.T) {
	dir, first := twoDays(t)
	c, err := connect(first)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(c.exec(fmt.Sprintf("pragma user_version = %d", version+1)), c.close()); err != nil {
		t.Fatal(err)
	}
	for _, readOnly := range []bool{false, true} {
		_, err := Open(context.Background(), Options{Dir: dir, ReadOnly: readOnly})
		if !errors.Is(err, ErrNewer) || strings.Contains(err.Error(), "\n") {
			t.Errorf("read only %v: %v", readOnly, err)
		}
	}
}

func TestAFullDiskIsCountedAndPasses(t *testing.T) {
	db := openStore(t, Options{QueueBytes: 20_000, MinFree: 1 << 62})
	b := event.NewBatch(nil)
	for i := range 200 {
		b.Activities = append(b.Activities, numbered(i))
	}
	if err := db.Handle(context.Background(), b); err != nil {
		t.Fatal(err)
	}
	lost := b.Lost[event.LostStore]
	if lost == 0 || lost == 200 || db.Lost()[event.LostStore] != lost {
		t.Errorf("lost %d, says %d", lost, db.Lost()[event.LostStore])
	}
	waitFor(t, func() bool { return strings.Contains(db.Stats().Problem, "disk full") })
	db.minFree.Store(0)
	waitFor(t, func() bool { return db.Stats().Problem == "" && db.queue.used() == 0 })
	if rows := everything(t, db); len(rows) != 200-int(lost) {
		t.Errorf("%d rows stored, %d lost", len(rows), lost)
	}
}

func TestWhatCannotBeStoredAtTheEndIsCounted(t *testing.T) {
	db := openStore(t, Options{MinFree: 1 << 62})
	hand(t, db, numbered(0), numbered(1))
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if n := db.Lost()[event.LostStore]; n != 2 {
		t.Errorf("lost %d", n)
	}
}

func TestAStoreOnReadOnlyMediaCanBeAsked(t *testing.T) {
	need.Root(t) // mounts
	dir, _ := twoDays(t)
	if out, err := exec.Command("mount", "--bind", "-o", "ro", dir, dir).CombinedOutput(); err != nil {
		need.Skip(t, "cannot mount read-only: "+string(out))
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", dir).CombinedOutput(); err != nil {
			t.Errorf("umount: %s", out)
		}
	})
	db := openStore(t, Options{Dir: dir, ReadOnly: true})
	if rows := everything(t, db); len(rows) != 2 {
		t.Errorf("%d rows, %s", len(rows), db.Stats().Problem)
	}
	if _, err := Open(context.Background(), Options{Dir: dir}); err == nil || strings.Contains(err.Error(), "\n") {
		t.Errorf("a writer got %v", err)
	}
}

func TestAnEarlierClockGoesIntoItsOwnTime(t *testing.T) {
	db := openStore(t, Options{})
	hand(t, db, numbered(5))
	settle(t, db)
	early := event.Activity{ID: event.ID{NS: noon - 3*dayNS}, Verb: "open", Target: "early", Count: 1}
	hand(t, db, early, numbered(2))
	settle(t, db)
	var got []string
	for _, a := range everything(t, db) {
		got = append(got, a.Target)
	}
	if fmt.Sprint(got) != "[early /path/2 /path/5]" {
		t.Error(got)
	}
}

func TestWithoutTrigramsTheDictionaryIsScanned(t *testing.T) {
	dir, first := twoDays(t)
	c, err := connect(first)
	if err != nil {
		t.Fatal(err)
	}
	// What a build without FTS5 leaves behind.
	if err := errors.Join(c.exec("update meta set value = 0 where name = 'words'; drop table if exists word"), c.close()); err != nil {
		t.Fatal(err)
	}
	db := openStore(t, Options{Dir: dir})
	hand(t, db, numbered(7))
	settle(t, db)
	for _, word := range []string{"path/0", "path/7", "second"} {
		if rows := page(t, db, audit.Query{Selection: audit.Selection{Filter: bar(t, word)}}).Rows; len(rows) != 1 {
			t.Errorf("%s: %d rows", word, len(rows))
		}
	}
}
