package proc

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/netip"
	"strings"

	"github.com/gumshoe-ir/gumshoe/event"
)

// containers remembers all containers seen, also those that are gone, up to
// maxContainers; then those without processes go first.
type containers struct {
	byID      map[string]*container // by what shortID makes of it
	sets      map[string]*cgroupSet // by the raw parameter
	tell      func(*event.Container)
	described []*event.Container // by the batch in hand
	evicted   uint64
	accounts  int // of all containers
	skipped   int // sets not kept since idle ones were last looked for
}

// container is one container and the groups that run in it.
type container struct {
	id     string
	meta   *event.Container
	groups int
	gone   bool // from byID
	users  *accounts
	tries  int    // to read its users
	read   fileID // of its passwd
	looked uint64 // ns since the epoch
}

// cgroupSet is one combination of cgroups, shared by all groups in it.
type cgroupSet struct {
	raw    string
	list   []string
	in     *container
	groups int
}

const maxCgroupSets = 1 << 13

func newContainers(tell func(*event.Container)) containers {
	return containers{byID: make(map[string]*container), sets: make(map[string]*cgroupSet), tell: tell}
}

// shortID is an id as people see it: 12 digits of 64, and names whole.
func shortID(id string) string {
	if isID64(id) {
		return id[:12]
	}
	return id[:min(len(id), 64)]
}

// set is the cgroupSet of a raw parameter, made when it is new.
func (c *containers) set(raw []byte) *cgroupSet {
	if s := c.sets[string(raw)]; s != nil {
		return s
	}
	if len(c.sets) >= maxCgroupSets {
		c.dropIdleSets()
	}
	s := &cgroupSet{raw: string(raw), list: event.SplitNUL(raw)}
	if f, ok := containerOf(s.list); ok {
		s.in = c.get(f)
	}
	if len(c.sets) < maxCgroupSets {
		c.sets[s.raw] = s
	}
	return s
}

// get is the container of f, told to whoever asks runtimes when it is new.
func (c *containers) get(f found) *container {
	id := shortID(f.id)
	if known := c.byID[id]; known != nil {
		return known
	}
	meta := &event.Container{ID: id, FullID: f.id, Runtime: f.runtime, PodUID: f.podUID, Pending: true}
	made := c.add(id, meta)
	if c.tell != nil {
		c.tell(meta)
	}
	return made
}

func (c *containers) add(id string, meta *event.Container) *container {
	if len(c.byID) >= maxContainers {
		c.evict()
	}
	made := &container{id: id, meta: meta}
	c.byID[id] = made
	return made
}

// dropIdleSets forgets cgroups without processes, one time in many, so that
// it costs each new one little.
func (c *containers) dropIdleSets() {
	if c.skipped++; c.skipped%(maxCgroupSets/8) != 1 {
		return
	}
	for k, s := range c.sets {
		if s.groups == 0 {
			delete(c.sets, k)
		}
	}
}

// evict makes room for a quarter of all containers: those without processes
// go first, then any.
func (c *containers) evict() {
	for _, idle := range []bool{true, false} {
		for id, k := range c.byID {
			if len(c.byID) <= maxContainers*3/4 {
				break
			}
			if k.groups == 0 || !idle {
				delete(c.byID, id)
				k.gone = true
				c.accounts -= k.users.size()
				c.evicted++
			}
		}
	}
	for raw, s := range c.sets {
		if s.in != nil && s.in.gone {
			delete(c.sets, raw)
		}
	}
}

func (c *containers) release(s *cgroupSet) {
	if s.groups--; s.in != nil {
		s.in.groups--
	}
}

// setCgroups puts g where raw says. Without a raw value it keeps what it has,
// or what from, its parent, has.
func (t *Table) setCgroups(g *group, raw []byte, from *group) {
	var s *cgroupSet
	switch {
	case len(raw) > 0 && g.cgroup != nil && g.cgroup.raw == string(raw):
		s = g.cgroup
	case len(raw) > 0 && from != nil && from.cgroup != nil && from.cgroup.raw == string(raw):
		s = from.cgroup
	case len(raw) > 0 && len(raw) <= maxText:
		s = t.containers.set(raw)
	case from != nil && g.cgroup == nil:
		s = from.cgroup
	default:
		s = g.cgroup
	}
	if s == nil || s == g.cgroup {
		return
	}
	if g.cgroup != nil {
		t.containers.release(g.cgroup)
	}
	g.cgroup = s
	if s.groups++; s.in != nil {
		s.in.groups++
	}
	t.edit(g).Cgroups = s.list
	g.epoch, g.named = 0, 0
}

// containerEvent takes a container's metadata from any of the events that
// captures and our own resolver have for it.
func (t *Table) containerEvent(e *event.Event) {
	switch e.Type {
	case event.ContainerE:
		id, _ := e.Params.Text(0)
		kind, _ := e.Params.Uint(1)
		meta := event.Container{Runtime: event.Runtime(kind)}
		meta.Name, _ = e.Params.Text(2)
		meta.Image, _ = e.Params.Text(3)
		meta.FullID = id
		t.describe(&meta)
	case event.AsynceventE:
		if string(cut(e.Params.At(1))) == "container" {
			t.containerJSON(e.Params.At(2))
		}
	default:
		t.containerJSON(e.Params.At(0))
	}
}

