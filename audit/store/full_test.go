package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/gumshoe-ir/gumshoe/event"
	"github.com/gumshoe-ir/gumshoe/internal/need"
)

// smallDisk is a file system of its own of so many bytes.
func smallDisk(t *testing.T, bytes int) string {
	t.Helper()
	need.Root(t)
	dir := t.TempDir()
	if err := unix.Mount("none", dir, "tmpfs", 0, fmt.Sprintf("size=%d", bytes)); err != nil {
		need.Skip(t, "cannot mount: "+err.Error())
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, 0); err != nil {
			t.Error("unmount:", err)
		}
	})
	return dir
}

// fillUp leaves about left bytes free in dir; the file it makes is ballast.
func fillUp(t *testing.T, dir string, left int) {
	t.Helper()
	f, err := os.Create(filepath.Join(dir, "ballast"))
	if err != nil {
		t.Fatal(err)
	}
	for err == nil {
		_, err = f.Write(make([]byte, 4096))
	}
	if !errors.Is(err, unix.ENOSPC) {
		t.Fatal(err)
	}
	fi, err := f.Stat()
	if err == nil {
		err = errors.Join(f.Truncate(max(fi.Size()-int64(left), 0)), f.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
}

// A disk that is full to the last byte, wherever in a transaction that shows:
// what was committed can be read all the time, what waits is stored once there
// is room again, what found no room in the queue is counted.
func TestADiskFullToTheLastByte(t *testing.T) {
	for _, left := range []int{0, 4096, 16384, 65536, 200_000} {
		t.Run(fmt.Sprint(left), func(t *testing.T) {
			dir := smallDisk(t, 16<<20)
			db := openStore(t, Options{Dir: dir, QueueBytes: 1 << 20, MinFree: 1})
			t.Cleanup(func() { _ = db.Close() }) // before the disk goes away
			next, lost := 0, uint64(0)
			more := func(n int) {
				b := event.NewBatch(nil)
				for range n {
					a := numbered(next)
					a.Target += strings.Repeat("x", 500)
					b.Activities = append(b.Activities, a)
					next++
				}
				if err := db.Handle(context.Background(), b); err != nil {
					t.Fatal(err)
				}
				lost += b.Lost[event.LostStore]
			}
			more(100)
			settle(t, db)
			fillUp(t, dir, left)
			for range 200 {
				if strings.Contains(db.Stats().Problem, "disk full") {
					break
				}
				more(50)
				waitFor(t, func() bool { return db.queue.used() == 0 || db.Stats().Problem != "" })
			}
			if p := db.Stats().Problem; !strings.Contains(p, "disk full") {
				t.Fatalf("after %d rows: problem %q", next, p)
			}
			if got, want := len(everything(t, db)), int(db.Stats().Stored); got != want {
				t.Errorf("%d rows can be read of %d stored", got, want)
			}
			more(5000) // more than the queue takes
			if err := os.Remove(filepath.Join(dir, "ballast")); err != nil {
				t.Fatal(err)
			}
			waitFor(t, func() bool { return db.Stats().Problem == "" && db.queue.used() == 0 })
			if got := len(everything(t, db)); lost == 0 || got != next-int(lost) || db.Stats().Stored != uint64(got) {
				t.Errorf("%d rows after %d handed in and %d lost; %+v", got, next, lost, db.Stats())
			}
		})
	}
}

func TestAStoreOpensOnAFullDisk(t *testing.T) {
	dir := smallDisk(t, 4<<20)
	db := openStore(t, Options{Dir: dir, MinFree: 1})
	hand(t, db, numbered(0))
	settle(t, db)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	fillUp(t, dir, 0)
	db = openStore(t, Options{Dir: dir, MinFree: 1})
	t.Cleanup(func() { _ = db.Close() })
	hand(t, db, numbered(1))
	waitFor(t, func() bool { return strings.Contains(db.Stats().Problem, "disk full") })
	if err := os.Remove(filepath.Join(dir, "ballast")); err != nil {
		t.Fatal(err)
	}
	waitFor(t, func() bool { return db.Stats().Problem == "" && db.queue.used() == 0 })
	if rows := everything(t, db); len(rows) != 2 {
		t.Errorf("%d rows", len(rows))
	}
}
