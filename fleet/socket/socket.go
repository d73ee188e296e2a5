// Package socket is the boundary between an engine, which owns the data, and
// its consoles, which are never root: an audit.Trail and a feed of statuses
// over one connection. It stores nothing and decides nothing.
package socket

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// Protocol is the version of the boundary that this build speaks. Both sides
// must speak the same one.
const Protocol = 1

// protocolKey carries the caller's Protocol with every call.
const protocolKey = "gumshoe-protocol"

// ErrGone says that the other side has ended or closed the connection.
var ErrGone = errors.New("the engine has ended")

// ErrProtocol says that the two sides speak different protocols.
var ErrProtocol = errors.New("this console and its engine are of different versions")

// Sizes of what crosses the boundary, in bytes.
const (
	maxRequest = 256 << 10 // a filter and a few numbers
	maxMessage = 64 << 20  // one process with all its arguments fits many times
	partSize   = 1 << 20   // a stream is cut into messages of about this size
	pageSize   = 32 << 20  // a page stops here and says that there is more
)

// checkProtocol refuses a call of another version.
func checkProtocol(ctx context.Context) error {
	md, _ := metadata.FromIncomingContext(ctx)
	if v := md.Get(protocolKey); len(v) == 1 && v[0] == strconv.Itoa(Protocol) {
		return nil
	}
	return status.Error(codes.FailedPrecondition, mismatch("another protocol").Error())
}

func mismatch(theirs string) error {
	return fmt.Errorf("%w: one speaks protocol %d, the other %s; run the same gumshoe on both sides", ErrProtocol, Protocol, theirs)
}

// plain turns a failed call into the error of the trail behind it.
func plain(err error) error {
	s, ok := status.FromError(err)
	if !ok || err == nil {
		return err
	}
	switch s.Code() {
	case codes.Canceled:
		return context.Canceled
	case codes.DeadlineExceeded:
		return context.DeadlineExceeded
	case codes.Unavailable:
		return ErrGone
	case codes.FailedPrecondition:
		return fmt.Errorf("%w: run the same gumshoe on both sides", ErrProtocol)
	case codes.Unimplemented:
		return mismatch("another version of it")
	}
	return errors.New(s.Message())
}

// refused is err as it crosses the boundary.
func refused(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, context.Canceled):
		return status.Error(codes.Canceled, "cancelled")
	case errors.Is(err, context.DeadlineExceeded):
		return status.Error(codes.DeadlineExceeded, "out of time")
	}
	if _, ok := status.FromError(err); ok {
		return err
	}
	return status.Error(codes.Internal, err.Error())
}

// once is a listener over a connection that exists already, like one end of a
// socketpair. It accepts that one and then waits to be closed.
type once struct {
	conn   chan net.Conn
	closed chan struct{}
	end    sync.Once
	addr   net.Addr
}

// Once is a listener that accepts conn and nothing else. It ends when conn does.
func Once(conn net.Conn) net.Listener {
	l := &once{conn: make(chan net.Conn, 1), closed: make(chan struct{}), addr: conn.LocalAddr()}
	l.conn <- &watched{Conn: conn, gone: func() { l.Close() }}
	return l
}

func (l *once) Accept() (net.Conn, error) {
	select {
	case c := <-l.conn:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *once) Close() error {
	l.end.Do(func() { close(l.closed) })
	return nil
}

func (l *once) Addr() net.Addr { return l.addr }

// watched tells when a connection was closed or its peer went away.
type watched struct {
	net.Conn
	gone func()
}

func (w *watched) Read(b []byte) (int, error) {
	n, err := w.Conn.Read(b)
	if err != nil && !isTimeout(err) {
		w.gone()
	}
	return n, err
}

func (w *watched) Close() error {
	w.gone()
	return w.Conn.Close()
}

func isTimeout(err error) bool {
	var t net.Error
	return errors.As(err, &t) && t.Timeout()
}
