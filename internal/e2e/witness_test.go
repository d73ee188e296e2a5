package e2e

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gumshoe-ir/gumshoe/internal/need"
)

// workload does what leaves traces, in folders of its own: files made,
// written, renamed, linked and removed by all the tools of a system, relative
// to folders that change; commands that fail; connections; a clone of this
// repository; and a compiler's many processes and threads.
const workload = `
cd "$1" || exit 1
mkdir a b a/deep a/deep/er; cd a/deep/er
for i in 1 2 3 4 5 6 7 8 9 10; do echo $i > f$i; cp f$i ../g$i; ln f$i h$i; ln -s ../g$i s$i; done
for i in 1 2 3 4 5; do mv f$i r$i; rm h$i; chmod 600 r$i; touch r$i; dd if=/dev/zero of=z$i bs=1 count=1 2>/dev/null; done
echo more >> s7; cat s7 ../../deep/g8 > ../../../b/out
sed -i s/more/less/ s8 r1; sort -o r2 r2; tee ../t1 ../t2 < r3 > /dev/null; truncate -s 9 r4; install -m 640 r4 ../i4
ln -sfn ../nowhere s9; rmdir ../../none 2>/dev/null; rm -f missing; mkdir -p ../../x/y/z; rm -r ../../x
(cd ..; tar cf t.tar er; mkdir out; tar xf t.tar -C out; gzip t.tar; gunzip t.tar.gz; rm -r out)
find . -name 'r*' -exec ls {} + > /dev/null; xargs -n 1 true < r3; env -i sh -c 'exit 7'; ./r1 2>/dev/null; ./missing 2>/dev/null
printf '#!/bin/sh\necho "$0" > made-by-script\n' > script; chmod +x script; ./script; sh -c 'kill -9 $$' 2>/dev/null
cat /etc/shadow > /dev/null; (exec 3<>/dev/tcp/127.0.0.1/1) 2>/dev/null; (exec 3<>"/dev/tcp/127.0.0.1/$4") 2>/dev/null
cd "$1"; mktemp -p . > /dev/null; perl -e 'rename "b/out", "b/out2"; mkdir "p"; rmdir "p"; open my $f, ">", "b/perl"; symlink "perl", "b/link"; unlink "b/link"'
git clone -q "$2" clone; cd clone && git checkout -q -b other && git -c user.name=w -c user.email=w@x commit -q --allow-empty -m witness
setpriv --reuid=65534 --regid=65534 --clear-groups sh -c 'echo x > denied; mkdir denied; mv b denied; rm -f built; cat /etc/shadow; ./a' 2>/dev/null
cd "$3" && go build -o "$1/built" . && cd "$1" && ./built
`

// deed is one thing that somebody did, as both witnesses can tell it.
type deed struct {
	pid         int // of the process
	verb        string
	target, nth string // nth is the second path of those that have two
	result      int64
}

func (d deed) String() string {
	return fmt.Sprintf("%d %s %q %q = %d", d.pid, d.verb, d.target, d.nth, d.result)
}

// TestWhatStraceSawIsInTheTrail compares the trail of a scripted workload with
// what strace says of it: all that succeeded, and refusals, no more and no less.
func TestWhatStraceSawIsInTheTrail(t *testing.T) {
	need.BPF(t)
	strace := need.Program(t, "strace")
	repo, err := exec.Command("git", "rev-parse", "--show-toplevel").Output()
	if err != nil {
		need.Skip(t, "needs a git checkout")
	}
	conf, logs, work, source := configure(t), t.TempDir(), t.TempDir(), t.TempDir()
	for name, text := range map[string]string{"go.mod": "module witness\n", "main.go": "package main\n\nfunc main() { println(1) }\n"} {
		if err := os.WriteFile(filepath.Join(source, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	port := listen(t)
	collect(t, conf)
	began := time.Now()
	cmd := exec.Command(strace, "-ff", "-y", "-xx", "-s", "65536", "-o", filepath.Join(logs, "t"), "-e", "trace="+traced,
		"bash", "-c", workload, "workload", work, strings.TrimSpace(string(repo)), source, port)
	cmd.Env = append(os.Environ(), "GOFLAGS=-buildvcs=false")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("the workload: %v: %s", err, out)
	}
	awaitRow(t, conf, "after-the-workload", func() { mark(t, "after-the-workload") })
	if n := lost(t, conf); n != 0 {
		t.Fatalf("%d events were lost: there is nothing to compare", n)
	}
	seen := readStrace(t, logs)
	told := readTrail(t, conf, began, seen.processes)
	if len(seen.deeds) < 300 {
		t.Errorf("strace saw only %d different deeds: this proves little", len(seen.deeds))
	}
	compare(t, seen.deeds, told)
}

// compare reports what only one witness tells, and how often.
func compare(t *testing.T, seen, told map[deed]int) {
	t.Helper()
	wrong := 0
	all := maps.Clone(seen)
	maps.Copy(all, told)
	for _, d := range slices.SortedFunc(maps.Keys(all), func(a, b deed) int { return strings.Compare(a.String(), b.String()) }) {
		if seen[d] == told[d] {
			continue
		}
		if wrong++; wrong <= 40 {
			t.Errorf("strace saw %d, the trail tells %d: %v", seen[d], told[d], d)
		}
	}
	t.Logf("%d different deeds compared, %d differ", len(all), wrong)
}
