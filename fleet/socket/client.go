package socket

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"

	"github.com/gumshoe-ir/gumshoe/audit"
	"github.com/gumshoe-ir/gumshoe/event"
	"github.com/gumshoe-ir/gumshoe/fleet/socket/wire"
)

// Client is a console's view of an engine. It satisfies audit.Trail; its
// methods may be called from any goroutine.
type Client struct {
	conn   *grpc.ClientConn
	engine wire.EngineClient
	gone   chan struct{}
	end    sync.Once
	feeds  sync.WaitGroup
}

// Dial speaks to the engine at the other end of conn, and fails within ctx
// when there is none or one of another version. It owns conn from then on.
func Dial(ctx context.Context, conn net.Conn, version string) (*Client, error) {
	c := &Client{gone: make(chan struct{})}
	taken := make(chan net.Conn, 1)
	taken <- &watched{Conn: conn, gone: c.lost}
	g, err := grpc.NewClient("passthrough:///engine",
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithIdleTimeout(0), // the connection cannot be made again
		grpc.WithDisableRetry(),
		grpc.WithDisableServiceConfig(),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxMessage)),
		grpc.WithContextDialer(func(context.Context, string) (net.Conn, error) {
			select {
			case conn := <-taken:
				return conn, nil
			default:
				return nil, ErrGone
			}
		}))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("reach the engine: %w", err), conn.Close())
	}
	c.conn, c.engine = g, wire.NewEngineClient(g)
	if err := c.hello(ctx, version); err != nil {
		return nil, errors.Join(err, c.Close(), closeUnused(taken))
	}
	return c, nil
}

func closeUnused(taken chan net.Conn) error {
	select {
	case conn := <-taken:
		return conn.Close()
	default:
		return nil
	}
}

func (c *Client) hello(ctx context.Context, version string) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	reply, err := c.engine.Hello(outgoing(ctx), &wire.HelloRequest{Protocol: Protocol, Version: version})
	if err != nil {
		return fmt.Errorf("reach the engine: %w", plain(err))
	}
	if reply.GetProtocol() != Protocol {
		return mismatch(fmt.Sprintf("%d", reply.GetProtocol()))
	}
	return nil
}

func (c *Client) lost() { c.end.Do(func() { close(c.gone) }) }

// Gone is closed when the engine has ended.
func (c *Client) Gone() <-chan struct{} { return c.gone }

// Close ends the connection and all calls under way, and waits for feeds to end.
func (c *Client) Close() error {
	err := c.conn.Close()
	c.feeds.Wait()
	return err
}

func outgoing(ctx context.Context) context.Context {
	return metadata.AppendToOutgoingContext(ctx, protocolKey, strconv.Itoa(Protocol))
}

// Page satisfies audit.Trail. The engine may send fewer rows than asked for,
// with More set, when they are very large.
func (c *Client) Page(ctx context.Context, q audit.Query) (audit.Page, error) {
	ctx, cancel := context.WithCancel(outgoing(ctx))
	defer cancel()
	stream, err := c.engine.Page(ctx, &wire.PageRequest{
		Selection: encodeSelection(q.Selection), Forward: q.Forward, After: encodeID(q.After),
		Limit: uint32(max(0, min(q.Limit, 1000))),
	})
	if err != nil {
		return audit.Page{}, plain(err)
	}
	var page audit.Page
	var d decoder
	for {
		part, err := stream.Recv()
		if err != nil {
			return audit.Page{}, plain(whole(err))
		}
		if err := d.add(part.GetTable(), proto.Size(part)); err != nil {
			return audit.Page{}, err
		}
		if len(page.Rows)+len(part.GetRows()) > 1000 {
			return audit.Page{}, fmt.Errorf("%w: a page of more than 1000 rows", errMalformed)
		}
		for _, w := range part.GetRows() {
			a, err := d.activity(w)
			if err != nil {
				return audit.Page{}, err
			}
			page.Rows = append(page.Rows, a)
		}
		if part.GetLast() {
			page.More, page.Scanned = part.GetMore(), decodeID(part.GetScanned())
			return page, nil
		}
	}
}

