package main

var tenMillion = []string{"GUMSHOE_BENCH_ROWS=10000000"}

// suites are the packages whose benchmarks make the document. The store is
// asked with ten million rows unless GUMSHOE_BENCH_ROWS says otherwise.
var suites = []suite{
	{Package: "./collector/kernel", Bench: "Overhead", Time: "1x"},
	{Package: "./collector/kernel", Bench: "Ring|Drain", Time: "1x"},
	{Package: "./collector/kernel", Bench: "Decode", Time: "1s"},
	{Package: "./collector/proc", Bench: ".", Time: "1s"},
	{Package: "./audit", Bench: ".", Time: "1s"},
	{Package: "./internal/linebench", Bench: ".", Time: "1x"},
	{Package: "./event/...", Bench: ".", Time: "1s"},
	{Package: "./rules/...", Bench: ".", Time: "1s"},
	{Package: "./audit/store", Bench: "Insert", Time: "300000x"},
	{Package: "./audit/store", Bench: "Page|Filter|Substring|Histogram|Facets|Open", Time: "200x", Env: tenMillion},
	{Package: "./audit/store", Bench: "Retention", Time: "3x", Env: tenMillion},
	{Package: "./fleet/socket", Bench: ".", Time: "1s"},
	{Package: "./tui/...", Bench: ".", Time: "1s"},
	{Package: "./internal/ptybench", Bench: ".", Time: "1x"},
}

// goals are the promises of speed, each judged by one metric of one benchmark.
var goals = []goal{
	{What: "untraced call (getpid), all programs attached", Bench: "Overhead/getpid", Unit: "ns-extra", Limit: 90, AtMost: true},
	{What: "the same for a program that wants nothing: this machine's floor", Bench: "Overhead/getpid", Unit: "ns-floor", Limit: 60, AtMost: true},
	{What: "openat of a missing file", Bench: "Overhead/openat_missing", Unit: "ns-extra", Limit: 450, AtMost: true},
	{What: "open and close", Bench: "Overhead/open_close", Unit: "ns-extra", Limit: 750, AtMost: true},
	{What: "ring to decoded batch", Bench: "Drain", Unit: "cpu-ns/event", Limit: 150, AtMost: true},
	{What: "300,000 events/s for 10 s through a 16 MiB ring", Bench: "Ring", Unit: "dropped", Limit: 0, AtMost: true},
	{What: "whole line, sustained, on one core", Bench: "Line/sustained", Unit: "events/s/core", Limit: 100_000},
	{What: "whole line, sustained: lost", Bench: "Line/sustained", Unit: "dropped", Limit: 0, AtMost: true},
	{What: "whole line, 300,000/s for 0.3 s: lost", Bench: "Line/burst", Unit: "dropped", Limit: 0, AtMost: true},
	{What: "engine, idle host", Bench: "linebench.Idle", Unit: "cpu-%", Limit: 0.3, AtMost: true},
	{What: "engine, idle host, resident", Bench: "linebench.Idle", Unit: "MiB", Limit: 60, AtMost: true},
	{What: "page of 10 M activities", Bench: "Page", Unit: "p50-ms", Limit: 2, AtMost: true},
	{What: "page filtered by container", Bench: "Filter/container", Unit: "p99-ms", Limit: 100, AtMost: true},
	{What: "page filtered by user", Bench: "Filter/user", Unit: "p99-ms", Limit: 100, AtMost: true},
	{What: "page filtered by process name", Bench: "Filter/process", Unit: "p99-ms", Limit: 100, AtMost: true},
	{What: "graph over all", Bench: "Histogram/all", Unit: "p50-ms", Limit: 5, AtMost: true},
	{What: "graph of one container", Bench: "Histogram/container", Unit: "p50-ms", Limit: 50, AtMost: true},
	{What: "graph of one user", Bench: "Histogram/user", Unit: "p50-ms", Limit: 50, AtMost: true},
	{What: "graph of one session", Bench: "Histogram/session", Unit: "p50-ms", Limit: 50, AtMost: true},
	{What: "substring", Bench: "Substring/some", Unit: "p50-ms", Limit: 50, AtMost: true},
	{What: "a day's retention", Bench: "Retention", Unit: "max-ms", Limit: 500, AtMost: true},
	{What: "key to first byte, 5,000 activities/s", Bench: "Key", Unit: "key-p50-ms", Limit: 10, AtMost: true},
	{What: "the same, p99 above a bare terminal's echo", Bench: "Key", Unit: "key-p99-ms", Floor: "floor-p99-ms", Limit: 15, AtMost: true},
	{What: "first paint over 10 M rows", Bench: "FirstPaint", Unit: "rows-p50-ms", Limit: 100, AtMost: true},
	{What: "console, idle, above an empty program", Bench: "ptybench.Idle", Unit: "cpu-%", Floor: "empty-cpu-%", Limit: 1, AtMost: true},
}
