package kernel

import (
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Bits in the length of a ring sample (linux/bpf.h).
const (
	busyBit    = 1 << 31 // still being written
	discardBit = 1 << 30 // given up
	sampleHead = 8
)

// maxSample is more than the longest sample: a scratch buffer of
// headers/record.h with its prefix.
const maxSample = 64 << 10

// ring reads a BPF ring buffer where it lies. The kernel maps its data twice in
// a row, so that a sample is never cut; of the second time we take one sample's
// length, as all mapped pages count as ours. One goroutine calls next; free may
// be called by another.
type ring struct {
	consumer *uint64 // up to here the kernel may write again
	producer *uint64
	data     []byte // size bytes, and the first maxSample of them again
	size     uint64
	pos      uint64 // read up to here, at or after consumer
	maps     [][]byte
}

// mapRing maps the ring behind fd, which holds size bytes.
func mapRing(fd, size int) (*ring, error) {
	page := os.Getpagesize()
	head, err := unix.Mmap(fd, 0, page, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("map the ring's consumer page: %w", err)
	}
	rest, err := unix.Mmap(fd, int64(page), page+size+min(size, maxSample), unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("map the ring's data: %w", err), unix.Munmap(head))
	}
	r := newRing((*uint64)(unsafe.Pointer(&head[0])), (*uint64)(unsafe.Pointer(&rest[0])), rest[page:], size)
	r.maps = [][]byte{head, rest}
	return r, nil
}

func newRing(consumer, producer *uint64, data []byte, size int) *ring {
	return &ring{
		consumer: consumer, producer: producer, data: data, size: uint64(size),
		pos: atomic.LoadUint64(consumer),
	}
}

// next is the next finished sample, nil when there is none. It stays valid
// until a position behind it is freed.
func (r *ring) next() []byte {
	for {
		if r.pos >= atomic.LoadUint64(r.producer) {
			return nil
		}
		at := r.pos & (r.size - 1)
		head := atomic.LoadUint32((*uint32)(unsafe.Pointer(&r.data[at])))
		if head&busyBit != 0 {
			return nil
		}
		n := uint64(head &^ (busyBit | discardBit))
		r.pos += (sampleHead + n + 7) &^ 7
		if head&discardBit == 0 {
			return r.data[at+sampleHead : at+sampleHead+n : at+sampleHead+n]
		}
	}
}

// free gives everything before pos back to the kernel.
func (r *ring) free(pos uint64) { atomic.StoreUint64(r.consumer, pos) }

// used is how many bytes wait or are being handled.
func (r *ring) used() uint64 {
	return atomic.LoadUint64(r.producer) - atomic.LoadUint64(r.consumer)
}

func (r *ring) close() error {
	var errs []error
	for _, m := range r.maps {
		errs = append(errs, unix.Munmap(m))
	}
	r.maps = nil
	return errors.Join(errs...)
}
