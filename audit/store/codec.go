package store

import (
	"encoding/binary"
	"errors"
	"maps"
	"net/netip"
	"slices"

	"github.com/gumshoe-ir/gumshoe/event"
)

var errCodec = errors.New("a stored record ends early or has too much")

// encoder appends values to b: numbers as varints, text with its length.
type encoder struct{ b []byte }

func (e *encoder) uint(ns ...uint64) {
	for _, n := range ns {
		e.b = binary.AppendUvarint(e.b, n)
	}
}

func (e *encoder) int(ns ...int32) {
	for _, n := range ns {
		e.b = binary.AppendVarint(e.b, int64(n))
	}
}

func (e *encoder) text(ss ...string) {
	for _, s := range ss {
		e.uint(uint64(len(s)))
		e.b = append(e.b, s...)
	}
}

func (e *encoder) list(l []string) {
	e.uint(uint64(len(l)))
	e.text(l...)
}

func (e *encoder) bool(v bool) {
	if v {
		e.b = append(e.b, 1)
	} else {
		e.b = append(e.b, 0)
	}
}

// decoder reads what encoder wrote; the first failure stays in err and makes
// all later values zero.
type decoder struct {
	b   []byte
	err error
}

func (d *decoder) uint() uint64 {
	n, size := binary.Uvarint(d.b)
	if size <= 0 {
		d.b, d.err = nil, errCodec
		return 0
	}
	d.b = d.b[size:]
	return n
}

func (d *decoder) int() int32 {
	n, size := binary.Varint(d.b)
	if size <= 0 {
		d.b, d.err = nil, errCodec
		return 0
	}
	d.b = d.b[size:]
	return int32(n)
}

func (d *decoder) text() string {
	n := d.uint()
	if n > uint64(len(d.b)) {
		d.b, d.err = nil, errCodec
		return ""
	}
	s := string(d.b[:n])
	d.b = d.b[n:]
	return s
}

func (d *decoder) list() []string {
	n := d.uint()
	if n > uint64(len(d.b)) {
		d.b, d.err = nil, errCodec
		return nil
	}
	var l []string
	if n > 0 {
		l = make([]string, n)
	}
	for i := range l {
		l[i] = d.text()
	}
	return l
}

func (d *decoder) bool() bool { return d.uint() != 0 }

func (d *decoder) done() error {
	if d.err == nil && len(d.b) > 0 {
		return errCodec
	}
	return d.err
}

// appendProcess writes what the process table's own columns do not hold. Env
// and cgroups are interned lists, since a session's processes share them.
func appendProcess(b []byte, p *event.Process, cwd, env, cgroups int64) []byte {
	e := encoder{b}
	e.int(p.TID, p.PPID, p.PGID, p.SID, p.VPID, p.VTID, p.VPGID)
	e.text(p.Exe, p.Root, p.Group, p.LoginUser)
	e.list(p.Args)
	e.uint(uint64(cwd), uint64(env), uint64(cgroups))
	e.uint(uint64(p.UID), uint64(p.GID), uint64(p.LoginUID), uint64(p.TTY), p.CapInh, p.CapPerm, p.CapEff,
		uint64(p.ExeFlags), p.ExeIno, p.ExeCtime, p.ExeMtime, p.CloneTime, p.ExecTime, p.ExitTime,
		p.PidnsStart, p.PidfsIno, p.MountNS)
	e.bool(p.KernelTask)
	e.bool(p.User != nil)
	if u := p.User; u != nil {
		e.uint(uint64(u.UID), uint64(u.GID))
		e.text(u.Name, u.Home, u.Shell)
	}
	return e.b
}

