#!/bin/bash
# Fuzzes every target of every package, one after another, for the time given.
# Shortening finds is bounded by tries: by time (60 s) it eats a short run whole
# where coverage differs from run to run, as with maps.
set -u
each=${1:-10m}
failed=0
targets=0
while read -r pkg; do
	while read -r target; do
		case $target in Fuzz*) ;; *) continue ;; esac
		targets=$((targets + 1))
		echo "== $pkg $target ($each)"
		go test -tags sqlite_fts5 -run '^$' -fuzz "^$target\$" -fuzztime "$each" -fuzzminimizetime 100x "$pkg" || failed=$((failed + 1))
	done < <(go test -tags sqlite_fts5 -list '^Fuzz' "$pkg" 2>/dev/null)
done < <(go list -tags sqlite_fts5 -f '{{if or .TestGoFiles .XTestGoFiles}}{{.ImportPath}}{{end}}' ./... | grep -v '^$')
echo "fuzzed $targets targets for $each each, $failed failed"
[ "$failed" -eq 0 ]
