// Package ptybench measures the console as a person feels it, through a
// pseudo-terminal: key to first byte, first paint, and what it costs to idle,
// each beside its floor from the same run. It holds only benchmarks.
package ptybench
