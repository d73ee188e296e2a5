package kernel

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// processLife is the programs of bpf/process.c, and the dispatcher.
var processLife = []string{
	"sys_exit", "process_exec", "process_fork", "process_exit",
	"call_clone", "call_execve", "call_execveat", "call_setsid",
}

// failedExec is execve's event, of success and failure.
const failedExec = 293

// helperVar names what this test binary does when it is started as a helper.
const helperVar = "GUMSHOE_KERNEL_HELPER"

func TestMain(m *testing.M) {
	if act, ok := helpers[os.Getenv(helperVar)]; ok {
		// Ready; go on when the test has looked at us.
		fmt.Println("ready")
		_, _ = bufio.NewReader(os.Stdin).ReadString('\n')
		act(os.Args[1:])
		os.Exit(7)
	}
	os.Exit(m.Run())
}

// helpers are what real processes do in these tests.
var helpers = map[string]func(args []string){
	"exit":      func([]string) {},
	"exec-fail": func([]string) { execFail() },
	"opens": func(paths []string) {
		for _, p := range paths {
			openat(append([]byte(p), 0))
		}
	},
	"thread": func([]string) {
		// More locked goroutines at once than the runtime has idle threads.
		var started, end sync.WaitGroup
		end.Add(1)
		for range 16 {
			started.Add(1)
			go func() {
				runtime.LockOSThread()
				started.Done()
				end.Wait()
			}()
		}
		started.Wait()
		end.Done()
	},
	"die":    func([]string) { _ = unix.Kill(os.Getpid(), unix.SIGKILL) },
	"orphan": func([]string) { _ = exec.Command("/bin/sleep", "0.3").Start() },
	"memfd": func([]string) {
		fd, err := unix.MemfdCreate("payload", 0)
		if err != nil {
			panic(err)
		}
		b, err := os.ReadFile("/bin/true")
		if err != nil {
			panic(err)
		}
		f := os.NewFile(uintptr(fd), "payload")
		if _, err := f.Write(b); err != nil {
			panic(err)
		}
		panic(unix.Exec(fmt.Sprintf("/proc/self/fd/%d", fd), []string{"payload"}, nil))
	},
}

func execFail() {
	_ = unix.Exec("/no/such/program", []string{"zero", "one", "two"}, []string{"A=1", "B=2"})
	path, empty := []byte("nothing\x00"), []byte("x\x00")
	argv := []*byte{&empty[0], nil}
	unix.RawSyscall6(unix.SYS_EXECVEAT, ^uintptr(99), uintptr(unsafe.Pointer(&path[0])),
		uintptr(unsafe.Pointer(&argv[0])), 0, 0, 0)
}

// child is this binary, started again to do one thing.
type child struct {
	*exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

func helper(t *testing.T, what string, args ...string) *child {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := &child{Cmd: exec.Command(exe, args...)}
	c.Env = []string{helperVar + "=" + what, "SECRET=x"}
	return c
}

func (c *child) pid() int { return c.Process.Pid }

// start returns when the helper waits to be let go.
func (c *child) start(t *testing.T) {
	t.Helper()
	var err error
	if c.in, err = c.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	c.out = bufio.NewReader(out)
	if line, err := c.out.ReadString('\n'); err != nil {
		t.Fatalf("helper said %q: %v", line, err)
	}
}

// finish lets it go and waits for its end.
func (c *child) finish(t *testing.T) {
	t.Helper()
	if _, err := c.in.Write([]byte("\n")); err != nil {
		t.Error(err)
	}
	_ = c.Wait() // it ends as the test says
}

func (c *child) run(t *testing.T) {
	t.Helper()
	c.start(t)
	c.finish(t)
}
