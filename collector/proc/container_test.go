package proc

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/gumshoe-ir/gumshoe/event"
)

const (
	idA = "4f2a9c0e6b7d8f1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f708192"
	idB = "b1c2d3e4f5061728394a5b6c7d8e9f00112233445566778899aabbccddeeff00"
	uid = "0b1e2f3a-1122-3344-5566-77889900aabb"
)

func TestContainerOf(t *testing.T) {
	low := strings.ReplaceAll(uid, "-", "_")
	tests := []struct {
		name, path string
		want       string // runtime, id, pod
	}{
		{"docker, cgroupfs", "/docker/" + idA, "docker " + idA + " "},
		{"docker, systemd", "/system.slice/docker-" + idA + ".scope", "docker " + idA + " "},
		{"systemd inside docker", "/docker/" + idA + "/system.slice/foo.service", "docker " + idA + " "},
		{"docker in docker", "/docker/" + idA + "/docker/" + idB, "docker " + idB + " "},
		{"podman in docker", "/docker/" + idA + "/machine.slice/libpod-" + idB + ".scope/container", "podman " + idB + " "},
		{"rootless docker", "/user.slice/user-1000.slice/user@1000.service/user.slice/docker-" + idA + ".scope", "docker " + idA + " "},
		{"elastic container service", "/ecs/0123456789abcdef0123456789abcdef/" + idA, "docker " + idA + " "},
		{"podman as root", "/machine.slice/libpod-" + idA + ".scope", "podman " + idA + " "},
		{"podman as root, inner cgroup", "/machine.slice/libpod-" + idA + ".scope/container", "podman " + idA + " "},
		{"podman, cgroupfs", "/libpod_parent/libpod-" + idA, "podman " + idA + " "},
		{"podman rootless", "/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" + idA + ".scope", "podman " + idA + " "},
		{"podman below its unit", "/system.slice/web.service/libpod-payload-" + idA, "podman " + idA + " "},
		{"podman of old, rootless", "/user.slice/user-1000.slice/user@1000.service/user.slice/podman-3512.scope/" + idA, "podman " + idA + " "},
		{"conmon of podman", "/machine.slice/libpod-conmon-" + idA + ".scope", ""},
		{"supervisor of a podman unit", "/system.slice/web.service/supervisor", ""},
		{"cri-o", "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" + low + ".slice/crio-" + idA + ".scope", "cri-o " + idA + " " + uid},
		{"cri-o, cgroupfs", "/kubepods/besteffort/pod" + uid + "/crio-" + idA, "cri-o " + idA + " " + uid},
		{"conmon of cri-o", "/kubepods.slice/kubepods-pod" + low + ".slice/crio-conmon-" + idA + ".scope", ""},
		{"containerd, systemd", "/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod" + low + ".slice/cri-containerd-" + idA + ".scope", "containerd " + idA + " " + uid},
		{"containerd, colons", "/system.slice/containerd.service/kubepods-burstable-pod" + low + ".slice:cri-containerd:" + idA, "containerd " + idA + " " + uid},
		{"containerd, cgroupfs", "/kubepods/burstable/pod" + uid + "/" + idA, "containerd " + idA + " " + uid},
		{"containerd, kind", "/kubelet/kubepods/besteffort/pod" + uid + "/" + idA, "containerd " + idA + " " + uid},
		{"kind: the node's container holds the pod's", "/docker/" + idB + "/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-pod" + low + ".slice/cri-containerd-" + idA + ".scope", "containerd " + idA + " " + uid},
		{"a static pod", "/kubepods/burstable/pod0123456789abcdef0123456789abcdef/" + idA, "containerd " + idA + " 0123456789abcdef0123456789abcdef"},
		{"the CRI without a parent", "/k8s.io/" + idA, "containerd " + idA + " "},
		{"cri-dockerd", "/kubepods.slice/kubepods-pod" + low + ".slice/docker-" + idA + ".scope", "docker " + idA + " " + uid},
		{"nerdctl", "/system.slice/nerdctl-" + idA + ".scope", "containerd " + idA + " "},
		{"ctr", "/default/web", "containerd web "},
		{"a shim in its pod's cgroup", "/kubepods/burstable/pod" + uid, ""},
		{"a shim of containerd", "/system.slice/containerd.service", ""},
		{"lxc", "/lxc/web", "lxc web "},
		{"lxc payload", "/lxc.payload/web", "lxc web "},
		{"lxc payload of today", "/lxc.payload.web/init.scope", "lxc web "},
		{"lxc monitor", "/lxc.monitor.web", ""},
		{"lxc monitor of old", "/lxc.monitor/web", ""},
		{"libvirt", "/machine.slice/machine-lxc\\x2d1234\\x2dweb.scope", "libvirt-lxc web "},
		{"libvirt, inner cgroup", "/machine.slice/machine-lxc\\x2d1234\\x2dweb.scope/libvirt", "libvirt-lxc web "},
		{"libvirt of old", "/machine/web.libvirt-lxc", "libvirt-lxc web "},
		{"libvirt older still", "/libvirt/lxc/web", "libvirt-lxc web "},
		{"bpm", "/system.slice/runc-bpm-web.scope", ""},
		{"bpm of Cloud Foundry", "/system.slice/bpm-web.scope", "bpm web "},
		{"mesos", "/mesos/" + uid, "mesos " + uid + " "},
		{"nspawn", "/machine.slice/machine-debian\\x2dsid.scope/payload/init.scope", "nspawn debian-sid "},
		{"nspawn as a unit", "/machine.slice/systemd-nspawn@web.service/payload", "nspawn web "},
		{"a virtual machine", "/machine.slice/machine-qemu\\x2d1\\x2dvm.scope", ""},
		{"the root", "/", ""},
		{"init", "/init.scope", ""},
		{"a service", "/system.slice/ssh.service", ""},
		{"a session", "/user.slice/user-0.slice/session-1.scope", ""},
		{"two elements that say nothing", "/sandbox/aef4b7f350a31d7626b07fb02cc3c69d", ""},
		{"63 digits are no id", "/docker/" + idA[1:], ""},
		{"capitals are no id", "/docker/" + strings.ToUpper(idA), ""},
		{"no path", "", ""},
	}
	for _, tt := range tests {
		for _, cgroups := range [][]string{{"cpu=" + tt.path}, {"cpuset=/", "name=systemd=" + tt.path, "memory=" + tt.path}} {
			f, ok := containerOf(cgroups)
			got := ""
			if ok {
				got = fmt.Sprintf("%s %s %s", f.runtime, f.id, f.podUID)
			}
			if got != tt.want {
				t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
			}
		}
	}
}

