// Command gumshoe is a terminal console for security incidents on Linux: it
// shows who did what on this host, live and as it was stored. This package
// reads flags and configuration and wires the parts; it judges nothing itself.
package main

import (
	"context"
	"log/slog"
	"os"
)

// version is set when the program is built.
var version = "unversioned"

func main() {
	slog.SetDefault(slog.New(slog.DiscardHandler)) // what libraries log waits for a log of ours: openLog
	os.Exit(run(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
