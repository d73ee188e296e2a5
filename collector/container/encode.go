package container

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/gumshoe-ir/gumshoe/event"
)

// Bounds of what is taken from a runtime's answer. Longer text is cut, further
// labels and mounts are left out, those of Kubernetes kept first.
const (
	maxText     = 512
	maxLabels   = 128
	maxKey      = 256
	maxMounts   = 64
	maxProblem  = 200
	maxDocument = 60 << 10 // other readers have buffers of 64 KiB for one event
)

// labelPod and its siblings are how Kubernetes marks a container.
const (
	labelPrefix    = "io.kubernetes."
	labelPod       = "io.kubernetes.pod.name"
	labelNamespace = "io.kubernetes.pod.namespace"
	labelPodUID    = "io.kubernetes.pod.uid"
)

// document is the data of event 402 (spec/scap.md §6.4). problem is ours;
// other readers pass over it.
type document struct {
	Container metadata `json:"container"`
}

type metadata struct {
	ID         string            `json:"id"`
	FullID     string            `json:"full_id,omitempty"`
	Name       string            `json:"name"`
	Type       event.Runtime     `json:"type"`
	Image      string            `json:"image"`
	ImageID    string            `json:"imageid"`
	Digest     string            `json:"imagedigest"`
	Repo       string            `json:"imagerepo"`
	Tag        string            `json:"imagetag"`
	Labels     map[string]string `json:"labels"`
	Mounts     []mountPoint      `json:"Mounts"`
	Env        []string          `json:"env"`
	IP         string            `json:"ip"`
	Sandbox    bool              `json:"is_pod_sandbox"`
	Privileged bool              `json:"privileged"`
	Ports      []string          `json:"port_mappings"`
	Created    int64             `json:"created_time"` // s since the epoch
	Problem    string            `json:"problem,omitempty"`
}

type mountPoint struct {
	Source      string `json:"Source"`
	Destination string `json:"Destination"`
	Mode        string `json:"Mode"`
	RW          bool   `json:"RW"`
	Propagation string `json:"Propagation"`
}

// encode is c as event 402 carries it, without the NUL that ends it there.
// Mounts, then labels, are left out when it would grow beyond maxDocument.
func encode(c *event.Container) []byte {
	doc := document{describe(c)}
	b := marshal(doc)
	if len(b) > maxDocument {
		doc.Container.Mounts = []mountPoint{}
		b = marshal(doc)
	}
	if len(b) > maxDocument {
		doc.Container.Labels = map[string]string{}
		for _, l := range []string{labelPod, labelNamespace, labelPodUID} {
			if v, ok := c.Labels[l]; ok {
				doc.Container.Labels[l] = v
			}
		}
		b = marshal(doc)
	}
	return b
}

func describe(c *event.Container) metadata {
	m := metadata{
		ID: c.ID, FullID: c.FullID, Name: c.Name, Type: c.Runtime,
		Image: c.Image, ImageID: c.ImageID, Digest: c.Digest, Repo: c.Repo, Tag: c.Tag,
		Labels: c.Labels, Mounts: []mountPoint{}, Env: []string{}, Ports: []string{},
		Sandbox: c.PodSandbox, Privileged: c.Privileged, Created: c.Created / 1e9, Problem: c.Problem,
	}
	if m.Labels == nil {
		m.Labels = map[string]string{}
	}
	if c.IP.IsValid() {
		m.IP = c.IP.String()
	}
	for _, p := range c.Mounts {
		m.Mounts = append(m.Mounts, mountPoint{p.Source, p.Dest, p.Mode, p.RW, p.Propagation})
	}
	return m
}

func marshal(doc document) []byte {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(doc); err != nil {
		panic("container metadata that JSON cannot hold: " + err.Error()) // strings, bools and ints only
	}
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n"))
}

// params are the parameters of event 402 for c: plugin id 0, "container" and
// the document, each with a 32-bit length.
func params(c *event.Container) event.Params {
	const name = "container\x00"
	doc := append(encode(c), 0)
	b := make([]byte, 0, 12+4+len(name)+len(doc))
	for _, n := range []int{4, len(name), len(doc)} {
		b = binary.LittleEndian.AppendUint32(b, uint32(n))
	}
	b = append(b, 0, 0, 0, 0)
	b = append(append(b, name...), doc...)
	p, _ := event.NewParams(b, 3, true)
	return p
}

// bounded cuts all of c to our limits. Hostile bytes stay, fewer of them.
func bounded(c *event.Container) *event.Container {
	for _, s := range []*string{
		&c.ID, &c.FullID, &c.Name, &c.Image, &c.ImageID, &c.Digest, &c.Repo, &c.Tag, &c.Pod, &c.PodUID, &c.Namespace,
	} {
		*s = clip(*s, maxText)
	}
	c.Labels = boundedLabels(c.Labels)
	c.Mounts = c.Mounts[:min(len(c.Mounts), maxMounts)]
	for i := range c.Mounts {
		m := &c.Mounts[i]
		for _, s := range []*string{&m.Source, &m.Dest, &m.Mode, &m.Propagation} {
			*s = clip(*s, maxText)
		}
	}
	return c
}

func boundedLabels(labels map[string]string) map[string]string {
	kept := make(map[string]string, min(len(labels), maxLabels))
	keys := slices.SortedFunc(maps.Keys(labels), func(a, b string) int {
		if ka, kb := strings.HasPrefix(a, labelPrefix), strings.HasPrefix(b, labelPrefix); ka != kb {
			if ka {
				return -1
			}
			return 1
		}
		return strings.Compare(a, b)
	})
	for _, k := range keys {
		if len(kept) == maxLabels {
			break
		}
		kept[clip(k, maxKey)] = clip(labels[k], maxText)
	}
	return kept
}

// named fills pod, namespace and uid from c's labels where they are missing.
func named(c *event.Container) *event.Container {
	fill := func(s *string, label string) {
		if *s == "" {
			*s = c.Labels[label]
		}
	}
	fill(&c.Pod, labelPod)
	fill(&c.Namespace, labelNamespace)
	fill(&c.PodUID, labelPodUID)
	return c
}

// reference splits an image reference into repository, tag and digest:
// "docker.io/library/nginx:1.27@sha256:…".
func reference(image string) (repo, tag, digest string) {
	repo, digest, _ = strings.Cut(image, "@")
	if i := strings.LastIndexByte(repo, ':'); i > strings.LastIndexByte(repo, '/') {
		repo, tag = repo[:i], repo[i+1:]
	}
	return repo, tag, digest
}

// imageID is an image's id without the name of its hash.
func imageID(id string) string { return strings.TrimPrefix(id, "sha256:") }

// bareID reports whether image names no repository but an image's id, as
// runtimes show it when no tag points to it any more.
func bareID(image string) bool {
	id := imageID(image)
	return id != image || len(id) == 64 && strings.Trim(id, "0123456789abcdef") == ""
}

// clip is at most n bytes of s, not cut inside a character.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return strings.Clone(s[:n])
}
