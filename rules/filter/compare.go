package filter

import (
	"context"
	"encoding/hex"
	"net"
	"net/netip"
	"regexp"
	"regexp/syntax"
	"slices"
	"strconv"
	"strings"

	"github.com/gumshoe-ir/gumshoe/event"
)

// comparer judges a value that is there.
type comparer interface{ holds(v event.Value) bool }

// constError is what is wrong with a check: its operator, or the value at an
// index of Values.
type constError struct {
	value     int // -1: the operator
	msg, hint string
}

func badValue(i int, msg, hint string) *constError { return &constError{i, msg, hint} }

// compare makes the comparer of c from its operator and constants
// (spec/rules.md §1.4 and §1.5).
func compare(c *Check) (comparer, *constError) {
	f := c.Field
	if !slices.Contains(Operators(f), c.Op) {
		return nil, badValue(-1, "operator "+c.Op.String()+" does not fit "+f.Name, "it takes "+operatorHint(f))
	}
	if !c.Op.takesList() && (c.Op == Exists) != (len(c.Values) == 0) || !c.Op.takesList() && len(c.Values) > 1 {
		return nil, badValue(-1, "operator "+c.Op.String()+" has the wrong number of values", "")
	}
	if c.Op == Exists {
		return present{}, nil
	}
	switch {
	case f.Traits&event.Dynamic != 0:
		return compareDynamic(c)
	case f.List || f.Kind == event.StringList:
		return listCompare{set: newSet(c.Values), all: c.Op == In}, nil
	}
	switch f.Kind {
	case event.Int, event.Uint, event.Reltime, event.Abstime:
		return compareNumber(c)
	case event.Bool:
		return compareBool(c)
	case event.IP, event.Net:
		return compareAddr(c)
	}
	return compareText(c)
}

// present holds for every value.
type present struct{}

func (present) holds(event.Value) bool { return true }

// --- text

func compareText(c *Check) (comparer, *constError) {
	for i, s := range c.Values {
		if c.Field.Kind == event.String && strings.IndexByte(s, 0) >= 0 {
			return nil, badValue(i, "a value cannot contain a NUL", "")
		}
	}
	if c.Field.Name == "evt.type" {
		for i, s := range c.Values {
			if !event.IsTypeName(s) {
				return nil, badValue(i, "unknown event type "+strconv.Quote(s), "")
			}
		}
	}
	switch c.Op {
	case In, Intersects:
		return newSet(c.Values), nil
	case PMatch:
		return newPathSet(c.Values), nil
	case Regex:
		return compareRegex(c.Values[0])
	case BContains, BStartsWith:
		b, err := hex.DecodeString(c.Values[0])
		if err != nil {
			return nil, badValue(0, strconv.Quote(c.Values[0])+" is not hexadecimal", "two digits a byte")
		}
		op := Contains
		if c.Op == BStartsWith {
			op = StartsWith
		}
		return textCompare{op, string(b)}, nil
	}
	return textCompare{c.Op, c.Values[0]}, nil
}

type textCompare struct {
	op   Op
	want string
}

func (t textCompare) holds(v event.Value) bool {
	s := v.Str
	switch t.op {
	case Eq:
		return s == t.want
	case Ne:
		return s != t.want
	case Lt:
		return s < t.want
	case Le:
		return s <= t.want
	case Gt:
		return s > t.want
	case Ge:
		return s >= t.want
	case Contains:
		return strings.Contains(s, t.want)
	case IContains:
		return containsFold(s, t.want)
	case StartsWith:
		return strings.HasPrefix(s, t.want)
	case EndsWith:
		return strings.HasSuffix(s, t.want)
	case Glob:
		return event.Glob(t.want, s)
	case IGlob:
		return event.GlobFold(t.want, s)
	}
	return false
}

// containsFold is strings.Contains without regard to the case of ASCII letters.
func containsFold(s, sub string) bool {
	if sub == "" {
		return true
	}
	first := lower(sub[0])
	for i := 0; i+len(sub) <= len(s); i++ {
		if lower(s[i]) == first && equalFold(s[i:i+len(sub)], sub) {
			return true
		}
	}
	return false
}

func equalFold(a, b string) bool {
	for i := range len(a) {
		if lower(a[i]) != lower(b[i]) {
			return false
		}
	}
	return true
}

