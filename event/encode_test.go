package event

import (
	"net/netip"
	"testing"
)

func TestEncodeParams(t *testing.T) {
	local, peer := netip.MustParseAddrPort("10.0.0.1:4000"), netip.MustParseAddrPort("10.0.0.2:53")
	tests := []struct {
		name   string
		typ    Type
		values []any
		want   string // parameter bytes in hexadecimal, "" when it must fail
	}{
		{"integers take the parameter's width", SocketListenX, []any{0, 3, uint8(5)}, "0000000000000000" + "0300000000000000" + "05000000"},
		{"negative results are sign extended", SyscallCloseX, []any{-9, int32(-1)}, "f7ffffffffffffff" + "ffffffffffffffff"},
		{"text ends with NUL, nil is empty", SyscallChdirX, []any{nil, "/a"}, "2f6100"},
		{"string lists are NUL-terminated", SyscallExecveV19X, []any{0, "x", []string{"a", "b"}}, "0000000000000000" + "7800" + "61006200"},
		{"a tuple has ports beside addresses", SocketConnectX, []any{nil, [2]netip.AddrPort{local, peer}, nil, peer}, "020a000001a00f0a0000023500" + "020a0000023500"},
		{"surplus values", SyscallSetsidX, []any{1, 2}, ""},
		{"a float is no parameter", SyscallSetsidX, []any{1.5}, ""},
		{"65536 bytes do not fit", SyscallChdirX, []any{0, make([]byte, 65536)}, ""},
		{"wide lengths hold them", AsynceventE, []any{nil, nil, make([]byte, 0)}, "-"},
		{"unknown type", Known, nil, ""},
	}
	for _, tt := range tests {
		p, err := EncodeParams(tt.typ, tt.values...)
		if (err != nil) != (tt.want == "") {
			t.Errorf("%s: error %v", tt.name, err)
			continue
		}
		if got := hexOf(p.data); err == nil && tt.want != "-" && got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
		if err == nil && p.Len() != len(tt.values) {
			t.Errorf("%s: %d parameters, want %d", tt.name, p.Len(), len(tt.values))
		}
	}
}

func hexOf(b []byte) string {
	const digits = "0123456789abcdef"
	var out []byte
	for _, c := range b {
		out = append(out, digits[c>>4], digits[c&15])
	}
	return string(out)
}
