package e2e

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// traceLine is one call of strace, returned.
type traceLine struct {
	name   string
	args   []string
	pid    int
	cwd    *string // of the caller, changed by chdir
	result int64   // negative errno
}

// deed is what c was, and false when it is none or left out: what
// audit's handlers say.
func (c *traceLine) deed() (deed, bool) {
	switch c.name {
	case "execve", "execveat":
		return c.exec()
	case "open", "openat", "openat2", "creat":
		return c.open()
	case "connect":
		return c.connect()
	case "chdir":
		if c.result == 0 {
			*c.cwd = c.path(0)
		}
		return deed{}, false
	case "fchdir":
		if c.result == 0 {
			*c.cwd = behind(c.args[0])
		}
		return deed{}, false
	}
	return c.change()
}

// paths of calls that change files: the arguments of target and second path.
// Before the path of an *at call stands its folder.
var paths = map[string]struct {
	verb           string
	target, second int
}{
	"unlink": {"unlink", 0, -1}, "unlinkat": {"unlink", 1, -1}, "rmdir": {"rmdir", 0, -1}, "mkdir": {"mkdir", 0, -1}, "mkdirat": {"mkdir", 1, -1},
	"rename": {"rename", 0, 1}, "renameat": {"rename", 1, 3}, "renameat2": {"rename", 1, 3}, "link": {"link", 1, 0}, "linkat": {"link", 3, 1},
	"symlink": {"symlink", 1, 0}, "symlinkat": {"symlink", 2, 0}, "chmod": {"chmod", 0, -1}, "fchmodat": {"chmod", 1, -1}, "fchmod": {"chmod", 0, -1},
	"chown": {"chown", 0, -1}, "lchown": {"chown", 0, -1}, "fchownat": {"chown", 1, -1}, "fchown": {"chown", 0, -1},
}

func (c *traceLine) change() (deed, bool) {
	p, ok := paths[c.name]
	if !ok || !c.counts() {
		return deed{}, false
	}
	d := deed{pid: c.pid, verb: p.verb, target: c.path(p.target), result: max(-c.result, 0)}
	switch {
	case c.name == "fchmod" || c.name == "fchown":
		d.target = behind(c.args[0])
	case c.name == "unlinkat" && strings.Contains(c.args[2], "AT_REMOVEDIR"):
		d.verb = "rmdir"
	case p.verb == "symlink":
		d.nth = text(c.args[p.second])
	case p.second >= 0:
		d.nth = c.path(p.second)
	}
	return d, strings.HasPrefix(d.target, "/")
}

// counts tells whether c worked, or somebody was refused.
func (c *traceLine) counts() bool {
	return c.result >= 0 || slices.Contains([]int64{-1, -13, -30}, c.result)
}

// path is the whole path in argument i.
func (c *traceLine) path(i int) string {
	p := text(c.args[i])
	if p == "" || p[0] == '/' {
		return filepath.Clean(p)
	}
	base := *c.cwd
	if i > 0 && strings.HasSuffix(strings.TrimSuffix(c.name, "2"), "at") {
		base = behind(c.args[i-1])
	}
	return filepath.Join(base, p)
}

// behind is the path that strace tells of descriptor s: 3<\x2f>.
func behind(s string) string {
	_, s, _ = strings.Cut(s, "<")
	return text(`"` + strings.TrimSuffix(s, ">") + `"`)
}

// text is a string of strace -xx.
func text(s string) string {
	if u, err := strconv.Unquote(s); err == nil {
		return u
	}
	return ""
}

// start cuts long command lines, which the trail need not have whole.
func start(s string) string { return s[:min(len(s), 1000)] }

func (c *traceLine) exec() (deed, bool) {
	at := 0
	if c.name == "execveat" {
		at = 1
	}
	var argv []string
	for _, a := range split(strings.Trim(c.args[at+1], "[]")) {
		argv = append(argv, text(a))
	}
	d := deed{pid: c.pid, verb: "exec"}
	if c.result < 0 {
		if c.result == -2 && !strings.Contains(argv[0], "/") {
			return d, false // a step of a search in PATH
		}
		d.verb, d.result = "exec failed", -c.result
	} else {
		argv = interpreted(c.path(at), text(c.args[at]), argv)
	}
	d.target = start(strings.Join(argv, " "))
	return d, true
}

// interpreted is argv as the kernel makes it for a script (execve(2)).
func interpreted(path, asked string, argv []string) []string {
	b, err := os.ReadFile(path)
	if err != nil || !strings.HasPrefix(string(b), "#!") {
		return argv
	}
	line, _, _ := strings.Cut(string(b[2:]), "\n")
	by, option, _ := strings.Cut(strings.TrimSpace(line), " ")
	out := []string{by}
	if option = strings.TrimSpace(option); option != "" {
		out = append(out, option)
	}
	return append(append(out, asked), argv[1:]...)
}

func (c *traceLine) open() (deed, bool) {
	name, flags := 0, ""
	switch c.name {
	case "creat":
		flags = "O_CREAT"
	case "open":
		flags = c.args[1]
	default:
		name, flags = 1, c.args[2]
	}
	d := deed{pid: c.pid, verb: "write", target: c.path(name), result: max(-c.result, 0)}
	has := func(some ...string) bool {
		return slices.ContainsFunc(some, func(f string) bool { return slices.Contains(strings.FieldsFunc(flags, notFlag), f) })
	}
	switch {
	case !c.counts(), strings.HasPrefix(d.target, "/dev/"), strings.HasPrefix(d.target, "/proc/"):
		return d, false
	case !has("O_WRONLY", "O_RDWR", "O_CREAT", "O_TRUNC", "O_TMPFILE"):
		d.verb = "read"
		return d, d.target == "/etc/shadow"
	}
	return d, has("O_TMPFILE") || !has("O_DIRECTORY")
}

func notFlag(r rune) bool { return r != '_' && (r < 'A' || r > 'Z') && (r < '0' || r > '9') }

var internet = regexp.MustCompile(`AF_INET, sin_port=htons\((\d+)\), sin_addr=inet_addr\(("[^"]*")\)`)

func (c *traceLine) connect() (deed, bool) {
	m := internet.FindStringSubmatch(strings.Join(c.args, ", "))
	if m == nil || m[1] == "0" {
		return deed{}, false
	}
	return deed{pid: c.pid, verb: "connect", target: text(m[2]) + ":" + m[1], result: max(-c.result, 0)}, true
}
