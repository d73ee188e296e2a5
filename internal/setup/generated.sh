#!/bin/bash
# Fails when generated files in the repository differ from what the generators make now.
set -eu
cd "$(git rev-parse --show-toplevel)"
for tool in clang-14 protoc; do
	if ! command -v "$tool" >/dev/null; then
		echo "generated files not checked: $tool is missing (apt-get install clang-14 llvm-14 libbpf-dev protobuf-compiler)" >&2
		[ "${GUMSHOE_REQUIRE:-}" = 1 ] && exit 1
		exit 0
	fi
done
before=$(git status --porcelain)
go generate ./...
after=$(git status --porcelain)
if [ "$before" != "$after" ]; then
	echo "generated files are not current; run 'make generate' and commit:" >&2
	git status --porcelain >&2
	git --no-pager diff --stat >&2
	exit 1
fi
echo "generated files are current"
