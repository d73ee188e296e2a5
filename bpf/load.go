package bpf

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/btf"
	"github.com/cilium/ebpf/link"
	"github.com/cilium/ebpf/rlimit"
)

// Options of Load.
type Options struct {
	RingBytes int      // a power of two and a multiple of the page size; 0 means 16 MiB
	WakeBytes int      // wake the reader when this much waits; 0: never, it polls
	Self      []uint32 // thread groups that are not traced, at most MaxSelf
	Thin      *Thin    // nil: every open is sent
	Only      []string // programs to attach, for measurements; nil: all
}

// Thin says which opens for reading are wanted. Others are counted, not sent,
// where nothing but their path could matter (headers/thin.h).
type Thin struct {
	Prefixes []string // absolute paths, at most 255 bytes
	Names    []string // last components, at most 63 bytes
}

// MaxSelf is how many thread groups can be left out.
const MaxSelf = 8

const defaultRing = 16 << 20

// CPU is what one processor counts: struct cpu of headers/record.h.
type CPU struct {
	Sent        uint64 // records that reached the ring
	LostRing    uint64 // the ring was full
	LostScratch uint64 // a record did not fit the scratch buffer
	Thinned     uint64 // opens left out on purpose
	Self        uint64 // calls of our own processes
	Wakeups     uint64
	Bytes       uint64
	Ordinal     uint32
	BusyIRQ     uint32
}

// Control is what programs and reader tell each other while they run: struct
// control of headers/record.h.
type Control struct {
	Self      [MaxSelf]uint32
	WakeBytes uint32
	Woken     uint32
	Thin      uint32
	_         uint32
}

// Sensor is the attached programs and their maps.
type Sensor struct {
	Ring    *ebpf.Map // BPF_MAP_TYPE_RINGBUF: samples as headers/record.h lays them out
	CPUs    *ebpf.Map // mmapable array of CPU, one per possible processor
	Control *ebpf.Map // mmapable array of one Control
	Missing []string  // what this kernel does not have or refuses, "program: hook" or "program: why"

	coll  *ebpf.Collection
	links []link.Link
}

