package store

import (
	"errors"

	"github.com/gumshoe-ir/gumshoe/event"
	"github.com/gumshoe-ir/gumshoe/rules/filter"
)

func compile(filter.Node) (func(event.Record) bool, error) {
	return nil, errors.New("filters are not built in")
}

// compileOrAll is nil for no filter.
func compileOrAll(n filter.Node) (func(event.Record) bool, error) {
	if n == nil {
		return nil, nil
	}
	return compile(n)
}
