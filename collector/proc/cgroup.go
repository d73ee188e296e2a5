package proc

import (
	"strings"

	"github.com/gumshoe-ir/gumshoe/event"
)

// A cgroup path tells which container a process is in, by the name that its
// runtime gave one of the path's elements (spec/scap.md §6.4). The element may
// be at any depth, as systemd inside a container makes cgroups of its own; of
// containers in containers the innermost counts.

// found is what a cgroup path says of a container.
type found struct {
	id      string // as the runtime knows it, whole
	runtime event.Runtime
	depth   int
	podUID  string
}

// containerOf finds the container in the paths of cgroups ("subsys=path").
func containerOf(cgroups []string) (found, bool) {
	var best found
	for _, cg := range cgroups {
		f, ok := containerInPath(cgroupPath(cg))
		if ok && f.depth > best.depth {
			best = f
		}
	}
	return best, best.depth > 0
}

// cgroupPath is the path in "subsys=path", where subsys may have a '=' too.
func cgroupPath(cg string) string {
	slash := strings.IndexByte(cg, '/')
	if slash < 0 {
		return ""
	}
	return cg[slash:]
}

const maxCgroupDepth = 64

func containerInPath(path string) (found, bool) {
	if len(path) > maxPath*4 {
		return found{}, false
	}
	parts := strings.Split(strings.TrimPrefix(path, "/"), "/")
	if len(parts) > maxCgroupDepth {
		parts = parts[:maxCgroupDepth]
	}
	for i := len(parts) - 1; i >= 0; i-- {
		id, runtime, ok := containerInPart(parts, i)
		if ok && id != "" && len(id) <= 256 {
			return found{id, runtime, i + 1, podUID(parts[:i+1])}, true
		}
	}
	return found{}, false
}

// prefixes are runtimes that mark a container by a prefix to its 64 digits.
var prefixes = []struct {
	prefix  string
	runtime event.Runtime
}{
	{"libpod-payload-", event.Podman},
	{"libpod-", event.Podman},
	{"docker-", event.Docker},
	{"crio-", event.CRIO},
	{"cri-containerd-", event.Containerd},
	{"nerdctl-", event.Containerd},
}

// containerInPart tells whether element i of a path is a container's.
func containerInPart(parts []string, i int) (id string, runtime event.Runtime, ok bool) {
	part, above := parts[i], ""
	if i > 0 {
		above = parts[i-1]
	}
	bare := strings.TrimSuffix(part, ".scope")
	if isID64(part) {
		return part, runtimeOfBare(parts, i), true
	}
	for _, p := range prefixes {
		if id, ok := strings.CutPrefix(bare, p.prefix); ok && isID64(id) {
			return id, p.runtime, true
		}
	}
	if at := strings.LastIndex(part, ":cri-containerd:"); at >= 0 && isID64(part[at+16:]) {
		return part[at+16:], event.Containerd, true
	}
	if at := strings.LastIndex(part, ":crio:"); at >= 0 && isID64(part[at+6:]) {
		return part[at+6:], event.CRIO, true
	}
	if id, runtime, ok = namedContainer(parts, i, above, part, bare); ok {
		return id, runtime, true
	}
	return "", 0, false
}

// runtimeOfBare is whose element of 64 digits parts[i] is, by those above it.
func runtimeOfBare(parts []string, i int) event.Runtime {
	above := ""
	if i > 0 {
		above = parts[i-1]
	}
	switch {
	case above == "docker":
		return event.Docker
	case above == "k8s.io" || above == "default" && i == 1:
		return event.Containerd
	case above == "libpod_parent", strings.HasPrefix(above, "podman-") && strings.HasSuffix(above, ".scope"):
		return event.Podman
	case parts[0] == "user.slice" && len(parts) > 1 && strings.HasPrefix(parts[1], "user-"):
		return event.Podman
	case podUID(parts[:i]) != "":
		for _, p := range parts[:i] {
			if strings.Contains(p, "kubepods") {
				return event.Containerd
			}
		}
	}
	return event.Docker
}

