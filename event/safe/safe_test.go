package safe

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestLine(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"plain text stays", "ls -l /tmp", "ls -l /tmp"},
		{"letters of other scripts stay", "größe 日本 файл", "größe 日本 файл"},
		{"an accent on its letter stays", "e\u0301", "e\u0301"},
		{"newline is seen", "a\nb\r\n", `a\nb\r\n`},
		{"tab is seen", "a\tb", `a\tb`},
		{"NUL is seen", "a\x00b", `a\x00b`},
		{"escape sequence cannot act", "\x1b]52;c;aGk=\a", `\x1b]52;c;aGk=\x07`},
		{"delete is seen", "a\x7f", `a\x7f`},
		{"C1 is seen", "a\u009bm", "a⟪U+009B⟫m"},
		{"raw C1 byte is not UTF-8", "a\x9bm", `a\x9bm`},
		{"bidi override is seen", "a\u202egpj.exe", "a⟪U+202E⟫gpj.exe"},
		{"bidi isolate is seen", "\u2066x\u2069", "⟪U+2066⟫x⟪U+2069⟫"},
		{"zero-width space is seen", "pass\u200bwd", "pass⟪U+200B⟫wd"},
		{"joiner is seen", "a\u200db", "a⟪U+200D⟫b"},
		{"byte order mark is seen", "\ufeffx", "⟪U+FEFF⟫x"},
		{"soft hyphen is seen", "a\u00adb", "a⟪U+00AD⟫b"},
		{"no-break space is no space", "a\u00a0b", "a⟪U+00A0⟫b"},
		{"line separator is seen", "a\u2028b", "a⟪U+2028⟫b"},
		{"Hangul filler is seen", "a\u3164b", "a⟪U+3164⟫b"},
		{"variation selector is seen", "☠\ufe0f", "☠⟪U+FE0F⟫"},
		{"tag characters are seen", "a\U000e0041", "a⟪U+E0041⟫"},
		{"private use is seen", "\ue0b0", "⟪U+E0B0⟫"},
		{"bytes that are not UTF-8", "\xff\xfea", `\xff\xfea`},
		{"half a character", "a\xe2\x82", `a\xe2\x82`},
		{"lone surrogate", "\xed\xa0\x80", `\xed\xa0\x80`},
		{"overlong form", "\xc0\xaf", `\xc0\xaf`},
		{"replacement character itself stays", "\ufffd", "\ufffd"},
		{"leading accent has nothing to sit on", "\u0301a", "⟪U+0301⟫a"},
		{"flood of accents ends", "a\u0301\u0302\u0303\u0304", "a\u0301\u0302⟪U+0303⟫⟪U+0304⟫"},
		{"empty", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := Line(tt.in, 1000); got != tt.want {
				t.Errorf("Line(%q) = %q, want %q", tt.in, got, tt.want)
			}
			if got := Line([]byte(tt.in), 1000); got != tt.want {
				t.Errorf("Line([]byte %q) = %q, want %q", tt.in, got, tt.want)
			}
			if got := Clean(tt.in); got != (tt.in == tt.want) {
				t.Errorf("Clean(%q) = %v", tt.in, got)
			}
		})
	}
}

func TestLineBounds(t *testing.T) {
	tests := []struct {
		in    string
		limit int
		want  string
	}{
		{"abcdef", 6, "abcdef"},
		{"abcdefg", 6, "abc…"},
		{"abcd", 3, "…"},
		{"abcd", 2, ""},
		{"abcd", 0, ""},
		{"abcd", -1, ""},
		{"a\x1b\x1b", 6, "a…"},
		{"\x1b\x1b", 8, `\x1b\x1b`},
		{"日本語", 8, "日…"},
		{strings.Repeat("x", 1<<20), 10, "xxxxxxx…"},
	}
	for _, tt := range tests {
		if got := Line(tt.in, tt.limit); got != tt.want {
			t.Errorf("Line(%.20q, %d) = %q, want %q", tt.in, tt.limit, got, tt.want)
		}
	}
}

func TestTail(t *testing.T) {
	tests := []struct {
		in    string
		limit int
		want  string
	}{
		{"abc", 5, "abc"},
		{"abcdef", 3, "def"},
		{"a日本", 4, "本"},
		{"a日本", 3, "本"},
	}
	for _, tt := range tests {
		if got := Tail(tt.in, tt.limit); got != tt.want {
			t.Errorf("Tail(%q, %d) = %q, want %q", tt.in, tt.limit, got, tt.want)
		}
	}
}

func TestCleanTextDoesNotAllocate(t *testing.T) {
	for _, s := range []string{"/usr/bin/curl -o /tmp/x http://198.51.100.7/", "größe 日本 e\u0301"} {
		if n := testing.AllocsPerRun(100, func() { _ = Line(s, 200) }); n != 0 {
			t.Errorf("Line(%q) allocates %v times", s, n)
		}
	}
}

func FuzzLine(f *testing.F) {
	for _, s := range []string{"", "ls", "\x1b[31m", "a\u0301\u0301\u0301", "\u202e", "\xff\xc0\xaf", "日本\ufe0f", "\U000e0041\x00\n"} {
		f.Add(s, 40)
	}
	f.Fuzz(func(t *testing.T, s string, limit int) {
		limit %= 1 << 12
		got := Line(s, limit)
		if len(got) > max(limit, 0) {
			t.Fatalf("Line(%q, %d) has %d bytes", s, limit, len(got))
		}
		if !utf8.ValidString(got) {
			t.Fatalf("Line(%q) = %q is not UTF-8", s, got)
		}
		run := 0
		for _, r := range got {
			if !unicode.IsPrint(r) || invisible(r) {
				t.Fatalf("Line(%q) = %q shows %U", s, got, r)
			}
			if !unicode.Is(unicode.M, r) {
				run = 0
			} else if run++; run > marks {
				t.Fatalf("Line(%q) = %q has %d marks in a row", s, got, run)
			}
		}
		if !Clean(got) {
			t.Fatalf("Line(%q) = %q is not clean", s, got)
		}
		if b := Line([]byte(s), limit); b != got {
			t.Fatalf("of bytes %q, of the string %q", b, got)
		}
	})
}

func BenchmarkLine(b *testing.B) {
	hostile := strings.Repeat("a\x1b[31m\u202e\xff", 10)
	for name, s := range map[string]string{"clean": "/usr/bin/curl -o /tmp/x http://198.51.100.7/", "hostile": hostile} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_ = Line(s, 400)
			}
		})
	}
}
