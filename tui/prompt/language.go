package prompt

import (
	"strings"

	"github.com/gumshoe-ir/gumshoe/rules/filter"
)

// Parse reads a filter as the bar takes it; empty text means everything.
func Parse(text string) (filter.Node, error) {
	if strings.TrimSpace(text) == "" {
		return nil, nil
	}
	return &filter.Text{Word: text}, nil
}

// Check writes the check that a field has a value, or has it not.
func Check(field, value string, exclude bool) string {
	op := " = "
	if exclude {
		op = " != "
	}
	return field + op + quote(value)
}

func quote(s string) string { return `"` + strings.ReplaceAll(strings.ReplaceAll(s, `\`, `\\`), `"`, `\"`) + `"` }
