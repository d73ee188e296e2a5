package kernel

import (
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// How long to sleep between two looks at the ring.
const (
	paceBusy  = 10 * time.Millisecond
	paceSlow  = 50 * time.Millisecond
	paceIdle  = 100 * time.Millisecond
	busyCount = 16          // events in one look that make it busy
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
// time is up.
type waiter struct {
	epoll, event int
	events       [2]unix.EpollEvent
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
	w := &waiter{epoll: epoll, event: ev}
	// Edge-triggered: data that is there but unhandled must not end the sleep.
	for fd, flags := range map[int]uint32{ring: unix.EPOLLIN | unix.EPOLLET, ev: unix.EPOLLIN} {
		if err := unix.EpollCtl(epoll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: flags, Fd: int32(fd)}); err != nil {
			return nil, errors.Join(fmt.Errorf("watch the ring: %w", err), w.close())
		}
	}
	return w, nil
}

func (w *waiter) wait(d time.Duration) error {
	_, err := unix.EpollWait(w.epoll, w.events[:], int(d.Milliseconds()))
	if err != nil && !errors.Is(err, unix.EINTR) {
		return err
	}
	return nil
}

// wake ends the present and all later sleeps.
func (w *waiter) wake() {
	// It can only fail when the counter is full, and then wait returns anyway.
	_, _ = unix.Write(w.event, []byte{1, 0, 0, 0, 0, 0, 0, 0})
}

func (w *waiter) close() error {
	return errors.Join(unix.Close(w.epoll), unix.Close(w.event))
}
