package runtimes

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"os"
	"path/filepath"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// CRI is a containerd of our own with the Container Runtime Interface on.
// Its pods are on the host's network.
type CRI struct {
	Socket string // path
	API    runtimeapi.RuntimeServiceClient
	conn   *grpc.ClientConn
	daemon *daemon
}

// containerdConfig is for one folder. The native snapshotter needs nothing of
// the file system below it.
const containerdConfig = `version = 2
root = "%[1]s/root"
state = "%[1]s/state"
disabled_plugins = ["io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs", "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.devmapper"]
[grpc]
  address = "%[1]s/c.sock"
[ttrpc]
  address = "%[1]s/t.sock"
[plugins."io.containerd.grpc.v1.cri"]
  restrict_oom_score_adj = true
  sandbox_image = "` + pauseImage + `"
  stream_server_address = "127.0.0.1"
  stream_server_port = "0"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "native"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "%[1]s/cni/bin"
    conf_dir = "%[1]s/cni/net.d"
[plugins."io.containerd.internal.v1.opt"]
  path = "%[1]s/opt"
`

// StartCRI starts a containerd and imports Image into it.
func StartCRI(ctx context.Context) (*CRI, error) {
	dir, err := tempDir()
	if err != nil {
		return nil, err
	}
	c := &CRI{Socket: filepath.Join(dir, "c.sock")}
	config := filepath.Join(dir, "config.toml")
	if err := os.WriteFile(config, fmt.Appendf(nil, containerdConfig, dir), 0o600); err != nil {
		return nil, err
	}
	c.conn, err = grpc.NewClient("unix://"+c.Socket, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return nil, err
	}
	c.API = runtimeapi.NewRuntimeServiceClient(c.conn)
	if c.daemon, err = start(dir, "containerd", "--config", config); err != nil {
		return nil, errors.Join(err, c.conn.Close())
	}
	err = c.daemon.ready(ctx, func(ctx context.Context) error {
		_, err := c.API.Version(ctx, &runtimeapi.VersionRequest{}, grpc.WaitForReady(false))
		return err
	})
	if err == nil {
		err = c.load(ctx, dir)
	}
	if err != nil {
		c.Stop()
		return nil, err
	}
	return c, nil
}

func (c *CRI) load(ctx context.Context, dir string) error {
	for _, image := range []struct {
		ref     string
		command []string
	}{{Image, []string{"sh"}}, {pauseImage, []string{"sleep", "1000000"}}} {
		archive := filepath.Join(dir, "image.tar")
		if err := writeImage(archive, image.ref, image.command...); err != nil {
			return err
		}
		if _, err := output(ctx, "ctr", "--address", c.Socket, "--namespace", "k8s.io",
			"images", "import", "--snapshotter", "native", archive); err != nil {
			return err
		}
	}
	return nil
}

// Pod is what RunPod started.
type Pod struct {
	Sandbox   string // id of its infrastructure container
	Container string // id of the container that runs argv
	Name      string
	Namespace string
	UID       string

	config *runtimeapi.PodSandboxConfig
}

// RunPod starts a pod with one container named "app" of Image that runs argv.
func (c *CRI) RunPod(ctx context.Context, namespace, name string, argv ...string) (*Pod, error) {
	p := &Pod{Name: name, Namespace: namespace, UID: podUID(namespace, name)}
	labels := map[string]string{
		"app": name, "io.kubernetes.pod.name": name, "io.kubernetes.pod.namespace": namespace, "io.kubernetes.pod.uid": p.UID,
	}
	p.config = &runtimeapi.PodSandboxConfig{
		Metadata: &runtimeapi.PodSandboxMetadata{Name: name, Uid: p.UID, Namespace: namespace},
		Labels:   labels,
		Linux: &runtimeapi.LinuxPodSandboxConfig{
			CgroupParent: "/kubepods/besteffort/pod" + p.UID,
			SecurityContext: &runtimeapi.LinuxSandboxSecurityContext{
				NamespaceOptions: &runtimeapi.NamespaceOption{Network: runtimeapi.NamespaceMode_NODE},
			},
		},
	}
	sandbox, err := c.API.RunPodSandbox(ctx, &runtimeapi.RunPodSandboxRequest{Config: p.config})
	if err != nil {
		return nil, fmt.Errorf("run pod %s: %w", name, err)
	}
	p.Sandbox = sandbox.GetPodSandboxId()
	made, err := c.API.CreateContainer(ctx, &runtimeapi.CreateContainerRequest{
		PodSandboxId: p.Sandbox, SandboxConfig: p.config,
		Config: &runtimeapi.ContainerConfig{
			Metadata: &runtimeapi.ContainerMetadata{Name: "app"},
			Image:    &runtimeapi.ImageSpec{Image: Image},
			Command:  argv,
			Labels:   map[string]string{"io.kubernetes.container.name": "app"},
			Linux: &runtimeapi.LinuxContainerConfig{SecurityContext: &runtimeapi.LinuxContainerSecurityContext{
				NamespaceOptions: &runtimeapi.NamespaceOption{Network: runtimeapi.NamespaceMode_NODE},
			}},
		},
	})
	if err != nil {
		return p, fmt.Errorf("make the container of pod %s: %w", name, err)
	}
	p.Container = made.GetContainerId()
	if _, err := c.API.StartContainer(ctx, &runtimeapi.StartContainerRequest{ContainerId: p.Container}); err != nil {
		return p, fmt.Errorf("start the container of pod %s: %w", name, err)
	}
	return p, nil
}

// podUID is the same for the same pod, as a golden file needs it.
func podUID(namespace, name string) string {
	h := fnv.New64a()
	h.Write([]byte(namespace + "/" + name))
	return fmt.Sprintf("0b7ad6ce-4b3c-4d2b-9b5e-%012x", h.Sum64()>>16)
}

// Exec runs argv in the pod's container, as kubectl exec does, and is its
// standard output.
func (c *CRI) Exec(ctx context.Context, p *Pod, argv ...string) (string, error) {
	res, err := c.API.ExecSync(ctx, &runtimeapi.ExecSyncRequest{ContainerId: p.Container, Cmd: argv, Timeout: 10})
	if err != nil {
		return "", fmt.Errorf("exec %s: %w", strings.Join(argv, " "), err)
	}
	return string(res.GetStdout()), nil
}

// RemovePod stops and removes the pod and its container. Its empty cgroups stay
// until the next boot: removing them is a kubelet's part.
func (c *CRI) RemovePod(ctx context.Context, p *Pod) error {
	return c.removeSandbox(ctx, p.Sandbox)
}

func (c *CRI) removeSandbox(ctx context.Context, id string) error {
	_, errStop := c.API.StopPodSandbox(ctx, &runtimeapi.StopPodSandboxRequest{PodSandboxId: id})
	_, errRemove := c.API.RemovePodSandbox(ctx, &runtimeapi.RemovePodSandboxRequest{PodSandboxId: id})
	return errors.Join(errStop, errRemove)
}

// Stop removes all pods, ends the daemon and deletes its folder.
func (c *CRI) Stop() error {
	ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	var errs []error
	if pods, err := c.API.ListPodSandbox(ctx, &runtimeapi.ListPodSandboxRequest{}); err == nil {
		for _, p := range pods.GetItems() {
			errs = append(errs, c.removeSandbox(ctx, p.GetId()))
		}
	}
	return errors.Join(append(errs, c.conn.Close(), c.daemon.stop())...)
}
