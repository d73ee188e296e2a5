package audit

import (
	"fmt"
	"strings"
	"testing"

	"github.com/gumshoe-ir/gumshoe/event"
)

func exec(l *line, p *event.Process) []event.Activity {
	return l.give(p, nil, event.SyscallExecveV19X, 0)
}

func exit(l *line, p *event.Process, status int) []event.Activity {
	gone := *p
	gone.ExitTime = l.now + 1
	return l.give(&gone, nil, event.ProcexitV1E, status, status>>8, status&0x7f)
}

func TestACommandLastsUntilItsProcessEnds(t *testing.T) {
	l := newLine(t)
	p := l.process(100, nil, "sleep", "5")
	began := exec(l, p)
	if brief(began) != "cmd exec sleep 5" || began[0].End != 0 {
		t.Fatalf("at exec: %q, End %d", brief(began), began[0].End)
	}
	thread := *p
	if got := l.give(&thread, nil, event.ProcexitV1E, 0); len(got) != 0 {
		t.Errorf("at the exit of a thread: %q", brief(got))
	}
	l.wait(5 * second)
	ended := exit(l, p, 3<<8)
	if len(ended) != 1 || ended[0].ID != began[0].ID || ended[0].End != l.now || ended[0].Result != 3<<8 || ended[0].Process.ExitTime == 0 {
		t.Errorf("at exit: %+v", ended)
	}
	if got := exit(l, p, 0); len(got) != 0 {
		t.Errorf("at a second exit: %q", brief(got))
	}
	if s := l.s.Stats(); s.Activities != 1 || s.Updates != 1 || s.Actors != 0 {
		t.Errorf("%+v", s)
	}
}

func TestAnExecEndsTheCommandBefore(t *testing.T) {
	l := newLine(t)
	p := l.process(100, nil, "sh", "-c", "exec ls")
	first := exec(l, p)[0]
	p2 := *p
	p2.Exe, p2.Args = "ls", nil
	got := exec(l, &p2)
	if brief(got) != "cmd exec sh -c exec ls; cmd exec ls" || got[0].ID != first.ID || got[0].End != l.now || got[1].ID == first.ID {
		t.Errorf("%q %+v", brief(got), got)
	}
	if got := exit(l, &p2, 0); brief(got) != "cmd exec ls" {
		t.Errorf("at exit: %q", brief(got))
	}
}

func TestAReusedPidIsAnotherProcess(t *testing.T) {
	l := newLine(t)
	old := l.process(100, nil, "old")
	exec(l, old)
	young := *old
	young.StartBoot++
	if got := exec(l, &young); len(got) != 1 {
		t.Errorf("the exec of another process ended one: %q", brief(got))
	}
}

func TestRepetitionsBecomeACount(t *testing.T) {
	l := newLine(t)
	p := l.process(100, nil, "logger")
	write := func() []event.Activity {
		return l.give(p, file("/var/log/x", openWrite), event.SyscallOpenatV2X, 3, -100, "x")
	}
	first := write()
	if len(first) != 1 {
		t.Fatal(brief(first))
	}
	if got := write(); len(got) != 0 {
		t.Errorf("within a second: %q", brief(got))
	}
	l.wait(second)
	got := l.give(p, nil, event.SyscallPrctlX, 0)
	if brief(got) != "file write /var/log/x x2" || got[0].ID != first[0].ID || got[0].End <= first[0].End {
		t.Errorf("after a second, at any event: %q", brief(got))
	}
	for range 100 {
		l.wait(second / 2)
		write()
	}
	if n := len(l.out); n < 40 || n > 60 {
		t.Errorf("%d times handed on in 50 s, want about one a second", n)
	}
	last := l.out[len(l.out)-1]
	if l.wait(20 * second); brief(write()) != "file write /var/log/x" {
		t.Errorf("a minute later it is not a new activity: %q", brief(l.out[len(l.out)-1:]))
	}
	other := l.give(l.process(101, nil, "logger"), file("/var/log/x", openWrite), event.SyscallOpenatV2X, 3, -100, "x")
	if brief(other) != "file write /var/log/x" {
		t.Errorf("another process: %q", brief(other))
	}
	b := event.NewBatch(nil)
	l.s.Drain(b)
	if last.Count+uint32(len(b.Activities)) < 102 {
		t.Errorf("count %d and %d waiting, want all 102", last.Count, len(b.Activities))
	}
}

