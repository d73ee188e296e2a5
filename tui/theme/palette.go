package theme

// Colours as 0xRRGGBB; 0 is the terminal's own. The contrast of each with its
// ground, selected or not, is tested.
var (
	dark = [roles]uint32{
		Muted: 0x98a2b3, Border: 0x6b7688, Focus: 0x6fb7e9, Accent: 0x6fb7e9, Good: 0x84c98b,
		Warn: 0xe6a23c, Danger: 0xff7b70, Mark: 0xe6a23c,
		Network: 0x5fd0c0, File: 0xb9acf5, Kube: 0xe8a4d2, System: 0xd0bd93,
		Match: 0x6fb7e9, Ghost: 0x98a2b3, Active: 0x6fb7e9,
	}
	light = [roles]uint32{
		Muted: 0x565e6b, Border: 0x7f8794, Focus: 0x005f9e, Accent: 0x005f9e, Good: 0x1d6b2f,
		Warn: 0x845300, Danger: 0xb3261e, Mark: 0x845300,
		Network: 0x006a5e, File: 0x5b45b0, Kube: 0x93307a, System: 0x6a5720,
		Match: 0x005f9e, Ghost: 0x565e6b, Active: 0x005f9e,
	}
	bold = [roles]string{Strong: "1", Danger: "1", Match: "1;4", Active: "1"}

	sixteen = [roles]string{
		Strong: "1", Border: "2", Focus: "36", Accent: "36", Good: "32", Warn: "33", Danger: "1;91", Mark: "33",
		Network: "36", File: "35", Kube: "95", System: "34", Match: "1;4", Ghost: "2", Active: "1;36",
	}
	mono = [roles]string{
		Strong: "1", Muted: "2", Border: "2", Focus: "1", Accent: "1", Danger: "1", Warn: "1", Mark: "1",
		Match: "1;4", Ghost: "2", Active: "1;4",
	}
)

const (
	darkSelected  = 0x27344a
	lightSelected = 0xd9e6f7
)

// Box are the characters of a frame.
type Box struct{ Horizontal, Vertical, TopLeft, TopRight, BottomLeft, BottomRight string }

// Glyphs are the signs that are not letters.
type Glyphs struct {
	Plain, Heavy         Box // without and with focus
	Levels               [9]string
	Branch, Last, Trunk  string // tree: "├─ ", "└─ ", "│  "
	Open, Shut           string // tree: unfolded, folded
	Cursor, Prompt       string
	Logo, Live, Recorded string
	Into, Out            string // connections
	Up, Down             string
}

var unicodeGlyphs = Glyphs{
	Plain:  Box{"─", "│", "┌", "┐", "└", "┘"},
	Heavy:  Box{"━", "┃", "┏", "┓", "┗", "┛"},
	Levels: [9]string{" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"},
	Branch: "├─", Last: "└─", Trunk: "│ ",
	Open: "▾", Shut: "▸",
	Cursor: "▌", Prompt: "⌕",
	Logo: "◆", Live: "▶", Recorded: "●",
	Into: "←", Out: "→", Up: "↑", Down: "↓",
}

var asciiGlyphs = Glyphs{
	Plain:  Box{"-", "|", "+", "+", "+", "+"},
	Heavy:  Box{"=", "#", "#", "#", "#", "#"},
	Levels: [9]string{" ", ".", ":", "-", "=", "+", "*", "%", "#"},
	Branch: "|-", Last: "`-", Trunk: "| ",
	Open: "v", Shut: ">",
	Cursor: ">", Prompt: "/",
	Logo: "*", Live: ">", Recorded: "o",
	Into: "<-", Out: "->", Up: "^", Down: "v",
}
