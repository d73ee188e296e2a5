# gumshoe. `make help` lists what can be made.
SHELL   := /bin/bash
GO      ?= go
TAGS    := sqlite_fts5
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo unversioned)
LDFLAGS := -s -w -X main.version=$(VERSION)
FUZZ    ?= 10m
export CGO_ENABLED = 1

.DEFAULT_GOAL := help
.PHONY: build run test lint generate check conformance bench fuzz soak demo docs dist help

build: ## build the program as bin/gumshoe
	$(GO) build -trimpath -tags $(TAGS) -ldflags '$(LDFLAGS)' -o bin/gumshoe ./cmd/gumshoe

run: ## build and start the console on this host (sudo when needed)
	@internal/setup/preflight.sh
	@$(MAKE) --no-print-directory build
	@internal/setup/start.sh bin/gumshoe

test: ## run every test (the root parts too, when root)
	@internal/setup/preflight.sh
	$(GO) test -tags $(TAGS) -timeout 20m ./...

lint: ## gofumpt, go vet, staticcheck
	@out=$$(git ls-files '*.go' | grep -v -e '_bpfel\.go$$' -e '\.pb\.go$$' | xargs $(GO) tool gofumpt -l); \
		if [ -n "$$out" ]; then echo "not formatted (go tool gofumpt -w):"; echo "$$out"; exit 1; fi
	$(GO) vet -tags $(TAGS) ./...
	$(GO) tool staticcheck -tags $(TAGS) ./...

generate: ## make all generated files anew (needs clang-14, libbpf-dev, protobuf-compiler)
	$(GO) generate ./...

check: lint ## lint, architecture, and generated files current
	$(GO) test -tags $(TAGS) ./internal/arch
	@internal/setup/generated.sh

conformance: ## judge the peers' cases (GUMSHOE_SHARED, default ../shared)
	$(GO) test -tags $(TAGS) -count=1 -v -run 'Peers' ./rules/...

bench: ## measure, and write docs/performance.md
	$(GO) run -tags $(TAGS) ./internal/measure

fuzz: ## fuzz every target for FUZZ (default 10m) each
	@internal/setup/fuzz.sh $(FUZZ)

soak: build ## ten minutes under a storm of forks, execs and opens (root)
	$(GO) test -tags $(TAGS) -count=1 -v -timeout 30m -run TestSoak ./internal/e2e -soak 10m

demo: ## harmless attack-like activity on this host, to look at
	@internal/demo/demo.sh

docs: ## rewrite what is generated in docs/
	$(GO) test -tags $(TAGS) -count=1 -run Documented ./event -update
	$(GO) test -tags $(TAGS) -count=1 -run KeysDocument ./tui -update

dist: build ## an archive with program, man page and completions in dist/
	@internal/setup/dist.sh $(VERSION)

help: ## this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'
