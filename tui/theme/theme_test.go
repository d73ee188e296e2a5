package theme

import (
	"image/color"
	"math"
	"testing"
)

// luminance is WCAG 2.1's relative luminance.
func luminance(c uint32) float64 {
	channel := func(v uint32) float64 {
		f := float64(v&255) / 255
		if f <= 0.03928 {
			return f / 12.92
		}
		return math.Pow((f+0.055)/1.055, 2.4)
	}
	return 0.2126*channel(c>>16) + 0.7152*channel(c>>8) + 0.0722*channel(c)
}

func contrast(a, b uint32) float64 {
	x, y := luminance(a), luminance(b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

func TestContrast(t *testing.T) {
	tests := []struct {
		name    string
		colours [roles]uint32
		grounds []uint32
	}{
		{"dark", dark, []uint32{0x000000, 0x1e1e1e, darkSelected}},
		{"light", light, []uint32{0xffffff, 0xfafafa, lightSelected}},
	}
	for _, tt := range tests {
		for r, c := range tt.colours {
			want := 4.5
			switch {
			case c == 0:
				continue
			case Role(r) == Border: // not text
				want = 2.2
			}
			for _, g := range tt.grounds {
				if got := contrast(c, g); got < want {
					t.Errorf("%s: role %d, %06x on %06x has contrast %.2f, want %.1f", tt.name, r, c, g, got, want)
				}
			}
		}
	}
}

func TestGround(t *testing.T) {
	tests := []struct {
		c    color.Color
		want Kind
	}{
		{color.Black, Dark},
		{color.White, Light},
		{color.RGBA{0x1e, 0x1e, 0x2e, 255}, Dark},
		{color.RGBA{0xfd, 0xf6, 0xe3, 255}, Light},
		{nil, Dark},
	}
	for _, tt := range tests {
		if got := Ground(tt.c); got != tt.want {
			t.Errorf("Ground(%v) = %v, want %v", tt.c, got, tt.want)
		}
	}
}

func TestParse(t *testing.T) {
	for k := Dark; k <= Mono; k++ {
		if got, err := Parse(k.String()); got != k || err != nil {
			t.Errorf("Parse(%q) = %v, %v", k, got, err)
		}
	}
	if _, err := Parse("pink"); err == nil {
		t.Error("Parse(pink) is no error")
	}
}

func TestMonoHasNoColour(t *testing.T) {
	s := New(Mono, false)
	for r := range roles {
		for _, seq := range []string{s.Of(r).Plain, s.Of(r).Selected} {
			for _, p := range []string{";3", ";4", ";9"} {
				if len(seq) > 4 && contains(seq, p+"8") {
					t.Errorf("role %d of mono is %q", r, seq)
				}
			}
		}
	}
}

func contains(s, sub string) bool {
	for i := 0; i+len(sub) <= len(s); i++ {
		if s[i:i+len(sub)] == sub {
			return true
		}
	}
	return false
}