// namedContainer knows the runtimes that use names instead of digits.
func namedContainer(parts []string, i int, above, part, bare string) (string, event.Runtime, bool) {
	switch {
	case above == "lxc" && i > 1 && parts[i-2] == "libvirt":
		return part, event.LibvirtLXC, true
	case strings.HasSuffix(part, ".libvirt-lxc"):
		return strings.TrimSuffix(part, ".libvirt-lxc"), event.LibvirtLXC, true
	case bare != part && strings.HasPrefix(part, `machine-lxc\x2d`):
		name := unescapeUnit(strings.TrimPrefix(bare, `machine-lxc\x2d`))
		if n, rest, ok := strings.Cut(name, "-"); ok && isDigits(n) {
			name = rest
		}
		return name, event.LibvirtLXC, true
	case above == "lxc" || above == "lxc.payload":
		return part, event.LXC, true
	case strings.HasPrefix(part, "lxc.payload."):
		return strings.TrimPrefix(part, "lxc.payload."), event.LXC, true
	case bare != part && strings.HasPrefix(part, "bpm-"):
		return strings.TrimPrefix(bare, "bpm-"), event.BPM, true
	case above == "mesos" && len(part) == 36 && isHexDash(part):
		return part, event.Mesos, true
	case above == "machine.slice":
		return nspawn(part, bare)
	case i == 1 && len(parts) >= 2 && isNamespace(above) && plainName(part):
		return part, event.Containerd, true
	}
	return "", 0, false
}

// nspawn reads machine-NAME.scope and systemd-nspawn@NAME.service. Virtual
// machines of libvirt lie in the same slice and are no containers.
func nspawn(part, bare string) (string, event.Runtime, bool) {
	name, ok := strings.CutPrefix(bare, "machine-")
	if !ok || bare == part {
		if name, ok = strings.CutPrefix(part, "systemd-nspawn@"); ok {
			name, ok = strings.CutSuffix(name, ".service")
		}
	}
	if !ok || strings.HasPrefix(name, `qemu\x2d`) || strings.HasPrefix(name, `xen\x2d`) {
		return "", 0, false
	}
	return unescapeUnit(name), event.Nspawn, true
}

// isNamespace knows the namespaces that containerd's own clients use. Any
// other pair of elements says too little.
func isNamespace(s string) bool {
	return s == "default" || s == "k8s.io" || s == "buildkit"
}

func plainName(s string) bool {
	for _, suffix := range []string{".service", ".slice", ".scope"} {
		if strings.HasSuffix(s, suffix) {
			return false
		}
	}
	return s != "" && len(s) <= 64
}

// podUID is the pod in the elements of a path, "" when none.
func podUID(parts []string) string {
	for i := len(parts) - 1; i >= 0; i-- {
		s := parts[i]
		for at := strings.Index(s, "pod"); at >= 0; {
			if uid := s[at+3:]; len(uid) >= 36 && isUID(uid[:36]) {
				return strings.ReplaceAll(uid[:36], "_", "-")
			} else if len(uid) >= 32 && isHex(uid[:32]) && (len(uid) == 32 || uid[32] == '.') {
				return uid[:32]
			}
			next := strings.Index(s[at+3:], "pod")
			if next < 0 {
				break
			}
			at += 3 + next
		}
	}
	return ""
}

// isUID tells whether s is 8-4-4-4-12 with dashes or underscores.
func isUID(s string) bool {
	for i := range len(s) {
		switch c := s[i]; i {
		case 8, 13, 18, 23:
			if c != '-' && c != '_' {
				return false
			}
		default:
			if (c < '0' || c > '9') && (c < 'a' || c > 'z') {
				return false
			}
		}
	}
	return true
}

func isID64(s string) bool { return len(s) == 64 && isHex(s) }

func isHex(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

func isHexDash(s string) bool { return isHex(strings.ReplaceAll(s, "-", "")) }

func isDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// unescapeUnit undoes systemd's \xNN in the name of a unit.
func unescapeUnit(s string) string {
	if !strings.Contains(s, `\x`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+3 < len(s) && s[i+1] == 'x' && isHex(s[i+2:i+4]) {
			b.WriteByte(unhex(s[i+2])<<4 | unhex(s[i+3]))
			i += 3
			continue
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

func unhex(c byte) byte {
	if c <= '9' {
		return c - '0'
	}
	return c - 'a' + 10
}
