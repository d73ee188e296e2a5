package pane

import (
	"fmt"
	"strconv"
	"time"

	"github.com/gumshoe-ir/gumshoe/event"
)

// Short is a duration in at most five characters: 8ms, 1.3s, 47s, 5m, 22h, 3d.
func Short(d time.Duration) string {
	switch {
	case d <= 0:
		return "0s"
	case d < time.Millisecond:
		return strconv.FormatInt(d.Microseconds(), 10) + "us"
	case d < time.Second:
		return strconv.FormatInt(d.Milliseconds(), 10) + "ms"
	case d < 10*time.Second && d%time.Second != 0:
		return fmt.Sprintf("%.1fs", d.Seconds())
	case d < time.Minute:
		return strconv.Itoa(int(d.Seconds())) + "s"
	case d < time.Hour:
		return strconv.Itoa(int(d.Minutes())) + "m"
	case d < 48*time.Hour:
		return strconv.Itoa(int(d.Hours())) + "h"
	}
	return strconv.Itoa(int(d.Hours()/24)) + "d"
}

// Count is n in at most five characters: 312, 18.2k, 4.1M.
func Count(n uint64) string {
	switch {
	case n < 10_000:
		return strconv.FormatUint(n, 10)
	case n < 100_000:
		return fmt.Sprintf("%.1fk", float64(n/100)/10)
	case n < 1_000_000:
		return strconv.FormatUint(n/1000, 10) + "k"
	case n < 100_000_000:
		return fmt.Sprintf("%.1fM", float64(n/100_000)/10)
	case n < 1_000_000_000:
		return strconv.FormatUint(n/1_000_000, 10) + "M"
	}
	return fmt.Sprintf("%.1fG", float64(n/100_000_000)/10)
}

// Full is n with its thousands apart: 30,118.
func Full(n uint64) string {
	s := strconv.FormatUint(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// Size is a number of bytes: 212B, 1.4MiB.
func Size(n uint64) string {
	units := [...]string{"B", "KiB", "MiB", "GiB", "TiB", "PiB"}
	f, i := float64(n), 0
	for f >= 1024 && i < len(units)-1 {
		f, i = f/1024, i+1
	}
	if i == 0 || f >= 100 {
		return strconv.Itoa(int(f)) + units[i]
	}
	return fmt.Sprintf("%.1f%s", f, units[i])
}

// Rate is a number per second, steady to two digits so that it does not
// flicker: 412, 5.1k.
func Rate(f float64) string {
	n := uint64(max(f, 0))
	for unit := uint64(1); unit < 1<<60; unit *= 10 {
		if n/unit < 100 {
			return Count(n / unit * unit)
		}
	}
	return Count(n)
}

// Clock is a time of day in UTC to the millisecond.
func Clock(ns uint64) string { return time.Unix(0, int64(ns)).UTC().Format("15:04:05.000") }

// TTY is the name of a terminal by its device number as the kernel encodes it
// (makedev(3)): pts/0, tty1; empty for none.
func TTY(dev uint32) string {
	major, minor := dev>>8&0xfff, dev&0xff|dev>>12&0xfff00
	switch {
	case dev == 0:
		return ""
	case major >= 136 && major < 144:
		return "pts/" + strconv.Itoa(int((major-136)<<8|minor))
	case major == 4 && minor < 64:
		return "tty" + strconv.Itoa(int(minor))
	case major == 4:
		return "ttyS" + strconv.Itoa(int(minor-64))
	}
	return fmt.Sprintf("%d:%d", major, minor)
}

// Where is the place a process runs in: pod, container or empty for the host
// itself.
func Where(p *event.Process) string {
	if p == nil || p.Container == nil {
		return ""
	}
	c := p.Container
	name := c.Name
	if name == "" {
		name = c.ID
	}
	if c.Pod == "" {
		return name
	}
	out := c.Pod
	if c.Namespace != "" {
		out = c.Namespace + "/" + out
	}
	if c.Name != "" && c.Name != c.Pod {
		out += "/" + name
	}
	return out
}
