package main

import (
	"context"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/gumshoe-ir/gumshoe/audit/store"
	"github.com/gumshoe-ir/gumshoe/event"
	"github.com/gumshoe-ir/gumshoe/internal/trailtest"
)

// TestMain makes the test binary the program as well: whatever runs "gumshoe"
// runs what was compiled here.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"gumshoe": main})
}

func TestCommands(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(e *testscript.Env) error {
			e.Setenv("TZ", "UTC")
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			// trail DIR makes a store that holds the trail of package trailtest.
			"trail": func(ts *testscript.TestScript, _ bool, args []string) {
				ts.Check(fillStore(ts.MkAbs(args[0])))
			},
		},
	})
}

func fillStore(dir string) error {
	ctx := context.Background()
	db, err := store.Open(ctx, store.Options{Dir: dir})
	if err != nil {
		return err
	}
	f := trailtest.New(time.Now())
	b := event.NewBatch(nil)
	b.Activities, b.State = f.Activities, f.Processes
	if err := db.Handle(ctx, b); err != nil {
		return err
	}
	return db.Close()
}
