package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"syscall"
)

// purpose is what an engine runs for.
type purpose int

const (
	forService purpose = iota // its log is all that it says
	forConsole                // the terminal is the console's
	forListing                // standard output is rows; standard error is for trouble
)

// openLog is the program's log and what closes it. Libraries that log by
// themselves (net/http of a runtime that answers nonsense) write into it too,
// not to the terminal.
func (p *program) openLog(c *config, why purpose) (*slog.Logger, func() error, error) {
	l, closing, err := p.newLog(c, why)
	if err == nil {
		slog.SetDefault(l)
	}
	return l, closing, err
}

// newLog is a log and what closes it. To the journal it writes lines with the
// level as a prefix (sd-daemon(3)), else lines with the time.
func (p *program) newLog(c *config, why purpose) (*slog.Logger, func() error, error) {
	level, err := c.level()
	if err != nil {
		return nil, nil, err
	}
	opts := &slog.HandlerOptions{Level: level}
	file := c.Log.File
	switch {
	case file != "":
	case why == forConsole:
		file = filepath.Join(c.Store.Dir, "gumshoe.log")
	case why == forListing:
		opts.Level = max(level, slog.LevelWarn)
	}
	if file == "" {
		if os.Getenv("JOURNAL_STREAM") != "" {
			return slog.New(&journal{w: p.stderr, opts: opts, mu: &sync.Mutex{}}), func() error { return nil }, nil
		}
		return slog.New(slog.NewTextHandler(p.stderr, opts)), func() error { return nil }, nil
	}
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_APPEND|os.O_CREATE|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, nil, fmt.Errorf("open the log: %w", err)
	}
	return slog.New(slog.NewTextHandler(f, opts)), f.Close, nil
}

// journal writes records for systemd's journal, which stamps the time itself.
type journal struct {
	w     io.Writer
	opts  *slog.HandlerOptions
	mu    *sync.Mutex
	attrs []slog.Attr
}

func (j *journal) Enabled(_ context.Context, l slog.Level) bool { return l >= j.opts.Level.Level() }

func (j *journal) WithAttrs(attrs []slog.Attr) slog.Handler {
	c := *j
	c.attrs = append(append([]slog.Attr(nil), j.attrs...), attrs...)
	return &c
}

// WithGroup flattens groups: a line of the journal has none.
func (j *journal) WithGroup(string) slog.Handler { return j }

func (j *journal) Handle(ctx context.Context, r slog.Record) error {
	prefix := "<6>"
	switch {
	case r.Level >= slog.LevelError:
		prefix = "<3>"
	case r.Level >= slog.LevelWarn:
		prefix = "<4>"
	case r.Level < slog.LevelInfo:
		prefix = "<7>"
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	plain := slog.NewTextHandler(j.w, &slog.HandlerOptions{Level: j.opts.Level, ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey || a.Key == slog.LevelKey {
			return slog.Attr{}
		}
		return a
	}})
	_, err := io.WriteString(j.w, prefix)
	return errors.Join(err, plain.WithAttrs(j.attrs).Handle(ctx, r))
}
