package proc_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/gumshoe-ir/gumshoe/event"
	"github.com/gumshoe-ir/gumshoe/internal/need"
)

// TestLiveKindsOfExecutables runs one program from everywhere that rules care
// about.
func TestLiveKindsOfExecutables(t *testing.T) {
	_, w, _ := follow(t)
	image, err := os.ReadFile(need.Program(t, "true"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	copyTo := func(path string) string {
		t.Helper()
		if err := os.WriteFile(path, image, 0o755); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for _, sub := range []string{"lower", "upper", "work", "merged"} {
		if err := os.Mkdir(filepath.Join(dir, sub), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	copyTo(filepath.Join(dir, "lower", "old"))
	merged := filepath.Join(dir, "merged")
	if err := unix.Mount("overlay", merged, "overlay", 0, "lowerdir="+dir+"/lower,upperdir="+dir+"/upper,workdir="+dir+"/work"); err != nil {
		need.Skip(t, "needs overlayfs: "+err.Error())
	}
	t.Cleanup(func() { unix.Unmount(merged, unix.MNT_DETACH) })
	memfd, err := unix.MemfdCreate("payload", 0)
	if err != nil {
		t.Fatal(err)
	}
	inMemory := os.NewFile(uintptr(memfd), "payload")
	defer inMemory.Close()
	if _, err := inMemory.Write(image); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		path string
		file *os.File // run by descriptor 3 instead
		want event.ExeFlags
		at   string
	}{
		{"plain", copyTo(filepath.Join(dir, "plain")), nil, event.ExeWritable, filepath.Join(dir, "plain")},
		{"of a container's image", filepath.Join(merged, "old"), nil, event.ExeWritable | event.ExeLowerLayer, filepath.Join(merged, "old")},
		{"dropped into a container", copyTo(filepath.Join(merged, "new")), nil, event.ExeWritable | event.ExeUpperLayer, filepath.Join(merged, "new")},
		{"in memory", "/proc/self/fd/3", inMemory, event.ExeWritable | event.ExeFromMemfd, "memfd:payload"},
	} {
		cmd := exec.Command(c.path, c.name)
		if c.file != nil {
			cmd.ExtraFiles = []*os.File{c.file}
		}
		if err := cmd.Run(); err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		p := w.find(t, c.name, func(e *event.Event) bool {
			return e.Type == event.SyscallExecveV19X && len(e.Process.Args) == 1 && e.Process.Args[0] == c.name
		}).Process
		if p.ExeFlags != c.want || p.ExePath != c.at {
			t.Errorf("%s: flags %b of %s, want %b of %s", c.name, p.ExeFlags, p.ExePath, c.want, c.at)
		}
	}
}
