package ptybench

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/creack/pty"
)

// demo builds the console over a computed trail, once.
var demo = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "gumshoe-ptybench")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "demo")
	out, err := exec.Command("go", "build", "-tags", "sqlite_fts5", "-o", path, "../../tui/testdata/demo").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build the demo: %w: %s", err, out)
	}
	return path, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if path, err := demo(); err == nil {
		os.RemoveAll(filepath.Dir(path))
	}
	os.Exit(code)
}

// terminal is a program in a pseudo-terminal and what it writes.
type terminal struct {
	cmd   *exec.Cmd
	tty   *os.File
	bytes chan []byte
}

func start(tb testing.TB, args ...string) *terminal {
	tb.Helper()
	path, err := demo()
	if err != nil {
		tb.Fatal(err)
	}
	t := &terminal{cmd: exec.Command(path, args...), bytes: make(chan []byte, 4096)}
	t.cmd.Env = append(os.Environ(), "TERM=xterm-256color", "COLORTERM=truecolor")
	t.tty, err = pty.StartWithSize(t.cmd, &pty.Winsize{Rows: 36, Cols: 120})
	if err != nil {
		tb.Fatal(err)
	}
	go t.read()
	tb.Cleanup(func() {
		t.tty.Write([]byte("q"))
		t.tty.Close()
		t.cmd.Process.Kill()
		t.cmd.Wait()
	})
	return t
}

func (t *terminal) read() {
	defer close(t.bytes)
	for {
		b := make([]byte, 16<<10)
		n, err := t.tty.Read(b)
		if err != nil {
			return
		}
		t.bytes <- b[:n]
	}
}

// until reads until text came, and says how long that took from since.
func (t *terminal) until(tb testing.TB, text string, since time.Time) time.Duration {
	tb.Helper()
	var all []byte
	late := time.After(20 * time.Second)
	for {
		select {
		case b, ok := <-t.bytes:
			all = append(all, b...)
			if bytes.Contains(all, []byte(text)) {
				return time.Since(since)
			}
			if !ok {
				tb.Fatalf("ended before %q came: %q", text, all)
			}
		case <-late:
			tb.Fatalf("%q did not come: %q", text, all)
		}
	}
}

// quiet reads until nothing came for d, and says how many bytes did.
func (t *terminal) quiet(d time.Duration) (n int) {
	for {
		select {
		case b := <-t.bytes:
			n += len(b)
		case <-time.After(d):
			return n
		}
	}
}

// drain reads for d.
func (t *terminal) drain(d time.Duration) (n int) {
	end := time.After(d)
	for {
		select {
		case b := <-t.bytes:
			n += len(b)
		case <-end:
			return n
		}
	}
}

// cpu is the processor time that the program has used (proc(5), stat).
func (t *terminal) cpu(tb testing.TB) time.Duration {
	tb.Helper()
	b, err := os.ReadFile("/proc/" + strconv.Itoa(t.cmd.Process.Pid) + "/stat")
	if err != nil {
		tb.Fatal(err)
	}
	f := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+2:]))
	user, _ := strconv.Atoi(f[11])
	system, _ := strconv.Atoi(f[12])
	return time.Duration(user+system) * 10 * time.Millisecond
}

// memory is the program's resident memory in bytes.
func (t *terminal) memory(tb testing.TB) float64 {
	tb.Helper()
	b, err := os.ReadFile("/proc/" + strconv.Itoa(t.cmd.Process.Pid) + "/statm")
	if err != nil {
		tb.Fatal(err)
	}
	pages, _ := strconv.Atoi(strings.Fields(string(b))[1])
	return float64(pages * os.Getpagesize())
}

type times []time.Duration

func (t times) report(b *testing.B, prefix string) {
	slices.Sort(t)
	ms := func(q float64) float64 { return float64(t[int(q*float64(len(t)-1))].Microseconds()) / 1000 }
	b.ReportMetric(ms(0.5), prefix+"p50-ms")
	b.ReportMetric(ms(0.99), prefix+"p99-ms")
}

const presses = 400

// BenchmarkKey measures from a key to the first byte that answers it, under
// 5,000 activities a second over ten million, and the floor: the echo of a
// bare pseudo-terminal, key by key in turn.
func BenchmarkKey(b *testing.B) {
	for b.Loop() {
		floor := echo(b)
		t := start(b, "-grow", "5000", "-theme", "dark")
		t.until(b, "Frequency", time.Now())
		t.drain(2 * time.Second)
		t.tty.Write([]byte("kkk")) // scroll back: the rows stand still
		t.drain(time.Second)
		var keys, floors times
		sent := 0
		for i := range presses {
			t.quiet(4 * time.Millisecond)
			floors = append(floors, floor())
			began := time.Now()
			t.tty.Write([]byte{"kj"[i&1]})
			select {
			case c := <-t.bytes:
				sent += len(c)
				keys = append(keys, time.Since(began))
			case <-time.After(time.Second):
				b.Fatal("a key had no answer within a second")
			}
		}
		keys.report(b, "key-")
		floors.report(b, "floor-")
		b.ReportMetric(float64(sent)/presses, "bytes/key")
		b.ReportMetric(t.memory(b)/(1<<20), "MiB")
	}
	b.ReportMetric(0, "ns/op")
}

// echo is a bare pseudo-terminal: the function times one key.
func echo(b *testing.B) func() time.Duration {
	b.Helper()
	master, slave, err := pty.Open()
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { master.Close(); slave.Close() })
	buf := make([]byte, 16)
	return func() time.Duration {
		began := time.Now()
		if _, err := master.Write([]byte("k")); err != nil {
			b.Fatal(err)
		}
		if _, err := master.Read(buf); err != nil && !errors.Is(err, io.EOF) {
			b.Fatal(err)
		}
		return time.Since(began)
	}
}

// BenchmarkFirstPaint measures from exec to the first row on the screen, over
// ten million rows, beside an empty program's first byte.
func BenchmarkFirstPaint(b *testing.B) {
	var rows, frames, empty times
	for b.Loop() {
		began := time.Now()
		t := start(b, "-theme", "dark")
		frames = append(frames, t.until(b, "Activity", began))
		rows = append(rows, t.until(b, "curl", began))
		began = time.Now()
		e := start(b, "-empty")
		empty = append(empty, e.until(b, "nothing", began))
	}
	rows.report(b, "rows-")
	frames.report(b, "frame-")
	empty.report(b, "empty-")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkIdle measures what it costs to show a trail in which nothing
// happens, beside an empty program of the same frame rate in the same seconds.
func BenchmarkIdle(b *testing.B) {
	const span = 10 * time.Second
	for b.Loop() {
		t, e := start(b, "-theme", "dark"), start(b, "-empty")
		t.until(b, "Frequency", time.Now())
		t.drain(3 * time.Second)
		e.drain(100 * time.Millisecond)
		ours, theirs := t.cpu(b), e.cpu(b)
		written := t.drain(span)
		ours, theirs = t.cpu(b)-ours, e.cpu(b)-theirs
		b.ReportMetric(float64(written), "bytes")
		b.ReportMetric(100*ours.Seconds()/span.Seconds(), "cpu-%")
		b.ReportMetric(100*theirs.Seconds()/span.Seconds(), "empty-cpu-%")
		b.ReportMetric(t.memory(b)/(1<<20), "MiB")
	}
	b.ReportMetric(0, "ns/op")
}