func TestParseContainer(t *testing.T) {
	tests := []struct {
		name, json string
		want       event.Container
		ok         bool
	}{
		{
			"what a resolver says", `{"container":{"id":"4f2a9c0e6b7d","full_id":"` + idA + `","name":"web","image":"nginx:1","imageid":"i","imagedigest":"d","imagerepo":"nginx","imagetag":"1","type":7,"labels":{"io.kubernetes.pod.name":"p","io.kubernetes.pod.namespace":"n","io.kubernetes.pod.uid":"u"},"ip":"10.0.0.9","privileged":true,"is_pod_sandbox":false,"created_time":1700000000}}`,
			event.Container{FullID: idA, Runtime: event.Containerd, Name: "web", Image: "nginx:1", ImageID: "i", Digest: "d", Repo: "nginx", Tag: "1", Pod: "p", Namespace: "n", PodUID: "u", Privileged: true, Created: 1700000000e9},
			true,
		},
		{"a short id, a newline and a NUL, as in 2016", "{\"container\":{\"id\":\"4f2a9c0e6b7d\",\"name\":\"web\",\"type\":0}}\n", event.Container{FullID: "4f2a9c0e6b7d", Name: "web"}, true},
		{"still looking", `{"container":{"id":"4f2a9c0e6b7d","name":"incomplete","image":"incomplete"}}`, event.Container{FullID: "4f2a9c0e6b7d", Pending: true}, true},
		{"a surprising type leaves the rest", `{"container":{"id":"x","name":["a"],"image":"i","privileged":"yes"}}`, event.Container{FullID: "x", Image: "i"}, true},
		{"no id", `{"container":{"name":"web"}}`, event.Container{}, false},
		{"no JSON", `{"container":`, event.Container{}, false},
		{"nothing", ``, event.Container{}, false},
		{"too much", `{"container":{"id":"` + strings.Repeat("x", maxContainerJSON) + `"}}`, event.Container{}, false},
	}
	for _, tt := range tests {
		c, ok := parseContainer([]byte(tt.json))
		if ok != tt.ok {
			t.Errorf("%s: %v", tt.name, ok)
		}
		if !ok || !tt.ok {
			continue
		}
		got := *c
		got.Labels, got.IP, got.Mounts = nil, tt.want.IP, nil
		if fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", tt.want) {
			t.Errorf("%s:\n%+v, want\n%+v", tt.name, got, tt.want)
		}
	}
	many := `{"container":{"id":"x","labels":{"a":"` + strings.Repeat("v", 1<<16) + `"`
	for i := range 5000 {
		many += fmt.Sprintf(`,"l%d":"v"`, i)
	}
	c, ok := parseContainer([]byte(many + `,"io.kubernetes.pod.name":"p"}}}`))
	if !ok || len(c.Labels) > maxLabels+1 || len(c.Labels["a"]) > maxLabelText || c.Pod != "p" {
		t.Errorf("labels are not bounded: %d, %d bytes, pod %q", len(c.Labels), len(c.Labels["a"]), c.Pod)
	}
}

