package main

import (
	"context"
	"errors"
	"io"
	"sync"

	"github.com/spf13/cobra"

	"github.com/gumshoe-ir/gumshoe/collector"
	"github.com/gumshoe-ir/gumshoe/event"
	"github.com/gumshoe-ir/gumshoe/event/safe"
	"github.com/gumshoe-ir/gumshoe/rules"
	"github.com/gumshoe-ir/gumshoe/rules/filter"
)

// tailFormat is what tail prints of an event unless told otherwise.
const tailFormat = "*%evt.num %evt.time %evt.cpu %proc.name %thread.tid %evt.type %evt.args"

// maxTailLine bounds one line of tail, in bytes.
const maxTailLine = 64 << 10

func (p *program) tailCommand() *cobra.Command {
	var asJSON bool
	var format, query string
	var limit int
	cmd := &cobra.Command{
		Use: "tail [live]", Short: "Print system events as they come", ValidArgs: []string{"live"},
		Args: cobra.MatchAll(cobra.MaximumNArgs(1), cobra.OnlyValidArgs),
		RunE: p.do(func(ctx context.Context, _ []string) error { return p.tail(ctx, query, format, asJSON, limit) }),
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "one JSON object per event, keyed by the fields of --format")
	cmd.Flags().StringVar(&format, "format", tailFormat, "fields and text of a line")
	cmd.Flags().StringVar(&query, "filter", "", "condition that events must meet")
	cmd.Flags().IntVar(&limit, "limit", 0, "end after so many")
	return cmd
}

func (p *program) tail(ctx context.Context, query, format string, asJSON bool, limit int) error {
	t, err := rules.ParseTemplate(format)
	if err != nil {
		return usage("--format: %w", err)
	}
	if limit < 0 {
		return usage("--limit %d: want 0 or more", limit)
	}
	cond, err := condition(query, event.OnEvent)
	if err != nil {
		return err
	}
	out := &eventWriter{w: p.stdout, template: t, json: asJSON, limit: limit}
	if cond != nil {
		if out.match, err = filter.Compile(cond); err != nil {
			return usage("--filter: %w", err)
		}
	}
	c, err := p.load()
	if err != nil {
		return err
	}
	if err := needLive(); err != nil {
		return err
	}
	err = tailLive(ctx, c, out)
	return noneOr(out.rows, err)
}

// tailLive runs a line of its own that ends in out. It stores nothing.
func tailLive(ctx context.Context, c *config, out *eventWriter) error {
	e := &engine{}
	if err := e.attach(c, nil); err != nil {
		return errors.Join(err, e.close())
	}
	ctx, stop := whileRead(ctx, out.w)
	defer stop()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	out.done = cancel
	err := collector.Run(ctx, collector.Merge(e.ring, e.resolver), e.table, out)
	if errors.Is(err, context.Canceled) {
		err = nil
	}
	return errors.Join(err, out.failed, e.close())
}

// eventWriter is a Stage that prints events.
type eventWriter struct {
	w        io.Writer
	template *rules.Template
	match    *filter.Predicate // nil: all
	json     bool
	limit    int // 0: none
	rows     int
	buf      []byte
	line     []byte
	done     context.CancelFunc // ends the line
	end      sync.Once
	failed   error
}

// Handle prints the events of b that match. What cannot be written ends the line.
func (o *eventWriter) Handle(_ context.Context, b *event.Batch) error {
	if o.failed != nil || o.full() {
		return nil
	}
	o.buf = o.buf[:0]
	for i := range b.Events {
		e := &b.Events[i]
		if o.match != nil && !o.match.Match(e) || o.template.Skips(e) {
			continue
		}
		if o.json {
			o.buf = append(o.template.AppendJSON(o.buf, e), '\n')
		} else {
			o.line = o.template.Append(o.line[:0], e)
			o.buf = append(safe.Append(o.buf, o.line, maxTailLine), '\n')
		}
		if o.rows++; o.full() {
			break
		}
	}
	if len(o.buf) > 0 {
		_, o.failed = o.w.Write(o.buf)
	}
	if o.failed != nil || o.full() {
		o.end.Do(o.done)
	}
	return nil
}

func (o *eventWriter) full() bool { return o.limit > 0 && o.rows >= o.limit }
