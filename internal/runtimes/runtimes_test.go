package runtimes_test

import (
	"os"
	"strings"
	"testing"

	"github.com/gumshoe-ir/gumshoe/internal/runtimes"
)

func TestDockerRunsAContainerAndLeavesNothing(t *testing.T) {
	var socket string
	t.Run("run", func(t *testing.T) {
		d := runtimes.NeedDocker(t)
		socket = d.Socket
		id, err := d.Run(t.Context(), "box", nil, "sleep", "100")
		if err != nil {
			t.Fatal(err)
		}
		if out, err := d.CLI(t.Context(), "exec", id, "cat", "/etc/passwd"); err != nil || !strings.Contains(out, "app:x:1000") {
			t.Errorf("exec = %q, %v", out, err)
		}
	})
	if _, err := os.Stat(socket); socket != "" && err == nil {
		t.Errorf("%s is still there", socket)
	}
}

func TestCRIRunsAPod(t *testing.T) {
	c := runtimes.NeedCRI(t)
	p, err := c.RunPod(t.Context(), "billing", "api-7c9", "sleep", "100")
	if err != nil {
		t.Fatal(err)
	}
	if out, err := c.Exec(t.Context(), p, "id"); err != nil || !strings.Contains(out, "uid=0") {
		t.Errorf("exec = %q, %v", out, err)
	}
	if err := c.RemovePod(t.Context(), p); err != nil {
		t.Error(err)
	}
}
