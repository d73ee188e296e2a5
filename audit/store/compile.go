package store

import (
	"github.com/gumshoe-ir/gumshoe/event"
	"github.com/gumshoe-ir/gumshoe/rules/filter"
)

// compile makes a filter ready to judge rows; nil for no filter.
func compile(n filter.Node) (func(event.Record) bool, error) {
	if n == nil {
		return nil, nil
	}
	p, err := filter.Compile(n)
	if err != nil {
		return nil, err
	}
	return p.Match, nil
}
