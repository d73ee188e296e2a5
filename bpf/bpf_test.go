package bpf

import (
	"bufio"
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/btf"
	"github.com/cilium/ebpf/link"
	"golang.org/x/sys/unix"

	"github.com/gumshoe-ir/gumshoe/internal/need"
)

var update = flag.Bool("update", false, "accept the verifier's present budget")

const budgetFile = "testdata/budget.txt"

// verified is what each program costs the verifier, in instructions.
func verified(t *testing.T, s *Sensor) map[string]uint32 {
	t.Helper()
	out := map[string]uint32{}
	for name, p := range s.coll.Programs {
		info, err := p.Info()
		if err != nil {
			t.Fatal(err)
		}
		n, ok := info.VerifiedInstructions()
		if !ok {
			need.Skip(t, "needs a kernel that counts verified instructions (5.16)")
		}
		out[name] = n
	}
	return out
}

// TestVerifierBudget loads every program and fails when one has become more
// than a tenth dearer to verify than budget.txt says; -update accepts that.
func TestVerifierBudget(t *testing.T) {
	need.BPF(t)
	s, err := Load(Options{RingBytes: 1 << 20})
	if err != nil {
		t.Fatalf("%+v", err)
	}
	defer s.Close()
	if len(s.Missing) > 0 {
		t.Errorf("left out on this kernel: %v", s.Missing)
	}
	got := verified(t, s)
	if *update {
		writeBudget(t, got)
		return
	}
	budget := readBudget(t)
	for name, n := range got {
		allowed, ok := budget[name]
		if !ok {
			t.Errorf("%s has no budget; run with -update", name)
		} else if n > allowed+allowed/10 {
			t.Errorf("%s takes %d instructions to verify, more than a tenth above %d", name, n, allowed)
		}
	}
}