func TestContainerMetadata(t *testing.T) {
	cgroups := []string{"cpu=/system.slice/docker-" + idA + ".scope"}
	record := func(name string) string {
		return `{"container":{"id":"` + idA[:12] + `","name":"` + name + `","type":0}}`
	}
	sides := []struct {
		name string
		send func(*line, string) event.Event
	}{
		{"402", func(l *line, n string) event.Event {
			return l.ev(event.AsynceventE, -1, 0, "container", append([]byte(record(n)), 0))
		}},
		{"324", func(l *line, n string) event.Event { return l.ev(event.ContainerJsonV2E, -1, record(n)) }},
		{"272", func(l *line, n string) event.Event { return l.ev(event.ContainerJsonE, -1, record(n)) }},
		{"228", func(l *line, n string) event.Event {
			return l.ev(event.ContainerE, -1, idA[:12], 0, n, "nginx")
		}},
	}
	for _, side := range sides {
		l := newLine(t)
		var told []string
		l.tab = New(Options{OnContainer: func(c *event.Container) { told = append(told, c.ID) }})
		l.init()
		l.send(l.child(200, 100, 0), l.exec(200, execed{comm: "web", ppid: 100, cgroups: cgroups}))
		l.send(l.child(300, 200, 0), l.exec(300, execed{comm: "sh", ppid: 200, cgroups: cgroups}))
		before := l.ask(300)
		if c := before.Container; c == nil || !c.Pending || c.ID != idA[:12] || c.FullID != idA || c.Runtime != event.Docker {
			t.Fatalf("%s: before the answer: %+v", side.name, before.Container)
		}
		if !slices.Equal(told, []string{idA[:12]}) {
			t.Errorf("%s: told of %v", side.name, told)
		}
		l.send(side.send(l, "one"))
		p := l.ask(300)
		if c := p.Container; c == nil || c.Name != "one" || c.FullID != idA || p.Parent.Container != c {
			t.Errorf("%s: after the answer: %+v", side.name, c)
		}
		if before.Container.Name != "" {
			t.Errorf("%s: an older snapshot changed", side.name)
		}
		if host := l.ask(100); host.Container != nil {
			t.Errorf("%s: a process of the host is in %+v", side.name, host.Container)
		}
		l.send(l.exit(300, 200), l.exit(200, 1))
		l.send(side.send(l, "two"), l.child(400, 100, 0), l.exec(400, execed{comm: "again", ppid: 100, cgroups: cgroups}))
		if c := l.ask(400).Container; c == nil || c.Name != "two" {
			t.Errorf("%s: the next process of a gone container is in %+v", side.name, c)
		}
		if len(told) != 1 {
			t.Errorf("%s: told %d times", side.name, len(told))
		}
	}
}

func TestContainersAreBounded(t *testing.T) {
	l := newLine(t)
	l.init()
	for i := range 2 * maxContainers {
		id := fmt.Sprintf("%012x%052x", i, i)
		l.send(l.child(200, 100, 0), l.exec(200, execed{comm: "x", ppid: 100, cgroups: []string{"cpu=/docker/" + id}}), l.exit(200, 1))
	}
	if s := l.tab.Stats(); s.Containers > maxContainers || s.EvictedContainers == 0 {
		t.Errorf("%d containers, %d evicted", s.Containers, s.EvictedContainers)
	}
	if n := len(l.tab.containers.sets); n > maxCgroupSets {
		t.Errorf("%d sets of cgroups", n)
	}
}

func TestEnvFilter(t *testing.T) {
	f := newEnvFilter([]string{"AWS_REGION", "APP_*"})
	tests := []struct{ name, in, want string }{
		{"ssh", "SSH_CLIENT=1.2.3.4 5 22", "SSH_CLIENT=1.2.3.4 5 22"},
		{"sudo", "SUDO_USER=ann", "SUDO_USER=ann"},
		{"loader", "LD_PRELOAD=/x.so", "LD_PRELOAD=/x.so"},
		{"history", "HISTFILE=/dev/null", "HISTFILE=/dev/null"},
		{"kubernetes", "KUBERNETES_PORT=1", "KUBERNETES_PORT=1"},
		{"proxies in both cases", "https_proxy=http://p", "https_proxy=http://p"},
		{"proxies in capitals", "HTTPS_PROXY=http://p", "HTTPS_PROXY=http://p"},
		{"a rule's own name", "AWS_REGION=eu", "AWS_REGION=eu"},
		{"its beginning is not it", "AWS_REGIONAL=eu", "AWS_REGIONAL=<2 bytes>"},
		{"a rule's own prefix", "APP_X=1", "APP_X=1"},
		{"a secret", "AWS_SECRET_ACCESS_KEY=abcdef", "AWS_SECRET_ACCESS_KEY=<6 bytes>"},
		{"an empty value", "TOKEN=", "TOKEN=<0 bytes>"},
		{"a value with equals signs", "T=a=b", "T=<3 bytes>"},
		{"no name: it may all be secret", "hunter2", "<7 bytes>"},
		{"an empty name", "=hunter2", "=<7 bytes>"},
	}
	for _, tt := range tests {
		if got := f.filter([]byte(tt.in + "\x00")); len(got) != 1 || got[0] != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
	if got := f.filter([]byte("SSH_A=1\x00\x00B=2")); !slices.Equal(got, []string{"SSH_A=1", "B=<1 bytes>"}) {
		t.Errorf("%q", got)
	}
}
