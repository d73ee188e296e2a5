package e2e

import (
	"bytes"
	"encoding/json"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// traced are the calls of which both witnesses tell, and those that say who
// has which folder.
const traced = "execve,execveat,open,openat,openat2,creat,connect,unlink,unlinkat,rmdir,mkdir,mkdirat,rename,renameat,renameat2," +
	"link,linkat,symlink,symlinkat,chmod,fchmod,fchmodat,chown,lchown,fchown,fchownat,chdir,fchdir,clone,clone3,fork,vfork"

// deeds is what strace told: how often each was done, and the processes.
type deeds struct {
	deeds     map[deed]int
	processes map[int]bool
	folder    string           // of the logs
	read      map[int]bool     // threads
	errno     map[string]int64 // by name
	last      map[int]deed     // exec of each process
}

// readStrace reads the logs t.TID of strace -ff -y -xx in folder.
func readStrace(t *testing.T, folder string) *deeds {
	t.Helper()
	d := &deeds{
		deeds: map[deed]int{}, processes: map[int]bool{}, folder: folder,
		read: map[int]bool{}, errno: map[string]int64{}, last: map[int]deed{},
	}
	for n := syscall.Errno(1); n < 134; n++ {
		d.errno[unix.ErrnoName(n)] = int64(n)
	}
	logs, err := filepath.Glob(filepath.Join(folder, "t.*"))
	if err != nil || len(logs) == 0 {
		t.Fatalf("no logs of strace: %v", err)
	}
	first := -1 // the oldest is the workload's shell; the others are found from it
	for _, log := range logs {
		if tid, err := strconv.Atoi(filepath.Ext(log)[1:]); err == nil && (first < 0 || tid < first) {
			first = tid
		}
	}
	d.thread(t, first, first, "/")
	for tid := range d.read {
		delete(d.read, tid)
		logs = logs[1:]
	}
	if len(logs) != 0 {
		t.Errorf("%d logs belong to nobody", len(logs))
	}
	return d
}

var (
	call    = regexp.MustCompile(`^(\w+)\((.*)\) += (-?\d+)\S*(?: (E\w+))?`)
	ending  = regexp.MustCompile(`^\+\+\+ (?:exited with (\d+)|killed by (\w+))`)
	started = regexp.MustCompile(`^(clone|clone3|fork|vfork)\(`)
)

// thread reads what thread tid of process pid did, which began in cwd.
func (d *deeds) thread(t *testing.T, tid, pid int, cwd string) {
	t.Helper()
	d.read[tid], d.processes[pid] = true, true
	log, err := os.ReadFile(filepath.Join(d.folder, "t."+strconv.Itoa(tid)))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(log)) {
		if m := ending.FindStringSubmatch(line); m != nil && tid == pid {
			d.end(pid, m[1], m[2])
		}
		m := call.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		c := &traceLine{name: m[1], args: split(m[2]), pid: pid, cwd: &cwd}
		c.result, _ = strconv.ParseInt(m[3], 10, 64)
		if c.result < 0 {
			c.result = -d.errno[m[4]]
		}
		if started.MatchString(line) && c.result > 0 {
			child := int(c.result)
			of := child
			if strings.Contains(m[2], "CLONE_THREAD") {
				of = pid
			}
			d.thread(t, child, of, cwd)
			continue
		}
		if done, ok := c.deed(); ok {
			if done.verb == "exec" {
				d.last[pid] = done
			}
			d.deeds[done]++
		}
	}
}

// end gives the last command of pid its wait status.
func (d *deeds) end(pid int, status, signal string) {
	done, ok := d.last[pid]
	if !ok {
		return
	}
	if d.deeds[done]--; d.deeds[done] == 0 {
		delete(d.deeds, done)
	}
	n, _ := strconv.ParseInt(status, 10, 64)
	done.result = n << 8
	if signal != "" {
		done.result = int64(unix.SignalNum(signal))
	}
	d.deeds[done]++
}

// split cuts arguments at the commas that are not inside anything.
func split(s string) []string {
	var out []string
	depth, from, quoted := 0, 0, false
	for i, c := range []byte(s) {
		switch {
		case c == '"':
			quoted = !quoted
		case quoted:
		case strings.IndexByte("[{(<", c) >= 0:
			depth++
		case strings.IndexByte("]})>", c) >= 0:
			depth--
		case c == ',' && depth == 0:
			out, from = append(out, strings.TrimSpace(s[from:i])), i+1
		}
	}
	return append(out, strings.TrimSpace(s[from:]))
}

// listen accepts connections until the test ends, and is its port.
func listen(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			c.Close()
		}
	}()
	t.Cleanup(func() { l.Close(); <-done })
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// lost is how many events went missing, by the engine's own count.
func lost(t *testing.T, conf string) int {
	t.Helper()
	total := 0
	counters := metrics(t, filepath.Join(filepath.Dir(conf), "metrics.sock"))
	for _, m := range regexp.MustCompile(`(?m)^gumshoe_lost_total\{cause="(\w+)"\} (\d+)`).FindAllStringSubmatch(counters, -1) {
		if n, err := strconv.Atoi(m[2]); err == nil && m[1] != "thinned" && m[1] != "self" {
			total += n
		}
	}
	return total
}

// told is one line of activity --json, as far as it is compared.
type toldLine struct {
	Time                     time.Time
	Kind, Verb, Target, Name string
	Remote                   string
	Result                   int64
	Count                    int
	Process                  struct{ PID int }
}

// readTrail is what the trail tells of processes since began, in the words of
// strace: a creation is an open for writing.
func readTrail(t *testing.T, conf string, began time.Time, processes map[int]bool) map[deed]int {
	t.Helper()
	out, err := exec.Command(program, "--config", conf, "activity", "--json").Output()
	if err != nil {
		t.Fatalf("activity: %v", err)
	}
	all := map[deed]int{}
	for dec := json.NewDecoder(bytes.NewReader(out)); dec.More(); {
		var l toldLine
		if err := dec.Decode(&l); err != nil {
			t.Fatal(err)
		}
		if !processes[l.Process.PID] || l.Time.Before(began) || l.Kind == "sys" || l.Kind == "net" && l.Verb != "connect" {
			continue
		}
		d := deed{pid: l.Process.PID, verb: l.Verb, target: l.Target, nth: l.Name, result: l.Result}
		switch {
		case l.Verb == "create":
			d.verb = "write"
		case l.Kind == "net":
			d.target, d.nth = l.Remote, ""
		case l.Kind == "cmd":
			d.target = start(d.target)
		}
		all[d] += l.Count
	}
	return all
}