func writeBudget(t *testing.T, got map[string]uint32) {
	t.Helper()
	var b bytes.Buffer
	for _, name := range slices.Sorted(keys(got)) {
		fmt.Fprintf(&b, "%s %d\n", name, got[name])
	}
	if err := os.MkdirAll(filepath.Dir(budgetFile), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(budgetFile, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

func keys(m map[string]uint32) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

func readBudget(t *testing.T) map[string]uint32 {
	t.Helper()
	f, err := os.Open(budgetFile)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	out := map[string]uint32{}
	for sc := bufio.NewScanner(f); sc.Scan(); {
		var name string
		var n uint32
		if _, err := fmt.Sscan(sc.Text(), &name, &n); err != nil {
			t.Fatalf("%s: %q: %v", budgetFile, sc.Text(), err)
		}
		out[name] = n
	}
	return out
}

// TestNothingStaysBehind looks each program and link up again after Close.
func TestNothingStaysBehind(t *testing.T) {
	need.BPF(t)
	s, err := Load(Options{RingBytes: 1 << 20, Only: []string{"sys_exit", "process_exec", "process_exit", "call_setsid"}})
	if err != nil {
		t.Fatal(err)
	}
	var programs []ebpf.ProgramID
	for name, p := range s.coll.Programs {
		info, err := p.Info()
		if err != nil {
			t.Fatal(err)
		}
		id, ok := info.ID()
		if !ok {
			t.Fatalf("%s has no id", name)
		}
		programs = append(programs, id)
	}
	var links []link.ID
	for _, l := range s.links {
		info, err := l.Info()
		if err != nil {
			t.Fatal(err)
		}
		links = append(links, info.ID)
	}
	if len(programs) != 4 || len(links) != 3 {
		t.Fatalf("%d programs and %d links, want 4 and 3", len(programs), len(links))
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for _, id := range programs {
		gone(t, fmt.Sprintf("program %d", id), func() (io.Closer, error) { return ebpf.NewProgramFromID(id) })
	}
	for _, id := range links {
		gone(t, fmt.Sprintf("link %d", id), func() (io.Closer, error) { return link.NewFromID(id) })
	}
}

// gone waits until open does not find its object any more: the kernel frees
// after a grace period.
func gone(t *testing.T, what string, open func() (io.Closer, error)) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		c, err := open()
		if errors.Is(err, os.ErrNotExist) {
			return
		}
		if err == nil {
			err = c.Close()
		}
		if err != nil || time.Now().After(end) {
			t.Errorf("%s is still there: %v", what, err)
			return
		}
	}
}

func TestEverySystemCallHasItsProgram(t *testing.T) {
	spec, err := loadSensor()
	if err != nil {
		t.Fatal(err)
	}
	named := map[string]bool{}
	for _, c := range calls {
		named[c.handler] = true
		p, ok := spec.Programs[c.handler]
		if !ok || !handler(p) {
			t.Errorf("calls.go names %s, which is no handler", c.handler)
		}
		for _, nr := range []int{c.x86, c.ia32, c.arm64, c.arm32} {
			if nr != none && (nr < 0 || nr >= tableSize) {
				t.Errorf("%s has number %d, beyond the table", c.handler, nr)
			}
		}
	}
	for name, p := range spec.Programs {
		if handler(p) && !named[name] && !slices.Contains(socketcalls[:], name) {
			t.Errorf("no system call reaches %s", name)
		}
	}
}

// TestLayout compares the structs that Go maps with those of the programs.
func TestLayout(t *testing.T) {
	spec, err := loadSensor()
	if err != nil {
		t.Fatal(err)
	}
	for m, v := range map[string]any{"cpus": CPU{}, "control": Control{}} {
		s, ok := btf.As[*btf.Struct](spec.Maps[m].Value)
		if !ok {
			t.Fatalf("values of %s are %v", m, spec.Maps[m].Value)
		}
		typ := reflect.TypeOf(v)
		if int(s.Size) != int(typ.Size()) || len(s.Members) != typ.NumField() {
			t.Errorf("%s is %d bytes and %d fields, Go has %d and %d", s.Name, s.Size, len(s.Members), typ.Size(), typ.NumField())
			continue
		}
		for i, member := range s.Members {
			f := typ.Field(i)
			name := strings.ReplaceAll(member.Name, "_", "")
			if f.Name != "_" && !strings.EqualFold(name, f.Name) || uintptr(member.Offset.Bytes()) != f.Offset {
				t.Errorf("%s.%s at %d, Go has %s at %d", s.Name, member.Name, member.Offset.Bytes(), f.Name, f.Offset)
			}
		}
	}
	if n := spec.Maps["control"].ValueSize; uintptr(n) != unsafe.Sizeof(Control{}) {
		t.Errorf("control is %d bytes", n)
	}
}

// TestRefusedProgramsAreLeftOut makes the verifier refuse a program.
func TestRefusedProgramsAreLeftOut(t *testing.T) {
	need.BPF(t)
	for _, c := range []struct {
		program string
		fails   bool
	}{{"call_setsid", false}, {"tcp_state", false}, {"process_fork", true}} {
		spec, err := loadSensor()
		if err != nil {
			t.Fatal(err)
		}
		spec.Programs[c.program].Instructions = asm.Instructions{asm.Mov.Reg(asm.R0, asm.R9), asm.Return()}
		s, o := &Sensor{}, Options{RingBytes: 1 << 20}
		err = s.load(spec, o)
		if (err != nil) != c.fails {
			t.Errorf("without %s: %v", c.program, err)
		}
		if err == nil {
			missing := len(s.Missing) == 1 && strings.HasPrefix(s.Missing[0], c.program+": refused by the kernel's verifier: ")
			if !missing || s.coll.Programs[c.program] != nil || strings.Contains(s.Missing[0], "\n") {
				t.Errorf("without %s: missing %q", c.program, s.Missing)
			}
			table, _ := slots(spec)
			s.Ring, s.CPUs, s.Control = s.coll.Maps["ring"], s.coll.Maps["cpus"], s.coll.Maps["control"]
			for _, err := range []error{s.fill(o, table), s.attach(spec)} {
				if err != nil {
					t.Errorf("without %s: %v", c.program, err)
				}
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}

func TestLoadRefusesBadOptions(t *testing.T) {
	for _, c := range []struct {
		rule string
		o    Options
		want string
	}{
		{"a ring that is no power of two", Options{RingBytes: 3 << 20}, "power of two"},
		{"a ring that is too small", Options{RingBytes: 1024}, "power of two"},
		{"a ring that is too big", Options{RingBytes: 2 << 30}, "power of two"},
		{"too many own processes", Options{Self: make([]uint32, MaxSelf+1)}, "at most 8"},
	} {
		if _, err := Load(c.o); err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", c.rule, err)
		}
	}
}

func TestThinRefusesWhatItCannotMatch(t *testing.T) {
	for _, thin := range []Thin{
		{Prefixes: []string{"relative"}},
		{Prefixes: []string{"/" + strings.Repeat("x", 255)}},
		{Names: []string{""}},
		{Names: []string{"a/b"}},
		{Names: []string{strings.Repeat("x", 64)}},
	} {
		if err := (&Sensor{}).thin(thin); err == nil {
			t.Errorf("%v was accepted", thin)
		}
	}
}

func TestErrorsSayWhatToDo(t *testing.T) {
	for _, c := range []struct {
		err  error
		want string
	}{
		{unix.EPERM, "not permitted"},
		{unix.ENOMEM, "choose a smaller one"},
		{unix.E2BIG, "choose a smaller one"},
		{&ebpf.VerifierError{Cause: unix.EACCES}, "report this kernel"},
		{unix.EBUSY, "load BPF programs"},
	} {
		got := explain(fmt.Errorf("program x: %w", c.err), Options{})
		if !strings.Contains(got.Error(), c.want) || !errors.Is(got, errors.Unwrap(fmt.Errorf("%w", c.err))) && !errors.Is(got, c.err) {
			t.Errorf("%v: %q lacks %q", c.err, got, c.want)
		}
	}
}

func TestKernelVersions(t *testing.T) {
	for _, c := range []struct {
		release string
		old     bool
	}{
		{"5.7.19", true}, {"5.8.0-rc1", false}, {"4.19.0-26-amd64", true}, {"6.1.0-9-amd64", false}, {"10.0", false}, {"unknown", false},
	} {
		if older(c.release, 5, 8) != c.old {
			t.Errorf("%s older than 5.8: %t", c.release, !c.old)
		}
	}
}

func TestTypeInformationMustBeThere(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "btf")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{empty, "/dev/null", filepath.Join(t.TempDir(), "missing")} {
		if readable(name) == nil {
			t.Errorf("%s is taken for type information", name)
		}
	}
}

func TestLockdownMode(t *testing.T) {
	for in, want := range map[string]string{
		"none [integrity] confidentiality\n": "integrity",
		"[none] integrity confidentiality\n": "none",
		"none integrity [confidentiality]\n": "confidentiality",
		"":                                   "none",
	} {
		if got := lockdown(in); got != want {
			t.Errorf("%q is %s, want %s", in, got, want)
		}
	}
}

func TestProbeFindsWhatLoadNeeds(t *testing.T) {
	need.BPF(t)
	for _, f := range Probe() {
		if !f.OK || f.Mend != "" {
			t.Errorf("%+v", f)
		}
	}
}
