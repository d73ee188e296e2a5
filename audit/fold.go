package audit

import (
	"net/netip"

	"github.com/gumshoe-ir/gumshoe/event"
)

const (
	foldWindow   = uint64(60e9) // repetitions this long after the first belong to it
	updatePeriod = uint64(1e9)  // an activity is handed on again at most this often
)

// folds finds repetitions of activities, and remembers which activities
// changed since they were handed on.
type folds struct {
	byKey *table[foldKey, *record]
	queue []*record // changed ones, in the order in which they are due
	head  int
}

// foldKey is what must be equal for two activities to be one.
type foldKey struct {
	process event.ProcessKey
	uid     uint32
	remote  netip.AddrPort
	verb    string
	target  string
	real    string // else a link turned elsewhere would hide behind its first use
	name    string
	result  int64
	flags   uint32
}

// record is an activity that may still change.
type record struct {
	a       event.Activity
	emitted uint64 // ns of the event at which it was last handed on
	due     uint64 // when to hand it on again; 0 when it did not change
}

// note hands on a, or counts it with the equal one before. What it returns
// stands for a: who learns more of it changes that and calls touch.
func (s *Sessions) note(a *event.Activity) *record {
	k := foldKey{remote: a.Remote, verb: a.Verb, target: a.Target, real: a.RealPath, name: a.Name, result: a.Result, flags: a.Flags}
	if !a.Remote.IsValid() {
		k.remote = a.Local
	}
	if a.Process != nil {
		k.process = a.Process.Key(a.ID.Host)
		if a.Kind != event.Connection { // those last while their process may become another user
			k.uid = a.Process.UID
		}
	}
	if f := s.folds.byKey.get(k); f != nil {
		r := *f
		if a.ID.NS < r.a.ID.NS+foldWindow { // also a little before: processors' clocks differ
			s.folded.Add(1)
			r.a.Count++
			r.a.Origin |= a.Origin
			r.a.End = max(r.a.End, a.End)
			s.touch(r, a.ID.NS)
			return r
		}
		s.folds.byKey.remove(k)
	}
	a.Target, a.Name = own(a.Target), own(a.Name)
	k.target, k.name = a.Target, a.Name
	if a.Target == "" && k.remote.IsValid() {
		a.Target = k.remote.String()
	}
	s.attribute(a)
	r := &record{a: *a, emitted: a.ID.NS}
	s.forgot(s.folds.byKey.put(k, r))
	s.handOn(a, true)
	return r
}

// touch hands r on again, at once or when its last time is long enough ago.
func (s *Sessions) touch(r *record, now uint64) {
	switch {
	case r.due != 0:
	case now >= r.emitted+updatePeriod:
		r.emitted = now
		s.handOn(&r.a, false)
	default:
		r.due = r.emitted + updatePeriod
		s.folds.queue = append(s.folds.queue, r)
	}
}

// flush hands on what is due at now. Records were queued within one period of
// each other's due time, so that the queue is in order up to that.
func (s *Sessions) flush(now uint64) {
	f := s.folds
	for f.head < len(f.queue) && f.queue[f.head].due <= now {
		r := f.queue[f.head]
		f.queue[f.head] = nil
		f.head++
		r.due, r.emitted = 0, min(now, r.due)
		s.handOn(&r.a, false)
	}
	if f.head == len(f.queue) {
		f.queue, f.head = f.queue[:0], 0
	} else if f.head > len(f.queue)/2 && f.head > 1024 {
		n := copy(f.queue, f.queue[f.head:])
		clear(f.queue[n:])
		f.queue, f.head = f.queue[:n], 0
	}
}
