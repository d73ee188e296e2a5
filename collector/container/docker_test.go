package container

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gumshoe-ir/gumshoe/event"
)

// daemon serves docker's API on a socket from handler.
func daemon(t *testing.T, handler http.HandlerFunc) *docker {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "gs")
	if err != nil {
		t.Fatal(err)
	}
	path := dir + "/docker.sock"
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{Handler: handler, ReadHeaderTimeout: time.Second}
	done := make(chan struct{})
	go func() { defer close(done); srv.Serve(l) }()
	d, err := newDocker(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.close(); srv.Close(); <-done; os.RemoveAll(dir) })
	return d
}

const inspected = `{"Id":"%s","Created":"2026-01-02T03:04:05.5Z","Name":"/web","Image":"sha256:1111",
"Config":{"Image":"sha256:1111","Labels":{"io.kubernetes.pod.name":"p","io.kubernetes.docker.type":"podsandbox"}},
"HostConfig":{"Privileged":true},
"Mounts":[{"Source":"/a","Destination":"/b","Mode":"z","RW":true,"Propagation":"rprivate"}],
"NetworkSettings":{"Networks":{"b":{"IPAddress":"10.0.0.2"},"a":{"IPAddress":"10.0.0.1"},"0":{"IPAddress":""}}}}`

func TestDockerAnswerIsReadWhole(t *testing.T) {
	id := strings.Repeat("3ad7b26ded6d0000", 4)
	d := daemon(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Api-Version", "1.41")
		switch {
		case strings.HasSuffix(r.URL.Path, "/containers/"+id+"/json"):
			fmt.Fprintf(w, inspected, id)
		case strings.Contains(r.URL.Path, "/images/"):
			fmt.Fprint(w, `{"Id":"sha256:1111","RepoTags":["reg/x:9"],"RepoDigests":["other@sha256:22","reg/x@sha256:33"]}`)
		}
	})
	got, err := d.inspect(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	doc := string(encode(got))
	for _, part := range []string{
		`"name":"web"`, `"image":"reg/x:9"`, `"imagerepo":"reg/x"`, `"imagetag":"9"`, `"imageid":"1111"`, `"imagedigest":"sha256:33"`,
		`"ip":"10.0.0.1"`, `"privileged":true`, `"is_pod_sandbox":true`, `"created_time":1767323045`,
		`{"Source":"/a","Destination":"/b","Mode":"z","RW":true,"Propagation":"rprivate"}`,
	} {
		if !strings.Contains(doc, part) {
			t.Errorf("no %s in %s", part, doc)
		}
	}
	if got.Pod != "p" {
		t.Errorf("pod %q", got.Pod)
	}
}

func TestDockerProblems(t *testing.T) {
	for _, tt := range []struct {
		name string
		h    http.HandlerFunc
		kind kind
		says string
	}{
		{"404 means it has none", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusNotFound)
			fmt.Fprint(w, `{"message":"No such container"}`)
		}, unknown, "docker: no such container"},
		{"no JSON", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "\x1b[2J<html>") }, other, "docker: "},
		{"an answer without end is cut off", func(w http.ResponseWriter, r *http.Request) {
			w.Write([]byte(`{"Name":"`))
			for line := []byte(strings.Repeat("x", 1<<20)); r.Context().Err() == nil; {
				if _, err := w.Write(line); err != nil {
					return
				}
			}
		}, other, "docker: "},
		{"silence", func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, other, "in time"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := daemon(t, func(w http.ResponseWriter, r *http.Request) {
				if strings.HasSuffix(r.URL.Path, "/_ping") {
					w.Header().Set("Api-Version", "1.41")
					return
				}
				tt.h(w, r)
			})
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			_, err := d.inspect(ctx, "aaaaaaaaaaaa")
			p := worse(&problem{}, err, true)
			if err == nil || p.kind != tt.kind || !strings.Contains(p.text, tt.says) {
				t.Errorf("%v, kind %d, want %q", err, p.kind, tt.says)
			}
		})
	}
}

func TestMergedKeepsWhatTheCgroupSaid(t *testing.T) {
	got := merged(
		&event.Container{ID: "short", FullID: "full", Runtime: event.Podman, PodUID: "uid"},
		&event.Container{ID: "else", Name: "n", Runtime: event.Docker})
	want := &event.Container{ID: "short", FullID: "full", Runtime: event.Podman, PodUID: "uid", Name: "n"}
	if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b event.Container) bool { return fmt.Sprint(a) == fmt.Sprint(b) })); diff != "" {
		t.Error(diff)
	}
}
