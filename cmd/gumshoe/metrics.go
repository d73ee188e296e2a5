package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/gumshoe-ir/gumshoe/event"
)

// metrics answers on a unix socket with counters as Prometheus text.
type metrics struct {
	listener net.Listener
	server   *http.Server
}

// listenMetrics takes the socket at path, mode 0600. One that nobody answers
// on any more is replaced.
func listenMetrics(path string, write func(io.Writer)) (*metrics, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, fmt.Errorf("make its folder: %w", err)
	}
	if info, err := os.Lstat(path); err == nil {
		if info.Mode().Type() != fs.ModeSocket {
			return nil, fmt.Errorf("%s exists and is no socket", path)
		}
		if conn, err := net.DialTimeout("unix", path, time.Second); err == nil {
			return nil, errors.Join(fmt.Errorf("%s is in use by another process", path), conn.Close())
		}
		if err := os.Remove(path); err != nil {
			return nil, fmt.Errorf("replace an old socket: %w", err)
		}
	}
	mask := syscall.Umask(0o177) // the socket is ours alone from its first moment
	l, err := net.Listen("unix", path)
	syscall.Umask(mask)
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	return &metrics{l, &http.Server{
		ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 5 * time.Second, WriteTimeout: 5 * time.Second, MaxHeaderBytes: 8 << 10,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/plain; version=0.0.4")
			write(w)
		}),
	}}, nil
}

// serve answers until ctx is done.
func (m *metrics) serve(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() { m.server.Close() })
	defer stop()
	if err := m.server.Serve(m.listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve metrics: %w", err)
	}
	return nil
}

// close takes the socket away when serve never ran.
func (m *metrics) close() error {
	if err := m.listener.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		return fmt.Errorf("close the metrics socket: %w", err)
	}
	return nil
}

// writeMetrics writes all counters in Prometheus's text format.
func (e *engine) writeMetrics(w io.Writer) {
	var b strings.Builder
	metric := func(name, kind, help string, value float64) {
		fmt.Fprintf(&b, "# HELP gumshoe_%s %s\n# TYPE gumshoe_%s %s\ngumshoe_%s %s\n", name, help, name, kind, name, number(value))
	}
	s := e.feed.Status()
	e.probe(&s)
	metric("events_total", "counter", "System events handled.", float64(s.Events))
	metric("events_per_second", "gauge", "System events in the last second.", s.Rate)
	metric("activities_total", "counter", "Activities handed to the store.", float64(s.Activities))
	fmt.Fprint(&b, "# HELP gumshoe_lost_total Events lost or left out, by cause.\n# TYPE gumshoe_lost_total counter\n")
	for cause, n := range s.Lost {
		fmt.Fprintf(&b, "gumshoe_lost_total{cause=%q} %d\n", event.Cause(cause).String(), n)
	}
	metric("lag_seconds", "gauge", "Age of the newest event when it was handled.", float64(s.LagNS)/1e9)
	metric("ring_used_ratio", "gauge", "Share of the kernel ring in use.", s.RingUsed)
	metric("store_queue_used_ratio", "gauge", "Share of the store's queue in use.", s.QueueUsed)
	metric("store_bytes", "gauge", "Size of the audit trail.", float64(s.StoreBytes))
	metric("store_days", "gauge", "Days kept.", float64(s.StoreDays))
	metric("store_rows_total", "counter", "Activities written to the store.", float64(e.store.Stats().Stored))
	known, folded, asked, ring := e.table.Stats(), e.sessions.Stats(), e.resolver.Stats(), e.ring.Counters()
	metric("processes", "gauge", "Processes known.", float64(known.Processes))
	metric("threads", "gauge", "Threads known.", float64(known.Threads))
	metric("descriptors", "gauge", "Descriptors known.", float64(known.FDs))
	metric("containers", "gauge", "Containers known.", float64(known.Containers))
	metric("unknown_threads_total", "counter", "Events of threads that nobody knew.", float64(known.Unknown))
	metric("session_actors", "gauge", "Processes with a session.", float64(folded.Actors))
	metric("activities_folded_total", "counter", "Repetitions that became a count.", float64(folded.Folded))
	metric("containers_answered_total", "counter", "Containers that a runtime described.", float64(asked.Answered))
	metric("containers_unanswered_total", "counter", "Containers that no runtime knows.", float64(asked.Failed))
	metric("ring_bytes_total", "counter", "Bytes that passed through the ring.", float64(ring.Bytes))
	metric("ring_wakeups_total", "counter", "Wake-ups by the kernel.", float64(ring.Wakeups))
	metric("cpu_ratio", "gauge", "CPU of this process, share of one core.", s.CPUShare)
	metric("resident_bytes", "gauge", "Memory of this process.", float64(s.RSS))
	metric("start_time_seconds", "gauge", "Start of this process, since the epoch.", float64(s.Started)/1e9)
	// The reader went away: there is nobody to tell.
	_, _ = io.WriteString(w, b.String())
}

func number(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

// meter measures this process.
type meter struct {
	mu    sync.Mutex
	at    time.Time
	used  time.Duration
	share float64
}

// read is the CPU share since the last second or so, and the resident bytes.
func (m *meter) read(now time.Time) (share float64, rss uint64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) == nil {
		used := time.Duration(u.Utime.Nano() + u.Stime.Nano())
		if past := now.Sub(m.at); past >= time.Second/2 {
			if !m.at.IsZero() {
				m.share = float64(used-m.used) / float64(past)
			}
			m.at, m.used = now, used
		}
	}
	var total, resident uint64
	if _, err := fmt.Sscan(firstLine("/proc/self/statm"), &total, &resident); err != nil {
		return m.share, 0
	}
	return m.share, resident * uint64(os.Getpagesize())
}
