// Package prompt is where people type: the filter bar with its diagnosis and
// completion, and the help that lists what keys do. It decides nothing; it
// returns intents.
package prompt

import (
	"unicode"
	"unicode/utf8"

	tea "charm.land/bubbletea/v2"
)

// maxLine is how long a line may get, in characters: a pasted file is not a
// filter.
const maxLine = 4096

// Line is an editable line of text.
type Line struct {
	text   []rune
	cursor int
}

// Set replaces the text; the cursor goes to its end.
func (l *Line) Set(s string) {
	l.text = []rune(s)
	if len(l.text) > maxLine {
		l.text = l.text[:maxLine]
	}
	l.cursor = len(l.text)
}

// String is the text.
func (l *Line) String() string { return string(l.text) }

// Cursor is the cursor's place as an offset in bytes.
func (l *Line) Cursor() int { return len(string(l.text[:l.cursor])) }

// Insert puts s at the cursor, whole or, when it is too long, not at all: half
// a filter is another filter. What cannot be seen becomes a space.
func (l *Line) Insert(s string) (fits bool) {
	if len(l.text)+utf8.RuneCountInString(s) > maxLine {
		return false
	}
	for _, r := range s {
		if !unicode.IsPrint(r) {
			r = ' '
		}
		l.text = append(l.text[:l.cursor], append([]rune{r}, l.text[l.cursor:]...)...)
		l.cursor++
	}
	return true
}

// Replace puts s in place of the bytes from start to end.
func (l *Line) Replace(start, end int, s string) {
	old := string(l.text)
	start, end = min(max(start, 0), len(old)), min(max(end, 0), len(old))
	if start > end {
		return
	}
	l.text = []rune(old[:start] + s + old[end:])
	l.cursor = len([]rune(old[:start] + s))
}

// Press edits the line and reports whether the key was one for editing.
func (l *Line) Press(msg tea.KeyPressMsg) bool {
	switch msg.String() {
	case "left", "ctrl+b":
		l.cursor = max(l.cursor-1, 0)
	case "right", "ctrl+f":
		l.cursor = min(l.cursor+1, len(l.text))
	case "home", "ctrl+a":
		l.cursor = 0
	case "end", "ctrl+e":
		l.cursor = len(l.text)
	case "backspace", "ctrl+h":
		l.cut(max(l.cursor-1, 0), l.cursor)
	case "delete", "ctrl+d":
		l.cut(l.cursor, min(l.cursor+1, len(l.text)))
	case "ctrl+u":
		l.cut(0, l.cursor)
	case "ctrl+k":
		l.cut(l.cursor, len(l.text))
	case "ctrl+w", "alt+backspace":
		l.cut(l.word(), l.cursor)
	default:
		text := msg.Key().Text
		l.Insert(text)
		return text != ""
	}
	return true
}

func (l *Line) cut(from, to int) {
	l.text = append(l.text[:from], l.text[to:]...)
	l.cursor = from
}

// word is where the word before the cursor begins.
func (l *Line) word() int {
	i := l.cursor
	for i > 0 && l.text[i-1] == ' ' {
		i--
	}
	for i > 0 && l.text[i-1] != ' ' {
		i--
	}
	return i
}