func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// textSet is membership, by comparing when there are few.
type textSet struct {
	few  []string
	many map[string]struct{}
}

func newSet(values []string) textSet {
	const few = 6
	if len(values) <= few {
		return textSet{few: values}
	}
	t := textSet{many: make(map[string]struct{}, len(values))}
	for _, s := range values {
		t.many[s] = struct{}{}
	}
	return t
}

func (t textSet) has(s string) bool {
	if t.many != nil {
		_, ok := t.many[s]
		return ok
	}
	return slices.Contains(t.few, s)
}

func (t textSet) holds(v event.Value) bool { return t.has(v.Str) }

// listCompare judges fields with several values: in wants all of them in the
// set, intersects one. No values: false.
type listCompare struct {
	set textSet
	all bool
}

func (l listCompare) holds(v event.Value) bool {
	for _, s := range v.List {
		if l.set.has(s) != l.all {
			return !l.all
		}
	}
	return l.all && len(v.List) > 0
}

// compareRegex anchors a POSIX expression at both ends. It is rewritten in
// Go's own syntax, which has anchors for the whole text.
func compareRegex(pattern string) (comparer, *constError) {
	re, err := syntax.Parse(pattern, syntax.POSIX)
	if err != nil {
		return nil, badValue(0, "regex: "+strings.TrimPrefix(err.Error(), "error parsing regexp: "), "")
	}
	whole, err := regexp.Compile(`\A(?:` + re.String() + `)\z`)
	if err != nil {
		return nil, badValue(0, "regex: "+strings.TrimPrefix(err.Error(), "error parsing regexp: "), "")
	}
	return regexCompare{whole}, nil
}

type regexCompare struct{ re *regexp.Regexp }

func (r regexCompare) holds(v event.Value) bool { return r.re.MatchString(v.Str) }

// --- numbers

func compareNumber(c *Check) (comparer, *constError) {
	signed := c.Field.Kind == event.Int
	nums := make([]uint64, len(c.Values))
	for i, s := range c.Values {
		n, ok := constant(c.Field, s)
		if !ok {
			return nil, badValue(i, strconv.Quote(s)+" is not a number that "+c.Field.Name+" can have", "")
		}
		nums[i] = n
	}
	if c.Op.takesList() {
		slices.Sort(nums)
		return numberSet(nums), nil
	}
	return numberCompare{c.Op, signed, nums[0]}, nil
}

// constant reads a number as f's type has it: decimal, cut to its width; ports
// also by the name of their service.
func constant(f *event.Field, s string) (uint64, bool) {
	if f.Type == event.TypePort {
		return port(s)
	}
	n, err := strconv.ParseInt(s, 10, 64)
	u := uint64(n)
	if err != nil {
		if u, err = strconv.ParseUint(strings.TrimPrefix(s, "+"), 10, 64); err != nil || f.Kind == event.Int {
			return 0, false
		}
	}
	switch f.Type {
	case event.TypeInt8:
		return uint64(int64(int8(u))), true
	case event.TypeInt16:
		return uint64(int64(int16(u))), true
	case event.TypeInt32:
		return uint64(int64(int32(u))), true
	case event.TypeUint8:
		return uint64(uint8(u)), true
	case event.TypeUint16:
		return uint64(uint16(u)), true
	case event.TypeUint32:
		return uint64(uint32(u)), true
	}
	return u, true
}

func port(s string) (uint64, bool) {
	if s == "" {
		return 0, true
	}
	if isDigit(s[0]) {
		n, err := strconv.ParseUint(s, 10, 16)
		return n, err == nil
	}
	for _, network := range [...]string{"tcp", "udp"} {
		r := net.Resolver{PreferGo: true}
		if n, err := r.LookupPort(context.Background(), network, s); err == nil {
			return uint64(n), true
		}
	}
	return 0, false
}

type numberCompare struct {
	op     Op
	signed bool
	want   uint64
}

func (n numberCompare) holds(v event.Value) bool {
	a, b := v.Num, n.want
	if n.signed { // order as unsigned after turning the sign bit
		a, b = a^(1<<63), b^(1<<63)
	}
	switch n.op {
	case Eq:
		return a == b
	case Ne:
		return a != b
	case Lt:
		return a < b
	case Le:
		return a <= b
	case Gt:
		return a > b
	case Ge:
		return a >= b
	}
	return false
}

