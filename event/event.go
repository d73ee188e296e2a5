// Package event is the vocabulary that every other package shares: system
// events in the capture format's encoding, the processes, containers and
// descriptors they speak of, and the records that cross package borders.
// It imports nothing of ours and does no I/O.
package event

import (
	"cmp"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"
)

//go:generate go run generate.go

// Type is an event's number in the capture format's table. Even numbers are
// enter events, odd ones exits; numbers from [PrivateBase] are our own.
type Type uint16

// ID names an event: it sorts by time, is unique in a fleet, and is the same
// from the ring and from a file. It doubles as a paging cursor.
type ID struct {
	NS   uint64 // nanoseconds since the epoch: boot time plus an offset fixed at start
	Host uint32
	CPU  uint16
	Ord  uint16 // order among the events of one CPU
}

// Compare orders IDs by time, then host, CPU and ordinal.
func (id ID) Compare(other ID) int {
	return cmp.Or(cmp.Compare(id.NS, other.NS), cmp.Compare(id.Host, other.Host),
		cmp.Compare(id.CPU, other.CPU), cmp.Compare(id.Ord, other.Ord))
}

// IsZero reports whether id names no event.
func (id ID) IsZero() bool { return id == ID{} }

// String is id as 32 hexadecimal digits, which sort as the ID does.
func (id ID) String() string {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:], id.NS)
	binary.BigEndian.PutUint32(b[8:], id.Host)
	binary.BigEndian.PutUint16(b[12:], id.CPU)
	binary.BigEndian.PutUint16(b[14:], id.Ord)
	return hex.EncodeToString(b[:])
}

// ParseID reads what String wrote.
func ParseID(s string) (ID, error) {
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != 16 {
		return ID{}, fmt.Errorf("%q is not an event id: want 32 hexadecimal digits", s)
	}
	return ID{
		NS:   binary.BigEndian.Uint64(b),
		Host: binary.BigEndian.Uint32(b[8:]),
		CPU:  binary.BigEndian.Uint16(b[12:]),
		Ord:  binary.BigEndian.Uint16(b[14:]),
	}, nil
}

// Origin tells what is special about how an event came to be.
type Origin uint8

// Origins; they surface as gumshoe.* fields.
const (
	Raced   Origin = 1 << iota // user memory contradicted the kernel's own object
	IOURing                    // no system call: submitted through io_uring
	IA32                       // a 32-bit call, mapped by its own table
)

// Event is one system call or kernel fact. It belongs to its Batch: who keeps
// one past Handle calls Clone.
type Event struct {
	ID      ID
	Num     uint64 // evt.num: counts the events of one source from 1
	TID     int64  // thread, -1 for events without one
	Type    Type
	Origin  Origin
	Params  Params
	Detail  Params   // the private Detail record before the event, if any (private.go)
	Process *Process // who acted; nil until proc.Table has seen it, or when unknown
	FD      *FD      // the descriptor acted on, after the event; nil when none
	Dirs    [2]*FD   // the folders that both paths of renameat and linkat begin at, where they are descriptors
}

// Clone copies e and its parameter bytes out of the batch's memory.
func (e *Event) Clone() *Event {
	c := *e
	c.Params, c.Detail = e.Params.Clone(), e.Detail.Clone()
	return &c
}

// Info is what the capture format's table says of e's type, and false for
// types that this version does not know.
func (e *Event) Info() (*Info, bool) { return e.Type.Info() }

// Params are an event's parameters as the capture format lays them out: a
// length array and the bytes of all parameters after one another.
type Params struct {
	lens []byte // little-endian, 2 bytes each, 4 in events with large payload
	data []byte
	wide bool
}

// NewParams slices a length array of n lengths and the bytes behind it out of
// b. It fails when the lengths reach beyond b; what remains of b is ignored.
func NewParams(b []byte, n int, wide bool) (Params, bool) {
	size := 2
	if wide {
		size = 4
	}
	if n < 0 || n > len(b)/size {
		return Params{}, false
	}
	p := Params{lens: b[: n*size : n*size], wide: wide}
	total := 0
	if wide {
		for i := range n {
			if total += p.size(i); total > len(b)-n*size {
				return Params{}, false
			}
		}
	} else {
		for l := p.lens; len(l) >= 2; l = l[2:] {
			total += int(binary.LittleEndian.Uint16(l))
		}
	}
	if total > len(b)-n*size {
		return Params{}, false
	}
	p.data = b[n*size : n*size+total : n*size+total]
	return p, true
}

func (p Params) size(i int) int {
	if p.wide {
		return int(binary.LittleEndian.Uint32(p.lens[4*i:]))
	}
	return int(binary.LittleEndian.Uint16(p.lens[2*i:]))
}

// Len is the number of parameters present.
func (p Params) Len() int {
	if p.wide {
		return len(p.lens) / 4
	}
	return len(p.lens) / 2
}

// At is parameter i's bytes, nil when it is absent, and empty when its value
// was not available.
func (p Params) At(i int) []byte {
	if i < 0 || i >= p.Len() {
		return nil
	}
	off := 0
	for k := range i {
		off += p.size(k)
	}
	n := p.size(i)
	return p.data[off : off+n : off+n]
}

// Raw is the length array and the parameter bytes, as written to a file.
func (p Params) Raw() (lens, data []byte) { return p.lens, p.data }

// Clone copies p out of the batch's memory.
func (p Params) Clone() Params {
	b := slices.Concat(p.lens, p.data)
	n := len(p.lens)
	return Params{lens: b[:n:n], data: b[n:], wide: p.wide}
}

// Int reads parameter i as a signed integer of its own width (1, 2, 4 or 8
// bytes); false when it is absent, empty or of another width.
func (p Params) Int(i int) (int64, bool) {
	switch b := p.At(i); len(b) {
	case 1:
		return int64(int8(b[0])), true
	case 2:
		return int64(int16(binary.LittleEndian.Uint16(b))), true
	case 4:
		return int64(int32(binary.LittleEndian.Uint32(b))), true
	case 8:
		return int64(binary.LittleEndian.Uint64(b)), true
	}
	return 0, false
}

// Uint reads parameter i as an unsigned integer of its own width.
func (p Params) Uint(i int) (uint64, bool) {
	switch b := p.At(i); len(b) {
	case 1:
		return uint64(b[0]), true
	case 2:
		return uint64(binary.LittleEndian.Uint16(b)), true
	case 4:
		return uint64(binary.LittleEndian.Uint32(b)), true
	case 8:
		return binary.LittleEndian.Uint64(b), true
	}
	return 0, false
}

// Text reads parameter i as text up to its first NUL. It copies.
func (p Params) Text(i int) (string, bool) {
	b := p.At(i)
	if len(b) == 0 {
		return "", false
	}
	return string(cut(b)), true
}

// Strings splits parameter i at NULs (argv, env, cgroups). It copies.
func (p Params) Strings(i int) []string { return SplitNUL(p.At(i)) }

// SplitNUL splits NUL-separated, usually NUL-terminated text. It copies.
func SplitNUL(b []byte) []string {
	if len(b) == 0 {
		return nil
	}
	if b[len(b)-1] == 0 {
		b = b[:len(b)-1]
	}
	var out []string
	s := string(b)
	for start, i := 0, 0; i <= len(s); i++ {
		if i == len(s) || s[i] == 0 {
			out = append(out, s[start:i])
			start = i + 1
		}
	}
	return out
}

func cut(b []byte) []byte {
	if i := slices.Index(b, 0); i >= 0 {
		return b[:i]
	}
	return b
}
