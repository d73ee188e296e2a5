package runtimes

import (
	"context"
	"path/filepath"
)

// Docker is a docker daemon of our own. Containers on it have no network but
// the host's or none.
type Docker struct {
	Socket string // path
	daemon *daemon
}

// StartDocker starts a daemon and loads Image into it.
func StartDocker(ctx context.Context) (*Docker, error) {
	dir, err := tempDir()
	if err != nil {
		return nil, err
	}
	d := &Docker{Socket: filepath.Join(dir, "docker.sock")}
	d.daemon, err = start(dir, "dockerd", "--iptables=false", "--ip6tables=false", "--bridge=none",
		"--host=unix://"+d.Socket, "--data-root="+filepath.Join(dir, "data"),
		"--exec-root="+filepath.Join(dir, "exec"), "--pidfile="+filepath.Join(dir, "pid"))
	if err != nil {
		return nil, err
	}
	err = d.daemon.ready(ctx, func(ctx context.Context) error {
		_, err := d.CLI(ctx, "version")
		return err
	})
	if err == nil {
		err = d.load(ctx, filepath.Join(dir, "image.tar"))
	}
	if err != nil {
		d.Stop()
		return nil, err
	}
	return d, nil
}

func (d *Docker) load(ctx context.Context, archive string) error {
	if err := writeImage(archive, Image, "sh"); err != nil {
		return err
	}
	_, err := d.CLI(ctx, "load", "--input", archive)
	return err
}

// CLI runs the docker command with args against this daemon and is what it
// printed.
func (d *Docker) CLI(ctx context.Context, args ...string) (string, error) {
	return output(ctx, append([]string{"docker", "--host=unix://" + d.Socket}, args...)...)
}

// Run starts a container of Image named name that runs argv, in the
// background and on the host's network, with further options of docker run.
func (d *Docker) Run(ctx context.Context, name string, options []string, argv ...string) (id string, err error) {
	args := append([]string{"run", "--detach", "--network=host", "--name=" + name}, options...)
	return d.CLI(ctx, append(append(args, Image), argv...)...)
}

// Remove kills and removes a container.
func (d *Docker) Remove(ctx context.Context, id string) error {
	_, err := d.CLI(ctx, "rm", "--force", "--volumes", id)
	return err
}

// Stop removes all containers, ends the daemon and deletes its folder.
func (d *Docker) Stop() error {
	ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	if ids, err := d.CLI(ctx, "ps", "--all", "--quiet"); err == nil {
		for _, id := range lines(ids) {
			d.Remove(ctx, id)
		}
	}
	return d.daemon.stop()
}
