// Package theme says how the console looks: a few semantic roles, each a
// colour per kind of terminal, and the glyphs. It draws nothing.
package theme

import (
	"fmt"
	"image/color"
)

// Role is what a piece of text means; colours follow from it.
type Role uint8

// Roles. Lanes of activity never use the hues of severity.
const (
	Text   Role = iota // what is read
	Strong             // headings, the current thing
	Muted              // labels, what is known anyway
	Border             // frames without focus
	Focus              // the frame with focus
	Accent             // the console's own colour: keys, links, the prompt
	Good               // live, valid, ended well
	Warn               // dropped, lagging, paused
	Danger             // broken, lost, refused
	Mark               // a masquerade, a hit, what to look at
	Command
	Network
	File
	Kube
	System
	Match  // the cell under the cursor
	Ghost  // hints in empty places
	Active // the current tab
	roles
)

// Kind is a family of terminals.
type Kind uint8

// Kinds of terminals.
const (
	Dark    Kind = iota // 24-bit or 256 colours on a dark ground
	Light               // the same on a light ground
	Sixteen             // the terminal's own sixteen colours
	Mono                // attributes only: NO_COLOR and dumb terminals
)

// Parse reads a kind as --theme spells it.
func Parse(s string) (Kind, error) {
	switch s {
	case "dark":
		return Dark, nil
	case "light":
		return Light, nil
	case "16":
		return Sixteen, nil
	case "mono":
		return Mono, nil
	}
	return Dark, fmt.Errorf("theme %q is not known: want dark, light, 16 or mono", s)
}

// String is the kind as --theme spells it.
func (k Kind) String() string { return [...]string{"dark", "light", "16", "mono"}[k&3] }

// Style is one role's look: the escape sequence that begins it on a plain row
// and on the selected one. Both begin from a reset.
type Style struct{ Plain, Selected string }

// Reset ends every style.
const Reset = "\x1b[m"

// Styles are the looks of all roles of one kind of terminal, and its glyphs.
// They never change.
type Styles struct {
	Kind   Kind
	Glyphs Glyphs
	looks  [roles]Style
}

// New makes the styles of a kind; ascii replaces boxes and blocks by plain
// characters.
func New(kind Kind, ascii bool) *Styles {
	s := &Styles{Kind: kind, Glyphs: unicodeGlyphs}
	if ascii {
		s.Glyphs = asciiGlyphs
	}
	for r := range roles {
		fg, selected := kind.params(r)
		s.looks[r] = Style{Plain: sgr(fg), Selected: sgr(fg, selected)}
	}
	return s
}

// Of is the look of a role.
func (s *Styles) Of(r Role) Style { return s.looks[r%roles] }

func sgr(params ...string) string {
	out := "\x1b["
	for _, p := range params {
		if p != "" {
			out += ";" + p
		}
	}
	return out + "m"
}

// params are the SGR parameters of a role and of being selected.
func (k Kind) params(r Role) (role, selected string) {
	switch k {
	case Mono:
		return mono[r], "7"
	case Sixteen:
		return sixteen[r], "7"
	case Light:
		return rich(light[r], bold[r]), "48;2;" + rgb(lightSelected)
	}
	return rich(dark[r], bold[r]), "48;2;" + rgb(darkSelected)
}

func rich(c uint32, attr string) string {
	if c == 0 {
		return attr
	}
	out := "38;2;" + rgb(c)
	if attr != "" {
		out = attr + ";" + out
	}
	return out
}

func rgb(c uint32) string { return fmt.Sprintf("%d;%d;%d", c>>16, c>>8&255, c&255) }

// Ground is the kind for a terminal whose background is c.
func Ground(c color.Color) Kind {
	if c == nil {
		return Dark
	}
	r, g, b, _ := c.RGBA()
	if (299*r+587*g+114*b)/1000 > 0x7fff {
		return Light
	}
	return Dark
}
