package proc

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/gumshoe-ir/gumshoe/event"
)

func TestParseAccounts(t *testing.T) {
	users := parsePasswd([]byte("root:x:0:0:root:/root:/bin/bash\nann:x:1000:100::/home/ann:/bin/sh\ntwin:x:1000:5:::\n\nbad:x:-1:0:::\nshort:x:5\nbig:x:4294967296:0:::\nlast:x:7:7:::"))
	if len(users) != 3 || users[1000].Name != "ann" || users[1000].Shell != "/bin/sh" || users[1000].GID != 100 || users[7].Name != "last" {
		t.Errorf("%+v", users)
	}
	groups := parseGroup([]byte("root:x:0:\nstaff:x:50:ann,bob\nstaff2:x:50:\nbad\nnone:x::\n"))
	if len(groups) != 2 || groups[50] != "staff" {
		t.Errorf("%+v", groups)
	}
	if n := len(parsePasswd([]byte(strings.Repeat("x:x:1:1:::\n", 10)))); n != 1 {
		t.Errorf("%d users of one id", n)
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestUsersOfHostAndContainer(t *testing.T) {
	l := newLine(t)
	l.init()
	in := []string{"cpu=/docker/" + idA}
	l.send(l.exec(100, execed{comm: "host", uid: 1000, ppid: 1}), l.child(200, 100, 0), l.exec(200, execed{comm: "inside", uid: 1000, ppid: 100, cgroups: in}))
	l.send(l.ev(event.UserAddedE, -1, 1000, 1000, "ann", "/home/ann", "/bin/sh", ""), l.ev(event.GroupAddedE, -1, 1000, "people", ""))
	if p := l.ask(100); p.User == nil || p.User.Name != "ann" || p.Group != "people" || p.LoginUser != "ann" {
		t.Errorf("on the host: %+v %q %q", p.User, p.Group, p.LoginUser)
	}
	if p := l.ask(200); p.User != nil || p.Group != "" || p.LoginUser != "ann" {
		t.Errorf("the host's names were given to a container: %+v %q %q", p.User, p.Group, p.LoginUser)
	}
	l.send(l.ev(event.UserAddedE, -1, 33, 33, "www", "/", "/bin/sh", ""))
	l.ask(100)
	l.send(l.exec(100, execed{comm: "sudo", uid: 33, ppid: 1}))
	if p := l.ask(100); p.User == nil || p.User.Name != "www" {
		t.Errorf("after an exec that changes the user: %+v", p.User)
	}
	l.send(l.exec(100, execed{comm: "host", uid: 1000, ppid: 1}))
	l.send(l.ev(event.UserAddedE, -1, 1000, 0, "app", "/", "/bin/sh", idA[:12]))
	if p := l.ask(200); p.User == nil || p.User.Name != "app" {
		t.Errorf("in the container: %+v", p.User)
	}
	l.send(l.ev(event.UserDeletedE, -1, 1000, 0, "ann", nil, nil, ""))
	if p := l.ask(100); p.User != nil || p.LoginUser != "" {
		t.Errorf("a deleted user: %+v", p.User)
	}
}

func TestUsersFollowTheHostsFiles(t *testing.T) {
	root := t.TempDir()
	write(t, root+"/etc/passwd", "root:x:0:0:::\n")
	write(t, root+"/etc/group", "wheel:x:0:\n")
	if err := os.MkdirAll(root+"/proc", 0o755); err != nil {
		t.Fatal(err)
	}
	l := newLine(t)
	l.tab = New(Options{Root: root, BootTime: 1})
	l.send(l.exec(5, execed{comm: "x"}))
	if p := l.ask(5); p.User == nil || p.User.Name != "root" || p.Group != "wheel" {
		t.Fatalf("%+v %q", p.User, p.Group)
	}
	write(t, root+"/etc/passwd", "toor:x:0:0:::\n\n")
	if p := l.ask(5); p.User.Name != "root" {
		t.Error("the file was read twice within a second")
	}
	l.now += 2e9
	if p := l.ask(5); p.User.Name != "toor" || p.LoginUser != "" {
		t.Errorf("a changed file shows %+v", p.User)
	}
}

// TestNoLinkLeadsOut reads below a root that tries to lead elsewhere.
func TestNoLinkLeadsOut(t *testing.T) {
	outside := t.TempDir()
	write(t, outside+"/secret", "x")
	tests := []struct {
		name string
		make func(dir string) error
		ok   bool
	}{
		{"a file", func(dir string) error { return os.WriteFile(dir+"/etc/passwd", nil, 0o644) }, true},
		{"a link inside", func(dir string) error {
			return firstOf(os.WriteFile(dir+"/real", nil, 0o644), os.Symlink("/real", dir+"/etc/passwd"))
		}, true},
		{"a link outside", func(dir string) error { return os.Symlink(outside+"/secret", dir+"/etc/passwd") }, false},
		{"a way up", func(dir string) error {
			return os.Symlink(strings.Repeat("../", 20)+outside[1:]+"/secret", dir+"/etc/passwd")
		}, false},
		{"a fifo", func(dir string) error { return unix.Mkfifo(dir+"/etc/passwd", 0o644) }, false},
		{"a folder", func(dir string) error { return os.Mkdir(dir+"/etc/passwd", 0o755) }, false},
		{"nothing", func(string) error { return nil }, false},
	}
	for _, tt := range tests {
		dir := t.TempDir()
		if err := firstOf(os.Mkdir(dir+"/etc", 0o755), tt.make(dir)); err != nil {
			t.Fatal(err)
		}
		fd, err := unix.Open(dir, unix.O_PATH|unix.O_DIRECTORY, 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, ok := readInRoot(fd, "etc/passwd"); ok != tt.ok {
			t.Errorf("%s: %v", tt.name, ok)
		}
		unix.Close(fd)
	}
}

func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
