package kernel

import (
	"bytes"
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/gumshoe-ir/gumshoe/event"
)

// call is one system call and the event that it must become. do makes it on
// the thread that is watched and returns all parameters' values.
type call struct {
	name string
	typ  event.Type
	do   func(t *testing.T) []any
}

// checkCalls makes all calls under one load of the programs, and compares
// every parameter's bytes.
func checkCalls(t *testing.T, calls []call) []*event.Event {
	t.Helper()
	want := make([]event.Params, len(calls))
	var tid int64
	ev := watch(t, Options{}, func() {
		runtime.LockOSThread() // for good: calls change the thread, and it ends with this goroutine
		tid = int64(unix.Gettid())
		for i, c := range calls {
			p, err := event.EncodeParams(c.typ, c.do(t)...)
			if err != nil {
				t.Errorf("%s: %v", c.name, err)
			}
			want[i] = p
		}
	})
	for i, c := range calls {
		t.Run(c.name, func(t *testing.T) { findCall(t, ev, tid, c, want[i]) })
	}
	return ev
}

func findCall(t *testing.T, ev []*event.Event, tid int64, c call, want event.Params) {
	t.Helper()
	var seen []string
	for _, e := range ev {
		if e.TID != tid || e.Type != c.typ {
			continue
		}
		if same(e.Params, want) {
			return
		}
		seen = append(seen, show(e.Type, e.Params))
	}
	t.Errorf("no such event:\n%s\nbut of that type:\n%s", show(c.typ, want), strings.Join(seen, "\n"))
}

func same(a, b event.Params) bool {
	al, ad := a.Raw()
	bl, bd := b.Raw()
	return bytes.Equal(al, bl) && bytes.Equal(ad, bd)
}

func show(typ event.Type, p event.Params) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d", typ)
	info, _ := typ.Info()
	for i := range p.Len() {
		name := "?"
		if info != nil && i < len(info.Params) {
			name = info.Params[i].Name
		}
		if n, ok := p.Int(i); ok {
			fmt.Fprintf(&b, " %s=%d", name, n)
		} else {
			fmt.Fprintf(&b, " %s=%q", name, p.At(i))
		}
	}
	return b.String()
}

// must is v, and a failed test when the call that made it failed.
func must[T any](t *testing.T) func(v T, err error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Error(err)
		}
		return v
	}
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Error(err)
	}
}

// raw makes a system call and returns what it left in the result register.
// Memory is passed as a []byte or an unsafe.Pointer.
func raw(nr uintptr, args ...any) int64 {
	var a [6]uintptr
	for i, v := range args {
		switch v := v.(type) {
		case int:
			a[i] = uintptr(v)
		case int64:
			a[i] = uintptr(v)
		case uintptr:
			a[i] = v
		case []byte:
			a[i] = uintptr(unsafe.Pointer(&v[0]))
		case unsafe.Pointer:
			a[i] = uintptr(v)
		default:
			panic(fmt.Sprintf("raw: argument of type %T", v))
		}
	}
	r, _, errno := unix.Syscall6(nr, a[0], a[1], a[2], a[3], a[4], a[5])
	runtime.KeepAlive(args)
	if errno != 0 {
		return -int64(errno)
	}
	return int64(r)
}

// ptr is s as a C string.
func ptr(s string) []byte { return append([]byte(s), 0) }

// where is the device as the format has it, and the inode, of a file.
func where(t *testing.T, path string) (uint32, uint64) {
	t.Helper()
	var st unix.Stat_t
	ok(t, unix.Lstat(path, &st))
	major, minor := unix.Major(st.Dev), unix.Minor(st.Dev)
	return minor&0xff | major<<8 | minor&^0xff<<12, st.Ino
}

// at finds the event of this thread and type whose path parameter i is path.
func at(ev []*event.Event, typ event.Type, i int, path string) *event.Event {
	for _, e := range ev {
		if s, _ := e.Params.Text(i); e.Type == typ && s == path {
			return e
		}
	}
	return nil
}

func temp(t *testing.T) func(name string) string {
	dir := t.TempDir()
	return func(name string) string { return filepath.Join(dir, name) }
}
