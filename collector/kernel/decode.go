package kernel

import (
	"encoding/binary"

	"github.com/gumshoe-ir/gumshoe/event"
)

// The wire: see bpf/headers/record.h.
const (
	prefixSize = 8
	headerSize = 26
)

// decode makes an event of a ring sample without copying: the parameters
// point into it. It returns false when the sample is no record, and leaves e
// undefined.
func decode(sample []byte, host uint32, offset uint64, e *event.Event) bool {
	if len(sample) < prefixSize+headerSize {
		return false
	}
	rec := sample[prefixSize:]
	size, params, ok := record(rec)
	if !ok {
		return false
	}
	// Field by field: a composite literal is built aside and copied.
	e.ID.NS = binary.LittleEndian.Uint64(rec) + offset
	e.ID.Host = host
	e.ID.CPU = binary.LittleEndian.Uint16(sample)
	e.ID.Ord = binary.LittleEndian.Uint16(sample[2:])
	e.TID = int64(binary.LittleEndian.Uint64(rec[8:]))
	e.Type = event.Type(binary.LittleEndian.Uint16(rec[20:]))
	e.Params = params
	e.Origin, e.Num, e.Process, e.FD, e.Detail = 0, 0, nil, nil, event.Params{}
	rec = rec[size:]
	if len(rec) < headerSize {
		return true
	}
	_, detail, ok := record(rec)
	if !ok || event.Type(binary.LittleEndian.Uint16(rec[20:])) != event.Detail {
		return false
	}
	e.Detail = detail
	if b := detail.At(event.DetailOrigin); len(b) == 1 {
		e.Origin = event.Origin(b[0])
	}
	return true
}

// record is the size and the parameters of the record at the start of b.
func record(b []byte) (size int, p event.Params, ok bool) {
	if len(b) < headerSize {
		return 0, p, false
	}
	n := binary.LittleEndian.Uint32(b[16:])
	params := binary.LittleEndian.Uint32(b[22:])
	if n < headerSize || n > uint32(len(b)) || params > n {
		return 0, p, false
	}
	p, ok = event.NewParams(b[headerSize:n:n], int(params), false)
	return int(n), p, ok
}
