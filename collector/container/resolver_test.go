package container

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gumshoe-ir/gumshoe/event"
)

// fake is a runtime whose containers appear at times.
type fake struct {
	mu      sync.Mutex
	kind    event.Runtime
	has     map[string]time.Time // since when it knows an id
	err     error                // instead of any answer
	stuck   bool                 // answers nothing until its time is over
	asked   map[string]int
	tell    chan sighting
	renamed string
	away    int // connections that fail before one holds
}

func (f *fake) serves(k event.Runtime) bool { return k == f.kind }
func (f *fake) close() error                { return nil }

func (f *fake) inspect(ctx context.Context, id string) (*event.Container, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.asked == nil {
		f.asked = map[string]int{}
	}
	f.asked[id]++
	if f.stuck {
		<-ctx.Done()
		return nil, explain("fake", "/", ctx.Err(), false)
	}
	if f.err != nil {
		return nil, f.err
	}
	if since, ok := f.has[id]; !ok || time.Now().Before(since) {
		return nil, &problem{unknown, "docker: no such container"}
	}
	return &event.Container{ID: id, Runtime: f.kind, Name: "name-of-" + id + f.renamed}, nil
}

func (f *fake) watch(ctx context.Context, seen func(sighting)) error {
	if f.away > 0 {
		f.away--
		return &problem{away, "away"}
	}
	for {
		select {
		case s := <-f.tell:
			seen(s)
		case <-ctx.Done():
			return nil
		}
	}
}

// answers runs r on fakes and is its answers' documents as they come.
func running(t *testing.T, fakes ...*fake) (*Resolver, <-chan *event.Batch) {
	r := &Resolver{wants: make(chan *event.Container, queueLength), sightings: make(chan sighting)}
	for _, f := range fakes {
		r.runtimes = append(r.runtimes, f)
	}
	out := make(chan *event.Batch)
	done := make(chan error)
	ctx, cancel := context.WithCancel(t.Context())
	go func() { done <- r.Run(ctx, out) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run = %v", err)
		}
	})
	return r, out
}

func text(b *event.Batch) string {
	var all strings.Builder
	for i := range b.Events {
		s, _ := b.Events[i].Params.Text(2)
		all.WriteString(s + "\n")
	}
	return all.String()
}

func TestAnswersAContainerThatAppearsLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{kind: event.Docker, has: map[string]time.Time{"aaaaaaaaaaaa": time.Now().Add(3 * time.Second)}}
		r, out := running(t, f)
		began := time.Now()
		r.Want(&event.Container{ID: "aaaaaaaaaaaa", Runtime: event.Docker, Pending: true})
		got := text(<-out)
		if !strings.Contains(got, "name-of-aaaaaaaaaaaa") {
			t.Errorf("answer %s", got)
		}
		if d := time.Since(began); d < 3*time.Second || d > 5*time.Second {
			t.Errorf("answered after %v", d)
		}
	})
}

func TestAsksOnceForManyWants(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{kind: event.Docker, has: map[string]time.Time{"aaaaaaaaaaaa": time.Now().Add(time.Second)}}
		r, out := running(t, f)
		for range 100 {
			r.Want(&event.Container{ID: "aaaaaaaaaaaa", Runtime: event.Docker})
		}
		b := <-out
		if len(b.Events) != 1 || f.asked["aaaaaaaaaaaa"] > 7 {
			t.Errorf("%d answers after %d questions", len(b.Events), f.asked["aaaaaaaaaaaa"])
		}
		asked := f.asked["aaaaaaaaaaaa"]
		r.Want(&event.Container{ID: "aaaaaaaaaaaa", Runtime: event.Docker})
		if got := text(<-out); !strings.Contains(got, "name-of") || f.asked["aaaaaaaaaaaa"] != asked {
			t.Errorf("remembered answer %s after %d more questions", got, f.asked["aaaaaaaaaaaa"]-asked)
		}
	})
}

func TestEndsWithTheReason(t *testing.T) {
	for _, tt := range []struct {
		name  string
		fakes []*fake
		want  *event.Container
		says  string
	}{
		{"nobody listens", nil, &event.Container{ID: "aaaaaaaaaaaa", Runtime: event.Docker}, "no runtime socket answers"},
		{"its runtime does not know it", []*fake{{kind: event.Docker}}, &event.Container{ID: "aaaaaaaaaaaa", Runtime: event.Docker}, "docker: no such container"},
		{
			"we may not ask its runtime, and another does not know it",
			[]*fake{{kind: event.Docker, err: &problem{denied, "no permission on /var/run/docker.sock"}}, {kind: event.CRI}},
			&event.Container{ID: "aaaaaaaaaaaa", Runtime: event.Docker}, "no permission on /var/run/docker.sock",
		},
		{"the answer is nonsense", []*fake{{kind: event.Docker, err: errors.New(strings.Repeat("x", 1000))}}, &event.Container{ID: "aaaaaaaaaaaa", Runtime: event.Docker}, `"problem":"xxx`},
		{"the runtime hangs", []*fake{{kind: event.Docker, stuck: true}}, &event.Container{ID: "aaaaaaaaaaaa", Runtime: event.Docker}, "in time"},
		{"the id is none", []*fake{{kind: event.Docker}}, &event.Container{ID: "../x", Runtime: event.Docker}, "not a container id"},
	} {
		synctest.Test(t, func(t *testing.T) {
			r, out := running(t, tt.fakes...)
			r.Want(tt.want)
			if got := text(<-out); !strings.Contains(got, tt.says) || len(got) > 1500 {
				t.Errorf("%s: answer %s, want %q", tt.name, got, tt.says)
			}
			if s := r.Stats(); s.Failed != 1 {
				t.Errorf("%s: %+v", tt.name, s)
			}
		})
	}
}

