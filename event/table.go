package event

// Info is one row of the capture format's event table (spec/scap.md §5).
type Info struct {
	Name     string // evt.type: "openat"
	Params   []Param
	Category uint16
	Flags    TypeFlags
	FD       int8 // index of the parameter holding the descriptor used, -1 when none
	Enter    bool
}

// Param describes one parameter of an event.
type Param struct {
	Name   string
	Type   ParamType
	Format string    // na, dec, hex, oct, id, dir, 10_padded_dec
	Dirfd  int8      // for relative paths: index of the directory's descriptor, else -1
	Flags  FlagTable // for flags, enums and modes
	Dyn    []ParamType
}

// FlagTable holds flag names and values in printing order.
type FlagTable []Flag

// Flag is one named value of a FlagTable.
type Flag struct {
	Name  string
	Value uint64
}

// TypeFlags says how events of a type are treated.
type TypeFlags uint16

// Flags of event types.
const (
	CreatesFD     TypeFlags = 1
	DestroysFD    TypeFlags = 2
	UsesFD        TypeFlags = 4
	ReadsFromFD   TypeFlags = 8
	WritesToFD    TypeFlags = 16
	ModifiesState TypeFlags = 32
	Unused        TypeFlags = 64
	Waits         TypeFlags = 128
	OldVersion    TypeFlags = 512
	LargePayload  TypeFlags = 2048
)

// ParamType is a parameter's encoding (spec/scap.md §4).
type ParamType uint8

// Parameter encodings.
const (
	TypeNone             ParamType = 0
	TypeInt8             ParamType = 1
	TypeInt16            ParamType = 2
	TypeInt32            ParamType = 3
	TypeInt64            ParamType = 4
	TypeUint8            ParamType = 5
	TypeUint16           ParamType = 6
	TypeUint32           ParamType = 7
	TypeUint64           ParamType = 8
	TypeCharbuf          ParamType = 9
	TypeBytebuf          ParamType = 10
	TypeErrno            ParamType = 11
	TypeSockaddr         ParamType = 12
	TypeSocktuple        ParamType = 13
	TypeFD               ParamType = 14
	TypePID              ParamType = 15
	TypeFDList           ParamType = 16
	TypeFSPath           ParamType = 17
	TypeSyscallID        ParamType = 18
	TypeSigtype          ParamType = 19
	TypeReltime          ParamType = 20
	TypeAbstime          ParamType = 21
	TypePort             ParamType = 22
	TypeL4Proto          ParamType = 23
	TypeSockfamily       ParamType = 24
	TypeBool             ParamType = 25
	TypeIPv4Addr         ParamType = 26
	TypeDyn              ParamType = 27
	TypeFlags8           ParamType = 28
	TypeFlags16          ParamType = 29
	TypeFlags32          ParamType = 30
	TypeUID              ParamType = 31
	TypeGID              ParamType = 32
	TypeDouble           ParamType = 33
	TypeSigset           ParamType = 34
	TypeCharbufArray     ParamType = 35
	TypeCharbufPairArray ParamType = 36
	TypeIPv4Net          ParamType = 37
	TypeIPv6Addr         ParamType = 38
	TypeIPv6Net          ParamType = 39
	TypeIPAddr           ParamType = 40
	TypeIPNet            ParamType = 41
	TypeMode             ParamType = 42
	TypeFSRelPath        ParamType = 43
	TypeEnumFlags8       ParamType = 44
	TypeEnumFlags16      ParamType = 45
	TypeEnumFlags32      ParamType = 46
	TypeFD32             ParamType = 47
	TypePID32            ParamType = 48
)

// Known is the number of event types in the table; types from there up to
// PrivateBase belong to newer writers.
const Known = Type(len(table))

// Info is t's row in the table; false when t is unknown.
func (t Type) Info() (*Info, bool) {
	if t < Known {
		return &table[t], true
	}
	if i := int(t) - int(PrivateBase); i >= 0 && i < len(private) {
		return &private[i], true
	}
	return nil, false
}

// String is t's name, as evt.type shows it.
func (t Type) String() string {
	if i, ok := t.Info(); ok {
		return i.Name
	}
	return "unknown"
}

// IsEnter reports whether t is an enter event of a system call.
func (t Type) IsEnter() bool {
	i, ok := t.Info()
	return ok && i.Enter
}

// Has reports whether t has all flags of f.
func (t Type) Has(f TypeFlags) bool {
	i, ok := t.Info()
	return ok && i.Flags&f == f
}

// SyscallName is the name of a system call by the format's own number (the
// ID parameter of generic events), empty when unknown.
func SyscallName(code uint16) string {
	if int(code) < len(syscallNames) {
		return syscallNames[code]
	}
	return ""
}
