package proc

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/gumshoe-ir/gumshoe/event"
)

// TestRaced opens files of this host by paths that links do and do not
// explain. The process is this one.
func TestRaced(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	write(t, dir+"/real/secret", "x")
	write(t, dir+"/real/plain", "x")
	if err := firstOf(os.Symlink("real", dir+"/link"), os.Symlink("secret", dir+"/real/alias"), os.Symlink("/proc/self/fd/0", dir+"/magic")); err != nil {
		t.Fatal(err)
	}
	stat := func(path string) (dev uint32, ino uint64) {
		var st unix.Stat_t
		if err := unix.Stat(path, &st); err != nil {
			t.Fatal(err)
		}
		return uint32(st.Dev), st.Ino
	}
	tests := []struct {
		name       string
		path, real string // below dir
		raced      bool
		shown      bool // the real path differs and is shown
	}{
		{"the same path", "/real/plain", "/real/plain", false, false},
		{"a linked folder", "/link/plain", "/real/plain", false, true},
		{"a linked file", "/real/alias", "/real/secret", false, true},
		{"both", "/link/alias", "/real/secret", false, true},
		{"another file", "/real/plain", "/real/secret", true, true},
		{"another file through a link", "/link/plain", "/real/secret", true, true},
		{"a path that leads nowhere", "/real/gone", "/real/secret", true, true},
		{"a file that is gone again", "/link/gone", "/real/gone", false, true},
		{"a folder that is gone again: nobody knows", "/away/gone", "/real/gone", false, true},
		{"a path that nobody ever looked up", "/real/new", "/real/secret", true, true},
		{"one of proc's magic links: nobody knows", "/magic", "/real/secret", false, true},
	}
	l := &line{t: t, tab: New(Options{Root: "/"})}
	defer l.tab.Close()
	if err := l.tab.Scan(t.Context()); err != nil {
		t.Fatal(err)
	}
	l.now = l.tab.now() + 1e9
	for _, tt := range tests {
		if tt.path != "/real/new" { // a process has just looked it up
			if f, err := os.Open(dir + tt.path); err == nil {
				f.Close()
			}
		}
		for range 2 { // the second from the cache
			dev, ino := stat(dir + "/real/secret")
			e := l.ev(event.SyscallOpenatV2X, int64(os.Getpid()), 3, -100, dir+tt.path, 1, 0, dev, ino)
			var err error
			if e.Detail, err = event.EncodeParams(event.Detail, nil, nil, nil, dir+tt.real); err != nil {
				t.Fatal(err)
			}
			got := l.send(e)[0]
			if raced := got.Origin&event.Raced != 0; raced != tt.raced {
				t.Errorf("%s: raced %v, want %v", tt.name, raced, tt.raced)
			}
			if got.FD == nil || got.FD.Name != dir+tt.path || (got.FD.RealPath == dir+tt.real) != tt.shown {
				t.Errorf("%s: %+v", tt.name, got.FD)
			}
		}
	}
}

func TestOwnNumber(t *testing.T) {
	p := &event.Process{VPID: 7, VTID: 8}
	for in, want := range map[string]string{
		"/proc/self/maps":        "/proc/7/maps",
		"/proc/self":             "/proc/7",
		"/proc/thread-self/comm": "/proc/7/task/8/comm",
		"/proc/selfish":          "/proc/selfish",
		"/etc/proc/self":         "/etc/proc/self",
	} {
		if got := ownNumber(in, p); got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
}