func TestNamesWithoutRuntimeAnswerThemselves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, out := running(t)
		for _, k := range []event.Runtime{event.LXC, event.Nspawn} {
			r.Want(&event.Container{ID: "web", Runtime: k, Pending: true})
			if got := text(<-out); !strings.Contains(got, `"name":"web"`) || strings.Contains(got, "problem") {
				t.Errorf("%v: %s", k, got)
			}
		}
	})
}

func TestTellsWhatTheRuntimeReports(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{kind: event.Docker, has: map[string]time.Time{}, tell: make(chan sighting)}
		r, out := running(t, f)
		c := &event.Container{ID: "aaaaaaaaaaaa", Runtime: event.Docker}
		r.Want(c)
		if got := text(<-out); !strings.Contains(got, "no such container") {
			t.Errorf("before it is there: %s", got)
		}
		f.has["aaaaaaaaaaaa"] = time.Time{}
		f.tell <- sighting{container: c}
		if got := text(<-out); !strings.Contains(got, "name-of-aaaaaaaaaaaa") {
			t.Errorf("after a late report: %s", got)
		}
		f.renamed = "-new"
		f.tell <- sighting{container: c, changed: true}
		if got := text(<-out); !strings.Contains(got, "name-of-aaaaaaaaaaaa-new") {
			t.Errorf("after a rename: %s", got)
		}
	})
}

func TestComesBackToARuntimeThatWasAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{kind: event.Docker, has: map[string]time.Time{"aaaaaaaaaaaa": {}}, tell: make(chan sighting), away: 8}
		_, out := running(t, f)
		began := time.Now()
		f.tell <- sighting{container: &event.Container{ID: "aaaaaaaaaaaa", Runtime: event.Docker}}
		if got := text(<-out); !strings.Contains(got, "name-of-aaaaaaaaaaaa") {
			t.Errorf("told %s", got)
		}
		if d := time.Since(began); d < 30*time.Second || d > 8*30*time.Second {
			t.Errorf("came back after %v", d)
		}
	})
}

func TestBoundedWhenTheLineStands(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, out := running(t, &fake{kind: event.Docker})
		const n = 20_000
		for i := range n {
			r.Want(&event.Container{ID: fmt.Sprintf("%012x", i), Runtime: event.Docker})
			if i%500 == 0 {
				time.Sleep(time.Second)
			}
		}
		time.Sleep(time.Minute)
		if s := r.Stats(); s.Dropped == 0 || s.Failed > 2*maxOutbox+workers {
			t.Errorf("%+v: the outbox is not bounded", s)
		}
		told := 0
		for quiet := false; !quiet; {
			select {
			case b := <-out:
				told += len(b.Events)
			case <-time.After(time.Minute):
				quiet = true
			}
		}
		if s := r.Stats(); uint64(told)+s.Dropped != n {
			t.Errorf("%d told and %d dropped of %d", told, s.Dropped, n)
		}
	})
}

func TestMemoryKeepsTheNewest(t *testing.T) {
	m := newMemory(2)
	for _, k := range []string{"a", "b", "a", "c"} {
		m.put(k, &event.Container{ID: k})
	}
	if m.get("a") != nil || m.get("b") == nil || m.get("c") == nil || len(m.byKey) != 2 {
		t.Errorf("kept %v", m.byKey)
	}
}

func TestHostileLabelsAreForgottenEarlier(t *testing.T) {
	m := newMemory(maxRemember)
	labels := map[string]string{"x": strings.Repeat("l", maxDocument)}
	for i := range maxRemember {
		m.put(strconv.Itoa(i), &event.Container{Labels: labels})
		m.put(strconv.Itoa(i), &event.Container{Labels: labels}) // the same anew
	}
	if n := len(m.byKey); n*maxDocument > maxRememberBytes || n < maxRememberBytes/maxDocument/2 || n != len(m.order) {
		t.Errorf("%d answers of %d KiB are kept", n, maxDocument>>10)
	}
	if m.get(strconv.Itoa(maxRemember-1)) == nil {
		t.Error("the newest is forgotten")
	}
}
