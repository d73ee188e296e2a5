package event

import (
	"encoding/binary"
	"fmt"
	"math"
	"net/netip"
	"reflect"
)

// EncodeParams lays values out as the parameters of an event of type t, in the
// capture format's encoding (spec/scap.md §4). Fewer values than the table has
// parameters make a record as an older writer would. A nil value is "not
// available"; integers of any Go type are cut to the parameter's width; text
// parameters take a string and get their NUL; []string becomes NUL-terminated
// strings after one another (argv, env, cgroups); a netip.AddrPort is a
// sockaddr and a [2]netip.AddrPort, source first, a socktuple; []byte is taken
// as it is. It fails on other kinds of values, on surplus values, and on a
// parameter that is longer than its length field can say.
func EncodeParams(t Type, values ...any) (Params, error) {
	info, ok := t.Info()
	if !ok || len(values) > len(info.Params) {
		return Params{}, fmt.Errorf("encode event %d: %d values for %d parameters", t, len(values), paramCount(info))
	}
	p := Params{wide: info.Flags&LargePayload != 0}
	for i, v := range values {
		start := len(p.data)
		var err error
		if p.data, err = appendValue(p.data, info.Params[i].Type, v); err != nil {
			return Params{}, fmt.Errorf("encode %s.%s: %w", info.Name, info.Params[i].Name, err)
		}
		n := len(p.data) - start
		switch {
		case p.wide:
			p.lens = binary.LittleEndian.AppendUint32(p.lens, uint32(n))
		case n > math.MaxUint16:
			return Params{}, fmt.Errorf("encode %s.%s: %d bytes exceed a 16-bit length", info.Name, info.Params[i].Name, n)
		default:
			p.lens = binary.LittleEndian.AppendUint16(p.lens, uint16(n))
		}
	}
	return p, nil
}

func paramCount(info *Info) int {
	if info == nil {
		return 0
	}
	return len(info.Params)
}

// widths are the bytes of fixed-width parameters.
var widths = [...]uint8{
	TypeInt8: 1, TypeInt16: 2, TypeInt32: 4, TypeInt64: 8, TypeUint8: 1, TypeUint16: 2, TypeUint32: 4, TypeUint64: 8,
	TypeErrno: 8, TypeFD: 8, TypePID: 8, TypeSyscallID: 2, TypeSigtype: 1, TypeReltime: 8, TypeAbstime: 8, TypePort: 2,
	TypeL4Proto: 1, TypeSockfamily: 1, TypeBool: 4, TypeFlags8: 1, TypeFlags16: 2, TypeFlags32: 4, TypeUID: 4, TypeGID: 4,
	TypeSigset: 4, TypeMode: 4, TypeEnumFlags8: 1, TypeEnumFlags16: 2, TypeEnumFlags32: 4, TypeFD32: 4, TypePID32: 4,
}

func appendValue(b []byte, t ParamType, v any) ([]byte, error) {
	switch v := v.(type) {
	case nil:
		return b, nil
	case []byte:
		return append(b, v...), nil
	case string:
		return append(append(b, v...), 0), nil
	case []string:
		for _, s := range v {
			b = append(append(b, s...), 0)
		}
		return b, nil
	case netip.AddrPort:
		b = appendAddr(append(b, family(v)), v.Addr())
		return binary.LittleEndian.AppendUint16(b, v.Port()), nil
	case [2]netip.AddrPort:
		b = append(b, family(v[0]))
		for _, a := range v {
			b = binary.LittleEndian.AppendUint16(appendAddr(b, a.Addr()), a.Port())
		}
		return b, nil
	}
	if int(t) >= len(widths) || widths[t] == 0 {
		return nil, fmt.Errorf("a %T does not fit parameter type %d", v, t)
	}
	var n uint64
	switch r := reflect.ValueOf(v); {
	case r.CanInt():
		n = uint64(r.Int())
	case r.CanUint():
		n = r.Uint()
	case r.Kind() == reflect.Bool && r.Bool():
		n = 1
	case r.Kind() != reflect.Bool:
		return nil, fmt.Errorf("cannot encode a %T", v)
	}
	full := binary.LittleEndian.AppendUint64(nil, n)
	return append(b, full[:widths[t]]...), nil
}

func family(a netip.AddrPort) byte {
	if a.Addr().Is4() {
		return 2
	}
	return 10
}

func appendAddr(b []byte, a netip.Addr) []byte { return append(b, a.AsSlice()...) }
