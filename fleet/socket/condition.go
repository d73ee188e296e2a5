package socket

import (
	"github.com/gumshoe-ir/gumshoe/rules/filter"
)

// printCondition is a condition as it crosses the boundary: its text.
func printCondition(n filter.Node) []byte {
	if n == nil {
		return nil
	}
	return []byte(filter.Print(n))
}

// parseCondition reads what printCondition wrote. What it refuses is the
// console's fault.
func parseCondition(text []byte) (filter.Node, error) {
	if len(text) == 0 {
		return nil, nil
	}
	n, err := filter.ParseBar(string(text))
	if err != nil {
		return nil, badCondition(err)
	}
	return n, nil
}