// Whoever turns a link elsewhere, or becomes another user, does another thing.
func TestWhatLooksAlikeIsNoRepetition(t *testing.T) {
	l := newLine(t)
	p := l.process(100, nil, "w")
	open := func(p *event.Process, real string) string {
		fd := file("/tmp/link", openWrite)
		fd.RealPath = real
		return brief(l.give(p, fd, event.SyscallOpenatV2X, 3, -100, "x"))
	}
	root := *p
	root.UID = 0
	for _, c := range []struct {
		as   *event.Process
		real string
		want string
	}{
		{p, "/tmp/mine", "file write /tmp/link"},
		{p, "/tmp/mine", ""},
		{p, "/etc/passwd", "file write /tmp/link"},
		{&root, "/etc/passwd", "file write /tmp/link"},
		{p, "/tmp/mine", ""},
	} {
		if got := open(c.as, c.real); got != c.want {
			t.Errorf("uid %d to %s: %q, want %q", c.as.UID, c.real, got, c.want)
		}
	}
}

func TestNoRepetitionIsLost(t *testing.T) {
	l := newLine(t)
	var given uint32
	for i := range 5000 {
		p := l.process(int32(100+i%7), nil, "w")
		l.give(p, file(fmt.Sprintf("/tmp/%d", i%13), openWrite), event.SyscallOpenatV2X, 3, -100, "x")
		l.wait(uint64(i%50) * second / 20)
		given++
	}
	b := event.NewBatch(nil)
	l.s.Drain(b)
	last := map[event.ID]uint32{}
	for _, a := range append(l.out, b.Activities...) {
		if a.Count < last[a.ID] {
			t.Fatalf("the count of %v went back from %d to %d", a.ID, last[a.ID], a.Count)
		}
		last[a.ID] = a.Count
	}
	var told uint32
	for _, n := range last {
		told += n
	}
	if told != given {
		t.Errorf("%d of %d told", told, given)
	}
}

func tcp(l *line, cookie uint64, before, after, sent, received int) []event.Activity {
	return l.give(nil, nil, event.TCPState, cookie, before, after, nil, sent, received)
}

func TestAConnectionLastsUntilItsSocketCloses(t *testing.T) {
	l := newLine(t)
	p := l.process(100, nil, "curl")
	fd := inet(event.ProtoTCP, "10.0.0.1:40000", "203.0.113.9:80")
	began := l.give(p, fd, event.SocketConnectX, 0, nil, 5, ap("203.0.113.9:80"))
	if len(began) != 1 || began[0].End != 0 || began[0].Local != ap("10.0.0.1:40000") {
		t.Fatalf("%+v", began)
	}
	l.wait(3 * second)
	if got := tcp(l, 78, 1, tcpClosed, 1, 1); len(got) != 0 {
		t.Errorf("another socket's end: %q", brief(got))
	}
	ended := tcp(l, 77, 4, tcpClosed, 212, 1<<20)
	if len(ended) != 1 || ended[0].ID != began[0].ID || ended[0].Sent != 212 || ended[0].Received != 1<<20 || ended[0].End != l.now {
		t.Errorf("%+v", ended)
	}
	if got := tcp(l, 77, 4, tcpClosed, 212, 1<<20); len(got) != 0 {
		t.Errorf("closed twice: %q", brief(got))
	}
}

