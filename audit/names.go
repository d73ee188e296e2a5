package audit

import (
	"net/netip"

	"github.com/gumshoe-ir/gumshoe/event"
)

// Bounds of how long an answer is believed, whatever its TTL says: programs
// connect after asking also when the TTL is 0, and nothing is true for ever.
const (
	shortestName = uint64(5e9)
	longestName  = uint64(24 * 3600e9)
)

// names remembers what name an address was found by, for each container apart:
// they may ask different servers.
type names struct {
	byAddr  *table[nameKey, name]
	scratch []answer
}

type nameKey struct {
	container string
	addr      netip.Addr
}

type name struct {
	text    string
	expires uint64
}

// dnsAnswer takes the addresses out of an answer that a process received.
func (s *Sessions) dnsAnswer(e *event.Event) {
	asked, answers := parseDNS(e.Params.At(event.DNSPayload), s.names.scratch[:0])
	for _, a := range answers {
		k := nameKey{where(e.Process), a.addr}
		ttl := min(max(uint64(a.ttl)*1e9, shortestName), longestName)
		s.forgot(s.names.byAddr.put(k, name{asked, e.ID.NS + ttl}))
	}
	if answers != nil {
		s.names.scratch = answers[:0]
	}
}

// lookup is the name by which addr was last found where p runs, else on the
// host, empty when none is known.
func (n *names) lookup(p *event.Process, addr netip.Addr, now uint64) string {
	for _, place := range [2]string{where(p), ""} {
		k := nameKey{place, addr}
		if found := n.byAddr.get(k); found != nil {
			if found.expires >= now {
				return found.text
			}
			n.byAddr.remove(k)
		}
	}
	return ""
}

func where(p *event.Process) string {
	if p == nil {
		return ""
	}
	return containerID(p)
}
