package audit

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/gumshoe-ir/gumshoe/event"
)

// rr is one answer record; data is an address or a name.
type rr struct {
	owner string
	kind  uint16
	ttl   uint32
	data  string
}

// message is a DNS answer to a question for asked.
func message(flags uint16, asked string, records ...rr) []byte {
	b := binary.BigEndian.AppendUint16([]byte{1, 2}, flags)
	for _, n := range []int{1, len(records), 0, 0} {
		b = binary.BigEndian.AppendUint16(b, uint16(n))
	}
	b = append(wire(b, asked), 0, 1, 0, 1)
	for _, r := range records {
		if r.owner == asked {
			b = append(b, 0xC0, dnsHeader)
		} else {
			b = wire(b, r.owner)
		}
		b = binary.BigEndian.AppendUint16(b, r.kind)
		b = binary.BigEndian.AppendUint16(b, classIN)
		b = binary.BigEndian.AppendUint32(b, r.ttl)
		var data []byte
		if a, err := netip.ParseAddr(r.data); err == nil {
			data = a.AsSlice()
		} else {
			data = wire(nil, r.data)
		}
		b = binary.BigEndian.AppendUint16(b, uint16(len(data)))
		b = append(b, data...)
	}
	return b
}

func wire(b []byte, name string) []byte {
	for label := range strings.SplitSeq(name, ".") {
		b = append(append(b, byte(len(label))), label...)
	}
	return append(b, 0)
}

const answered = 0x8180

func TestParseDNS(t *testing.T) {
	a := rr{"www.example.org", typeA, 60, "203.0.113.9"}
	for _, tt := range []struct {
		name string
		m    []byte
		want string
	}{
		{"an address", message(answered, "www.example.org", a), "www.example.org [{203.0.113.9 60}]"},
		{"an IPv6 address", message(answered, "x", rr{"x", typeAAAA, 1, "2001:db8::1"}), "x [{2001:db8::1 1}]"},
		{"through aliases, with the shortest life", message(answered, "www.example.org", rr{"www.example.org", typeCNAME, 5, "cdn.example.net"}, rr{"CDN.example.net", typeA, 60, "203.0.113.9"}), "www.example.org [{203.0.113.9 5}]"},
		{"another name's address", message(answered, "x.org", rr{"bank.example", typeA, 60, "203.0.113.9"}), "x.org []"},
		{"a question", message(0x0100, "x.org", rr{"x.org", typeA, 60, "203.0.113.9"}), " []"},
		{"no such name", message(answered|3, "x.org"), " []"},
		{"bytes that are no text", message(answered, "a\x1b[2J\xff.org", rr{"a\x1b[2J\xff.org", typeA, 6, "203.0.113.9"}), `a\027[2J\255.org [{203.0.113.9 6}]`},
		{"a pointer to itself", append(message(answered, "x.org"), 0xC0, 23), "x.org []"},
		{"cut", message(answered, "www.example.org", a, a)[:55], "www.example.org [{203.0.113.9 60}]"},
		{"empty", nil, " []"},
	} {
		asked, answers := parseDNS(tt.m, nil)
		var list []string
		for _, x := range answers {
			list = append(list, fmt.Sprintf("{%v %d}", x.addr, x.ttl))
		}
		if got := fmt.Sprintf("%s %v", asked, list); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

func FuzzDNS(f *testing.F) {
	f.Add(message(answered, "www.example.org", rr{"www.example.org", typeCNAME, 5, "b"}, rr{"b", typeA, 60, "203.0.113.9"}))
	f.Add(message(answered, "x", rr{"x", typeAAAA, 1, "2001:db8::1"}))
	f.Add(append(message(answered, "x.org"), 0xC0, 0x0C))
	f.Fuzz(func(t *testing.T, m []byte) {
		asked, answers := parseDNS(m, nil)
		if len(answers) > maxRecords || len(asked) > 4*maxDNSName {
			t.Fatalf("%d answers for a name of %d bytes", len(answers), len(asked))
		}
		for i := range len(asked) {
			if asked[i] <= ' ' || asked[i] >= 0x7F {
				t.Fatalf("name %q", asked)
			}
		}
		for _, a := range answers {
			if !a.addr.IsValid() {
				t.Fatal("an address that is none")
			}
		}
	})
}

func TestConnectionsAreNamed(t *testing.T) {
	l := newLine(t)
	in := &event.Container{ID: "aaa"}
	host, box := l.process(100, nil, "curl"), l.process(101, nil, "curl")
	box.Container = in
	connect := func(p *event.Process, port int) string {
		got := l.give(p, inet(event.ProtoTCP, "", fmt.Sprintf("203.0.113.9:%d", port)), event.SocketConnectX, 0)
		return got[0].Name
	}
	if n := connect(host, 1); n != "" {
		t.Errorf("before any answer: %q", n)
	}
	l.give(host, nil, event.DNS, nil, message(answered, "www.example.org", rr{"www.example.org", typeA, 60, "203.0.113.9"}))
	l.give(box, nil, event.DNS, nil, message(answered, "inside.example", rr{"inside.example", typeA, 20, "203.0.113.9"}))
	if n := connect(host, 2); n != "www.example.org" {
		t.Errorf("on the host: %q", n)
	}
	if n := connect(box, 3); n != "inside.example" {
		t.Errorf("in the container: %q", n)
	}
	l.wait(30 * second)
	if n := connect(box, 4); n != "www.example.org" {
		t.Errorf("when the container's answer is stale: %q", n)
	}
	l.wait(60 * second)
	if n := connect(host, 5); n != "" {
		t.Errorf("when all are stale: %q", n)
	}
}
