package event

import (
	"path"
	"strings"
)

const (
	maxPath     = 1024
	tooLong     = "/DIR_TOO_LONG/FILENAME_TOO_LONG"
	unknownRoot = "<UNKNOWN>"
	atCwd       = -100
)

// pathCall says which parameters of a call hold its paths. Source and target
// are as spec/rules.md trap 44 has them: link and symlink are turned round.
type pathCall struct{ name, source, target string }

var pathCalls = map[string]pathCall{
	"open": {name: "name"}, "openat": {name: "name"}, "openat2": {name: "name"},
	"open_by_handle_at": {name: "path"},
	"mkdir":             {name: "path"}, "mkdirat": {name: "path"}, "rmdir": {name: "path"},
	"unlink": {name: "path"}, "unlinkat": {name: "name"},
	"chmod": {name: "filename"}, "fchmodat": {name: "filename"},
	"chown": {name: "path"}, "lchown": {name: "path"}, "fchownat": {name: "pathname"},
	"umount": {name: "name"}, "umount2": {name: "name"}, "umount_1": {name: "name"},
	"quotactl": {name: "special"},
	"rename":   {source: "oldpath", target: "newpath"}, "renameat": {source: "oldpath", target: "newpath"}, "renameat2": {source: "oldpath", target: "newpath"},
	"link": {source: "newpath", target: "oldpath"}, "linkat": {source: "newpath", target: "oldpath"},
	"symlink": {source: "linkpath", target: "target"}, "symlinkat": {source: "linkpath", target: "target"},
	"mount": {source: "dev", target: "dir"},
}

// pathValue is a fs.path.* field. Opens have one also when they failed, other
// calls only when they succeeded.
func (e *Event) pathValue(n uint16) (Value, bool) {
	name := e.Type.String()
	opens := strings.HasPrefix(name, "open")
	if res, ok := e.Result(); !ok || res < 0 && !opens {
		return Value{}, false
	}
	if name == "fchmod" || name == "fchown" {
		if e.FD == nil || n != fsName && n != fsNameRaw {
			return Value{}, false
		}
		return text(e.FD.Name), true
	}
	call, ok := pathCalls[name]
	if !ok {
		return Value{}, false
	}
	param := call.name
	switch n {
	case fsSource, fsSourceRaw:
		param = call.source
	case fsTarget, fsTargetRaw:
		param = call.target
	}
	i := e.param(param)
	if param == "" || i < 0 || len(e.Params.At(i)) == 0 {
		return Value{}, false
	}
	if n == fsNameRaw || n == fsSourceRaw || n == fsTargetRaw {
		return text(str(cut(e.Params.At(i)))), true
	}
	if n == fsName && opens && e.FD != nil && e.FD.Num >= 0 {
		return text(e.FD.Name), true
	}
	return text(e.wholePath(i)), true
}

// abspath is evt.abspath: the whole path of the *at calls.
func (e *Event) abspath(arg string) (Value, bool) {
	names := [...]string{"name", "path", "filename", "pathname", "linkpath"}
	list := names[:]
	switch arg {
	case "src":
		list = []string{"oldpath"}
	case "dst":
		list = []string{"newpath"}
	}
	info, ok := e.Type.Info()
	if !ok {
		return Value{}, false
	}
	for _, n := range list {
		if i := e.param(n); i >= 0 && i < len(info.Params) && info.Params[i].Type == TypeFSRelPath && len(e.Params.At(i)) > 0 {
			return text(e.wholePath(i)), true
		}
	}
	return Value{}, false
}

// openPath is the whole path of a failed open.
func (e *Event) openPath() string {
	if i := e.param("name"); i >= 0 && len(e.Params.At(i)) > 0 {
		return e.wholePath(i)
	}
	return ""
}

// wholePath is parameter i as an absolute path without dots and doubled
// slashes, worked out from the text alone: links are not followed.
func (e *Event) wholePath(i int) string {
	p := str(cut(e.Params.At(i)))
	if p == "" {
		return ""
	}
	if p[0] == '/' {
		return clean(p)
	}
	base, ok := e.baseOf(i)
	if !ok {
		return unknownRoot + p
	}
	if base == "" {
		return p
	}
	return clean(base + "/" + p)
}

// baseOf is the directory that a relative parameter i counts from.
func (e *Event) baseOf(i int) (string, bool) {
	info, ok := e.Type.Info()
	if ok && i < len(info.Params) && info.Params[i].Dirfd >= 0 {
		fd, ok := e.Params.Int(int(info.Params[i].Dirfd))
		if ok && fd != atCwd {
			for _, dir := range [...]*FD{e.FD, e.Dirs[0], e.Dirs[1]} {
				if dir != nil && dir.Num == fd {
					return dir.Name, true
				}
			}
			return "", false
		}
	}
	if e.Process == nil {
		return "", false
	}
	return e.Process.Cwd, e.Process.Cwd != "" || !ok || !strings.HasSuffix(info.Name, "at")
}

// clean normalises an absolute path; it copies only when there is something
// to change.
func clean(p string) string {
	if len(p) >= maxPath {
		return tooLong
	}
	if !strings.Contains(p, "//") && !strings.Contains(p, "/.") && (len(p) == 1 || !strings.HasSuffix(p, "/")) {
		return p
	}
	return path.Clean(p)
}

// appendWhole appends the whole path of a relative path parameter.
func (e *Event) appendWhole(dst []byte, _ *Info, i int) []byte {
	b := cut(e.Params.At(i))
	if len(b) == 0 || b[0] == '/' {
		return dst
	}
	if _, ok := e.baseOf(i); !ok {
		return dst
	}
	return append(dst, e.wholePath(i)...)
}
