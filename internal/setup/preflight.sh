#!/bin/bash
# Checks what a build needs, says what is missing, and offers to install it.
set -u
missing=()
command -v gcc >/dev/null || missing+=(gcc)
if command -v gcc >/dev/null && ! echo '#include <stdlib.h>' | gcc -E - >/dev/null 2>&1; then missing+=(libc6-dev); fi
command -v gcc >/dev/null || [ -e /usr/include/stdlib.h ] || missing+=(libc6-dev)
if ! command -v go >/dev/null; then
	echo "gumshoe: Go is missing: install Go 1.26 or newer and put it on PATH" >&2
	exit 1
fi
[ ${#missing[@]} -eq 0 ] && exit 0
echo "gumshoe: to build, this machine lacks: ${missing[*]} (the store is SQLite, compiled with cgo)" >&2
install="apt-get install -y ${missing[*]}"
[ "$(id -u)" -eq 0 ] || install="sudo $install"
if ! command -v apt-get >/dev/null; then
	echo "install a C compiler and the C library's headers, then run make again" >&2
	exit 1
fi
if [ ! -t 0 ]; then
	echo "run: $install" >&2
	exit 1
fi
read -r -p "Run '$install' now? [y/N] " answer
case "$answer" in
y | Y | yes) $install ;;
*) echo "nothing installed; run it yourself, then make again" >&2; exit 1 ;;
esac
