//go:build amd64

package kernel

import (
	"encoding/binary"
	"os"
	"os/exec"
	"syscall"
	"testing"

	"github.com/gumshoe-ir/gumshoe/event"
)

// ia32Program is a static 32-bit executable that makes int80 calls with data
// at the addresses that calls gives.
type ia32Program struct {
	code []byte
}

const (
	ia32Base = 0x08048000
	ia32Data = 0x400 // of the file, where data begins
)

func (p *ia32Program) call(nr uint32, args ...uint32) {
	for i, v := range append([]uint32{nr}, args...) {
		p.code = append(p.code, []byte{0xB8, 0xBB, 0xB9, 0xBA}[i]) // mov to eax, ebx, ecx, edx
		p.code = binary.LittleEndian.AppendUint32(p.code, v)
	}
	p.code = append(p.code, 0xCD, 0x80) // int 0x80
}

// image is the whole ELF file: one segment, readable, writable and executable.
func (p *ia32Program) image(data []byte) []byte {
	le := binary.LittleEndian
	b := append([]byte("\x7fELF\x01\x01\x01"), make([]byte, 9)...)
	for _, v := range []uint16{2, 3} { // executable, i386
		b = le.AppendUint16(b, v)
	}
	for _, v := range []uint32{1, ia32Base + 84, 52, 0, 0} { // version, entry, program headers
		b = le.AppendUint32(b, v)
	}
	for _, v := range []uint16{52, 32, 1, 0, 0, 0} {
		b = le.AppendUint16(b, v)
	}
	size := uint32(ia32Data + len(data))
	for _, v := range []uint32{1, 0, ia32Base, ia32Base, size, size, 7, 0x1000} {
		b = le.AppendUint32(b, v)
	}
	b = append(b, p.code...)
	b = append(b, make([]byte, ia32Data-len(b))...)
	return append(b, data...)
}

// A 32-bit call has its own numbers and argument registers: 87 is swapon there
// and unlink in the native table.
func TestIA32CallsAreNeverReadAsNative(t *testing.T) {
	path := temp(t)
	file, prog := path("read by int80"), path("prog")
	ok(t, os.WriteFile(file, nil, 0o600))
	const data = ia32Base + ia32Data
	vector := []uint32{2, 1, 0}
	bytes := binary.LittleEndian.AppendUint32(nil, vector[0])
	bytes = binary.LittleEndian.AppendUint32(bytes, vector[1])
	bytes = binary.LittleEndian.AppendUint32(bytes, vector[2])
	bytes = append(bytes, file...)
	bytes = append(bytes, 0)
	var p ia32Program
	p.call(5, data+12, 0, 0) // open
	p.call(102, 1, data)     // socketcall: socket
	p.call(23, 0xffff)       // setuid of 16 bits
	p.call(87, data+12)      // swapon
	p.call(6, 4)             // close
	p.call(1, 0)             // exit
	ok(t, os.WriteFile(prog, p.image(bytes), 0o700))
	var pid int64
	ev := watch(t, Options{}, func() {
		cmd := exec.Command(prog)
		ok(t, cmd.Run())
		pid = int64(cmd.ProcessState.Pid())
	})
	dev, ino := where(t, file)
	for _, want := range []struct {
		name   string
		typ    event.Type
		values []any
	}{
		{"open", 3, []any{3, file, 1, 0, dev, ino}},
		{"socket by socketcall", 19, []any{4, 2, 1, 0, 0}},
		{"setuid", 199, []any{-int64(syscall.EINVAL), uint32(1<<32 - 1)}},
		{"close", 5, []any{0, 4}},
	} {
		t.Run(want.name, func(t *testing.T) {
			params := must[event.Params](t)(event.EncodeParams(want.typ, want.values...))
			findCall(t, ev, pid, call{name: want.name, typ: want.typ}, params)
		})
	}
	for _, e := range ev {
		if e.TID != pid {
			continue
		}
		switch e.Type {
		case 3, 19, 199, 5:
			if e.Origin&event.IA32 == 0 {
				t.Errorf("not of ia32 origin: %s", show(e.Type, e.Params))
			}
		case 293, 186, 223, 365: // the process's life, and dup3 before its exec
		default:
			t.Errorf("a call that was not made: %s", show(e.Type, e.Params))
		}
	}
}
