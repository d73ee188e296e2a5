package bpf

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/features"
	"golang.org/x/sys/unix"
)

// Finding is one thing that collection needs, and whether it is there.
type Finding struct {
	Need string // "kernel 5.8 or newer"
	Have string // what was found
	OK   bool
	Mend string // what to do about it, empty when OK
}

// Probe looks at what this kernel and these permissions allow, and changes
// nothing. The order is the one to mend them in.
func Probe() []Finding {
	return []Finding{probeKernel(), probeBTF(), probeLockdown(), probePrivilege(), probeRing()}
}

func probeKernel() Finding {
	f := Finding{Need: "kernel 5.8 or newer"}
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		f.Have = err.Error()
		return f
	}
	f.Have = unix.ByteSliceToString(u.Release[:])
	f.OK = !older(f.Have, 5, 8)
	if !f.OK {
		f.Mend = "boot a newer kernel; captures can be opened on any"
	}
	return f
}

// older reports whether release ("6.1.0-9-amd64") is before major.minor.
func older(release string, major, minor int) bool {
	var a, b int
	if _, err := fmt.Sscanf(release, "%d.%d", &a, &b); err != nil {
		return false
	}
	return a < major || a == major && b < minor
}

const vmlinuxBTF = "/sys/kernel/btf/vmlinux"

func probeBTF() Finding {
	f := Finding{Need: "kernel type information (BTF)", Have: vmlinuxBTF, OK: true}
	if err := readable(vmlinuxBTF); err != nil {
		f.OK, f.Have = false, err.Error()
		f.Mend = "boot a kernel built with CONFIG_DEBUG_INFO_BTF=y (all current distributions' are), or mount sysfs on /sys"
	}
	return f
}

// readable reports why the BTF in name cannot be used: it begins with a magic
// number in the machine's byte order (linux/btf.h).
func readable(name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	var magic [2]byte
	if _, err := io.ReadFull(f, magic[:]); err != nil || binary.NativeEndian.Uint16(magic[:]) != 0xEB9F {
		return fmt.Errorf("%s holds no type information", name)
	}
	return nil
}

func probeLockdown() Finding {
	f := Finding{Need: "no confidentiality lockdown", Have: "none", OK: true}
	b, err := os.ReadFile("/sys/kernel/security/lockdown")
	if err != nil {
		return f
	}
	if f.Have = lockdown(string(b)); f.Have == "confidentiality" {
		f.OK = false
		f.Mend = "boot without lockdown=confidentiality (integrity is fine)"
	}
	return f
}

// lockdown is the mode in force of "none [integrity] confidentiality".
func lockdown(s string) string {
	_, s, _ = strings.Cut(s, "[")
	s, _, found := strings.Cut(s, "]")
	if !found {
		return "none"
	}
	return s
}

func probePrivilege() Finding {
	f := Finding{Need: "permission to load BPF programs", Have: "granted", OK: true}
	if err := features.HaveProgramType(ebpf.RawTracepoint); err != nil && !errors.Is(err, ebpf.ErrNotSupported) {
		f.OK, f.Have = false, err.Error()
		f.Mend = "run as root (sudo), or with CAP_BPF, CAP_PERFMON, CAP_SYS_PTRACE and CAP_SYS_RESOURCE"
	}
	return f
}

func probeRing() Finding {
	f := Finding{Need: "BPF ring buffer", Have: "supported", OK: true}
	if err := features.HaveMapType(ebpf.RingBuf); err != nil {
		f.OK, f.Have = false, err.Error()
		f.Mend = "run as root on a kernel 5.8 or newer"
	}
	return f
}

// check refuses what would fail later with an obscure error.
func check(o Options) error {
	if len(o.Self) > MaxSelf {
		return fmt.Errorf("leave out own processes: %d given, at most %d possible", len(o.Self), MaxSelf)
	}
	if n := ringBytes(o); n&(n-1) != 0 || n%os.Getpagesize() != 0 || n > 1<<30 {
		return fmt.Errorf("ring of %d bytes: want a power of two from the page size to 1 GiB", n)
	}
	for _, f := range []Finding{probeKernel(), probeBTF(), probeLockdown()} {
		if !f.OK {
			return fmt.Errorf("cannot watch this kernel: need %s, found %s: %s", f.Need, f.Have, f.Mend)
		}
	}
	return nil
}

func ringBytes(o Options) int {
	if o.RingBytes == 0 {
		return defaultRing
	}
	return o.RingBytes
}

// explain makes one line of what the kernel said to the programs.
func explain(err error, o Options) error {
	var verifier *ebpf.VerifierError
	switch {
	case errors.As(err, &verifier):
		return fmt.Errorf("the kernel's verifier refused a program, please report this kernel: %w", err)
	case errors.Is(err, unix.EPERM):
		f := probePrivilege()
		return fmt.Errorf("load BPF programs: not permitted: %s: %w", orElse(f.Mend, "a security module or container forbids bpf(2)"), err)
	case errors.Is(err, unix.ENOMEM) || errors.Is(err, unix.E2BIG):
		return fmt.Errorf("the kernel refused a ring of %d bytes, choose a smaller one: %w", ringBytes(o), err)
	}
	return fmt.Errorf("load BPF programs: %w", err)
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}
