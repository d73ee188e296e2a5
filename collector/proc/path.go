package proc

import (
	"hash/maphash"
	"strings"

	"github.com/gumshoe-ir/gumshoe/event"
)

// maxPath is what a joined path may have; longer ones become tooLong, as
// other readers of the format have it (spec/scap.md §6.2).
const (
	maxPath = 1024
	tooLong = "/DIR_TOO_LONG/FILENAME_TOO_LONG"
	unknown = "<UNKNOWN>"
)

// join makes an absolute path of name, as seen from dir, by its text alone:
// "." and ".." and double slashes are resolved, symbolic links are not.
func join(dir string, name []byte) string {
	if len(name) > 0 && name[0] == '/' {
		dir = ""
	}
	if len(dir)+len(name)+1 > maxPath {
		return tooLong
	}
	var buf [maxPath + 2]byte
	out, floor := buf[:0], 0
	if strings.HasPrefix(dir, unknown) {
		out, floor = append(out, unknown...), len(unknown)
		dir = dir[len(unknown):]
	}
	out = appendClean(out, floor, dir)
	out = appendClean(out, floor, name)
	if len(out) == floor {
		out = append(out, '/')
	}
	return string(out)
}

// appendClean appends path's elements to out, never going up above floor.
func appendClean[T string | []byte](out []byte, floor int, path T) []byte {
	for i := 0; i < len(path); {
		if path[i] == '/' {
			i++
			continue
		}
		end := i
		for end < len(path) && path[end] != '/' {
			end++
		}
		switch n := end - i; {
		case n == 1 && path[i] == '.':
		case n == 2 && path[i] == '.' && path[i+1] == '.':
			for len(out) > floor && out[len(out)-1] != '/' {
				out = out[:len(out)-1]
			}
			if len(out) > floor {
				out = out[:len(out)-1]
			}
		default:
			out = append(append(out, '/'), path[i:end]...)
		}
		i = end
	}
	return out
}

// pathCache keeps what was opened lately, so that opening the same again
// makes nothing new. It has one place per hash: the newer wins.
type pathCache struct {
	seed maphash.Seed
	at   []cachedPath
}

const pathCacheSize = 1 << 12

// cachedPath is one place: how dir and raw join, and descriptors handed out.
type cachedPath struct {
	dir, raw, name string
	opened, failed *event.FD
}

func (c *pathCache) lookup(dir string, raw []byte) *cachedPath {
	if c.at == nil {
		c.seed, c.at = maphash.MakeSeed(), make([]cachedPath, pathCacheSize)
	}
	h := maphash.Bytes(c.seed, raw)
	if len(raw) == 0 || raw[0] != '/' {
		h ^= maphash.String(c.seed, dir)
	} else {
		dir = ""
	}
	p := &c.at[h%pathCacheSize]
	if p.raw != string(raw) || p.dir != dir || p.name == "" {
		*p = cachedPath{dir: dir, raw: string(raw), name: join(dir, raw)}
	}
	return p
}
