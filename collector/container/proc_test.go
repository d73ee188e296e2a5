package container_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/gumshoe-ir/gumshoe/collector/container"
	"github.com/gumshoe-ir/gumshoe/collector/proc"
	"github.com/gumshoe-ir/gumshoe/event"
)

// What we emit must come back as it was from who reads it: the process table.
func TestTheProcessTableReadsWhatWeEmit(t *testing.T) {
	failed := &event.Container{ID: "3ad7b26ded6d", FullID: container.Whole.FullID, Runtime: event.Docker, Problem: "docker: no such container", Labels: map[string]string{}}
	named := *container.Whole
	named.Created -= named.Created % 1e9 // the format has seconds
	named.Pod, named.Namespace, named.PodUID = "api-7c9", "billing", "0b7ad6ce-4b3c-4d2b-9b5e-0123456789ab"
	for _, want := range []*event.Container{&named, failed} {
		table := proc.New(proc.Options{})
		b := event.NewBatch(nil)
		b.State = []*event.Process{{PID: 100, TID: 100, VPID: 100, StartBoot: 1, Name: "app", Cgroups: []string{"cpu=/docker/" + want.FullID}}}
		other, err := event.EncodeParams(event.SyscallCloseX, 0, 3)
		if err != nil {
			t.Fatal(err)
		}
		b.Events = []event.Event{
			{ID: event.ID{NS: 1000}, TID: -1, Type: event.AsynceventE, Params: container.Params(want)},
			{ID: event.ID{NS: 1001}, TID: 100, Type: event.SyscallCloseX, Params: other},
		}
		if err := table.Handle(t.Context(), b); err != nil {
			t.Fatal(err)
		}
		p := b.Events[1].Process
		if p == nil || p.Container == nil {
			t.Fatalf("process %+v", p)
		}
		if diff := cmp.Diff(want, p.Container, cmpopts.EquateComparable(want.IP)); diff != "" {
			t.Errorf("%s (-emitted +read):\n%s", strings.TrimSpace(want.Name+want.Problem), diff)
		}
	}
}