type numberSet []uint64

func (n numberSet) holds(v event.Value) bool {
	_, ok := slices.BinarySearch(n, v.Num)
	return ok
}

func compareBool(c *Check) (comparer, *constError) {
	var nums []uint64
	for i, s := range c.Values {
		switch s {
		case "true":
			nums = append(nums, 1)
		case "false":
			nums = append(nums, 0)
		default:
			return nil, badValue(i, strconv.Quote(s)+" is neither true nor false", "")
		}
	}
	if c.Op.takesList() {
		slices.Sort(nums)
		return numberSet(nums), nil
	}
	return numberCompare{c.Op, false, nums[0]}, nil
}

// --- addresses

func compareAddr(c *Check) (comparer, *constError) {
	a := addrCompare{not: c.Op == Ne}
	for i, s := range c.Values {
		if c.Field.Kind == event.Net {
			p, ok := network(s)
			if !ok {
				return nil, badValue(i, strconv.Quote(s)+" is not a network", "as in 10.0.0.0/8")
			}
			a.nets = append(a.nets, p)
			continue
		}
		ip, err := netip.ParseAddr(s)
		if err != nil || ip.Zone() != "" {
			hint := "as in 10.0.0.1"
			if _, ok := network(s); ok {
				hint = "networks are compared with " + strings.TrimSuffix(c.Field.Name, "ip") + "net"
			}
			return nil, badValue(i, strconv.Quote(s)+" is not an address", hint)
		}
		a.addrs = append(a.addrs, ip.Unmap())
	}
	return a, nil
}

// network reads a CIDR; IPv6 addresses alone are networks of one.
func network(s string) (netip.Prefix, bool) {
	if p, err := netip.ParsePrefix(s); err == nil {
		return p.Masked(), true
	}
	if a, err := netip.ParseAddr(s); err == nil && a.Is6() && a.Zone() == "" {
		return netip.PrefixFrom(a, a.BitLen()), true
	}
	return netip.Prefix{}, false
}

// hostNet is an address as the network that holds it alone; other text stays.
func hostNet(s string) string {
	if a, err := netip.ParseAddr(s); err == nil && a.Zone() == "" {
		return netip.PrefixFrom(a, a.BitLen()).String()
	}
	return s
}

// addrCompare is membership of an address; other families never match.
type addrCompare struct {
	addrs []netip.Addr
	nets  []netip.Prefix
	not   bool
}

func (a addrCompare) holds(v event.Value) bool {
	for _, n := range a.nets {
		if n.Contains(v.Addr) {
			return !a.not
		}
	}
	return slices.Contains(a.addrs, v.Addr) != a.not
}

// --- evt.rawarg

// dynamicCompare compares a value by the kind that it turns out to have.
type dynamicCompare struct {
	text  comparer
	num   [2]comparer // signed, unsigned; nil when the constants are no numbers
	truth comparer
}

func compareDynamic(c *Check) (comparer, *constError) {
	d := dynamicCompare{}
	as := func(kind event.ValueKind) comparer {
		inner := *c
		inner.Field = &event.Field{Name: c.Field.Name, Kind: kind}
		if !slices.Contains(Operators(inner.Field), c.Op) {
			return nil
		}
		cmp, err := compare(&inner)
		if err != nil {
			return nil
		}
		return cmp
	}
	if d.text = as(event.String); d.text == nil {
		d.text = as(event.Bytes)
	}
	d.num = [2]comparer{as(event.Int), as(event.Uint)}
	d.truth = as(event.Bool)
	if d.text == nil && d.num[0] == nil && d.num[1] == nil && d.truth == nil {
		return nil, badValue(0, "no parameter can have this value", "")
	}
	return d, nil
}

func (d dynamicCompare) holds(v event.Value) bool {
	var by comparer
	switch v.Kind {
	case event.String, event.Bytes:
		by = d.text
	case event.Int:
		by = d.num[0]
	case event.Uint, event.Reltime, event.Abstime:
		by = d.num[1]
	case event.Bool:
		by = d.truth
	}
	return by != nil && by.holds(v)
}
