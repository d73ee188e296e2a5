package socket

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/gumshoe-ir/gumshoe/audit"
	"github.com/gumshoe-ir/gumshoe/event"
	"github.com/gumshoe-ir/gumshoe/fleet/socket/wire"
)

// Options say what a server offers.
type Options struct {
	Trail   audit.Trail // required
	Feed    *Feed       // required
	Version string      // of this program, for people
}

// noticeGap is the least time between two statuses to one console: a screen
// cannot show more, and each costs a console a query.
const noticeGap = 50 * time.Millisecond

// Serve answers the consoles that l accepts until ctx is done or l ends, and
// waits for the calls under way.
func Serve(ctx context.Context, l net.Listener, o Options) error {
	s := grpc.NewServer(
		grpc.MaxRecvMsgSize(maxRequest),
		grpc.MaxSendMsgSize(maxMessage),
		grpc.MaxConcurrentStreams(64),
		grpc.MaxHeaderListSize(16<<10),
		grpc.ConnectionTimeout(5*time.Second),
		grpc.WaitForHandlers(true),
		grpc.UnaryInterceptor(func(ctx context.Context, req any, _ *grpc.UnaryServerInfo, h grpc.UnaryHandler) (any, error) {
			if err := checkProtocol(ctx); err != nil {
				return nil, err
			}
			reply, err := h(ctx, req)
			return reply, refused(err)
		}),
		grpc.StreamInterceptor(func(srv any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, h grpc.StreamHandler) error {
			if err := checkProtocol(stream.Context()); err != nil {
				return err
			}
			return refused(h(srv, stream))
		}),
	)
	wire.RegisterEngineServer(s, &server{Options: o})
	stopped := context.AfterFunc(ctx, s.Stop)
	err := s.Serve(l)
	stopped()
	s.Stop() // waits for handlers
	if err != nil && ctx.Err() == nil && !errors.Is(err, net.ErrClosed) && !errors.Is(err, grpc.ErrServerStopped) {
		return fmt.Errorf("serve consoles: %w", err)
	}
	return nil
}

type server struct {
	wire.UnimplementedEngineServer
	Options
}

func (s *server) Hello(context.Context, *wire.HelloRequest) (*wire.HelloReply, error) {
	return &wire.HelloReply{Protocol: Protocol, Version: s.Version}, nil
}

func (s *server) Page(r *wire.PageRequest, out grpc.ServerStreamingServer[wire.PagePart]) error {
	sel, err := decodeSelection(r.GetSelection())
	if err != nil {
		return err
	}
	page, err := s.Trail.Page(out.Context(), audit.Query{
		Selection: sel, Forward: r.GetForward(), After: decodeID(r.GetAfter()), Limit: int(min(r.GetLimit(), 1000)),
	})
	if err != nil {
		return err
	}
	e, part, total := newEncoder(), &wire.PagePart{}, 0
	for i := range page.Rows {
		row := e.activity(&page.Rows[i])
		size := proto.Size(row)
		if i > 0 && total+e.size+size > pageSize {
			page.More, page.Scanned = true, event.ID{}
			break
		}
		part.Rows = append(part.Rows, row)
		if e.size += size; e.size < partSize {
			continue
		}
		total += e.size
		part.Table = e.take()
		if err := out.Send(part); err != nil {
			return err
		}
		part = &wire.PagePart{}
	}
	part.Table, part.Last, part.More, part.Scanned = e.take(), true, page.More, encodeID(page.Scanned)
	return out.Send(part)
}

func (s *server) Histogram(ctx context.Context, r *wire.HistogramRequest) (*wire.HistogramReply, error) {
	sel, err := decodeSelection(r.GetSelection())
	if err != nil {
		return nil, err
	}
	h, err := s.Trail.Histogram(ctx, audit.HistogramQuery{Selection: sel, Columns: int(min(r.GetColumns(), 1000))})
	if err != nil {
		return nil, err
	}
	reply := &wire.HistogramReply{
		Start: h.Start, Step: h.Step, Kinds: uint32(event.Kinds), Total: h.Total, Exact: h.Exact,
		Counts: make([]uint32, 0, len(h.Columns)*int(event.Kinds)),
	}
	for _, c := range h.Columns {
		reply.Counts = append(reply.Counts, c[:]...)
	}
	return reply, nil
}

func (s *server) Facets(ctx context.Context, r *wire.FacetsRequest) (*wire.FacetsReply, error) {
	sel, err := decodeSelection(r.GetSelection())
	if err != nil {
		return nil, err
	}
	facets, err := s.Trail.Facets(ctx, audit.FacetQuery{
		Selection: sel, Field: string(r.GetField()), Prefix: string(r.GetPrefix()), Limit: int(min(r.GetLimit(), 1000)),
	})
	if err != nil {
		return nil, err
	}
	reply := &wire.FacetsReply{}
	for _, f := range facets {
		reply.Facets = append(reply.Facets, &wire.Facet{Value: []byte(f.Value), Count: f.Count})
	}
	return reply, nil
}

func (s *server) Tree(r *wire.TreeRequest, out grpc.ServerStreamingServer[wire.TreePart]) error {
	cond, err := parseCondition(r.GetFilter())
	if err != nil {
		return err
	}
	list, err := s.Trail.Tree(out.Context(), audit.TreeQuery{At: r.GetAt(), Exited: r.GetExited(), Filter: cond})
	if err != nil {
		return err
	}
	e, part := newEncoder(), &wire.TreePart{}
	for _, p := range list {
		part.Listed = append(part.Listed, e.process(p))
		if e.size < partSize {
			continue
		}
		part.Table = e.take()
		if err := out.Send(part); err != nil {
			return err
		}
		part = &wire.TreePart{}
	}
	part.Table = e.take()
	return out.Send(part)
}

func (s *server) Watch(_ *wire.WatchRequest, out grpc.ServerStreamingServer[wire.Status]) error {
	changed, stop := s.Feed.Watch()
	defer stop()
	gap := time.NewTimer(0)
	defer gap.Stop()
	for {
		select {
		case <-changed:
		case <-out.Context().Done():
			return out.Context().Err()
		}
		now := s.Feed.Status()
		if err := out.Send(encodeStatus(&now)); err != nil {
			return err
		}
		gap.Reset(noticeGap)
		select {
		case <-gap.C:
		case <-out.Context().Done():
			return out.Context().Err()
		}
	}
}

func decodeSelection(w *wire.Selection) (audit.Selection, error) {
	cond, err := parseCondition(w.GetFilter())
	return audit.Selection{
		Range:  audit.Range{Since: w.GetSince(), Until: w.GetUntil()},
		Kinds:  audit.KindSet(w.GetKinds()),
		Filter: cond,
	}, err
}

func badCondition(err error) error {
	return status.Error(codes.InvalidArgument, err.Error())
}
