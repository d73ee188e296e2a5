package kernel

import (
	"context"
	"runtime"
	"slices"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/gumshoe-ir/gumshoe/event"
	"github.com/gumshoe-ir/gumshoe/internal/need"
)

// threadTime is this thread's CPU time.
func threadTime() time.Duration { return time.Duration(gettime(unix.CLOCK_THREAD_CPUTIME_ID)) }

// onCPU locks the calling goroutine to a thread on one processor.
func onCPU(b testing.TB, cpu int) {
	b.Helper()
	runtime.LockOSThread()
	var set, old unix.CPUSet
	if err := unix.SchedGetaffinity(0, &old); err != nil {
		b.Fatal(err)
	}
	set.Set(cpu)
	if err := unix.SchedSetaffinity(0, &set); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := unix.SchedSetaffinity(0, &old); err != nil {
			b.Error(err)
		}
		runtime.UnlockOSThread()
	})
}

// Workloads in raw system calls, so that the Go runtime adds nothing.
func getpid(n int) {
	for range n {
		unix.RawSyscall(unix.SYS_GETPID, 0, 0, 0)
	}
}

var missingFile = []byte("/usr/lib/no-such-file-here\x00")

func openMissing(n int) {
	for range n {
		openat(missingFile)
	}
}

func openClose(n int) {
	name := []byte("/etc/hostname\x00")
	for range n {
		if fd, ok := openat(name); ok {
			unix.RawSyscall(unix.SYS_CLOSE, fd, 0, 0)
		}
	}
}

// readZeros reads as many bytes as a short DNS answer has, from what is none.
func readZeros(n int) {
	fd, _ := openat([]byte("/dev/zero\x00"))
	var buf [64]byte
	for range n {
		unix.RawSyscall(unix.SYS_READ, fd, uintptr(unsafe.Pointer(&buf[0])), 64)
	}
	unix.RawSyscall(unix.SYS_CLOSE, fd, 0, 0)
}

// perCall is the least thread time per call of three rounds.
func perCall(work func(int), n int) time.Duration {
	var best time.Duration
	for i := range 3 {
		start := threadTime()
		work(n)
		if d := (threadTime() - start) * 1000 / time.Duration(n); i == 0 || d < best {
			best = d
		}
	}
	return best // ps
}

// discard runs r until the returned function is called.
func discard(b testing.TB, r *Ring) (stop func() event.Losses) {
	b.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	out := make(chan *event.Batch)
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx, out) }()
	finished := make(chan event.Losses)
	go func() {
		var l event.Losses
		for {
			select {
			case batch := <-out:
				l.Add(batch.Lost)
				batch.Release()
			case err := <-done:
				if err != nil {
					b.Error(err)
				}
				finished <- l
				return
			}
		}
	}()
	return func() event.Losses {
		cancel()
		return <-finished
	}
}

// BenchmarkOverhead is what a system call costs more with everything attached:
// thread CPU time, pairs of rounds without and with, in ns per call.
func BenchmarkOverhead(b *testing.B) {
	need.BPF(b)
	for _, w := range []struct {
		name string
		run  func(int)
		n    int
	}{
		{"getpid", getpid, 500_000},
		{"openat_missing", openMissing, 200_000},
		{"open_close", openClose, 100_000},
		{"read", readZeros, 200_000},
	} {
		b.Run(w.name, func(b *testing.B) {
			onCPU(b, runtime.NumCPU()-1)
			var bare, floor, traced, extra []float64
			for b.Loop() {
				without := perCall(w.run, w.n)
				empty := attached(b, []string{"sys_exit"}, w.run, w.n)
				with := attached(b, nil, w.run, w.n)
				bare = append(bare, float64(without)/1000)
				floor = append(floor, float64(empty-without)/1000)
				traced = append(traced, float64(with)/1000)
				extra = append(extra, float64(with-without)/1000)
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(median(bare), "ns-without")
			b.ReportMetric(median(traced), "ns-with")
			b.ReportMetric(median(floor), "ns-floor") // a dispatcher that wants nothing
			b.ReportMetric(median(extra), "ns-extra")
		})
	}
}

// attached is perCall while some programs, or all, are attached.
func attached(b *testing.B, only []string, work func(int), n int) time.Duration {
	b.Helper()
	r, err := New(Options{Only: only})
	if err != nil {
		b.Fatal(err)
	}
	stop := discard(b, r)
	d := perCall(work, n)
	stop()
	if err := r.Close(); err != nil {
		b.Fatal(err)
	}
	return d
}

func median(v []float64) float64 {
	slices.Sort(v)
	return v[len(v)/2]
}
