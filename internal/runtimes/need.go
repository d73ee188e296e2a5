package runtimes

import (
	"strings"
	"testing"

	"github.com/gumshoe-ir/gumshoe/internal/need"
)

// NeedDocker is a docker daemon that ends with the test.
func NeedDocker(t testing.TB) *Docker {
	t.Helper()
	need.Root(t)
	need.Program(t, "dockerd")
	need.Program(t, "docker")
	need.Program(t, "busybox")
	d, err := StartDocker(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Stop(); err != nil {
			t.Errorf("stop docker: %v", err)
		}
	})
	return d
}

// NeedCRI is a containerd with CRI that ends with the test.
func NeedCRI(t testing.TB) *CRI {
	t.Helper()
	need.Root(t)
	need.Program(t, "containerd")
	need.Program(t, "ctr")
	need.Program(t, "runc")
	need.Program(t, "busybox")
	c, err := StartCRI(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Stop(); err != nil {
			t.Errorf("stop containerd: %v", err)
		}
	})
	return c
}

func lines(s string) []string { return strings.Fields(s) }
