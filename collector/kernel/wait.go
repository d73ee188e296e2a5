package kernel

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// How long to sleep between two looks at the ring.
const (
	paceBusy  = 10 * time.Millisecond
	paceSlow  = 50 * time.Millisecond
	paceIdle  = 150 * time.Millisecond
	busyCount = 64          // events in one look that make it busy
	idleAfter = time.Second // without any event
)

// pace chooses the next sleep: short while events flow, doubling while few
// come, long after a second without any.
type pace struct {
	sleep time.Duration
	last  time.Time // when there was an event
}

func (p *pace) next(now time.Time, events int) time.Duration {
	if events > 0 || p.last.IsZero() {
		p.last = now
	}
	switch {
	case events >= busyCount || p.sleep == 0:
		p.sleep = paceBusy
	case now.Sub(p.last) >= idleAfter:
		p.sleep = paceIdle
	default:
		p.sleep = min(max(p.sleep, paceBusy)*2, paceSlow)
	}
	return p.sleep
}

// waiter sleeps until the kernel wakes the ring's reader, wake is called, or
// time is up. It sleeps in the runtime's own poller: a thread that blocks in
// epoll_wait costs several more to watch it, each time.
type waiter struct {
	file   *os.File // an epoll that watches the ring and event
	conn   syscall.RawConn
	event  int
	look   func(epoll uintptr) (ready bool)
	events [2]unix.EpollEvent
	failed error // of look
}

func newWaiter(ring int) (*waiter, error) {
	epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("make an epoll: %w", err)
	}
	ev, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("make an eventfd: %w", err), unix.Close(epoll))
	}
	w := &waiter{event: ev}
	w.look = w.ready
	// Edge-triggered: data that is there but unhandled must not end the sleep.
	for fd, flags := range map[int]uint32{ring: unix.EPOLLIN | unix.EPOLLET, ev: unix.EPOLLIN} {
		if err := unix.EpollCtl(epoll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: flags, Fd: int32(fd)}); err != nil {
			return nil, errors.Join(fmt.Errorf("watch the ring: %w", err), unix.Close(epoll), unix.Close(ev))
		}
	}
	if err := unix.SetNonblock(epoll, true); err != nil {
		return nil, errors.Join(fmt.Errorf("watch the ring: %w", err), unix.Close(epoll), unix.Close(ev))
	}
	w.file = os.NewFile(uintptr(epoll), "ring")
	if w.conn, err = w.file.SyscallConn(); err != nil {
		return nil, errors.Join(fmt.Errorf("watch the ring: %w", err), w.close())
	}
	return w, nil
}

// ready reports whether there is a reason to wake, without waiting.
func (w *waiter) ready(epoll uintptr) bool {
	n, err := unix.EpollWait(int(epoll), w.events[:], 0)
	if errors.Is(err, unix.EINTR) {
		return true // look at the ring instead
	}
	w.failed = err
	return n > 0 || err != nil
}

func (w *waiter) wait(d time.Duration) error {
	if err := w.file.SetReadDeadline(time.Now().Add(d)); err != nil {
		return err
	}
	if err := w.conn.Read(w.look); err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
		return err
	}
	return w.failed
}

// wake ends the present and all later sleeps.
func (w *waiter) wake() {
	// It can only fail when the counter is full, and then wait returns anyway.
	_, _ = unix.Write(w.event, []byte{1, 0, 0, 0, 0, 0, 0, 0})
}

func (w *waiter) close() error {
	return errors.Join(w.file.Close(), unix.Close(w.event))
}
