package kernel

import "golang.org/x/sys/unix"

// stepNS is how far the wall clock must jump between two looks to be called
// a step; less is slewing.
const stepNS = 100e6

// clock turns time since boot into time since the epoch by an offset that is
// fixed at start, so that steps of the wall clock reorder nothing.
type clock struct {
	offset uint64 // epoch - boot at start
	last   uint64 // the same at the last look
	read   func() (boot, wall uint64)
}

func startClock() clock {
	boot, wall := readClocks()
	return clock{offset: wall - boot, last: wall - boot, read: readClocks}
}

// check reports a step of the wall clock since the last look: the time by our
// offset, and by the stepped clock.
func (c *clock) check() (before, after uint64, stepped bool) {
	boot, wall := c.read()
	now := wall - boot
	jump := int64(now - c.last)
	c.last = now
	if jump > -stepNS && jump < stepNS {
		return 0, 0, false
	}
	return boot + c.offset, wall, true
}

func readClocks() (boot, wall uint64) {
	return gettime(unix.CLOCK_BOOTTIME), gettime(unix.CLOCK_REALTIME)
}

func gettime(id int32) uint64 {
	var ts unix.Timespec
	if err := unix.ClockGettime(id, &ts); err != nil {
		return 0 // never for these clocks
	}
	return uint64(ts.Nano())
}
