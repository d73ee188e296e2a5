package audit

import (
	"encoding/binary"
	"net/netip"
	"strings"
)

// Bounds of a DNS message (RFC 1035) and of what is taken from one.
const (
	dnsHeader    = 12
	maxQuestions = 1 // more is not in use
	maxRecords   = 64
	maxDNSName   = 255
	maxLabel     = 63

	typeA, typeCNAME, typeAAAA, classIN = 1, 5, 28, 1
)

// answer is one address that a name has, for ttl seconds.
type answer struct {
	addr netip.Addr
	ttl  uint32
}

// parseDNS reads an answer to a question for addresses: the name asked for and
// the addresses that it leads to, also through aliases. Records of other names
// are not believed. A cut message gives what is whole.
func parseDNS(m []byte, into []answer) (asked string, answers []answer) {
	if len(m) < dnsHeader {
		return "", nil
	}
	flags := binary.BigEndian.Uint16(m[2:])
	questions, records := binary.BigEndian.Uint16(m[4:]), binary.BigEndian.Uint16(m[6:])
	const response, opcode, rcode = 0x8000, 0x7800, 0x000F
	if flags&response == 0 || flags&(opcode|rcode) != 0 || questions != maxQuestions {
		return "", nil
	}
	asked, off, ok := dnsName(m, dnsHeader)
	if !ok || asked == "" || off+4 > len(m) {
		return "", nil
	}
	off += 4
	current, shortest := asked, ^uint32(0)
	for range min(int(records), maxRecords) {
		owner, next, ok := dnsName(m, off)
		if !ok || next+10 > len(m) {
			break
		}
		kind, class := binary.BigEndian.Uint16(m[next:]), binary.BigEndian.Uint16(m[next+2:])
		ttl, size := binary.BigEndian.Uint32(m[next+4:]), int(binary.BigEndian.Uint16(m[next+8:]))
		data := next + 10
		if off = data + size; off > len(m) {
			break
		}
		if class != classIN || !strings.EqualFold(owner, current) {
			continue
		}
		switch {
		case kind == typeCNAME:
			if alias, end, ok := dnsName(m, data); ok && end <= off && alias != "" {
				current, shortest = alias, min(shortest, ttl)
			}
		case kind == typeA && size == 4, kind == typeAAAA && size == 16:
			addr, _ := netip.AddrFromSlice(m[data:off])
			into = append(into, answer{addr.Unmap(), min(ttl, shortest)})
		}
	}
	return asked, into
}

// dnsName reads a name at off, following compression (RFC 1035 §4.1.4), and is
// the offset behind it. Dots inside labels and bytes that are not printable
// ASCII come as \DDD (RFC 4343 §2.1).
func dnsName(m []byte, off int) (name string, next int, ok bool) {
	var b strings.Builder
	limit := off // pointers must lead backwards: no loops
	for total := 0; off < len(m); {
		n := int(m[off])
		switch {
		case n == 0:
			if next == 0 {
				next = off + 1
			}
			return b.String(), next, true
		case n&0xC0 == 0xC0:
			if off+1 >= len(m) {
				return "", 0, false
			}
			if next == 0 {
				next = off + 2
			}
			to := (n&0x3F)<<8 | int(m[off+1])
			if to >= limit {
				return "", 0, false
			}
			off, limit = to, to
		case n > maxLabel:
			return "", 0, false
		default:
			if total += n + 1; total > maxDNSName || off+1+n > len(m) {
				return "", 0, false
			}
			if b.Len() > 0 {
				b.WriteByte('.')
			}
			writeLabel(&b, m[off+1:off+1+n])
			off += 1 + n
		}
	}
	return "", 0, false
}

func writeLabel(b *strings.Builder, label []byte) {
	for _, c := range label {
		switch {
		case c == '.' || c == '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case c > ' ' && c < 0x7F:
			b.WriteByte(c)
		default:
			b.WriteByte('\\')
			b.WriteByte('0' + c/100)
			b.WriteByte('0' + c/10%10)
			b.WriteByte('0' + c%10)
		}
	}
}
