package event_test

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/gumshoe-ir/gumshoe/event"
	"github.com/gumshoe-ir/gumshoe/internal/need"
)

// TestCatalogueAgreesWithFalcos compares names, types and traits with the list
// of Falco's fields: each is answered or known to be unanswered.
func TestCatalogueAgreesWithFalcos(t *testing.T) {
	b, err := os.ReadFile(need.Shared(t, "spec/fields.json"))
	if err != nil {
		t.Fatal(err)
	}
	var list []struct {
		Name, Type, Arg string
		FilterOnly      bool     `json:"filter_only"`
		NoRHS           bool     `json:"no_rhs"`
		NoTransformer   bool     `json:"no_transformer"`
		Args            []string `json:"stock_args"`
	}
	if err := json.Unmarshal(b, &list); err != nil {
		t.Fatal(err)
	}
	kinds := map[string]event.ValueKind{
		"string": event.String, "bool": event.Bool, "ipaddr": event.IP, "ipnet": event.Net, "bytes": event.Bytes, "port": event.Uint,
		"reltime": event.Reltime, "abstime": event.Abstime, "dynamic": event.NoValue,
		"int16": event.Int, "int32": event.Int, "int64": event.Int, "uint32": event.Uint, "uint64": event.Uint,
	}
	answered := 0
	for _, want := range list {
		f, ok := event.LookupField(want.Name)
		if !ok {
			if !event.IsUnanswered(want.Name) {
				t.Errorf("%s is neither answered nor known to be unanswered", want.Name)
			}
			continue
		}
		answered++
		if f.Name != want.Name || f.Kind != kinds[want.Type] {
			t.Errorf("%s: %s with kind %d, want %s", want.Name, f.Name, f.Kind, want.Type)
		}
		if (f.Arg == event.NoArg) != (want.Arg == "none") {
			t.Errorf("%s: argument %d, want %s", want.Name, f.Arg, want.Arg)
		}
		for trait, is := range map[event.Traits]bool{event.FilterOnly: want.FilterOnly, event.NoRightSide: want.NoRHS, event.NoTransform: want.NoTransformer} {
			if (f.Traits&trait != 0) != is {
				t.Errorf("%s: trait %b is not %t", want.Name, trait, is)
			}
		}
		for _, arg := range want.Args {
			if _, _, err := event.ResolveField(want.Name, arg, true); err != nil {
				if _, _, err := event.ParseField(want.Name + "." + arg); err != nil {
					t.Errorf("%s with %s, as stock rules have it: %v", want.Name, arg, err)
				}
			}
		}
	}
	t.Logf("%d of %d fields answered, %d of our own", answered, len(list), len(event.Fields())-answered)
}
