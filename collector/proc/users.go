package proc

import (
	"bufio"
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/gumshoe-ir/gumshoe/event"
)

// users knows the accounts of the host, and those of containers by the
// containers' own files: ids of a container mean nothing to the host's.
type users struct {
	root    string
	host    *accounts
	checked uint64 // ns since the epoch when the files were last looked at
	version uint64 // of all accounts together
}

// accounts are the users and groups of one place.
type accounts struct {
	users  map[uint32]*event.User
	groups map[uint32]string
	passwd fileID
	group  fileID
}

func (a *accounts) size() int {
	if a == nil {
		return 0
	}
	return len(a.users) + len(a.groups)
}

// fileID tells versions of a file apart.
type fileID struct {
	dev, ino    uint64
	mtime, size int64
}

// Bounds of account files.
const (
	maxAccountFile  = 1 << 20
	maxAccounts     = 1 << 14 // of one file
	maxAllAccounts  = 1 << 17 // of all containers
	maxAccountTries = 16
	accountsEvery   = uint64(1e9)
	containerEvery  = uint64(5e9) // between two looks into one container
)

func newUsers(root string) users {
	return users{root: root, host: newAccounts(), version: 1}
}

func newAccounts() *accounts {
	return &accounts{users: make(map[uint32]*event.User), groups: make(map[uint32]string)}
}

// refresh reads the host's files again when they changed, looking at most
// once a second of event time.
func (u *users) refresh(t *Table, now uint64) {
	if u.root == "" || u.checked != 0 && distance(now, u.checked) < accountsEvery {
		return
	}
	u.checked = now
	fresh := &accounts{users: u.host.users, groups: u.host.groups, passwd: u.host.passwd, group: u.host.group}
	changed := reread(filepath.Join(u.root, "etc/passwd"), &fresh.passwd, func(b []byte) { fresh.users = parsePasswd(b) })
	if reread(filepath.Join(u.root, "etc/group"), &fresh.group, func(b []byte) { fresh.groups = parseGroup(b) }) || changed {
		u.host = fresh
		u.version++
		t.epoch++
	}
}

// reread hands take the file's content when it is another than id says.
func reread(path string, id *fileID, take func([]byte)) bool {
	var st unix.Stat_t
	if unix.Stat(path, &st) != nil {
		return false
	}
	if now := identityOf(&st); now != *id {
		f, err := os.Open(path)
		if err != nil {
			return false
		}
		defer f.Close()
		b, err := io.ReadAll(io.LimitReader(f, maxAccountFile))
		if err != nil {
			return false
		}
		*id = now
		take(b)
		return true
	}
	return false
}

func identityOf(st *unix.Stat_t) fileID {
	return fileID{st.Dev, st.Ino, st.Mtim.Nano(), st.Size}
}

// of is the account of g's ids in its own place, and its login user on the host.
func (u *users) of(g *group) (*event.User, string, string) {
	user, group := u.lookup(g.cgroup, g.proc.UID, g.proc.GID)
	login := ""
	if g.proc.LoginUID != event.NoID {
		if l := u.host.users[g.proc.LoginUID]; l != nil {
			login = l.Name
		}
	}
	return user, group, login
}

// lookup is the user and the group's name in the place that cg stands for.
func (u *users) lookup(cg *cgroupSet, uid, gid uint32) (*event.User, string) {
	in := u.host
	if cg != nil && cg.in != nil {
		if in = cg.in.users; in == nil {
			return nil, ""
		}
	}
	return in.users[uid], in.groups[gid]
}

// visit reads the accounts of the container that g is in, when they are not
// known yet or may have changed, and g runs in the container's own root.
func (u *users) visit(t *Table, g *group, now uint64) {
	if u.root == "" || g.cgroup == nil || g.cgroup.in == nil {
		return
	}
	c := g.cgroup.in
	switch {
	case c.users != nil && (c.read == (fileID{}) || distance(now, c.looked) < containerEvery):
		return // told by events, or read just now
	case c.users == nil && c.tries >= maxAccountTries || t.containers.accounts >= maxAllAccounts:
		return
	}
	c.tries++
	c.looked = now
	proc := filepath.Join(u.root, "proc", strconv.Itoa(int(g.pid)))
	if !localRoot(proc) {
		return
	}
	root, err := unix.Open(filepath.Join(proc, "root"), unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return
	}
	defer unix.Close(root)
	a := newAccounts()
	b, id, ok := readInRoot(root, "etc/passwd")
	if !ok || id == u.host.passwd || id == c.read {
		return // nothing there; still in the host's root, before the runtime left it; nothing new
	}
	a.users, c.read = parsePasswd(b), id
	if b, _, ok := readInRoot(root, "etc/group"); ok {
		a.groups = parseGroup(b)
	}
	t.containers.accounts += a.size() - c.users.size()
	c.users = a
	u.version++
	t.epoch++
}

