package container

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/containerd/errdefs"
	dockertypes "github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/events"
	"github.com/moby/moby/client"

	"github.com/gumshoe-ir/gumshoe/event"
)

const (
	maxAnswer = 4 << 20  // bytes of one answer
	maxStream = 64 << 20 // bytes of events, after which we connect anew
)

// docker asks over docker's API, which podman speaks too.
type docker struct {
	path          string
	kind          event.Runtime
	asks, watches *client.Client // they differ in how much they read
}

func newDocker(path string) (*docker, error) {
	d := &docker{path: path, kind: event.Docker}
	if strings.Contains(path, "podman") {
		d.kind = event.Podman
	}
	connect := func(limit int64) (*client.Client, error) {
		return client.New(client.WithHost("unix://"+path), client.WithHTTPResponseHook(func(r *http.Response) {
			r.Body = struct {
				io.Reader
				io.Closer
			}{io.LimitReader(r.Body, limit), r.Body}
		}))
	}
	var errAsk, errWatch error
	d.asks, errAsk = connect(maxAnswer)
	d.watches, errWatch = connect(maxStream)
	return d, errors.Join(errAsk, errWatch)
}

func (d *docker) serves(k event.Runtime) bool { return k == d.kind }

func (d *docker) close() error { return errors.Join(d.asks.Close(), d.watches.Close()) }

func (d *docker) inspect(ctx context.Context, id string) (*event.Container, error) {
	res, err := d.asks.ContainerInspect(ctx, id, client.ContainerInspectOptions{})
	if err != nil {
		return nil, explain(d.kind.String(), d.path, err, errdefs.IsNotFound(err))
	}
	c := d.describe(&res.Container)
	d.addImage(ctx, c)
	return bounded(named(c)), nil
}

// describe takes what we keep out of docker's description.
func (d *docker) describe(in *dockertypes.InspectResponse) *event.Container {
	c := &event.Container{
		ID: clip(in.ID, 12), FullID: in.ID, Runtime: d.kind,
		Name: strings.TrimPrefix(in.Name, "/"), ImageID: imageID(in.Image),
	}
	if t, err := time.Parse(time.RFC3339Nano, in.Created); err == nil && t.Unix() > 0 {
		c.Created = t.UnixNano()
	}
	if in.Config != nil {
		c.Image, c.Labels = in.Config.Image, in.Config.Labels
	}
	if in.HostConfig != nil {
		c.Privileged = in.HostConfig.Privileged
	}
	for _, m := range in.Mounts {
		c.Mounts = append(c.Mounts, event.Mount{
			Source: m.Source, Dest: m.Destination, Mode: m.Mode, RW: m.RW, Propagation: string(m.Propagation),
		})
	}
	c.IP = firstAddress(in.NetworkSettings)
	c.PodSandbox = c.Labels["io.kubernetes.docker.type"] == "podsandbox"
	return c
}

// firstAddress is the address in the first network by name, which is the same
// one every time.
func firstAddress(n *dockertypes.NetworkSettings) netip.Addr {
	if n == nil {
		return netip.Addr{}
	}
	var names []string
	for name, e := range n.Networks {
		if e != nil && (e.IPAddress.IsValid() || e.GlobalIPv6Address.IsValid()) {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return netip.Addr{}
	}
	e := n.Networks[slices.Min(names)]
	if e.IPAddress.IsValid() {
		return e.IPAddress
	}
	return e.GlobalIPv6Address
}

// addImage completes c by what docker says of its image: tags for a container
// that names it by id, and the digest it was pulled by. The image may be gone;
// then c stays as it is.
func (d *docker) addImage(ctx context.Context, c *event.Container) {
	var digest string
	if res, err := d.asks.ImageInspect(ctx, c.ImageID); err == nil && c.ImageID != "" {
		if bareID(c.Image) && len(res.RepoTags) > 0 {
			c.Image = res.RepoTags[0]
		}
		for _, ref := range res.RepoDigests {
			repo, _, dg := reference(ref)
			if wanted, _, _ := reference(c.Image); digest == "" || repo == wanted {
				digest = dg
			}
		}
	}
	c.Repo, c.Tag, c.Digest = reference(c.Image)
	if c.Digest == "" {
		c.Digest = digest
	}
	if c.Tag == "" && c.Digest == "" && !bareID(c.Image) {
		c.Tag = "latest" // docker's own reading of a name without one
	}
}

// watch follows docker's events. They are subscribed to before the list is
// asked for, so that nothing is made in between.
func (d *docker) watch(ctx context.Context, seen func(sighting)) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream := d.watches.Events(ctx, client.EventsListOptions{Filters: make(client.Filters).
		Add("type", string(events.ContainerEventType)).
		Add("event", string(events.ActionCreate), string(events.ActionStart), string(events.ActionRename))})
	soon, done := context.WithTimeout(ctx, callTimeout)
	list, err := d.asks.ContainerList(soon, client.ContainerListOptions{Limit: maxJobs})
	done()
	if err != nil {
		return explain(d.kind.String(), d.path, err, false)
	}
	for i := range list.Items {
		d.report(list.Items[i].ID, false, seen)
	}
	for {
		select {
		case m := <-stream.Messages:
			// A started container has an address; a created one had none.
			d.report(m.Actor.ID, m.Action != events.ActionCreate, seen)
		case err := <-stream.Err:
			return err
		}
	}
}

func (d *docker) report(id string, changed bool, seen func(sighting)) {
	if len(id) == 64 && plausible(id) {
		seen(sighting{&event.Container{ID: id[:12], FullID: id, Runtime: d.kind}, changed})
	}
}
