#!/bin/sh
# Writes engine.pb.go and engine_grpc.pb.go beside engine.proto. protoc comes
# from the system (Debian: protobuf-compiler), its plugins from go.mod.
set -eu
cd "$(dirname "$0")"
bin=$(mktemp -d)
trap 'rm -r "$bin"' EXIT
for plugin in protoc-gen-go protoc-gen-go-grpc; do
	printf '#!/bin/sh\nexec go tool %s "$@"\n' "$plugin" >"$bin/$plugin"
	chmod +x "$bin/$plugin"
done
protoc --proto_path=. \
	--plugin=protoc-gen-go="$bin/protoc-gen-go" --go_out=. --go_opt=paths=source_relative \
	--plugin=protoc-gen-go-grpc="$bin/protoc-gen-go-grpc" --go-grpc_out=. --go-grpc_opt=paths=source_relative \
	engine.proto