func TestHowAConnectThatDoesNotBlockEnds(t *testing.T) {
	for _, tt := range []struct {
		name string
		then func(l *line, p *event.Process) []event.Activity
		want string
	}{
		{"established", func(l *line, p *event.Process) []event.Activity { return tcp(l, 77, tcpSynSent, tcpEstablished, 0, 0) }, "net connect 203.0.113.9:80"},
		{"not established", func(l *line, p *event.Process) []event.Activity { return tcp(l, 77, tcpSynSent, tcpClosed, 0, 0) }, "net connect 203.0.113.9:80 =115"},
		{"closed, and so was established", func(l *line, p *event.Process) []event.Activity { return tcp(l, 77, 8, tcpClosed, 1, 1) }, "net connect 203.0.113.9:80"},
		{"asked again", func(l *line, p *event.Process) []event.Activity {
			return l.give(p, inet(event.ProtoTCP, "", "203.0.113.9:80"), event.SocketConnectX, 0, nil, 5, ap("203.0.113.9:80"))
		}, "net connect 203.0.113.9:80"},
	} {
		l := newLine(t)
		p := l.process(100, nil, "curl")
		fd := inet(event.ProtoTCP, "10.0.0.1:40000", "203.0.113.9:80")
		l.give(p, fd, event.SocketConnectX, -115, nil, 5, ap("203.0.113.9:80"))
		l.wait(2 * second)
		got := tt.then(l, p)
		if brief(got) != tt.want || len(got) == 1 && got[0].ID != l.out[0].ID {
			t.Errorf("%s: %q, want %q", tt.name, brief(got), tt.want)
		}
	}
	l := newLine(t)
	tcp(l, 77, tcpSynSent, tcpEstablished, 0, 0)
	got := l.give(l.process(100, nil, "curl"), inet(event.ProtoTCP, "", "127.0.0.1:80"), event.SocketConnectX, -115, nil, 5, ap("127.0.0.1:80"))
	if brief(got) != "net connect 127.0.0.1:80" {
		t.Errorf("established before connect returned: %q", brief(got))
	}
}

func TestBytesOfFoldedConnectionsAddUp(t *testing.T) {
	l := newLine(t)
	p := l.process(100, nil, "ab")
	for cookie := range uint64(5) {
		fd := inet(event.ProtoTCP, "", "203.0.113.9:80")
		fd.Socket = cookie + 1
		l.give(p, fd, event.SocketConnectX, 0, nil, 5, ap("203.0.113.9:80"))
	}
	for cookie := range uint64(5) {
		tcp(l, cookie+1, 4, tcpClosed, 10, 100)
	}
	b := event.NewBatch(nil)
	l.s.Drain(b)
	if len(b.Activities) != 1 || b.Activities[0].Count != 5 || b.Activities[0].Sent != 50 || b.Activities[0].Received != 500 {
		t.Errorf("%+v", b.Activities)
	}
}

func TestAListenerOverSeveralPathsEndsWithItsDescriptor(t *testing.T) {
	l := newLine(t)
	p := l.process(100, nil, "server")
	fd := with(inet(event.ProtoUnknown, "", "127.0.0.1:80"), func(f *event.FD) { f.Server, f.Socket = true, 0 })
	began := l.give(p, fd, event.SocketListenX, 0, 5, 10)
	if len(began) != 1 || began[0].End != 0 || began[0].Proto != event.ProtoTCP {
		t.Fatalf("%+v", began)
	}
	l.wait(2 * second)
	if got := l.give(l.process(101, p, "child"), fd, event.SyscallCloseX, 0, 5); len(got) != 0 {
		t.Errorf("closed by another process: %q", brief(got))
	}
	if got := l.give(p, fd, event.SyscallCloseX, 0, 5); len(got) != 1 || got[0].ID != began[0].ID || got[0].End != l.now {
		t.Errorf("%+v", got)
	}
}

func TestARepetitionStampedBeforeTheFirstIsOne(t *testing.T) {
	l := newLine(t)
	p := l.process(100, nil, "logger")
	fd := file("/var/log/x", openWrite)
	first := l.ev(p, fd, event.SyscallOpenatV2X, 3, -100, "x")
	again := l.ev(p, fd, event.SyscallOpenatV2X, 3, -100, "x")
	again.ID.NS = first.ID.NS - 1000
	if got := l.do(first, again); len(got) != 1 || l.s.Stats().Folded != 1 {
		t.Errorf("%q", brief(got))
	}
}

func TestALongCommandEndsAsItBegan(t *testing.T) {
	l := newLine(t)
	p := l.process(100, nil, "sh", "-c", strings.Repeat("x", 1<<20))
	first := exec(l, p)[0]
	if a := l.s.commands.get(p.Key(first.ID.Host)); len(a.Target) > keptTarget {
		t.Errorf("%d bytes are kept twice", len(a.Target))
	}
	if got := exit(l, p, 0); len(got) != 1 || got[0].Target != first.Target || len(got[0].Target) != len("sh -c ")+1<<20 {
		t.Errorf("at exit: %d bytes, want %d", len(got[0].Target), len(first.Target))
	}
}
