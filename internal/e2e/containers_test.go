package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"os/exec"
	"testing"
	"time"

	"github.com/gumshoe-ir/gumshoe/internal/need"
	"github.com/gumshoe-ir/gumshoe/internal/runtimes"
)

// row is what these tests ask of one line of `activity --json`.
type row struct {
	Target  string
	User    string
	Process struct {
		Ancestors []struct{ Name string }
		Container struct {
			Name, Image, Pod, Namespace string
		}
	}
}

// rows asks a store that nobody writes.
func rows(t *testing.T, conf, filter string) []row {
	t.Helper()
	out, err := exec.Command(program, "--config", conf, "activity", "--json", "--filter", filter).Output()
	if err != nil && len(out) > 0 {
		t.Fatalf("activity --filter %s: %v: %s", filter, err, out)
	}
	var all []row
	for dec := json.NewDecoder(bytes.NewReader(out)); dec.More(); {
		var r row
		if err := dec.Decode(&r); err != nil {
			t.Fatal(err)
		}
		all = append(all, r)
	}
	return all
}

// collect runs the engine until the returned function is called.
func collect(t *testing.T, conf string) (stop func()) {
	t.Helper()
	cmd := exec.Command(program, "--config", conf, "collect")
	cmd.Stderr = t.Output()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	stopped := false
	stop = func() {
		if !stopped {
			stopped = true
			cmd.Process.Signal(interrupt)
			if err := cmd.Wait(); err != nil {
				t.Errorf("collect ended with %v", err)
			}
		}
	}
	t.Cleanup(stop)
	awaitRow(t, conf, "host-marker", func() { mark(t, "host-marker") })
	return stop
}

// awaitRow repeats act until word shows in a stored command.
func awaitRow(t *testing.T, conf, word string, act func()) []row {
	t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(200 * time.Millisecond) {
		act()
		if got := rows(t, conf, "gumshoe.activity.target contains "+word); len(got) > 0 {
			return got
		}
	}
	t.Fatalf("%s was never stored", word)
	return nil
}

func TestContainersAreNamedAlsoWhenGone(t *testing.T) {
	need.BPF(t)
	docker, cri := runtimes.NeedDocker(t), runtimes.NeedCRI(t)
	conf := configure(t, "containers: {docker: ["+docker.Socket+"], cri: ["+cri.Socket+"]}")
	stop := collect(t, conf)

	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	id, err := docker.Run(ctx, "web-1", nil, "sh", "-c", "while :; do ls /docker-marker; sleep 1; done")
	if err != nil {
		t.Fatal(err)
	}
	pod, err := cri.RunPod(ctx, "billing", "api-7c9", "sh", "-c", "while :; do ls /pod-marker; sleep 1; done")
	if err != nil {
		t.Fatal(err)
	}
	named := func(got []row) bool { return len(got) > 0 && got[len(got)-1].Process.Container.Image != "" }
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(300 * time.Millisecond) {
		if named(rows(t, conf, "container.name = web-1")) && named(rows(t, conf, "k8s.pod.name = api-7c9")) {
			break
		}
	}
	if err := docker.Remove(ctx, id); err != nil {
		t.Error(err)
	}
	if err := cri.RemovePod(ctx, pod); err != nil {
		t.Error(err)
	}
	stop()
	stop = collect(t, conf) // restarted, with both containers gone
	defer stop()

	for _, c := range []struct{ filter, what string }{
		{"container.name = web-1 and proc.args contains docker-marker", "docker"},
		{"k8s.pod.name = api-7c9 and k8s.ns.name = billing and proc.args contains pod-marker", "pod"},
	} {
		got := rows(t, conf, c.filter)
		if len(got) == 0 {
			t.Errorf("%s: no command is stored under its name", c.what)
			continue
		}
		r := got[0]
		if r.Process.Container.Image == "" || r.User == "" || len(r.Process.Ancestors) < 2 {
			t.Errorf("%s: image, user or ancestry is missing: %+v", c.what, r)
		}
		if c.what == "pod" && (r.Process.Container.Pod != "api-7c9" || r.Process.Container.Namespace != "billing") {
			t.Errorf("pod and namespace are %+v", r.Process.Container)
		}
	}
}