// localRoot tells whether a process' root folder is on a file system that
// answers by itself: one served by a program of the container could keep us
// waiting for ever.
func localRoot(proc string) bool {
	f, err := os.Open(filepath.Join(proc, "mountinfo"))
	if err != nil {
		return false
	}
	defer f.Close()
	s := bufio.NewScanner(io.LimitReader(f, maxAccountFile))
	for s.Scan() {
		before, after, ok := strings.Cut(s.Text(), " - ")
		if fields := strings.Fields(before); ok && len(fields) > 4 && fields[4] == "/" {
			kind, _, _ := strings.Cut(after, " ")
			switch kind {
			case "overlay", "ext4", "ext3", "ext2", "xfs", "btrfs", "zfs", "tmpfs", "aufs", "f2fs", "squashfs", "erofs", "rootfs", "ramfs":
				return true
			}
			return false
		}
	}
	return false
}

// readInRoot reads a regular file below root that no link leads out of, on
// root's own file system.
func readInRoot(root int, name string) ([]byte, fileID, bool) {
	how := unix.OpenHow{
		Flags:   unix.O_RDONLY | unix.O_CLOEXEC | unix.O_NONBLOCK | unix.O_NOCTTY,
		Resolve: unix.RESOLVE_IN_ROOT | unix.RESOLVE_NO_MAGICLINKS | unix.RESOLVE_NO_XDEV,
	}
	fd, err := unix.Openat2(root, name, &how)
	if err != nil {
		return nil, fileID{}, false
	}
	f := os.NewFile(uintptr(fd), name)
	defer f.Close()
	var st unix.Stat_t
	if unix.Fstat(fd, &st) != nil || st.Mode&unix.S_IFMT != unix.S_IFREG {
		return nil, fileID{}, false
	}
	b, err := io.ReadAll(io.LimitReader(f, maxAccountFile))
	return b, identityOf(&st), err == nil
}

// parsePasswd reads passwd(5). Lines it cannot read are skipped; the first
// line of an id counts, as for getpwuid(3).
func parsePasswd(b []byte) map[uint32]*event.User {
	out := make(map[uint32]*event.User)
	for line := range bytes.Lines(b) {
		f := strings.SplitN(strings.TrimRight(string(line), "\n"), ":", 8)
		if len(f) < 7 || len(line) > maxLabelText || len(out) >= maxAccounts {
			continue
		}
		uid, err := strconv.ParseUint(f[2], 10, 32)
		gid, err2 := strconv.ParseUint(f[3], 10, 32)
		if err != nil || err2 != nil || out[uint32(uid)] != nil {
			continue
		}
		out[uint32(uid)] = &event.User{UID: uint32(uid), GID: uint32(gid), Name: f[0], Home: f[5], Shell: f[6]}
	}
	return out
}

// parseGroup reads group(5).
func parseGroup(b []byte) map[uint32]string {
	out := make(map[uint32]string)
	for line := range bytes.Lines(b) {
		name, rest, _ := bytes.Cut(line, []byte{':'})
		_, rest, _ = bytes.Cut(rest, []byte{':'})
		num, _, ok := bytes.Cut(rest, []byte{':'})
		gid, err := strconv.ParseUint(string(num), 10, 32)
		if _, twice := out[uint32(gid)]; !ok || err != nil || twice || len(name) > maxLabelText || len(out) >= maxAccounts {
			continue
		}
		out[uint32(gid)] = string(name)
	}
	return out
}

// Parameters of the events for users; those for groups have no gid of their
// own and fewer texts.
const (
	userGID, userName, userHome, userShell, userContainer = 1, 2, 3, 4, 5
	groupName, groupContainer                             = 1, 2
)

// userEvent adds or removes one account of the host or of a container.
func (t *Table) userEvent(e *event.Event) {
	isUser := e.Type == event.UserAddedE || e.Type == event.UserDeletedE
	gone := e.Type == event.UserDeletedE || e.Type == event.GroupDeletedE
	where := groupContainer
	if isUser {
		where = userContainer
	}
	in := t.users.host
	if id := string(cut(e.Params.At(where))); id != "" {
		c := t.containers.byID[shortID(id)]
		if c == nil {
			return
		}
		if c.users == nil {
			c.users = newAccounts()
		}
		in = c.users
	}
	id, ok := e.Params.Uint(0)
	if !ok || !gone && (len(in.users) >= maxAccounts || len(in.groups) >= maxAccounts) {
		return
	}
	t.users.version++
	t.epoch++
	before := in.size()
	defer func() {
		if in != t.users.host {
			t.containers.accounts += in.size() - before
		}
	}()
	switch {
	case isUser && gone:
		delete(in.users, uint32(id))
	case gone:
		delete(in.groups, uint32(id))
	case isUser:
		u := &event.User{UID: uint32(id)}
		setUint32(&u.GID, &e.Params, userGID)
		u.Name, _ = e.Params.Text(userName)
		u.Home, _ = e.Params.Text(userHome)
		u.Shell, _ = e.Params.Text(userShell)
		in.users[u.UID] = u
	default:
		in.groups[uint32(id)], _ = e.Params.Text(groupName)
	}
}
