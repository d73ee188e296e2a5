package kernel

import (
	"encoding/binary"
	"slices"
	"testing"
	"time"
)

// fakeRing is a ring of 64 bytes whose kernel side the test plays.
type fakeRing struct {
	*ring
	consumed, produced uint64
}

func newFakeRing(start uint64) *fakeRing {
	f := &fakeRing{consumed: start, produced: start}
	f.ring = newRing(&f.consumed, &f.produced, make([]byte, 128), 64)
	return f
}

// put writes a sample as the kernel does: both mappings show it.
func (f *fakeRing) put(flags uint32, sample string) {
	b := binary.LittleEndian.AppendUint32(nil, uint32(len(sample))|flags)
	b = append(append(b, 0, 0, 0, 0), sample...)
	for i, c := range b {
		at := (f.produced + uint64(i)) & 63
		f.data[at], f.data[at+64] = c, c
	}
	f.produced += uint64(len(b)+7) &^ 7
}

func (f *fakeRing) all() []string {
	var out []string
	for s := f.next(); s != nil; s = f.next() {
		out = append(out, string(s))
	}
	return out
}

func TestRing(t *testing.T) {
	for _, c := range []struct {
		rule  string
		start uint64
		put   func(*fakeRing)
		want  []string
	}{
		{"an empty ring has nothing", 0, func(*fakeRing) {}, nil},
		{"samples come in order", 0, func(f *fakeRing) { f.put(0, "one"); f.put(0, "two") }, []string{"one", "two"}},
		{"a busy sample holds back what follows", 0, func(f *fakeRing) { f.put(0, "a"); f.put(busyBit, "b"); f.put(0, "c") }, []string{"a"}},
		{"a discarded sample is passed over", 0, func(f *fakeRing) { f.put(discardBit, "a"); f.put(0, "b") }, []string{"b"}},
		{"a sample over the end is whole", 48, func(f *fakeRing) { f.put(0, "0123456789abcdefgh") }, []string{"0123456789abcdefgh"}},
	} {
		t.Run(c.rule, func(t *testing.T) {
			f := newFakeRing(c.start)
			c.put(f)
			if got := f.all(); !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestRingIsFreedOnlyWhenTold(t *testing.T) {
	f := newFakeRing(0)
	f.put(0, "one")
	f.all()
	if f.used() != 16 {
		t.Errorf("%d bytes in use after reading, want 16", f.used())
	}
	f.free(f.pos)
	if f.used() != 0 || f.consumed != 16 {
		t.Errorf("%d bytes in use after freeing, consumer at %d", f.used(), f.consumed)
	}
}

func TestBatchesFreeTheRingInOrder(t *testing.T) {
	f := newFakeRing(0)
	r := &Ring{ring: f.ring, free: make(chan *batch, batches)}
	first, second := r.newBatch(), r.newBatch()
	first.end, second.end = 16, 32
	r.order = []*batch{first, second}
	second.Release()
	if f.consumed != 0 {
		t.Errorf("consumer moved to %d while an older batch was out", f.consumed)
	}
	first.Release()
	if f.consumed != 32 || len(r.free) != 2 {
		t.Errorf("consumer at %d, %d batches free, want 32 and 2", f.consumed, len(r.free))
	}
}

func TestPace(t *testing.T) {
	start := time.Unix(0, 0)
	type look struct {
		after  time.Duration // since start
		events int
		want   time.Duration
	}
	for _, c := range []struct {
		rule  string
		looks []look
	}{
		{"short while events flow", []look{{0, 100, paceBusy}, {paceBusy, 100, paceBusy}}},
		{"doubles while few come, up to a bound", []look{{0, 1, paceBusy}, {1, 1, 2 * paceBusy}, {2, 1, 4 * paceBusy}, {3, 1, paceSlow}, {4, 1, paceSlow}}},
		{"long after a second without any", []look{{0, 1, paceBusy}, {time.Second, 0, paceIdle}}},
		{"short again with the first burst", []look{{0, 1, paceBusy}, {time.Second, 0, paceIdle}, {2 * time.Second, busyCount, paceBusy}}},
	} {
		t.Run(c.rule, func(t *testing.T) {
			var p pace
			for i, l := range c.looks {
				if got := p.next(start.Add(l.after), l.events); got != l.want {
					t.Errorf("look %d: sleep %v, want %v", i, got, l.want)
				}
			}
		})
	}
}

func TestClockTellsStepsFromSlewing(t *testing.T) {
	var boot, wall uint64
	c := clock{offset: 1000e9, last: 1000e9, read: func() (uint64, uint64) { return boot, wall }}
	for _, s := range []struct {
		rule       string
		boot, wall uint64
		stepped    bool
		before     uint64
	}{
		{"nothing happened", 1e9, 1001e9, false, 0},
		{"slewed by a millisecond", 2e9, 1002e9 + 1e6, false, 0},
		{"set back by a minute", 3e9, 943e9, true, 1003e9},
		{"told once", 4e9, 944e9, false, 0},
		{"set forward", 5e9, 2000e9, true, 1005e9},
	} {
		boot, wall = s.boot, s.wall
		before, after, stepped := c.check()
		if stepped != s.stepped || stepped && (before != s.before || after != wall) {
			t.Errorf("%s: %d %d %t", s.rule, before, after, stepped)
		}
	}
}
