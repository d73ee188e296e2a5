package prompt

import (
	"github.com/gumshoe-ir/gumshoe/rules/filter"
)

// Parse reads a filter as the bar takes it; empty text means everything. The
// error is a *filter.Error.
func Parse(text string) (filter.Node, error) { return filter.ParseBar(text) }

// Check writes the check that a field has a value, or has it not.
func Check(field, value string, exclude bool) string {
	op := "="
	if exclude {
		op = "!="
	}
	return field + op + filter.Quote(value)
}
