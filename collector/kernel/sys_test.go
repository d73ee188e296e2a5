package kernel

import (
	"runtime"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/gumshoe-ir/gumshoe/event"
)

func TestIdentityAndKernel(t *testing.T) {
	r := raw
	one := func(name string, typ event.Type, values func() []any) call {
		return call{name, typ, func(*testing.T) []any { return values() }}
	}
	none := uint32(1<<32 - 1)
	image := []byte("no module at all")
	word := uint64(0x1122)
	checkCalls(t, []call{
		one("setuid", 199, func() []any { return []any{r(unix.SYS_SETUID, 0), 0} }),
		one("setgid", 201, func() []any { return []any{r(unix.SYS_SETGID, 0), 0} }),
		one("setreuid", 427, func() []any { return []any{r(unix.SYS_SETREUID, ^uintptr(0), 0), none, 0} }),
		one("setregid", 429, func() []any { return []any{r(unix.SYS_SETREGID, 0, ^uintptr(0)), 0, none} }),
		one("setresuid", 193, func() []any { return []any{r(unix.SYS_SETRESUID, 0, 0, ^uintptr(0)), 0, 0, none} }),
		one("setresgid", 195, func() []any { return []any{r(unix.SYS_SETRESGID, ^uintptr(0), 0, 0), none, 0, 0} }),
		one("setpgid", 295, func() []any { return []any{r(unix.SYS_SETPGID, 1<<22+1, 7), 1<<22 + 1, 7} }),
		one("capset", 353, func() []any { return capsetOfSelf() }),
		one("setns", 241, func() []any { return []any{r(unix.SYS_SETNS, 9999, unix.CLONE_NEWNET|unix.CLONE_NEWNS), 9999, 16 | 32} }),
		one("unshare", 285, func() []any { return []any{r(unix.SYS_UNSHARE, unix.CLONE_FS), 2} }),
		one("bpf", 369, func() []any { return []any{r(unix.SYS_BPF, unix.BPF_OBJ_GET, 0, 0), unix.BPF_OBJ_GET} }),
		one("init_module", 411, func() []any {
			return []any{r(unix.SYS_INIT_MODULE, image, uintptr(len(image)), ptr("x=1")), image, len(image), "x=1"}
		}),
		one("finit_module", 413, func() []any { return []any{r(unix.SYS_FINIT_MODULE, 9999, ptr("y=2"), 3), 9999, "y=2", 3} }),
		one("memfd_create", 405, func() []any { return []any{r(unix.SYS_MEMFD_CREATE, ptr("ghost"), 3), "ghost", 3} }),
		one("userfaultfd", 321, func() []any { return []any{r(unix.SYS_USERFAULTFD, unix.O_CLOEXEC|unix.O_NONBLOCK), 4096 | 64} }),
		one("kill", 129, func() []any { return []any{r(unix.SYS_KILL, 1<<22+1, 9), 1<<22 + 1, 9} }),
		one("tkill", 131, func() []any { return []any{r(unix.SYS_TKILL, 1<<22+1, 15), 1<<22 + 1, 15} }),
		one("tgkill", 133, func() []any { return []any{r(unix.SYS_TGKILL, 1<<22+1, 1<<22+2, 0), 1<<22 + 1, 1<<22 + 2, 0} }),
		one("prctl PR_SET_NAME", 401, func() []any {
			return []any{r(unix.SYS_PRCTL, unix.PR_SET_NAME, ptr("a name longer than fifteen")), 15, "a name longer t", 0}
		}),
		one("prctl PR_SET_CHILD_SUBREAPER", 401, func() []any {
			return []any{r(unix.SYS_PRCTL, unix.PR_SET_CHILD_SUBREAPER, 0), 36, nil, 0}
		}),
		one("ptrace PTRACE_ATTACH", 169, func() []any {
			res := r(unix.SYS_PTRACE, unix.PTRACE_ATTACH, 1<<22+1, 0x10, uintptr(word))
			return []any{res, []byte{0, 0x10, 0, 0, 0, 0, 0, 0, 0}, []byte{0, 0x22, 0x11, 0, 0, 0, 0, 0, 0}, 11, 1<<22 + 1}
		}),
		one("ptrace PTRACE_CONT", 169, func() []any {
			res := r(unix.SYS_PTRACE, unix.PTRACE_CONT, 1<<22+1, 0, 9)
			return []any{res, make([]byte, 9), []byte{1, 9}, 8, 1<<22 + 1}
		}),
	})
}

// capsetOfSelf drops one inheritable capability, which root does not need, and
// says what the thread has then.
func capsetOfSelf() []any {
	runtime.LockOSThread()
	head := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&head, &data[0]); err != nil {
		return []any{err.Error()}
	}
	res := raw(unix.SYS_CAPSET, unsafe.Pointer(&head), unsafe.Pointer(&data[0]))
	whole := func(low, high uint32) uint64 { return uint64(high)<<32 | uint64(low) }
	return []any{
		res, whole(data[0].Inheritable, data[1].Inheritable), whole(data[0].Permitted, data[1].Permitted),
		whole(data[0].Effective, data[1].Effective),
	}
}

func TestReadingPrctlIsNotSent(t *testing.T) {
	ev := watch(t, Options{Only: []string{"sys_exit", "call_prctl"}}, func() {
		raw(unix.SYS_PRCTL, unix.PR_GET_DUMPABLE)
		raw(unix.SYS_PRCTL, unix.PR_GET_NAME, make([]byte, 16))
	})
	for _, e := range ev {
		if o, _ := e.Params.Uint(1); e.Type == 401 && (o == unix.PR_GET_DUMPABLE || o == unix.PR_GET_NAME) {
			t.Errorf("sent: %s", show(e.Type, e.Params))
		}
	}
}
