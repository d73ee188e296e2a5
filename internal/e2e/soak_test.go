package e2e

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gumshoe-ir/gumshoe/internal/need"
)

var soak = flag.Duration("soak", 15*time.Second, "how long the storm lasts")

// memoryBound is what engine and console together may hold resident under any
// load: ring and queues are bounded by the configuration, state by constants.
const memoryBound = 1 << 30

// storm forks, executes and opens as fast as one core allows, until killed.
const storm = `while :; do for i in 1 2 3 4 5 6 7 8 9 10; do /bin/true storm & done; cat /etc/passwd /etc/group /nonexistent >/dev/null 2>&1; wait; done`

func TestSoakUnderAStorm(t *testing.T) {
	need.BPF(t)
	conf := configure(t)
	term := open(t, 120, 36, program+" --config "+conf)
	term.await("LIVE")
	term.press("3")
	gumshoe := term.process()
	for range 2 {
		cmd := exec.Command("sh", "-c", storm)
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL); cmd.Wait() })
	}
	var peak int64
	screens := []string{"Engine", "Frequency", "Processes"}
	for turn, end := 0, time.Now().Add(*soak); time.Now().Before(end); turn++ {
		term.press([]string{"1", "3", "5"}[turn%3])
		term.await(screens[turn%3])
		peak = max(peak, resident(t, gumshoe))
		if peak > memoryBound {
			t.Fatalf("%d MiB resident after %d turns, bound %d MiB", peak>>20, turn, memoryBound>>20)
		}
		time.Sleep(500 * time.Millisecond)
	}
	counters := metrics(t, filepath.Join(filepath.Dir(conf), "metrics.sock"))
	t.Logf("peak %d MiB resident; counters:\n%s", peak>>20, counters)
	lost := regexp.MustCompile(`(?m)^gumshoe_lost_total\{cause="ring"\} (\d+)`).FindStringSubmatch(counters)
	if lost == nil {
		t.Error("losses by cause are not among the counters")
	} else if lost[1] != "0" {
		term.awaitThat("shows the drops", func(s string) bool { return !strings.Contains(s, "drop 0") })
	}
	term.press("q")
	term.awaitThat("is left", func(string) bool { dead, _ := term.ended(); return dead })
}

// resident is the memory of pid and its children, in bytes.
func resident(t *testing.T, pid int) int64 {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return 0
	}
	pages, err := strconv.ParseInt(strings.Fields(string(b))[1], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	total := pages * int64(os.Getpagesize())
	for _, child := range children(t, pid) {
		total += resident(t, child)
	}
	return total
}

// metrics asks the engine's socket for its counters.
func metrics(t *testing.T, socket string) string {
	t.Helper()
	client := http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", socket)
	}}}
	res, err := client.Get("http://gumshoe/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
