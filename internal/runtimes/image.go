package runtimes

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	goruntime "runtime"
	"strings"
)

// The images that every runtime of this package holds. Pods need the second.
const (
	Image      = "gumshoe.test/busybox:1"
	pauseImage = "gumshoe.test/pause:1"
)

// applets are the commands of Image; all are busybox.
var applets = strings.Fields("sh ls cat echo sleep id ps touch rm mv ln mkdir rmdir chmod tar gzip wget nc grep find true false kill nslookup")

// writeImage writes an image archive that docker load and ctr images import
// both read: one layer with a static busybox and a few users.
func writeImage(path, ref string, command ...string) error {
	layer, err := layerTar()
	if err != nil {
		return err
	}
	config, err := json.Marshal(map[string]any{
		"architecture": goruntime.GOARCH, "os": "linux",
		"config": map[string]any{
			"Cmd": command, "Env": []string{"PATH=/bin"},
			"Labels": map[string]string{"org.example.made-by": "gumshoe"},
		},
		"rootfs": map[string]any{"type": "layers", "diff_ids": []string{fmt.Sprintf("sha256:%x", sha256.Sum256(layer))}},
	})
	if err != nil {
		return err
	}
	manifest, err := json.Marshal([]map[string]any{{
		"Config": "config.json", "RepoTags": []string{ref}, "Layers": []string{"layer.tar"},
	}})
	if err != nil {
		return err
	}
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	err = errors.Join(
		addFile(w, "config.json", config, 0o644),
		addFile(w, "layer.tar", layer, 0o644),
		addFile(w, "manifest.json", manifest, 0o644),
		w.Close())
	if err != nil {
		return err
	}
	return os.WriteFile(path, buf.Bytes(), 0o600)
}

func layerTar() ([]byte, error) {
	busybox, err := os.ReadFile(busyboxPath())
	if err != nil {
		return nil, fmt.Errorf("read a static busybox (Debian: busybox-static): %w", err)
	}
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	var errs []error
	for _, dir := range []string{"bin/", "etc/", "tmp/", "root/", "proc/", "sys/", "dev/"} {
		errs = append(errs, w.WriteHeader(&tar.Header{Name: dir, Typeflag: tar.TypeDir, Mode: 0o755}))
	}
	errs = append(errs,
		addFile(w, "bin/busybox", busybox, 0o755),
		addFile(w, "etc/passwd", []byte("root:x:0:0:root:/root:/bin/sh\napp:x:1000:1000:app:/tmp:/bin/sh\n"), 0o644),
		addFile(w, "etc/group", []byte("root:x:0:\napp:x:1000:\n"), 0o644),
		addFile(w, "etc/shadow", []byte("root:*:19000:0:99999:7:::\n"), 0o600))
	for _, a := range applets {
		errs = append(errs, w.WriteHeader(&tar.Header{Name: "bin/" + a, Typeflag: tar.TypeSymlink, Linkname: "busybox", Mode: 0o777}))
	}
	errs = append(errs, w.Close())
	return buf.Bytes(), errors.Join(errs...)
}

func addFile(w *tar.Writer, name string, data []byte, mode int64) error {
	if err := w.WriteHeader(&tar.Header{Name: name, Size: int64(len(data)), Mode: mode}); err != nil {
		return err
	}
	_, err := w.Write(data)
	return err
}

func busyboxPath() string {
	for _, dir := range []string{"/bin", "/usr/bin", "/usr/local/bin"} {
		if p := filepath.Join(dir, "busybox"); fileExists(p) {
			return p
		}
	}
	return "/bin/busybox"
}

func fileExists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
