package kernel

import (
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/gumshoe-ir/gumshoe/event"
	"github.com/gumshoe-ir/gumshoe/internal/need"
)

// BenchmarkRing sends 300,000 setsid calls a second for 10 s through a 16 MiB
// ring and counts what was dropped; the reader's cost is CPU time per event.
func BenchmarkRing(b *testing.B) {
	need.BPF(b)
	const rate, duration = 300_000, 10 * time.Second
	r, err := New(Options{Only: []string{"sys_exit", "call_setsid"}})
	if err != nil {
		b.Fatal(err)
	}
	defer r.Close()
	for b.Loop() {
		stop := discard(b, r)
		before := r.Counters()
		made := setsids(b, rate, duration)
		lost := stop()
		c := r.Counters()
		b.ReportMetric(0, "ns/op")
		b.ReportMetric(float64(made)/duration.Seconds(), "events/s")
		b.ReportMetric(float64(lost.Dropped()), "dropped")
		b.ReportMetric(float64(c.Received-before.Received), "received")
		b.ReportMetric(float64(c.Wakeups-before.Wakeups), "wakeups")
	}
}

// setsids makes calls at a rate, in slices of a millisecond.
func setsids(b *testing.B, rate int, d time.Duration) (made int) {
	onCPU(b, runtime.NumCPU()-1)
	start := time.Now()
	for time.Since(start) < d {
		due := int(time.Since(start).Seconds() * float64(rate))
		for ; made < due; made++ {
			unix.RawSyscall(unix.SYS_SETSID, 0, 0, 0)
		}
		time.Sleep(time.Millisecond)
	}
	return made
}

// BenchmarkDrain is the reader alone: CPU time from ring to decoded batch.
func BenchmarkDrain(b *testing.B) {
	need.BPF(b)
	r, err := New(Options{Only: []string{"sys_exit", "call_setsid"}})
	if err != nil {
		b.Fatal(err)
	}
	defer r.Close()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	const n = 100_000
	var spent time.Duration
	var lost event.Losses
	b.ReportAllocs()
	for b.Loop() {
		for range n {
			unix.RawSyscall(unix.SYS_SETSID, 0, 0, 0)
		}
		start := threadTime()
		for got := 0; got < n; {
			batch := <-r.free
			r.fill(batch)
			got += len(batch.Events)
			lost.Add(batch.Lost)
			r.order = append(r.order, batch)
			batch.Release()
		}
		spent += threadTime() - start
	}
	b.ReportMetric(float64(spent)/float64(n*b.N), "cpu-ns/event")
	b.ReportMetric(float64(lost.Dropped()), "dropped")
}
