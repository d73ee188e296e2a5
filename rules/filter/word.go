package filter

import (
	"strconv"
	"strings"
	"unsafe"

	"github.com/gumshoe-ir/gumshoe/event"
)

// seen are the fields of a record that people see as text, most telling first.
var seen = fieldsOf(
	"gumshoe.activity.target", "gumshoe.activity.name", "gumshoe.activity.user", "gumshoe.activity.verb",
	"proc.name", "proc.cmdline", "user.name", "user.loginname",
	"container.name", "container.id", "container.image", "k8s.pod.name", "k8s.ns.name",
	"fd.nameraw", "evt.type",
)

// ends are address and port of both ends of a connection.
var ends = [2][2]*event.Field{pair("fd.rip", "fd.rport"), pair("fd.lip", "fd.lport")}

func pair(a, b string) [2]*event.Field { f := fieldsOf(a, b); return [2]*event.Field{f[0], f[1]} }

func fieldsOf(names ...string) []*event.Field {
	var all []*event.Field
	for _, n := range names {
		if f, ok := event.LookupField(n); ok {
			all = append(all, f)
		}
	}
	return all
}

// word is a free word: a substring, without regard to the case of ASCII
// letters, of what people see of a record.
type word struct {
	want    string
	address bool // it may be part of an address with a port
}

func newWord(s string) word {
	return word{want: s, address: strings.Trim(s, "0123456789abcdefABCDEF.:[]") == ""}
}

func (w word) match(r event.Record) bool {
	for _, f := range seen {
		if v, ok := r.Value(f, ""); ok && containsFold(v.Str, w.want) {
			return true
		}
	}
	if e, ok := r.(*event.Event); ok && e.FD != nil && containsFold(e.FD.Name, w.want) {
		return true
	}
	if !w.address {
		return false
	}
	var buf [64]byte
	for _, end := range ends {
		ip, ok := r.Value(end[0], "")
		if !ok {
			continue
		}
		text := ip.Addr.AppendTo(buf[:0])
		if port, ok := r.Value(end[1], ""); ok {
			text = strconv.AppendUint(append(text, ':'), port.Num, 10)
		}
		if containsFold(unsafe.String(unsafe.SliceData(text), len(text)), w.want) {
			return true
		}
	}
	return false
}
