// Package need skips tests that lack something of their surroundings, and says
// why. A skip is a claim: with GUMSHOE_REQUIRE=1, which CI sets, it fails.
package need

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Skip ends the test because of reason, as a failure where nothing may be skipped.
func Skip(t testing.TB, reason string) {
	t.Helper()
	if os.Getenv("GUMSHOE_REQUIRE") == "1" {
		t.Fatalf("skipped under GUMSHOE_REQUIRE=1: %s", reason)
	}
	t.Skip(reason)
}

// Root skips unless the test runs as root.
func Root(t testing.TB) {
	t.Helper()
	if os.Geteuid() != 0 {
		Skip(t, "needs root")
	}
}

// BPF skips unless BPF programs with CO-RE can be loaded here.
func BPF(t testing.TB) {
	t.Helper()
	Root(t)
	if _, err := os.Stat("/sys/kernel/btf/vmlinux"); err != nil {
		Skip(t, "needs kernel BTF: "+err.Error())
	}
}

// Program skips unless name can be run, and is its path.
func Program(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		Skip(t, "needs the program "+name)
	}
	return path
}

// Shared is the path of a file of the shared test data, found by
// GUMSHOE_SHARED or beside the checkout.
func Shared(t testing.TB, name string) string {
	t.Helper()
	root := os.Getenv("GUMSHOE_SHARED")
	if root == "" {
		root = filepath.Join(checkout(t), "..", "shared")
	}
	path := filepath.Join(root, name)
	if _, err := os.Stat(path); err != nil {
		Skip(t, "needs the shared test data: "+err.Error())
	}
	return path
}

// checkout is the folder of go.mod.
func checkout(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; dir != "/"; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
	}
	t.Fatal("no go.mod above the test")
	return ""
}
