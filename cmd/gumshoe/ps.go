package main

import (
	"context"
	"errors"
	"io"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/gumshoe-ir/gumshoe/audit"
	"github.com/gumshoe-ir/gumshoe/event"
)

func (p *program) psCommand() *cobra.Command {
	var l listing
	cmd := &cobra.Command{
		Use: "ps", Short: "List processes, also as of a time past (--until) and with those that ended (--since)", Args: cobra.NoArgs,
		RunE: p.do(func(ctx context.Context, _ []string) error { return p.ps(ctx, l) }),
	}
	l.flags(cmd)
	return cmd
}

func (p *program) ps(ctx context.Context, l listing) error {
	now := time.Now()
	s, err := l.selection(now, event.OnProcess)
	if err != nil {
		return err
	}
	c, err := p.load()
	if err != nil {
		return err
	}
	q := audit.TreeQuery{At: s.Range.Until, Filter: s.Filter}
	if since := s.Range.Since; since != 0 {
		q.Exited = uint64(now.UnixNano()) - since
		if q.At != 0 {
			q.Exited = q.At - since
		}
	}
	out := p.processWriter(l.json)
	if l.follow {
		return p.withLive(ctx, c, func(ctx context.Context, trail audit.Trail, changed <-chan struct{}) error {
			return followProcesses(ctx, trail, changed, q, l.limit, out)
		})
	}
	db, err := openReader(ctx, c)
	if err != nil {
		return err
	}
	list, err := db.Tree(ctx, q)
	p.warn(db)
	if l.limit > 0 && len(list) > l.limit {
		list = newest(list, l.limit)
	}
	return noneOr(len(list), errors.Join(err, out.write(list), db.Close()))
}

// newest keeps the n youngest processes, in their order.
func newest(list []*event.Process, n int) []*event.Process {
	ages := make([]uint64, len(list))
	for i, p := range list {
		ages[i] = p.CloneTime
	}
	slices.Sort(ages)
	oldest := ages[len(ages)-n]
	kept := slices.DeleteFunc(slices.Clone(list), func(p *event.Process) bool { return p.CloneTime < oldest })
	return kept[:min(n, len(kept))]
}

// processWriter prints processes.
type processWriter struct {
	w       io.Writer
	json    bool
	table   table
	started bool
	buf     []byte
}

func (p *program) processWriter(asJSON bool) *processWriter {
	return &processWriter{w: p.stdout, json: asJSON, table: processTable(width(p.stdout))}
}

func (w *processWriter) write(list []*event.Process) error {
	if len(list) == 0 {
		return nil
	}
	w.buf = w.buf[:0]
	if !w.json && !w.started {
		w.buf = append(w.buf, w.table.head()...)
	}
	w.started = true
	depths := map[event.ProcessKey]int{}
	for _, p := range list {
		depth := 0
		if p.Parent != nil {
			if d, ok := depths[p.Parent.Key(0)]; ok {
				depth = d + 1
			}
		}
		depths[p.Key(0)] = depth
		var err error
		if !w.json {
			w.buf = append(w.buf, w.table.line(processCells(p, depth))...)
		} else if w.buf, err = appendProcess(w.buf, p); err != nil {
			return err
		}
	}
	_, err := w.w.Write(w.buf)
	return err
}

// followProcesses prints what runs, of many only the newest limit, then each process as it appears and once
// more when it has ended.
func followProcesses(ctx context.Context, trail audit.Trail, changed <-chan struct{}, q audit.TreeQuery, limit int, out *processWriter) error {
	ended := map[event.ProcessKey]bool{} // known → has ended
	q.At, q.Exited = 0, max(q.Exited, uint64(10*time.Second))
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-changed:
		}
		list, err := trail.Tree(ctx, q)
		if err != nil {
			return err
		}
		var fresh []*event.Process
		listed := make(map[event.ProcessKey]bool, len(list))
		for _, p := range list {
			listed[p.Key(0)] = true
			if gone, known := ended[p.Key(0)]; !known || !gone && p.ExitTime != 0 {
				ended[p.Key(0)] = p.ExitTime != 0
				fresh = append(fresh, p)
			}
		}
		for key := range ended {
			if !listed[key] {
				delete(ended, key)
			}
		}
		if limit > 0 && len(fresh) > limit {
			fresh = newest(fresh, limit)
		}
		limit = 0 // what comes is printed
		if err := out.write(fresh); err != nil {
			return err
		}
		pause(ctx, followGap)
	}
}
