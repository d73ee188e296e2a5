// Package linebench measures the whole line, from this kernel's calls to rows
// in the store, as one figure per system event. It holds only benchmarks.
package linebench

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/gumshoe-ir/gumshoe/audit"
	"github.com/gumshoe-ir/gumshoe/audit/store"
	"github.com/gumshoe-ir/gumshoe/collector"
	"github.com/gumshoe-ir/gumshoe/collector/kernel"
	"github.com/gumshoe-ir/gumshoe/collector/proc"
	"github.com/gumshoe-ir/gumshoe/event"
	"github.com/gumshoe-ir/gumshoe/internal/need"
)

// produce names the environment variable that makes this binary a workload:
// "RATE DURATION FOLDER".
const produce = "GUMSHOE_PRODUCE"

func TestMain(m *testing.M) {
	if job := os.Getenv(produce); job != "" {
		if err := work(job); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// work makes system events at a rate, in slices of a millisecond: opens of a
// missing file, and in every 64th place a file that is written and removed.
func work(job string) error {
	f := strings.Fields(job)
	rate, err := strconv.Atoi(f[0])
	if err != nil {
		return err
	}
	d, err := time.ParseDuration(f[1])
	if err != nil {
		return err
	}
	runtime.LockOSThread()
	missing, err := unix.BytePtrFromString("/nonexistent/gumshoe")
	if err != nil {
		return err
	}
	made, start := 0, time.Now()
	for time.Since(start) < d {
		due := int(time.Since(start).Seconds() * float64(rate))
		for made < due {
			if made%64 == 0 {
				made += 2
				if err := writeAndRemove(fmt.Sprintf("%s/f%d", f[2], made)); err != nil {
					return err
				}
				continue
			}
			made++
			openat(missing)
		}
		time.Sleep(time.Millisecond)
	}
	fmt.Println(made, time.Since(start).Nanoseconds())
	return nil
}

func writeAndRemove(path string) error {
	fd, err := unix.Open(path, unix.O_CREAT|unix.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if err := unix.Close(fd); err != nil {
		return err
	}
	return unix.Unlink(path)
}

// line is everything between the kernel and the disk.
type line struct {
	ring     *kernel.Ring
	db       *store.DB
	sessions *audit.Sessions
	count    counter
	cancel   context.CancelFunc
	ended    chan error
}

// counter is the last stage: it counts what went by.
type counter struct {
	events, activities uint64
	lost               event.Losses
}

func (c *counter) Handle(_ context.Context, b *event.Batch) error {
	c.events += uint64(len(b.Events))
	c.activities += uint64(len(b.Activities))
	c.lost.Add(b.Lost)
	return nil
}

func startLine(b *testing.B) *line {
	b.Helper()
	need.BPF(b)
	ring, err := kernel.New(kernel.Options{Self: []uint32{uint32(os.Getpid())}})
	if err != nil {
		b.Fatal(err)
	}
	db, err := store.Open(b.Context(), store.Options{Dir: b.TempDir()})
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	l := &line{ring: ring, db: db, sessions: audit.New(audit.Options{}), cancel: cancel, ended: make(chan error, 1)}
	go func() {
		l.ended <- collector.Run(ctx, ring, proc.New(proc.Options{Root: "/"}), l.sessions, db, &l.count)
	}()
	time.Sleep(time.Second) // the first look at /proc is not part of the figure
	return l
}

func (l *line) stop(b *testing.B) {
	b.Helper()
	l.cancel()
	if err := <-l.ended; err != nil {
		b.Error(err)
	}
	if err := l.ring.Close(); err != nil {
		b.Error(err)
	}
	if err := l.db.Close(); err != nil {
		b.Error(err)
	}
}

// BenchmarkLine runs the line under a steady rate and under a burst.
func BenchmarkLine(b *testing.B) {
	for _, c := range []struct {
		name string
		rate int
		d    time.Duration
	}{
		{"sustained", 100_000, 10 * time.Second},
		{"burst", 300_000, 300 * time.Millisecond},
	} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				measure(b, c.rate, c.d)
			}
		})
	}
}