// Load loads all programs that this kernel can hold and attaches them. Its
// errors are one line that says what to do.
func Load(o Options) (*Sensor, error) {
	if err := check(o); err != nil {
		return nil, err
	}
	if err := rlimit.RemoveMemlock(); err != nil {
		return nil, fmt.Errorf("raise the locked memory limit: %w", err)
	}
	spec, err := loadSensor()
	if err != nil {
		return nil, fmt.Errorf("read the embedded programs: %w", err)
	}
	s := &Sensor{}
	if err := s.prune(spec, o.Only); err != nil {
		return nil, err
	}
	if err := s.load(spec, o); err != nil {
		return nil, err
	}
	s.Ring, s.CPUs, s.Control = s.coll.Maps["ring"], s.coll.Maps["cpus"], s.coll.Maps["control"]
	table, _ := slots(spec)
	if err := s.fill(o, table); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	if err := s.attach(spec); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// Close detaches and unloads everything.
func (s *Sensor) Close() error {
	var errs []error
	for _, l := range s.links {
		errs = append(errs, l.Close())
	}
	s.links = nil
	if s.coll != nil {
		s.coll.Close()
	}
	return errors.Join(errs...)
}

// handler reports whether p is reached by the dispatcher's tail call.
func handler(p *ebpf.ProgramSpec) bool {
	return p.AttachTo == "sys_exit" && p.Name != "sys_exit"
}

// essential are the programs without which nothing can be told: they load or
// Load fails.
var essential = []string{"sys_exit", "process_exec", "process_fork", "process_exit"}

// hook is the name of p's attach point in the kernel's BTF.
func hook(p *ebpf.ProgramSpec) string {
	if p.AttachType == ebpf.AttachTraceIter {
		return "bpf_iter_" + p.AttachTo
	}
	return "btf_trace_" + p.AttachTo
}

// load loads spec, without the programs that the kernel refuses unless they
// are essential.
func (s *Sensor) load(spec *ebpf.CollectionSpec, o Options) error {
	if _, err := configure(spec, o); err != nil {
		return err
	}
	var err error
	if s.coll, err = ebpf.NewCollection(spec); err == nil {
		return nil
	}
	if verifier := new(ebpf.VerifierError); !errors.As(err, &verifier) {
		return explain(err, o)
	}
	if s.refuse(spec, slices.Sorted(maps.Keys(spec.Programs))); len(s.Missing) == 0 {
		return explain(err, o)
	}
	if _, err := configure(spec, o); err != nil {
		return err
	}
	if s.coll, err = ebpf.NewCollection(spec); err != nil {
		return explain(err, o)
	}
	return nil
}

// refuse takes those of names from spec that the kernel's verifier refuses
// and that are not essential: it halves them until they are alone.
func (s *Sensor) refuse(spec *ebpf.CollectionSpec, names []string) {
	why := refusal(spec, names)
	switch {
	case why == "":
	case len(names) > 1:
		half := len(names) / 2
		s.refuse(spec, names[:half])
		s.refuse(spec, names[half:])
	case !slices.Contains(essential, names[0]):
		s.Missing = append(s.Missing, names[0]+": refused by the kernel's verifier: "+why)
		delete(spec.Programs, names[0])
	}
}

// refusal is what the verifier says to these programs of spec, in one line;
// empty when it takes them.
func refusal(spec *ebpf.CollectionSpec, names []string) string {
	some := spec.Copy()
	maps.DeleteFunc(some.Programs, func(name string, _ *ebpf.ProgramSpec) bool { return !slices.Contains(names, name) })
	some.Maps["ring"].MaxEntries = uint32(os.Getpagesize())
	coll, err := ebpf.NewCollection(some)
	if err == nil {
		coll.Close()
		return ""
	}
	verifier := new(ebpf.VerifierError)
	if !errors.As(err, &verifier) {
		return ""
	}
	return verifier.Error()
}

// prune removes programs whose tracepoint the kernel lacks.
func (s *Sensor) prune(spec *ebpf.CollectionSpec, only []string) error {
	kernel, err := btf.LoadKernelSpec()
	if err != nil {
		return fmt.Errorf("read the kernel's BTF: %w", err)
	}
	for name, p := range spec.Programs {
		if only != nil && !wanted(name, only) {
			delete(spec.Programs, name)
			continue
		}
		if _, err := kernel.AnyTypeByName(hook(p)); err != nil {
			s.Missing = append(s.Missing, name+": "+p.AttachTo)
			delete(spec.Programs, name)
		}
	}
	return nil
}

func wanted(name string, only []string) bool {
	for _, o := range only {
		if o == name {
			return true
		}
	}
	return false
}

// configure sizes maps and writes the constant tables. It returns the programs
// of the handler table by slot.
func configure(spec *ebpf.CollectionSpec, o Options) ([]string, error) {
	cpus, err := ebpf.PossibleCPU()
	if err != nil {
		return nil, fmt.Errorf("count processors: %w", err)
	}
	spec.Maps["ring"].MaxEntries = uint32(ringBytes(o))
	for _, name := range []string{"cpus", "scratch", "scratch_irq", "walks"} {
		spec.Maps[name].MaxEntries = uint32(cpus)
	}
	table, handlers := slots(spec)
	for name, v := range map[string]any{
		"call_handlers": handlers, "socketcalls": socketSlots(table), "have_cast": haveCast(), "page_kb": uint32(os.Getpagesize() / 1024),
	} {
		if err := spec.Variables[name].Set(v); err != nil {
			return nil, fmt.Errorf("set %s: %w", name, err)
		}
	}
	return table, nil
}

// haveCast reports whether READ of headers/fd.h may load directly (Linux 6.2).
func haveCast() bool {
	kernel, err := btf.LoadKernelSpec()
	if err != nil {
		return false
	}
	var fn *btf.Func
	return kernel.TypeByName("bpf_rdonly_cast", &fn) == nil
}

// slots numbers the handlers from 1 and maps system calls to them: native ones
// in the low byte, 32-bit ones in the high byte.
func slots(spec *ebpf.CollectionSpec) (table []string, handlers [tableSize]uint16) {
	table = []string{""}
	slot := map[string]uint8{}
	for _, c := range calls {
		if _, ok := spec.Programs[c.handler]; !ok {
			continue
		}
		n, ok := slot[c.handler]
		if !ok {
			n = uint8(len(table))
			slot[c.handler] = n
			table = append(table, c.handler)
		}
		if nr := c.native(); nr != none {
			handlers[nr] |= uint16(n)
		}
		if nr := c.compat(); nr != none {
			handlers[nr] |= uint16(n) << 8
		}
	}
	return table, handlers
}

// socketSlots is slots for the calls inside socketcall(2).
func socketSlots(table []string) (out [len(socketcalls)]uint8) {
	for i, name := range socketcalls {
		if n := slices.Index(table, name); name != "" && n > 0 {
			out[i] = uint8(n)
		}
	}
	return out
}

// fill writes the maps that programs read while they run.
func (s *Sensor) fill(o Options, table []string) error {
	for i, name := range table[1:] {
		if err := s.coll.Maps["handlers"].Put(uint32(i+1), s.coll.Programs[name]); err != nil {
			return fmt.Errorf("enter %s in the handler table: %w", name, err)
		}
	}
	c := Control{WakeBytes: uint32(o.WakeBytes)}
	copy(c.Self[:], o.Self)
	if o.Thin != nil {
		if err := s.thin(*o.Thin); err != nil {
			return err
		}
		c.Thin = 1
	}
	if err := s.Control.Put(uint32(0), &c); err != nil {
		return fmt.Errorf("write the control map: %w", err)
	}
	return nil
}

func (s *Sensor) thin(t Thin) error {
	for _, p := range t.Prefixes {
		key := struct {
			Bits uint32
			Path [256]byte
		}{Bits: uint32(8 * len(p))}
		if !strings.HasPrefix(p, "/") || len(p) >= len(key.Path) {
			return fmt.Errorf("thin by prefix %q: want an absolute path of at most 255 bytes", p)
		}
		copy(key.Path[:], p)
		if err := s.coll.Maps["thin_prefixes"].Put(&key, uint8(1)); err != nil {
			return fmt.Errorf("thin by prefix %q: %w", p, err)
		}
	}
	for _, n := range t.Names {
		var key [64]byte
		if n == "" || len(n) >= len(key) || strings.Contains(n, "/") {
			return fmt.Errorf("thin by name %q: want a file name of at most 63 bytes", n)
		}
		copy(key[:], n)
		if err := s.coll.Maps["thin_names"].Put(&key, uint8(1)); err != nil {
			return fmt.Errorf("thin by name %q: %w", n, err)
		}
	}
	return nil
}

// attach hooks every program that is not a handler.
func (s *Sensor) attach(spec *ebpf.CollectionSpec) error {
	for name, p := range spec.Programs {
		if handler(p) || p.AttachType == ebpf.AttachTraceIter {
			continue
		}
		l, err := link.AttachTracing(link.TracingOptions{Program: s.coll.Programs[name]})
		if err != nil && slices.Contains(essential, name) {
			return fmt.Errorf("attach %s to %s: %w", name, p.AttachTo, err)
		}
		if err != nil {
			s.Missing = append(s.Missing, fmt.Sprintf("%s: attach to %s: %v", name, p.AttachTo, err))
			continue
		}
		s.links = append(s.links, l)
	}
	return s.lookBack(spec)
}

// lookBack runs the iterators once, now that nothing new is missed.
func (s *Sensor) lookBack(spec *ebpf.CollectionSpec) error {
	for name, p := range spec.Programs {
		if p.AttachType != ebpf.AttachTraceIter {
			continue
		}
		if err := runOnce(s.coll.Programs[name]); err != nil {
			return fmt.Errorf("run %s: %w", name, err)
		}
	}
	return nil
}

func runOnce(p *ebpf.Program) error {
	it, err := link.AttachIter(link.IterOptions{Program: p})
	if err != nil {
		return err
	}
	r, err := it.Open()
	if err != nil {
		return errors.Join(err, it.Close())
	}
	_, err = io.Copy(io.Discard, r)
	return errors.Join(err, r.Close(), it.Close())
}
