package event

import "net/netip"

// Kind of a field's value, after which operators are chosen (spec/rules.md §1.4).
type ValueKind uint8

// Value kinds.
const (
	NoValue    ValueKind = iota
	String               // Str
	Int                  // Num as int64
	Uint                 // Num
	Bool                 // Num 0 or 1
	Bytes                // Str, not text
	IP                   // Addr
	Net                  // Addr and Bits
	Reltime              // Num, ns
	Abstime              // Num, ns since the epoch
	StringList           // List
)

// Value is one field's value. Strings may point into a batch's memory: who
// keeps a Value keeps its event, cloned. It allocates nothing.
type Value struct {
	Kind ValueKind
	Bits uint8
	Num  uint64
	Str  string
	Addr netip.Addr
	List []string
}

// Record is anything that answers fields: an Event, an Activity, an Alert.
type Record interface {
	// Value is field f's value with argument arg ("" when it takes none), and
	// false when this record has none.
	Value(f *Field, arg string) (Value, bool)
}

// Field is one entry of the catalogue: a name of Falco's or ours, with its
// type and what it means.
type Field struct {
	Name   string
	Kind   ValueKind
	List   bool // a list of Kind
	Arg    ArgKind
	On     Applies
	Doc    string
	Alias  string    // short name people type: "pod" for k8s.pod.name
	Type   ParamType // exact type: width of numbers, path or text, base in output
	Traits Traits

	num uint16 // extractors switch on it; 0 for fields outside the catalogue
}

// Traits say what is special about a field.
type Traits uint8

// Traits of fields (spec/rules.md §1.5 and appendix A).
const (
	FilterOnly  Traits = 1 << iota // may be compared, not printed
	Walks                          // without an argument it means any ancestor
	EitherSide                     // means both ends of a connection
	Dynamic                        // its kind is that of the value
	ByName                         // the argument is a dotted suffix: evt.arg.flags
	NoRightSide                    // not allowed in comparisons of two fields
	NoTransform                    // not allowed in transformers
	Deprecated                     // not offered to people
)

// ArgKind says whether a field takes an argument in brackets.
type ArgKind uint8

// Argument kinds.
const (
	NoArg ArgKind = iota
	OptionalIndex
	OptionalKey
	RequiredIndex
	RequiredKey
)

// Applies says which records can answer a field.
type Applies uint8

// Records that answer a field.
const (
	OnEvent Applies = 1 << iota
	OnActivity
	OnProcess
)
