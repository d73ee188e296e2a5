package container_test

import (
	"context"
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/gumshoe-ir/gumshoe/collector/container"
	"github.com/gumshoe-ir/gumshoe/event"
	"github.com/gumshoe-ir/gumshoe/internal/need"
	"github.com/gumshoe-ir/gumshoe/internal/runtimes"
)

// told is what we look at of an answer.
type told struct {
	ID, Name, Image, ImageID, ImageRepo, ImageTag string
	FullID                                        string `json:"full_id"`
	Type                                          event.Runtime
	Labels                                        map[string]string
	Mounts                                        []struct{ Source, Destination string }
	Privileged                                    bool
	Sandbox                                       bool   `json:"is_pod_sandbox"`
	Created                                       int64  `json:"created_time"`
	Problem                                       string `json:"problem"`
}

func start(t *testing.T, o container.Options) (*container.Resolver, func(id string) told) {
	t.Helper()
	r, err := container.New(o)
	if err != nil {
		t.Fatal(err)
	}
	out := make(chan *event.Batch)
	done := make(chan error, 1)
	ctx, cancel := context.WithCancel(t.Context())
	go func() { done <- r.Run(ctx, out) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run = %v", err)
		}
	})
	return r, func(id string) told {
		t.Helper()
		deadline := time.After(20 * time.Second)
		for {
			select {
			case b := <-out:
				for i := range b.Events {
					if c := parse(t, &b.Events[i]); strings.HasPrefix(id, c.ID) {
						return c
					}
				}
			case <-deadline:
				t.Fatalf("no answer for %s", id)
			}
		}
	}
}

func parse(t *testing.T, e *event.Event) told {
	t.Helper()
	if e.Type != event.AsynceventE || e.TID != -1 {
		t.Errorf("event %v of thread %d", e.Type, e.TID)
	}
	doc, _ := e.Params.Text(2)
	var d struct{ Container told }
	if err := json.Unmarshal([]byte(doc), &d); err != nil {
		t.Fatalf("%v in %s", err, doc)
	}
	return d.Container
}

func TestDocker(t *testing.T) {
	t.Parallel()
	d := runtimes.NeedDocker(t)
	_, answer := start(t, container.Options{Docker: []string{d.Socket}, CRI: []string{}})
	dir := t.TempDir()
	id, err := d.Run(t.Context(), "web-1", []string{"--label=tier=front", "--volume=" + dir + ":/data"}, "sleep", "100")
	if err != nil {
		t.Fatal(err)
	}
	got := answer(id) // nobody asked: docker's own events told
	if got.Name != "web-1" || got.Image != runtimes.Image || got.ImageRepo != "gumshoe.test/busybox" || got.ImageTag != "1" ||
		got.FullID != id || len(got.ImageID) != 64 || got.Type != event.Docker || got.Labels["tier"] != "front" ||
		got.Privileged || len(got.Mounts) != 1 || got.Mounts[0].Source != dir || got.Problem != "" ||
		time.Since(time.Unix(got.Created, 0)).Abs() > time.Minute {
		t.Errorf("told %+v", got)
	}
	if _, err := d.CLI(t.Context(), "rename", "web-1", "web-2"); err != nil {
		t.Fatal(err)
	}
	for answer(id).Name != "web-2" {
	}
}

func TestDockerThatRanBefore(t *testing.T) {
	t.Parallel()
	d := runtimes.NeedDocker(t)
	running, err := d.Run(t.Context(), "before", nil, "sleep", "100")
	if err != nil {
		t.Fatal(err)
	}
	stopped, err := d.Run(t.Context(), "stopped", nil, "true")
	if err != nil {
		t.Fatal(err)
	}
	r, answer := start(t, container.Options{Docker: []string{d.Socket}, CRI: []string{"/nonexistent.sock"}})
	if got := answer(running); got.Name != "before" {
		t.Errorf("told %+v", got)
	}
	r.Want(&event.Container{ID: stopped[:12], Runtime: event.Docker, Pending: true})
	if got := answer(stopped); got.Name != "stopped" {
		t.Errorf("asked by its short id: %+v", got)
	}
	if err := d.Remove(t.Context(), running); err != nil {
		t.Fatal(err)
	}
	r.Want(&event.Container{ID: running[:12], FullID: running, Runtime: event.Docker, Pending: true})
	if got := answer(running); got.Name != "before" {
		t.Errorf("after it was removed: %+v", got)
	}
	r.Want(&event.Container{ID: "0123456789ab", Runtime: event.Docker, Pending: true})
	if got := answer("0123456789ab"); got.Problem != "docker: no such container" {
		t.Errorf("one that never was: %+v", got)
	}
}

func TestCRI(t *testing.T) {
	t.Parallel()
	c := runtimes.NeedCRI(t)
	p, err := c.RunPod(t.Context(), "billing", "api-7c9", "sleep", "100")
	if err != nil {
		t.Fatal(err)
	}
	r, answer := start(t, container.Options{Docker: []string{}, CRI: []string{c.Socket}})
	got := answer(p.Container)
	if got.Name != "app" || got.Image != runtimes.Image || got.Type != event.Containerd || got.Sandbox || got.Problem != "" ||
		got.Labels["io.kubernetes.pod.name"] != "api-7c9" || got.Labels["io.kubernetes.pod.namespace"] != "billing" ||
		got.Labels["io.kubernetes.pod.uid"] != p.UID || len(got.ImageID) != 64 || got.Created == 0 {
		t.Errorf("container %+v", got)
	}
	r.Want(&event.Container{ID: p.Sandbox[:12], FullID: p.Sandbox, Runtime: event.Containerd, Pending: true})
	if got := answer(p.Sandbox); !got.Sandbox || got.Labels["io.kubernetes.pod.name"] != "api-7c9" || got.Problem != "" {
		t.Errorf("sandbox %+v", got)
	}
	unknown := strings.Repeat("0123456789abcdef", 4)
	r.Want(&event.Container{ID: unknown[:12], FullID: unknown, Runtime: event.Containerd, Pending: true})
	if got := answer(unknown); got.Problem != "cri: no such container" {
		t.Errorf("one that never was: %+v", got)
	}
}

func TestSocketsThatDoNotAnswer(t *testing.T) {
	t.Parallel()
	_, statErr := os.Stat("/nonexistent.sock")
	if statErr == nil {
		need.Skip(t, "somebody made /nonexistent.sock")
	}
	r, answer := start(t, container.Options{Docker: []string{"/nonexistent.sock"}, CRI: []string{"/nonexistent.sock"}})
	r.Want(&event.Container{ID: "0123456789ab", Runtime: event.Docker, Pending: true})
	if got := answer("0123456789ab"); !strings.Contains(got.Problem, "answer") {
		t.Errorf("told %+v", got)
	}
}
