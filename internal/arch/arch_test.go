// Package arch holds the architecture to its drawing: who may import whom,
// which third-party library stays behind which package, and how large a file,
// a function and an interface may grow. A new package is added to the table
// or the test fails: growth is a decision.
package arch

import (
	"bytes"
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/gumshoe-ir/gumshoe"

// allowed is the import table of docs/architecture.md: package to the
// packages of ours that it may import besides event and event/safe.
var allowed = map[string][]string{
	"event":               {},
	"event/safe":          {},
	"bpf":                 {},
	"collector":           {},
	"collector/kernel":    {"bpf"},
	"collector/proc":      {},
	"collector/container": {},
	"rules/filter":        {},
	"rules":               {"rules/filter"},
	"audit":               {"rules/filter"},
	"audit/store":         {"rules/filter", "audit"},
	"fleet/socket":        {"rules/filter", "audit", "fleet/socket/wire"},
	"fleet/socket/wire":   {},
	"tui":                 {"rules/filter", "audit", "tui/..."},
	"tui/...":             {"rules/filter", "audit", "tui/pane", "tui/list", "tui/tree", "tui/prompt", "tui/theme"},
	"cmd/gumshoe":         {"..."},
	"internal/...":        {"..."},
}

// behind says which packages may import a third-party library at all.
var behind = map[string][]string{
	"github.com/cilium/ebpf":         {"bpf", "collector/kernel"},
	"github.com/mattn/go-sqlite3":    {"audit/store"},
	"github.com/creack/pty":          {"shell"},
	"github.com/moby/moby":           {"collector/container"},
	"k8s.io/cri-api":                 {"collector/container", "internal/runtimes"},
	"github.com/hashicorp/go-plugin": {"plugins"},
	"google.golang.org/grpc":         {"plugins", "fleet/socket", "fleet/socket/wire", "collector/container", "internal/runtimes"},
	"github.com/nats-io":             {"fleet/jetstream", "plugins/notify"},
	"charm.land":                     {"tui", "tui/...", "cmd/gumshoe"},
}

type pkg struct {
	ImportPath string
	Dir        string
	Doc        string
	Imports    []string
	GoFiles    []string
	CgoFiles   []string
}

func (p pkg) name() string { return strings.TrimPrefix(p.ImportPath, module+"/") }

func packages(t *testing.T) []pkg {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Dir,Doc,Imports,GoFiles,CgoFiles", "-tags", "sqlite_fts5", "./...")
	cmd.Dir = "../.."
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []pkg
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkg
		err := dec.Decode(&p)
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

// entry finds name in a table, by itself or by a pattern above it.
func entry[V any](table map[string]V, name string) (V, bool) {
	if v, ok := table[name]; ok {
		return v, true
	}
	for dir := name; dir != "."; dir = filepath.Dir(dir) {
		if v, ok := table[dir+"/..."]; ok {
			return v, true
		}
	}
	var zero V
	return zero, false
}

func matches(patterns []string, name string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool {
		dir, open := strings.CutSuffix(p, "...")
		return p == name || open && strings.HasPrefix(name, dir)
	})
}

func TestImportsFollowTheDrawing(t *testing.T) {
	for _, p := range packages(t) {
		may, known := entry(allowed, p.name())
		if !known {
			t.Errorf("%s is not in the table: add it to docs/architecture.md and here, if it must be", p.name())
			continue
		}
		for _, imp := range p.Imports {
			if ours, ok := strings.CutPrefix(imp, module+"/"); ok {
				vocabulary := ours == "event" || ours == "event/safe"
				if !vocabulary && !matches(may, ours) {
					t.Errorf("%s imports %s, which the drawing does not allow", p.name(), ours)
				}
			}
		}
	}
}

func TestLibrariesStayBehindTheirPackage(t *testing.T) {
	for _, p := range packages(t) {
		if strings.HasPrefix(p.name(), "internal/") {
			continue // test support
		}
		for lib, homes := range behind {
			uses := slices.ContainsFunc(p.Imports, func(i string) bool { return i == lib || strings.HasPrefix(i, lib+"/") })
			if uses && !matches(homes, p.name()) {
				t.Errorf("%s imports %s, which belongs behind %v", p.name(), lib, homes)
			}
		}
	}
}

func TestPackagesSayWhatTheyAreFor(t *testing.T) {
	vague := []string{"util", "utils", "common", "helper", "helpers", "misc", "base", "manager", "types", "models"}
	for _, p := range packages(t) {
		if p.Doc == "" && len(p.GoFiles) > 0 {
			t.Errorf("%s has no package comment", p.name())
		}
		if slices.Contains(vague, filepath.Base(p.name())) {
			t.Errorf("%s: the name says nothing", p.name())
		}
	}
}

// Budgets beyond which code is split by idea.
const (
	maxFile      = 500
	maxFunction  = 60
	maxInterface = 4
)

func TestNothingOutgrowsItsBudget(t *testing.T) {
	for _, p := range packages(t) {
		for _, file := range slices.Concat(p.GoFiles, p.CgoFiles) {
			checkBudget(t, filepath.Join(p.Dir, file), p.name()+"/"+file)
		}
	}
}

func checkBudget(t *testing.T, path, name string) {
	t.Helper()
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, path, nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	if ast.IsGenerated(f) {
		return
	}
	lines := func(n ast.Node) int { return fset.Position(n.End()).Line - fset.Position(n.Pos()).Line + 1 }
	if n := fset.File(f.Pos()).LineCount(); n > maxFile {
		t.Errorf("%s has %d lines, %d allowed", name, n, maxFile)
	}
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			if l := lines(n); l > maxFunction {
				t.Errorf("%s: %s has %d lines, %d allowed", name, n.Name.Name, l, maxFunction)
			}
		case *ast.InterfaceType:
			if m := n.Methods.NumFields(); m > maxInterface {
				t.Errorf("%s: an interface has %d methods, %d allowed", name, m, maxInterface)
			}
		}
		return true
	})
}
