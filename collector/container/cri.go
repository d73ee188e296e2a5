package container

import (
	"context"
	"encoding/json"
	"net/netip"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"

	"github.com/gumshoe-ir/gumshoe/event"
)

// pollPeriod is how often a runtime without an event stream (containerd before
// 1.7) is asked what runs.
const pollPeriod = 10 * time.Second

// longestAway is how long after a runtime came back we may not notice.
const longestAway = 5 * time.Second

// cri asks over the Container Runtime Interface of Kubernetes.
type cri struct {
	path string
	conn *grpc.ClientConn
	api  runtimeapi.RuntimeServiceClient
	kind atomic.Uint32 // event.Runtime by the name that it gives itself
}

func newCRI(path string) (*cri, error) {
	conn, err := grpc.NewClient("unix://"+path,
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxAnswer)),
		grpc.WithConnectParams(grpc.ConnectParams{Backoff: backoff.Config{BaseDelay: firstRetry, Multiplier: 2, MaxDelay: longestAway}}),
		grpc.WithIdleTimeout(time.Minute))
	if err != nil {
		return nil, err
	}
	c := &cri{path: path, conn: conn, api: runtimeapi.NewRuntimeServiceClient(conn)}
	c.kind.Store(uint32(kindOf(path)))
	return c, nil
}

// kindOf is the runtime that a path or a runtime's own name speaks of.
func kindOf(name string) event.Runtime {
	switch {
	case strings.Contains(name, "crio"), strings.Contains(name, "cri-o"):
		return event.CRIO
	case strings.Contains(name, "containerd"):
		return event.Containerd
	case strings.Contains(name, "docker"):
		return event.Docker
	}
	return event.CRI
}

func (c *cri) runtime() event.Runtime { return event.Runtime(c.kind.Load()) }

func (c *cri) serves(k event.Runtime) bool { return k == c.runtime() || k == event.CRI }

func (c *cri) close() error { return c.conn.Close() }

func (c *cri) problem(err error) error {
	s := status.Code(err)
	if s == codes.Unimplemented {
		return &problem{away, "cri: " + c.path + " does not serve it"}
	}
	return explain("cri", c.path, err, s == codes.NotFound || s == codes.InvalidArgument)
}

func (c *cri) inspect(ctx context.Context, id string) (*event.Container, error) {
	res, err := c.api.ContainerStatus(ctx, &runtimeapi.ContainerStatusRequest{ContainerId: id, Verbose: true})
	if err != nil && status.Code(err) == codes.NotFound {
		return c.inspectSandbox(ctx, id)
	}
	if err != nil {
		return nil, c.problem(err)
	}
	out := c.describe(res.GetStatus())
	info := parseInfo(res.GetInfo())
	out.Privileged = info.privileged()
	sandbox := info.SandboxID
	if sandbox == "" {
		sandbox = c.sandboxOf(ctx, out.FullID)
	}
	if sandbox != "" {
		// The container is told all the same when its sandbox cannot be.
		if pod, err := c.api.PodSandboxStatus(ctx, &runtimeapi.PodSandboxStatusRequest{PodSandboxId: sandbox}); err == nil {
			addPod(out, pod.GetStatus())
		}
	}
	return bounded(named(out)), nil
}

// inspectSandbox describes a pod's own, infrastructure container.
func (c *cri) inspectSandbox(ctx context.Context, id string) (*event.Container, error) {
	res, err := c.api.PodSandboxStatus(ctx, &runtimeapi.PodSandboxStatusRequest{PodSandboxId: id, Verbose: true})
	if err != nil {
		return nil, c.problem(err)
	}
	s := res.GetStatus()
	info := parseInfo(res.GetInfo())
	out := &event.Container{
		ID: clip(s.GetId(), 12), FullID: s.GetId(), Runtime: c.runtime(), Name: s.GetMetadata().GetName(),
		Image: info.Image, Created: s.GetCreatedAt(), PodSandbox: true, Privileged: info.privileged(),
		Labels: map[string]string{},
	}
	out.Repo, out.Tag, out.Digest = reference(out.Image)
	for k, v := range s.GetLabels() {
		out.Labels[k] = v
	}
	addPod(out, s)
	return bounded(named(out)), nil
}

// sandboxOf finds the pod of a container by the list; its status does not
// name it.
func (c *cri) sandboxOf(ctx context.Context, id string) string {
	res, err := c.api.ListContainers(ctx, &runtimeapi.ListContainersRequest{Filter: &runtimeapi.ContainerFilter{Id: id}})
	if err != nil || len(res.GetContainers()) != 1 {
		return ""
	}
	return res.GetContainers()[0].GetPodSandboxId()
}