func (t *Table) containerJSON(b []byte) {
	if meta, ok := parseContainer(cut(b)); ok {
		t.describe(meta)
	}
}

// describe replaces what is known of a container. Snapshots made from now on
// have it.
func (t *Table) describe(meta *event.Container) {
	if meta.FullID == "" || len(meta.FullID) > 256 {
		return
	}
	meta.ID = shortID(meta.FullID)
	defer func() { t.containers.described = append(t.containers.described, meta) }()
	c := t.containers.byID[meta.ID]
	if c == nil {
		t.containers.add(meta.ID, meta)
		return
	}
	if len(meta.FullID) < len(c.meta.FullID) {
		meta.FullID = c.meta.FullID
	}
	if meta.PodUID == "" {
		meta.PodUID = c.meta.PodUID
	}
	c.meta = meta
	t.epoch++
}

// Bounds of a container's metadata.
const (
	maxContainerJSON = 1 << 20
	maxLabels        = 1 << 8
	maxLabelText     = 1 << 12
	maxMounts        = 1 << 8
)

// containerRecord is the JSON of container events (spec/scap.md §6.4).
type containerRecord struct {
	Container struct {
		ID         string            `json:"id"`
		FullID     string            `json:"full_id"`
		Type       json.Number       `json:"type"`
		Name       string            `json:"name"`
		Image      string            `json:"image"`
		ImageID    string            `json:"imageid"`
		Digest     string            `json:"imagedigest"`
		Repo       string            `json:"imagerepo"`
		Tag        string            `json:"imagetag"`
		Labels     map[string]string `json:"labels"`
		Mounts     []mountRecord     `json:"Mounts"`
		IP         string            `json:"ip"`
		Sandbox    bool              `json:"is_pod_sandbox"`
		Privileged bool              `json:"privileged"`
		Created    json.Number       `json:"created_time"`
		Pending    bool              `json:"pending"`
		Problem    string            `json:"problem"`
	} `json:"container"`
}

type mountRecord struct {
	Source, Destination, Mode, Propagation string
	RW                                     bool
}

// parseContainer reads b; false when it names no container. Values of a
// surprising type are left out, and long ones cut.
func parseContainer(b []byte) (*event.Container, bool) {
	if len(b) > maxContainerJSON {
		return nil, false
	}
	var rec containerRecord
	var surprise *json.UnmarshalTypeError
	if err := json.Unmarshal(bytes.TrimSpace(b), &rec); err != nil && !errors.As(err, &surprise) {
		return nil, false
	}
	r := &rec.Container
	kind, _ := r.Type.Int64()
	created, _ := r.Created.Int64()
	if created > 0 && created < 1<<40 {
		created *= 1e9 // some writers count seconds
	}
	c := &event.Container{
		FullID: clipped(r.FullID), Runtime: event.Runtime(kind), Name: known(r.Name), Image: known(r.Image), ImageID: known(r.ImageID),
		Digest: known(r.Digest), Repo: known(r.Repo), Tag: known(r.Tag), PodSandbox: r.Sandbox, Privileged: r.Privileged,
		Created: created, Problem: clipped(r.Problem), Pending: r.Pending || r.Name == incomplete,
	}
	if c.FullID == "" {
		c.FullID = clipped(r.ID)
	}
	if ip, err := netip.ParseAddr(r.IP); err == nil && !ip.IsUnspecified() {
		c.IP = ip
	}
	c.Labels = boundLabels(r.Labels)
	c.Pod, c.Namespace, c.PodUID = c.Labels[podName], c.Labels[podNamespace], c.Labels[podUIDLabel]
	for _, m := range r.Mounts[:min(len(r.Mounts), maxMounts)] {
		c.Mounts = append(c.Mounts, event.Mount{Source: clipped(m.Source), Dest: clipped(m.Destination), Mode: clipped(m.Mode), Propagation: clipped(m.Propagation), RW: m.RW})
	}
	return c, c.FullID != ""
}

// Labels that kubelet gives each container.
const (
	podName      = "io.kubernetes.pod.name"
	podNamespace = "io.kubernetes.pod.namespace"
	podUIDLabel  = "io.kubernetes.pod.uid"
)

// incomplete is what writers put where a lookup has not ended yet.
const incomplete = "incomplete"

func known(s string) string {
	if s == incomplete || s == "<NA>" {
		return ""
	}
	return clipped(s)
}

func clipped(s string) string {
	if len(s) > maxLabelText {
		return strings.Clone(s[:maxLabelText])
	}
	return s
}

func boundLabels(labels map[string]string) map[string]string {
	out := make(map[string]string, min(len(labels), maxLabels))
	for k, v := range labels {
		if len(out) < maxLabels || k == podName || k == podNamespace || k == podUIDLabel {
			out[clipped(k)] = clipped(v)
		}
	}
	return out
}
