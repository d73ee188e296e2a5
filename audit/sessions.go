package audit

import (
	"context"
	"strings"
	"sync/atomic"

	"github.com/gumshoe-ir/gumshoe/event"
)

// Limits of what Sessions keeps. What falls out of a full table is not lost:
// its activity stands in the trail as it was last handed on.
const (
	maxActors      = 1 << 16 // processes whose session is known
	maxCommands    = 1 << 15 // commands that have not ended
	maxConnections = 1 << 14 // connections that have not closed
	maxEarly       = 1 << 10 // connections established whose connect has not returned
	maxFolds       = 1 << 13 // activities that may repeat
	maxNames       = 1 << 13 // addresses with a DNS name
	maxAncestors   = 128     // levels looked up for the root of a session
	maxTarget      = 2 << 20 // bytes of a target: a command's arguments whole (collector/proc)
	keptTarget     = 4 << 10 // longer ones are made again when their command ends
)

// Options configure Sessions.
type Options struct {
	BootID    string     // of the host, as /proc/sys/kernel/random/boot_id has it
	Sensitive *Sensitive // files whose reading is an activity; nil means DefaultSensitive
}

// Stats count what Sessions did and holds.
type Stats struct {
	Activities uint64 // handed on for the first time
	Updates    uint64 // handed on again, with more known
	Folded     uint64 // repetitions that became a count
	Forgotten  uint64 // entries dropped by the limits
	Actors     uint64 // processes whose session is known now
}

// Sessions is the Stage that turns system events into activities (handlers
// states which) and names the session of each. It expects Process and FD of
// the events to be set. Activities that it hands on share the immutable
// process snapshots; all else in them is their own memory.
type Sessions struct {
	sensitive   *sensitivity
	actors      *actors
	commands    *table[event.ProcessKey, event.Activity]
	connections *table[uint64, *record]  // by cookie
	early       *table[uint64, struct{}] // cookies of sockets established before their connect returned
	folds       *folds
	names       *names
	batch       *event.Batch

	first, again, folded, forgotten, known atomic.Uint64 // Stats
}

// New makes a Sessions stage.
func New(o Options) *Sessions {
	if o.Sensitive == nil {
		d := DefaultSensitive()
		o.Sensitive = &d
	}
	return &Sessions{
		sensitive:   compile(o.Sensitive),
		actors:      newActors(o.BootID),
		commands:    newTable[event.ProcessKey, event.Activity](maxCommands),
		connections: newTable[uint64, *record](maxConnections),
		early:       newTable[uint64, struct{}](maxEarly),
		folds:       &folds{byKey: newTable[foldKey, *record](maxFolds)},
		names:       &names{byAddr: newTable[nameKey, name](maxNames)},
	}
}

// Stats are the counts as of the last batch. Any goroutine may ask.
func (s *Sessions) Stats() Stats {
	return Stats{s.first.Load(), s.again.Load(), s.folded.Load(), s.forgotten.Load(), s.known.Load()}
}

// Handle appends to b the activities of its events, and those of earlier
// batches of which more is known now.
func (s *Sessions) Handle(_ context.Context, b *event.Batch) error {
	s.batch = b
	s.actors.host = b.Host
	for _, p := range b.State {
		s.actors.session(p)
	}
	for i := range b.Events {
		s.event(&b.Events[i])
	}
	if n := len(b.Events); n > 0 {
		s.flush(b.Events[n-1].ID.NS)
	}
	s.batch = nil
	s.known.Store(uint64(s.actors.byKey.len()))
	return nil
}

// Drain appends what waits to be handed on again. It is for the end of the
// line, when no further batch comes.
func (s *Sessions) Drain(b *event.Batch) {
	s.batch = b
	s.flush(^uint64(0))
	s.batch = nil
}

func (s *Sessions) event(e *event.Event) {
	switch {
	case e.Type < event.Known:
		if h := handlers[e.Type]; h != nil {
			h(s, e)
		}
	case e.Type == event.TCPState:
		s.tcpState(e)
	case e.Type == event.DNS:
		s.dnsAnswer(e)
	}
}

// activity is one of e with what every kind has. Its target may point into
// the batch until note keeps it. It lasts no time unless the caller says so.
func (s *Sessions) activity(e *event.Event, kind event.Kind, verb, target string) event.Activity {
	a := event.Activity{
		ID: e.ID, End: e.ID.NS, Kind: kind, Severity: event.NoPriority, Verb: verb, Process: e.Process,
		Target: target[:min(len(target), maxTarget)], Count: 1, Origin: e.Origin,
	}
	if res, ok := e.Result(); ok && res < 0 {
		a.Result = -res
	}
	return a
}

// attribute names the one who did a: session and user.
func (s *Sessions) attribute(a *event.Activity) {
	if a.Process != nil {
		a.Session = s.actors.session(a.Process)
		a.User = s.actors.user(a.Process)
	}
}

// handOn appends a to the batch. New ones are handed on for the first time.
func (s *Sessions) handOn(a *event.Activity, isNew bool) {
	if isNew {
		s.first.Add(1)
	} else {
		s.again.Add(1)
	}
	s.batch.Activities = append(s.batch.Activities, *a)
}

func (s *Sessions) forgot(dropped bool) {
	if dropped {
		s.forgotten.Add(1)
	}
}

// own is a copy of text that may point into the batch.
func own(text string) string { return strings.Clone(text) }