// describe takes what we keep out of a container's status.
func (c *cri) describe(s *runtimeapi.ContainerStatus) *event.Container {
	out := &event.Container{
		ID: clip(s.GetId(), 12), FullID: s.GetId(), Runtime: c.runtime(), Name: s.GetMetadata().GetName(),
		Image: s.GetImage().GetImage(), ImageID: imageID(s.GetImageId()), Created: s.GetCreatedAt(),
		Labels: map[string]string{},
	}
	for k, v := range s.GetLabels() {
		out.Labels[k] = v
	}
	out.Repo, out.Tag, out.Digest = reference(out.Image)
	switch ref := s.GetImageRef(); {
	case strings.Contains(ref, "@"):
		_, _, out.Digest = reference(ref)
	case out.ImageID == "":
		out.ImageID = imageID(ref)
	}
	for _, m := range s.GetMounts() {
		mode := "rw"
		if m.GetReadonly() {
			mode = "ro"
		}
		out.Mounts = append(out.Mounts, event.Mount{
			Source: m.GetHostPath(), Dest: m.GetContainerPath(), Mode: mode, RW: !m.GetReadonly(),
			Propagation: propagation(m.GetPropagation()),
		})
	}
	return out
}

func propagation(p runtimeapi.MountPropagation) string {
	switch p {
	case runtimeapi.MountPropagation_PROPAGATION_HOST_TO_CONTAINER:
		return "rslave"
	case runtimeapi.MountPropagation_PROPAGATION_BIDIRECTIONAL:
		return "rshared"
	}
	return "rprivate"
}

// addPod adds the pod's name to a container of it, as labels where a runtime's
// user left them out: that is where readers of the event look.
func addPod(c *event.Container, s *runtimeapi.PodSandboxStatus) {
	for label, v := range map[string]string{
		labelPod: s.GetMetadata().GetName(), labelNamespace: s.GetMetadata().GetNamespace(),
		labelPodUID: s.GetMetadata().GetUid(),
	} {
		if c.Labels[label] == "" && v != "" {
			c.Labels[label] = v
		}
	}
	if ip, err := netip.ParseAddr(s.GetNetwork().GetIp()); err == nil {
		c.IP = ip
	}
}

// criInfo is what we read of the runtimes' verbose JSON (containerd's and
// cri-o's).
type criInfo struct {
	SandboxID  string `json:"sandboxID"`
	Image      string `json:"image"`
	Privileged bool   `json:"privileged"`
	Config     struct {
		Linux struct {
			SecurityContext struct {
				Privileged bool `json:"privileged"`
			} `json:"security_context"`
		} `json:"linux"`
	} `json:"config"`
}

func (i *criInfo) privileged() bool {
	return i.Privileged || i.Config.Linux.SecurityContext.Privileged
}

// parseInfo reads the map of a verbose answer. What cannot be read is as good
// as absent: no runtime promises its shape.
func parseInfo(m map[string]string) criInfo {
	var i criInfo
	if err := json.Unmarshal([]byte(m["info"]), &i); err != nil {
		return criInfo{}
	}
	return i
}

func (c *cri) watch(ctx context.Context, seen func(sighting)) error {
	if _, err := os.Stat(c.path); err != nil {
		return c.problem(err)
	}
	v, err := c.api.Version(ctx, &runtimeapi.VersionRequest{})
	if err != nil {
		return c.problem(err)
	}
	c.kind.Store(uint32(kindOf(v.GetRuntimeName())))
	stream, err := c.api.GetContainerEvents(ctx, &runtimeapi.GetEventsRequest{})
	if err != nil {
		return c.problem(err)
	}
	if err := c.list(ctx, seen); err != nil {
		return err
	}
	for {
		m, err := stream.Recv()
		if status.Code(err) == codes.Unimplemented {
			return c.poll(ctx, seen)
		}
		if err != nil {
			return c.problem(err)
		}
		if m.GetContainerEventType() == runtimeapi.ContainerEventType_CONTAINER_CREATED_EVENT {
			c.report(m.GetContainerId(), seen)
		}
	}
}

// poll reports what runs from time to time, each container once: also one
// whose runtime was away when it was asked for.
func (c *cri) poll(ctx context.Context, seen func(sighting)) error {
	told := map[string]bool{}
	for {
		now := map[string]bool{}
		if err := c.list(ctx, func(s sighting) {
			now[s.container.FullID] = true
			if !told[s.container.FullID] {
				seen(s)
			}
		}); err != nil {
			return err
		}
		told = now
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pollPeriod):
		}
	}
}

// list reports all running containers and sandboxes.
func (c *cri) list(ctx context.Context, seen func(sighting)) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	pods, err := c.api.ListPodSandbox(ctx, &runtimeapi.ListPodSandboxRequest{Filter: &runtimeapi.PodSandboxFilter{
		State: &runtimeapi.PodSandboxStateValue{State: runtimeapi.PodSandboxState_SANDBOX_READY},
	}})
	if err != nil {
		return c.problem(err)
	}
	running, err := c.api.ListContainers(ctx, &runtimeapi.ListContainersRequest{Filter: &runtimeapi.ContainerFilter{
		State: &runtimeapi.ContainerStateValue{State: runtimeapi.ContainerState_CONTAINER_RUNNING},
	}})
	if err != nil {
		return c.problem(err)
	}
	for _, p := range pods.GetItems() {
		c.report(p.GetId(), seen)
	}
	for _, r := range running.GetContainers() {
		c.report(r.GetId(), seen)
	}
	return nil
}

func (c *cri) report(id string, seen func(sighting)) {
	if len(id) == 64 && plausible(id) {
		seen(sighting{container: &event.Container{ID: id[:12], FullID: id, Runtime: c.runtime()}})
	}
}
