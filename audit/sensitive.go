package audit

import "strings"

// Sensitive says which files' reading is an activity: what a thief of
// credentials looks for. A path that one of the lists names is sensitive. The
// kernel side thins reads by Prefixes and Names; it sends paths with a
// component that begins with a dot always, so that Folders must begin so.
type Sensitive struct {
	Prefixes []string // beginnings of whole paths
	Names    []string // last elements of paths
	Folders  []string // elements below which all files are sensitive: ".aws"
	Sockets  []string // unix sockets to which a connect is an activity
}

// DefaultSensitive is the list used unless the configuration has another.
func DefaultSensitive() Sensitive {
	return Sensitive{
		Prefixes: []string{
			"/etc/shadow", "/etc/gshadow", "/etc/sudoers", "/etc/krb5.keytab", "/etc/security/opasswd",
			"/etc/ssl/private/", "/etc/pki/tls/private/", "/etc/letsencrypt/live/", "/etc/letsencrypt/archive/",
			"/etc/kubernetes/admin.conf", "/etc/kubernetes/pki/", "/etc/rancher/k3s/k3s.yaml", "/var/lib/kubelet/kubeconfig",
			"/var/lib/kubelet/pki/", "/etc/NetworkManager/system-connections/", "/etc/wireguard/", "/etc/openvpn/",
			"/var/run/secrets/", "/run/secrets/", "/root/.gnupg/", "/var/lib/sss/secrets/",
			"/proc/kcore", "/dev/mem", "/dev/kmem", "/dev/port",
		},
		Names: []string{
			"id_rsa", "id_dsa", "id_ecdsa", "id_ed25519", "id_ecdsa_sk", "id_ed25519_sk", "authorized_keys",
			"ssh_host_rsa_key", "ssh_host_ecdsa_key", "ssh_host_ed25519_key", ".netrc", ".pgpass", ".my.cnf", ".git-credentials",
			".bash_history", ".zsh_history", ".sh_history", ".ash_history", ".mysql_history", ".psql_history", ".python_history",
			".rediscli_history", "fish_history", "kubeconfig", ".vault-token", ".dockercfg", ".npmrc", ".pypirc",
			"application_default_credentials.json", "accessTokens.json", "msal_token_cache.json", "credentials.db", "wallet.dat",
			"logins.json", "key4.db", "Login Data",
		},
		Folders: []string{".aws", ".azure", ".gcloud", ".kube", ".docker"},
		Sockets: []string{
			"/var/run/docker.sock", "/run/docker.sock", "/run/containerd/containerd.sock", "/var/run/containerd/containerd.sock",
			"/run/crio/crio.sock", "/var/run/crio/crio.sock", "/run/podman/podman.sock", "/run/k3s/containerd/containerd.sock",
		},
	}
}

// sensitivity answers for a Sensitive without walking its longer lists.
type sensitivity struct {
	names, folders, sockets map[string]bool
	prefixes                [256][]string // by the second byte of the path
}

func compile(s *Sensitive) *sensitivity {
	set := func(list []string) map[string]bool {
		m := make(map[string]bool, len(list))
		for _, v := range list {
			m[v] = true
		}
		return m
	}
	c := &sensitivity{
		names: set(s.Names), folders: set(s.Folders), sockets: set(s.Sockets),
	}
	for _, p := range s.Prefixes {
		if len(p) > 1 {
			c.prefixes[p[1]] = append(c.prefixes[p[1]], p)
		}
	}
	return c
}

func (c *sensitivity) socket(path []byte) bool { return c.sockets[string(path)] }

// file reports whether reading path is an activity.
func (c *sensitivity) file(path string) bool {
	if len(path) < 2 || path[0] != '/' {
		return false
	}
	for _, p := range c.prefixes[path[1]] {
		if strings.HasPrefix(path, p) {
			return true
		}
	}
	slash := strings.LastIndexByte(path, '/')
	return c.names[path[slash+1:]] || c.within(path[:slash])
}

// within reports whether dir has a sensitive element. Only elements that begin
// with a dot can be one in practice; the others are passed over quickly.
func (c *sensitivity) within(dir string) bool {
	for {
		i := strings.Index(dir, "/.")
		if i < 0 {
			return false
		}
		dir = dir[i+1:]
		element, _, _ := strings.Cut(dir, "/")
		if c.folders[element] {
			return true
		}
	}
}
