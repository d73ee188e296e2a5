package kernel

import (
	"bytes"
	"encoding/binary"
	"runtime"
	"testing"

	"github.com/gumshoe-ir/gumshoe/event"
)

// encode is a record with these parameters, as bpf/headers/record.h lays it out.
func encode(typ event.Type, values ...[]byte) []byte {
	var lens, data []byte
	for _, v := range values {
		lens = binary.LittleEndian.AppendUint16(lens, uint16(len(v)))
		data = append(data, v...)
	}
	b := binary.LittleEndian.AppendUint64(nil, 5e9)
	b = binary.LittleEndian.AppendUint64(b, 42)
	b = binary.LittleEndian.AppendUint32(b, uint32(headerSize+len(lens)+len(data)))
	b = binary.LittleEndian.AppendUint16(b, uint16(typ))
	b = binary.LittleEndian.AppendUint32(b, uint32(len(values)))
	return append(append(b, lens...), data...)
}

var prefix = []byte{3, 0, 7, 0, 0, 0, 0, 0} // CPU 3, ordinal 7

func openRecord() []byte {
	return encode(307, make([]byte, 8), make([]byte, 8), []byte("/etc/passwd\x00"),
		make([]byte, 4), make([]byte, 4), make([]byte, 4), make([]byte, 8))
}

func TestDecode(t *testing.T) {
	detail := encode(event.Detail, []byte{byte(event.Raced)}, nil, nil, []byte("/real\x00"), nil, nil, nil)
	long := openRecord()
	binary.LittleEndian.PutUint32(long[16:], 1<<31)
	for _, c := range []struct {
		rule   string
		sample []byte
		ok     bool
		detail int
		origin event.Origin
	}{
		{"an event alone", openRecord(), true, 0, 0},
		{"a Detail hangs on the event before it", append(openRecord(), detail...), true, 7, event.Raced},
		{"padding is no record", append(openRecord(), 0, 0, 0), true, 0, 0},
		{"what follows must be a Detail", append(openRecord(), openRecord()...), false, 0, 0},
		{"a cut header", openRecord()[:20], false, 0, 0},
		{"cut parameters", openRecord()[:60], false, 0, 0},
		{"a length beyond the sample", long, false, 0, 0},
		{"nothing", nil, false, 0, 0},
	} {
		t.Run(c.rule, func(t *testing.T) {
			var e event.Event
			ok := decode(append(bytes.Clone(prefix), c.sample...), 9, 1000e9, &e)
			if ok != c.ok {
				t.Fatalf("decoded: %t", ok)
			}
			if !ok {
				return
			}
			if want := (event.ID{NS: 1005e9, Host: 9, CPU: 3, Ord: 7}); e.ID != want || e.TID != 42 || e.Type != 307 {
				t.Errorf("id %v, tid %d, type %d", e.ID, e.TID, e.Type)
			}
			if name, _ := e.Params.Text(2); name != "/etc/passwd" {
				t.Errorf("name is %q", name)
			}
			if e.Detail.Len() != c.detail || e.Origin != c.origin {
				t.Errorf("detail of %d, origin %d", e.Detail.Len(), e.Origin)
			}
		})
	}
}

func TestDecodeAllocatesNothing(t *testing.T) {
	sample := append(bytes.Clone(prefix), openRecord()...)
	var e event.Event
	if n := testing.AllocsPerRun(100, func() { decode(sample, 1, 1, &e) }); n != 0 {
		t.Errorf("decode allocates %v times", n)
	}
}

func TestFillAllocatesNothing(t *testing.T) {
	f := newFakeRing(0)
	r := &Ring{ring: f.ring, free: make(chan *batch, batches), clock: startClock()}
	b := r.newBatch()
	if n := testing.AllocsPerRun(100, func() {
		f.put(0, "\x00\x00\x00\x00\x00\x00\x00\x00")
		r.fill(b)
	}); n > 1 { // the one of put
		t.Errorf("fill allocates %v times", n-1)
	}
	if b.Lost[event.LostParse] != 1 {
		t.Errorf("a sample that is no record is lost: %v", b.Lost)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte{})
	f.Add(append(bytes.Clone(prefix), openRecord()...))
	f.Add(append(append(bytes.Clone(prefix), openRecord()...), encode(event.Detail, []byte{1}, nil, nil, nil, nil, nil, nil)...))
	f.Add(append(bytes.Clone(prefix), encode(0xFFFF, make([]byte, 65535))...))
	f.Fuzz(func(t *testing.T, sample []byte) {
		var e event.Event
		if !decode(sample, 1, 1, &e) {
			return
		}
		total := 0
		for i := range e.Params.Len() {
			total += len(e.Params.At(i))
		}
		for i := range e.Detail.Len() {
			total += len(e.Detail.At(i))
		}
		if total > len(sample) {
			t.Errorf("%d bytes of parameters out of %d", total, len(sample))
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	sample := append(bytes.Clone(prefix), openRecord()...)
	var e event.Event
	b.ReportAllocs()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	start := threadTime()
	for b.Loop() {
		if !decode(sample, 1, 1, &e) {
			b.Fatal("not decoded")
		}
	}
	b.ReportMetric(float64(threadTime()-start)/float64(b.N), "cpu-ns/op")
}
