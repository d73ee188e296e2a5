package store

import (
	"testing"
	"time"

	"github.com/gumshoe-ir/gumshoe/event"
)

// The end of a store may come between an activity and the writer's first look
// at it, when one wake-up stands for both.
func TestClosingRightAfterABatchEndsAndStores(t *testing.T) {
	dir := t.TempDir()
	for i := range 200 {
		db := openStore(t, Options{Dir: dir})
		id := event.ID{NS: noon + uint64(i)*1e6}
		hand(t, db, event.Activity{ID: id, Verb: "exec", Target: "last words", Count: 1})
		closed := make(chan error, 1)
		go func() { closed <- db.Close() }()
		select {
		case err := <-closed:
			if err != nil {
				t.Fatal(err)
			}
		case <-time.After(30 * time.Second):
			t.Fatalf("Close hangs at the %dth try", i+1)
		}
	}
	if got := everything(t, openStore(t, Options{Dir: dir, ReadOnly: true})); len(got) != 200 {
		t.Errorf("%d of 200 activities are stored", len(got))
	}
}
