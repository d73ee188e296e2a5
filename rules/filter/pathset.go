package filter

import (
	"strings"

	"github.com/gumshoe-ir/gumshoe/event"
)

// pathSet is pmatch: whether the components of some path in it begin those of
// a value. Components with ?, * or [ match one component as globs.
type pathSet struct {
	end   bool // a path ends here: all below it matches
	exact map[string]*pathSet
	globs []globBranch
}

type globBranch struct {
	pattern string
	next    *pathSet
}

func newPathSet(paths []string) *pathSet {
	root := &pathSet{}
	for _, p := range paths {
		n := root
		for part, rest := component(p); part != ""; part, rest = component(rest) {
			n = n.child(part)
		}
		n.end = true
	}
	return root
}

func (s *pathSet) child(part string) *pathSet {
	if strings.ContainsAny(part, "?*[") {
		for _, g := range s.globs {
			if g.pattern == part {
				return g.next
			}
		}
		next := &pathSet{}
		s.globs = append(s.globs, globBranch{part, next})
		return next
	}
	if next := s.exact[part]; next != nil {
		return next
	}
	if s.exact == nil {
		s.exact = map[string]*pathSet{}
	}
	s.exact[part] = &pathSet{}
	return s.exact[part]
}

func (s *pathSet) holds(v event.Value) bool { return s.has(v.Str) }

func (s *pathSet) has(path string) bool {
	if s.end {
		return true
	}
	part, rest := component(path)
	if part == "" {
		return false
	}
	if next := s.exact[part]; next != nil && next.has(rest) {
		return true
	}
	for _, g := range s.globs {
		if event.Glob(g.pattern, part) && g.next.has(rest) {
			return true
		}
	}
	return false
}

// component cuts the first part off a path, skipping slashes; "" at the end.
func component(path string) (part, rest string) {
	for path != "" && path[0] == '/' {
		path = path[1:]
	}
	if i := strings.IndexByte(path, '/'); i >= 0 {
		return path[:i], path[i:]
	}
	return path, ""
}
