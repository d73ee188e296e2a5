#!/bin/bash
# Packs the program with its man page, completions and documents.
set -eu
version=$1
name=gumshoe-$version-linux-$(go env GOARCH)
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
mkdir -p "$dir/$name/completions" dist
cp bin/gumshoe README.md LICENSE "$dir/$name/"
cp -r docs "$dir/$name/"
bin/gumshoe man >"$dir/$name/gumshoe.1"
for shell in bash zsh fish; do bin/gumshoe completion "$shell" >"$dir/$name/completions/gumshoe.$shell"; done
tar -C "$dir" -czf "dist/$name.tar.gz" "$name"
(cd dist && sha256sum "$name.tar.gz" >"$name.tar.gz.sha256")
echo "dist/$name.tar.gz"
