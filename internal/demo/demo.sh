#!/bin/bash
# Harmless activity that looks like an attack, so that there is something to see:
# a shell in a container, reads of sensitive files, a dropped program, a listener
# and a connection on loopback, a wiped history. Everything stays on this host,
# below one temporary folder, and is removed at the end.
set -u
pause=${GUMSHOE_DEMO_PAUSE:-1}
dir=$(mktemp -d /tmp/gumshoe-demo.XXXXXX)
started=()
finish() {
	for pid in "${started[@]}"; do kill "$pid" 2>/dev/null; done
	rm -rf "$dir"
}
trap finish EXIT
trap 'exit 130' INT TERM

say() { printf '\033[1m%s\033[0m\n' "$*"; sleep "$pause"; }

say "1. Looking around: id, uname, ps, who is logged in"
id >/dev/null
uname -a >/dev/null
ps aux >/dev/null 2>&1
cat /etc/passwd >/dev/null

say "2. Reading sensitive files (as far as this user may)"
cat /etc/shadow >/dev/null 2>&1
cat /root/.ssh/id_rsa >/dev/null 2>&1
mkdir -p "$dir/home/.aws"
echo "not a secret" >"$dir/home/.aws/credentials"
cat "$dir/home/.aws/credentials" >/dev/null

say "3. Dropping a program under a hidden folder and running it"
mkdir -p "$dir/.k"
cp "$(command -v sleep)" "$dir/.k/run"
chmod 0755 "$dir/.k/run"
(exec -a '[kworker/u9:2]' "$dir/.k/run" 20) &
started+=($!)

say "4. A listener on loopback, and somebody who connects"
if command -v python3 >/dev/null; then
	python3 -c '
import socket
s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(("127.0.0.1", 4444)); s.listen(1); s.settimeout(10)
c, _ = s.accept(); c.sendall(b"hello\n" * 1000); c.close()' &
	started+=($!)
	sleep 0.5
	(exec 3<>/dev/tcp/127.0.0.1/4444 && head -c 6000 <&3 >/dev/null) 2>/dev/null
else
	echo "   left out: python3 is not installed"
fi

say "5. A shell in a container"
if command -v docker >/dev/null && docker info >/dev/null 2>&1 && [ -x /bin/busybox ]; then
	if ! docker image inspect gumshoe-demo:1 >/dev/null 2>&1; then
		mkdir -p "$dir/image/bin"
		cp /bin/busybox "$dir/image/bin/"
		for applet in sh ls cat id wget touch rm sleep; do ln -s busybox "$dir/image/bin/$applet"; done
		tar -C "$dir/image" -c . | docker import - gumshoe-demo:1 >/dev/null
	fi
	docker run --rm --network none --name "gumshoe-demo-$$" gumshoe-demo:1 \
		sh -c 'id; ls -la /; cat /etc/passwd 2>/dev/null; touch /bin/dropped; rm -f /root/.bash_history' >/dev/null
else
	echo "   left out: it needs a running docker and busybox-static (apt-get install docker.io busybox-static)"
fi

say "6. Wiping the traces"
touch "$dir/home/.bash_history"
ln -sf /dev/null "$dir/home/.bash_history"
rm -f "$dir/home/.bash_history"
say "Done. In gumshoe: 3 for the activity, / to filter, e.g. proc.exepath startswith $dir"