func measure(b *testing.B, rate int, d time.Duration) {
	l := startLine(b)
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%d %s %s", produce, rate, d, b.TempDir()))
	cmd.Stderr = os.Stderr
	cpu := used(b)
	out, err := cmd.Output()
	if err != nil {
		b.Fatal(err)
	}
	time.Sleep(500 * time.Millisecond) // what is still in the ring and the queue belongs to it
	cpu = used(b) - cpu
	var made, took float64
	if _, err := fmt.Sscan(string(out), &made, &took); err != nil {
		b.Fatal(err)
	}
	l.stop(b)
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(made/took*1e9, "events/s")
	b.ReportMetric(float64(l.count.lost.Dropped()), "dropped")
	b.ReportMetric(float64(cpu.Microseconds())/float64(l.count.events), "cpu-us/event")
	b.ReportMetric(float64(l.count.events)/cpu.Seconds(), "events/s/core")
	b.ReportMetric(100*float64(l.count.activities)/float64(l.count.events), "stored-%")
}

// used is the processor time of this process so far.
func used(b *testing.B) time.Duration {
	b.Helper()
	var r unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &r); err != nil {
		b.Fatal(err)
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

// BenchmarkIdle runs the built engine on this host for half a minute while we
// do nothing. What others do on the host is part of the figure.
func BenchmarkIdle(b *testing.B) {
	need.BPF(b)
	dir := b.TempDir()
	program := filepath.Join(dir, "gumshoe")
	if out, err := exec.Command("go", "build", "-tags", "sqlite_fts5", "-ldflags", "-s -w", "-o", program, "../../cmd/gumshoe").CombinedOutput(); err != nil {
		b.Fatalf("build: %v: %s", err, out)
	}
	conf := filepath.Join(dir, "config.yaml")
	text := fmt.Sprintf("store: {dir: %[1]s/trail}\nmetrics: {socket: %[1]s/metrics.sock}\n", dir)
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		cmd := exec.Command(program, "--config", conf, "collect")
		if err := cmd.Start(); err != nil {
			b.Fatal(err)
		}
		time.Sleep(5 * time.Second)
		before, start := spent(b, cmd.Process.Pid), time.Now()
		time.Sleep(30 * time.Second)
		share := (spent(b, cmd.Process.Pid) - before).Seconds() / time.Since(start).Seconds()
		total, private := resident(b, cmd.Process.Pid)
		if err := cmd.Process.Signal(unix.SIGTERM); err != nil {
			b.Error(err)
		}
		if err := cmd.Wait(); err != nil {
			b.Errorf("collect: %v", err)
		}
		b.ReportMetric(0, "ns/op")
		b.ReportMetric(100*share, "cpu-%")
		b.ReportMetric(total, "MiB")
		b.ReportMetric(private, "anonymous-MiB")
	}
}

// spent is the processor time of pid (proc_pid_schedstat: ns on the CPU).
func spent(b *testing.B, pid int) time.Duration {
	b.Helper()
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	if err != nil || len(tasks) == 0 {
		b.Fatalf("no accounting for %d: %v", pid, err)
	}
	var total time.Duration
	for _, path := range tasks {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // a thread that ended
		}
		ns, err := strconv.ParseInt(strings.Fields(string(text))[0], 10, 64)
		if err != nil {
			b.Fatal(err)
		}
		total += time.Duration(ns)
	}
	return total
}

// resident is the memory of pid in MiB: all of it, and the part that is not
// backed by files (proc_pid_status: VmRSS, RssAnon).
func resident(b *testing.B, pid int) (total, anonymous float64) {
	b.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		b.Fatal(err)
	}
	for _, line := range strings.Split(string(text), "\n") {
		f := strings.Fields(line)
		if len(f) < 2 {
			continue
		}
		kb, _ := strconv.ParseFloat(f[1], 64) // other lines hold no number
		switch f[0] {
		case "VmRSS:":
			total = kb / 1024
		case "RssAnon:":
			anonymous = kb / 1024
		}
	}
	return total, anonymous
}
