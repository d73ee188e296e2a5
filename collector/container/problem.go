package container

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"os"
	"syscall"
)

// problem is why a runtime gave no metadata.
type problem struct {
	kind kind
	text string // for people, one line
}

type kind uint8

// Kinds of problems, from what says least about a container to what says most.
const (
	away    kind = iota // nobody listens on the socket
	other               // the runtime answered something that we do not understand
	denied              // we may not ask
	unknown             // the runtime answered that it has no such container
)

func (p *problem) Error() string { return p.text }

// worse is which of a problem so far and a new error tells more. A runtime
// that is not asked usually does not count as knowing of no such container.
func worse(sofar *problem, err error, likely bool) *problem {
	var p *problem
	if !errors.As(err, &p) {
		p = &problem{kind: other, text: clip(err.Error(), maxProblem)}
	}
	if !likely && sofar.kind != away || p.kind <= sofar.kind {
		return sofar
	}
	return p
}

// explain turns an error of talking over path into a problem. missing says
// whether the runtime itself denies knowing the container.
func explain(api, path string, err error, missing bool) *problem {
	_, statErr := os.Stat(path)
	switch {
	case missing:
		return &problem{unknown, api + ": no such container"}
	case errors.Is(err, fs.ErrPermission) || errors.Is(statErr, fs.ErrPermission) || unreadable(path):
		return &problem{denied, "no permission on " + path}
	case errors.Is(err, syscall.ECONNREFUSED) || statErr != nil:
		return &problem{away, api + ": " + path + " does not answer"}
	case errors.Is(err, context.DeadlineExceeded) || isTimeout(err):
		return &problem{other, api + ": no answer from " + path + " in time"}
	}
	return &problem{other, clip(api+": "+err.Error(), maxProblem)}
}

// unreadable reports whether the socket is there and closed to us; gRPC hides
// the errno of its dial.
func unreadable(path string) bool {
	return errors.Is(syscall.Access(path, 2 /* W_OK */), fs.ErrPermission)
}

func isTimeout(err error) bool {
	var t net.Error
	return errors.As(err, &t) && t.Timeout()
}
