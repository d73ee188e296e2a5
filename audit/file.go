package audit

import (
	"strings"

	"github.com/gumshoe-ir/gumshoe/event"
)

// Flags of an open as the capture format has them (spec/rules.md C.1).
const (
	openWrite     = 1 << 1 // in O_WRONLY and O_RDWR
	openCreate    = 1 << 2
	openTruncate  = 1 << 8
	openDirectory = 1 << 10
	openTemporary = 1 << 13
	openCreated   = 1 << 14 // the call made the file
)

const atRemoveDir = 0x200

// Errors that say somebody was refused.
const errPermission, errAccess, errReadOnly = 1, 13, 30

// refused reports whether e did not fail, or failed because somebody was not
// allowed: anything else is a program looking around.
func refused(e *event.Event) bool {
	res, ok := e.Result()
	return ok && (res >= 0 || res == -errPermission || res == -errAccess || res == -errReadOnly)
}

// opened handles all calls that open. Most are reads of no interest: they
// leave first.
func (s *Sessions) opened(e *event.Event) {
	fd := e.FD
	if fd == nil {
		return
	}
	flags := fd.Flags
	if flags == 0 {
		flags = openFlags(e)
	}
	if flags&(openWrite|openCreate|openTruncate|openTemporary) == 0 {
		if s.sensitive.file(fd.Name) || fd.RealPath != "" && s.sensitive.file(fd.RealPath) {
			s.noteOpen(e, "read", flags)
		}
		return
	}
	if flags&openDirectory != 0 && flags&openTemporary == 0 || quiet(fd.Name) || !regular(fd.Kind) {
		return
	}
	verb := "write"
	if flags&openCreated != 0 {
		verb = "create"
	}
	s.noteOpen(e, verb, flags)
}

func (s *Sessions) noteOpen(e *event.Event, verb string, flags uint32) {
	if !refused(e) {
		return
	}
	a := s.activity(e, event.File, verb, e.FD.Name)
	a.Flags, a.RealPath = flags, e.FD.RealPath
	s.note(&a)
}

// openFlags are the flags of a failed open, which made no descriptor.
func openFlags(e *event.Event) uint32 {
	i := 2
	switch e.Type {
	case event.SyscallCreatX:
		return openWrite | openCreate | openTruncate
	case event.SyscallOpenatV2X, event.SyscallOpenat2X:
		i = 3
	}
	flags, _ := e.Params.Uint(i)
	return uint32(flags)
}

// regular reports whether descriptors of kind k lead to something with a path
// that stays. Captures do not always say.
func regular(k event.FDKind) bool {
	return k == event.FDFile || k == event.FDFileV2 || k == event.FDUnknown
}

// quiet reports whether a write to path is noise: it goes to a terminal or to
// nowhere, or into a file of the kernel that changes nothing but the process
// itself. What changes the kernel (/proc/sys), another process (mem) or lets
// one out of a container (core_pattern, release_agent) is not.
func quiet(path string) bool {
	switch {
	case strings.HasPrefix(path, "/dev/"):
		switch rest := path[len("/dev/"):]; rest {
		case "null", "zero", "full", "random", "urandom", "tty", "ptmx", "console", "fuse", "log":
			return true
		default:
			return strings.HasPrefix(rest, "pts/") || strings.HasPrefix(rest, "fd/") || strings.HasPrefix(rest, "std") ||
				strings.HasPrefix(rest, "tty")
		}
	case strings.HasPrefix(path, "/proc/"):
		return !strings.HasPrefix(path, "/proc/sys/") && path != "/proc/sysrq-trigger" && !strings.HasSuffix(path, "/mem")
	case strings.HasPrefix(path, "/sys/fs/cgroup/"):
		return !strings.HasSuffix(path, "/release_agent")
	}
	return false
}

// changes makes the handler of a call that changes the file in parameter
// target, with a second path and a number (mode, owner) where it has them.
func changes(verb string, target, second, number int) func(*Sessions, *event.Event) {
	return func(s *Sessions, e *event.Event) {
		if !refused(e) {
			return
		}
		path := e.Path(target)
		if path == "" {
			return
		}
		a := s.activity(e, event.File, verb, path)
		if second >= 0 {
			a.Name = e.Path(second)
		}
		if number >= 0 {
			n, _ := e.Params.Uint(number)
			a.Flags = uint32(n)
		}
		s.note(&a)
	}
}

var (
	unlinks = changes("unlink", 2, -1, -1)
	rmdirs  = changes("rmdir", 2, -1, -1)
)

func (s *Sessions) unlinkedAt(e *event.Event) {
	if flags, _ := e.Params.Uint(3); flags&atRemoveDir != 0 {
		rmdirs(s, e)
		return
	}
	unlinks(s, e)
}

// symlinked: the new link is the target of the activity; what it points to is
// text, whole or not.
func (s *Sessions) symlinked(e *event.Event) {
	link := 2
	if e.Type == event.SyscallSymlinkatX {
		link = 3
	}
	if !refused(e) || len(e.Params.At(link)) == 0 {
		return
	}
	a := s.activity(e, event.File, "symlink", e.Path(link))
	a.Name, _ = e.Params.Text(1)
	s.note(&a)
}

// changedByFD is fchmod and fchown.
func (s *Sessions) changedByFD(e *event.Event) {
	if e.FD == nil || !refused(e) || !strings.HasPrefix(e.FD.Name, "/") {
		return
	}
	verb := "chmod"
	if e.Type == event.SyscallFchownX {
		verb = "chown"
	}
	a := s.activity(e, event.File, verb, e.FD.Name)
	n, _ := e.Params.Uint(2)
	a.Flags, a.RealPath = uint32(n), e.FD.RealPath
	s.note(&a)
}