// readProcess fills p from what appendProcess wrote.
func readProcess(b []byte, p *event.Process) (cwd, env, cgroups int64, err error) {
	d := decoder{b: b}
	for _, n := range []*int32{&p.TID, &p.PPID, &p.PGID, &p.SID, &p.VPID, &p.VTID, &p.VPGID} {
		*n = d.int()
	}
	for _, s := range []*string{&p.Exe, &p.Root, &p.Group, &p.LoginUser} {
		*s = d.text()
	}
	p.Args = d.list()
	cwd, env, cgroups = int64(d.uint()), int64(d.uint()), int64(d.uint())
	p.UID, p.GID, p.LoginUID, p.TTY = uint32(d.uint()), uint32(d.uint()), uint32(d.uint()), uint32(d.uint())
	p.CapInh, p.CapPerm, p.CapEff = d.uint(), d.uint(), d.uint()
	p.ExeFlags = event.ExeFlags(d.uint())
	for _, n := range []*uint64{&p.ExeIno, &p.ExeCtime, &p.ExeMtime, &p.CloneTime, &p.ExecTime, &p.ExitTime, &p.PidnsStart, &p.PidfsIno, &p.MountNS} {
		*n = d.uint()
	}
	p.KernelTask = d.bool()
	if d.bool() {
		p.User = &event.User{UID: uint32(d.uint()), GID: uint32(d.uint())}
		p.User.Name, p.User.Home, p.User.Shell = d.text(), d.text(), d.text()
	}
	return cwd, env, cgroups, d.done()
}

// appendList writes a list for the list table.
func appendList(b []byte, l []string) []byte {
	e := encoder{b}
	e.list(l)
	return e.b
}

func readList(b []byte) ([]string, error) {
	d := decoder{b: b}
	l := d.list()
	return l, d.done()
}

// appendContainer writes all of c; the same content gives the same bytes.
func appendContainer(b []byte, c *event.Container) []byte {
	e := encoder{b}
	e.text(c.ID, c.FullID, c.Name, c.Image, c.Repo, c.Tag, c.ImageID, c.Digest, c.Pod, c.PodUID, c.Namespace, c.Problem)
	e.uint(uint64(c.Runtime), uint64(c.Created), uint64(len(c.Labels)))
	for _, k := range slices.Sorted(maps.Keys(c.Labels)) {
		e.text(k, c.Labels[k])
	}
	ip, _ := c.IP.MarshalBinary() // never fails (net/netip)
	e.text(string(ip))
	e.bool(c.PodSandbox)
	e.bool(c.Privileged)
	e.bool(c.Pending)
	e.uint(uint64(len(c.Mounts)))
	for _, m := range c.Mounts {
		e.text(m.Source, m.Dest, m.Mode, m.Propagation)
		e.bool(m.RW)
	}
	return e.b
}

func readContainer(b []byte) (*event.Container, error) {
	d, c := decoder{b: b}, &event.Container{}
	for _, s := range []*string{&c.ID, &c.FullID, &c.Name, &c.Image, &c.Repo, &c.Tag, &c.ImageID, &c.Digest, &c.Pod, &c.PodUID, &c.Namespace, &c.Problem} {
		*s = d.text()
	}
	c.Runtime, c.Created = event.Runtime(d.uint()), int64(d.uint())
	if n := d.uint(); n > 0 && n <= uint64(len(d.b)) {
		c.Labels = make(map[string]string, n)
		for range n {
			k := d.text()
			c.Labels[k] = d.text()
		}
	}
	if err := c.IP.UnmarshalBinary([]byte(d.text())); err != nil {
		return nil, errCodec
	}
	c.PodSandbox, c.Privileged, c.Pending = d.bool(), d.bool(), d.bool()
	for n := d.uint(); n > 0 && d.err == nil; n-- {
		m := event.Mount{Source: d.text(), Dest: d.text(), Mode: d.text(), Propagation: d.text()}
		m.RW = d.bool()
		c.Mounts = append(c.Mounts, m)
	}
	return c, d.done()
}

// appendAddr writes a as text bytes, empty when it is not valid.
func appendAddr(a netip.AddrPort) []byte {
	if !a.IsValid() {
		return nil
	}
	b, _ := a.MarshalBinary() // never fails (net/netip)
	return b
}

func readAddr(b []byte) (netip.AddrPort, error) {
	var a netip.AddrPort
	if len(b) == 0 {
		return a, nil
	}
	err := a.UnmarshalBinary(b)
	return a, err
}
