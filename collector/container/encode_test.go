package container

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/gumshoe-ir/gumshoe/event"
)

var whole = &event.Container{
	ID: "3ad7b26ded6d", FullID: strings.Repeat("3ad7b26ded6d0000", 4), Runtime: event.Containerd,
	Name: "app", Image: "registry.example/billing/api:7", Repo: "registry.example/billing/api", Tag: "7",
	ImageID: strings.Repeat("ab", 32), Digest: "sha256:" + strings.Repeat("cd", 32),
	Labels: map[string]string{
		"app": "api <&> \x1b[2J", labelPod: "api-7c9", labelNamespace: "billing", labelPodUID: "0b7ad6ce-4b3c-4d2b-9b5e-0123456789ab",
	},
	Privileged: true, IP: netip.MustParseAddr("10.1.2.3"), Created: 1700000000_123456789,
	Mounts: []event.Mount{{Source: "/srv", Dest: "/data", Mode: "ro", Propagation: "rprivate"}},
}

// The files in testdata are what collector/proc reads in its own tests.
func TestEncodeAsRecorded(t *testing.T) {
	for _, tt := range []struct {
		file string
		c    *event.Container
	}{
		{"whole.json", whole},
		{"failed.json", &event.Container{ID: "3ad7b26ded6d", Runtime: event.Docker, Problem: "docker: no such container"}},
		{"lxc.json", &event.Container{ID: "web", Name: "web", Runtime: event.LXC}},
	} {
		var got bytes.Buffer
		if err := json.Indent(&got, encode(tt.c), "", "  "); err != nil {
			t.Fatal(err)
		}
		got.WriteByte('\n')
		if os.Getenv("UPDATE") == "1" {
			if err := os.WriteFile("testdata/"+tt.file, got.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile("testdata/" + tt.file)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), got.String()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.file, diff)
		}
	}
}

func TestParamsAreThreeWithWideLengths(t *testing.T) {
	p := params(whole)
	id, ok := p.Uint(0)
	name, _ := p.Text(1)
	if p.Len() != 3 || !ok || id != 0 || len(p.At(0)) != 4 || name != "container" {
		t.Errorf("%d parameters, id %v %v, name %q", p.Len(), id, ok, name)
	}
	data := p.At(2)
	if n := bytes.IndexByte(data, 0); n != len(data)-1 {
		t.Errorf("NUL at %d of %d bytes, want it last and alone", n, len(data))
	}
	if lens, _ := p.Raw(); len(lens) != 12 {
		t.Errorf("lengths take %d bytes, want 4 each", len(lens))
	}
}

func TestHostileAnswersAreBounded(t *testing.T) {
	long := strings.Repeat("\x00\"é", 1<<20)
	c := &event.Container{ID: "3ad7b26ded6d", Name: long, Image: long, Labels: map[string]string{labelPod: "api"}}
	for i := range 10_000 {
		c.Labels[fmt.Sprint(i, long[:3000])] = long
		c.Mounts = append(c.Mounts, event.Mount{Source: long, Dest: long})
	}
	named(bounded(c))
	if len(c.Labels) > maxLabels || len(c.Mounts) > maxMounts || len(c.Name) > maxText {
		t.Errorf("%d labels, %d mounts, a name of %d bytes", len(c.Labels), len(c.Mounts), len(c.Name))
	}
	if c.Pod != "api" {
		t.Error("the labels of Kubernetes went first, not last")
	}
	if !utf8.ValidString(c.Name) {
		t.Error("cut inside a character")
	}
	doc := encode(c)
	if len(doc) > maxDocument {
		t.Errorf("a document of %d bytes", len(doc))
	}
	var back document
	if err := json.Unmarshal(doc, &back); err != nil || back.Container.Labels[labelPod] != "api" {
		t.Errorf("%v, labels %v", err, back.Container.Labels)
	}
}

func TestReference(t *testing.T) {
	for _, tt := range []struct{ image, repo, tag, digest string }{
		{"nginx", "nginx", "", ""},
		{"nginx:1.27", "nginx", "1.27", ""},
		{"registry:5000/a/b", "registry:5000/a/b", "", ""},
		{"registry:5000/a/b:c", "registry:5000/a/b", "c", ""},
		{"a/b@sha256:00", "a/b", "", "sha256:00"},
		{"a/b:c@sha256:00", "a/b", "c", "sha256:00"},
		{"", "", "", ""},
	} {
		if r, tag, d := reference(tt.image); r != tt.repo || tag != tt.tag || d != tt.digest {
			t.Errorf("reference(%q) = %q %q %q", tt.image, r, tag, d)
		}
	}
}

func TestPlausible(t *testing.T) {
	for id, want := range map[string]bool{
		"3ad7b26ded6d": true, "web_1.a-b": true,
		"": false, "../images/x": false, "a/b": false, "a?b": false, "-f": false, ".": false, "a\nb": false,
		strings.Repeat("a", 129): false,
	} {
		if plausible(id) != want {
			t.Errorf("plausible(%q) = %v", id, !want)
		}
	}
}

func FuzzEncode(f *testing.F) {
	f.Add("3ad7b26ded6d", "web", "reg/x:1", labelPod, "api")
	f.Add("", "\x00\xff\x1b[2J", "@:/", "", "\"\\\u2028")
	f.Fuzz(func(t *testing.T, id, name, image, label, value string) {
		c := &event.Container{ID: id, Name: name, Image: image, Labels: map[string]string{label: value}}
		c.Repo, c.Tag, c.Digest = reference(image)
		doc := encode(named(bounded(c)))
		if len(doc) > maxDocument || bytes.IndexByte(doc, 0) >= 0 {
			t.Fatalf("%d bytes: %q", len(doc), doc)
		}
		var back document
		if err := json.Unmarshal(doc, &back); err != nil {
			t.Fatalf("%v: %s", err, doc)
		}
		if utf8.ValidString(name) && back.Container.Name != clip(name, maxText) {
			t.Fatalf("name %q came back as %q", name, back.Container.Name)
		}
	})
}
