#!/bin/bash
# Starts the console: as root when that can be had, since collecting needs it.
set -u
program=$1
shift
if [ "$(id -u)" -eq 0 ]; then exec "$program" "$@"; fi
if command -v sudo >/dev/null; then
	echo "gumshoe collects from the kernel: sudo asks for your password; the console itself runs as $(id -un)." >&2
	exec sudo "$program" "$@"
fi
echo "gumshoe: collecting from the kernel needs root and sudo is not installed: run '$program' as root" >&2
exec "$program" "$@"