// whole is err, or what it means when an answer ends before its last part.
func whole(err error) error {
	if errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: it ends early", errMalformed)
	}
	return err
}

// Histogram satisfies audit.Trail.
func (c *Client) Histogram(ctx context.Context, q audit.HistogramQuery) (audit.Histogram, error) {
	reply, err := c.engine.Histogram(outgoing(ctx), &wire.HistogramRequest{
		Selection: encodeSelection(q.Selection), Columns: uint32(max(0, min(q.Columns, 1000))),
	})
	if err != nil {
		return audit.Histogram{}, plain(err)
	}
	h := audit.Histogram{Start: reply.GetStart(), Step: reply.GetStep(), Total: reply.GetTotal(), Exact: reply.GetExact()}
	counts := reply.GetCounts()
	if reply.GetKinds() != uint32(event.Kinds) || len(counts)%int(event.Kinds) != 0 {
		return audit.Histogram{}, fmt.Errorf("%w: a histogram of %d kinds", errMalformed, reply.GetKinds())
	}
	for ; len(counts) > 0; counts = counts[event.Kinds:] {
		h.Columns = append(h.Columns, [event.Kinds]uint32(counts))
	}
	return h, nil
}

// Facets satisfies audit.Trail.
func (c *Client) Facets(ctx context.Context, q audit.FacetQuery) ([]audit.Facet, error) {
	reply, err := c.engine.Facets(outgoing(ctx), &wire.FacetsRequest{
		Selection: encodeSelection(q.Selection), Field: []byte(q.Field), Prefix: []byte(q.Prefix),
		Limit: uint32(max(0, min(q.Limit, 1000))),
	})
	if err != nil {
		return nil, plain(err)
	}
	var facets []audit.Facet
	for _, f := range reply.GetFacets() {
		facets = append(facets, audit.Facet{Value: string(f.GetValue()), Count: f.GetCount()})
	}
	return facets, nil
}

// Tree satisfies audit.Trail.
func (c *Client) Tree(ctx context.Context, q audit.TreeQuery) ([]*event.Process, error) {
	ctx, cancel := context.WithCancel(outgoing(ctx))
	defer cancel()
	stream, err := c.engine.Tree(ctx, &wire.TreeRequest{At: q.At, Exited: q.Exited, Filter: printCondition(q.Filter)})
	if err != nil {
		return nil, plain(err)
	}
	var list []*event.Process
	for d := (decoder{}); ; {
		part, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return list, nil
		}
		if err != nil {
			return nil, plain(err)
		}
		if err := d.add(part.GetTable(), proto.Size(part)); err != nil {
			return nil, err
		}
		if len(list)+len(part.GetListed()) > maxEntries {
			return nil, fmt.Errorf("%w: more than %d processes", errMalformed, maxEntries)
		}
		for _, n := range part.GetListed() {
			p, err := at(d.processes, n)
			if err != nil {
				return nil, err
			}
			list = append(list, p)
		}
	}
}

// Status sends the engine's newest status whenever something changed there.
// Who is slow misses old ones. The channel is closed when ctx is done or the
// engine has ended; the caller reads on until then or ends ctx.
func (c *Client) Status(ctx context.Context) (<-chan event.Status, error) {
	stream, err := c.engine.Watch(outgoing(ctx), &wire.WatchRequest{})
	if err != nil {
		return nil, plain(err)
	}
	out := make(chan event.Status, 1)
	c.feeds.Go(func() {
		defer close(out)
		for {
			w, err := stream.Recv()
			if err != nil {
				return
			}
			select {
			case <-out: // only the newest counts
			default:
			}
			out <- decodeStatus(w)
		}
	})
	return out, nil
}

func encodeSelection(s audit.Selection) *wire.Selection {
	return &wire.Selection{
		Since: s.Range.Since, Until: s.Range.Until, Kinds: uint32(s.Kinds), Filter: printCondition(s.Filter),
	}
}
