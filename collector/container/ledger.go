package container

import (
	"context"
	"time"

	"github.com/gumshoe-ir/gumshoe/event"
)

// ledger is the state of one Run: who is asked about, when to try again, and
// what was answered. Its run method owns all of it; workers only ask.
type ledger struct {
	r       *Resolver
	jobs    map[string]*job // not yet answered, by key
	ready   []*job          // to be asked about now
	waiting []*job          // to be asked about again when due
	outbox  []*event.Container
	known   *memory
	asked   chan *job
	results chan result
	ord     uint16
}

// job is one container being asked about.
type job struct {
	key   string
	want  *event.Container
	tries int
	due   time.Time
	again bool // it changed while it was being asked about
}

type result struct {
	job     *job
	answer  *event.Container
	problem *problem
}

func newLedger(r *Resolver) *ledger {
	return &ledger{
		r: r, jobs: map[string]*job{}, known: newMemory(maxRemember),
		asked: make(chan *job), results: make(chan result),
	}
}

// key names a container among all runtimes. Full ids are unique by
// themselves; a short one may be a name chosen by people.
func key(c *event.Container) string {
	if len(c.FullID) == 64 {
		return c.FullID[:12]
	}
	if len(c.ID) == 12 && plausible(c.ID) {
		return c.ID
	}
	return c.Runtime.String() + "/" + c.ID
}

// work asks about one container after another.
func (l *ledger) work(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case j := <-l.asked:
			answer, p := l.r.ask(ctx, j.want)
			select {
			case l.results <- result{j, answer, p}:
			case <-ctx.Done():
				return nil
			}
		}
	}
}

// run moves containers from questions to answers until ctx is done.
func (l *ledger) run(ctx context.Context, out chan<- *event.Batch) error {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	var batch *event.Batch
	for {
		if batch == nil && len(l.outbox) > 0 {
			batch = l.batch()
		}
		var send chan<- *event.Batch
		if batch != nil {
			send = out
		}
		var next *job
		var give chan<- *job
		if len(l.ready) > 0 && len(l.outbox) < maxOutbox {
			next, give = l.ready[0], l.asked
		}
		timer.Reset(l.pause())
		select {
		case <-ctx.Done():
			return nil
		case c := <-l.r.wants:
			l.admit(c, false)
		case s := <-l.r.sightings:
			l.admit(s.container, s.changed)
		case give <- next:
			l.ready = l.ready[1:]
		case res := <-l.results:
			l.settle(res)
		case send <- batch:
			batch = nil
		case <-timer.C:
		}
		l.wake(time.Now())
	}
}

// admit opens a job for c unless it is known or already asked about.
func (l *ledger) admit(c *event.Container, changed bool) {
	if c == nil {
		return
	}
	k := key(c)
	if j := l.jobs[k]; j != nil {
		j.again = j.again || changed
		return
	}
	if a := l.known.get(k); a != nil && !changed && a.Problem == "" {
		l.tell(a)
		return
	}
	if len(l.jobs) >= maxJobs {
		l.r.dropped.Add(1)
		return
	}
	j := &job{key: k, want: c}
	l.jobs[k] = j
	l.ready = append(l.ready, j)
}

// settle takes the outcome of one question: an answer, another try, or the
// end of trying.
func (l *ledger) settle(res result) {
	j := res.job
	j.tries++
	if res.problem != nil && j.tries < tries && !hopeless(j.want) {
		j.due = time.Now().Add(firstRetry << (j.tries - 1))
		l.waiting = append(l.waiting, j)
		return
	}
	answer := res.answer
	if res.problem != nil {
		c := *j.want
		c.Pending, c.Problem = false, res.problem.text
		answer = &c
		l.r.failed.Add(1)
	} else {
		l.r.answered.Add(1)
	}
	l.known.put(j.key, answer)
	l.tell(answer)
	delete(l.jobs, j.key)
	if j.again {
		l.admit(j.want, true)
	}
}

// hopeless reports whether asking again cannot help.
func hopeless(want *event.Container) bool {
	return !plausible(want.ID) && !plausible(want.FullID)
}

// tell queues an answer for the line. Answers given again to those who ask
// again are dropped first when the line does not move.
func (l *ledger) tell(c *event.Container) {
	if len(l.outbox) >= 2*maxOutbox {
		l.r.dropped.Add(1)
		return
	}
	l.outbox = append(l.outbox, c)
}

// wake moves jobs that are due from waiting to ready.
func (l *ledger) wake(now time.Time) {
	rest := l.waiting[:0]
	for _, j := range l.waiting {
		if j.due.After(now) {
			rest = append(rest, j)
		} else {
			l.ready = append(l.ready, j)
		}
	}
	clear(l.waiting[len(rest):])
	l.waiting = rest
}

// pause is how long nothing is due.
func (l *ledger) pause() time.Duration {
	pause := time.Hour
	for _, j := range l.waiting {
		pause = min(pause, time.Until(j.due))
	}
	return max(pause, 0)
}

// batch makes one of the answers queued first.
func (l *ledger) batch() *event.Batch {
	n := min(len(l.outbox), answersBatch)
	b := event.NewBatch(nil)
	b.Host = l.r.host
	now := uint64(time.Now().UnixNano())
	for _, c := range l.outbox[:n] {
		b.Events = append(b.Events, event.Event{
			ID:     event.ID{NS: now, Host: l.r.host, CPU: noCPU, Ord: l.ord},
			TID:    -1,
			Type:   event.AsynceventE,
			Params: params(c),
		})
		l.ord++
	}
	l.outbox = append(l.outbox[:0], l.outbox[n:]...)
	return b
}

// noCPU keeps the IDs of our events apart from the kernel's.
const noCPU = 0xFFFF

// memory keeps the newest answers by key, up to a number and to
// maxRememberBytes together: labels are written by whoever makes containers.
type memory struct {
	byKey map[string]*event.Container
	order []string // of keys, oldest first
	max   int
	bytes int
}

func newMemory(n int) *memory {
	return &memory{byKey: map[string]*event.Container{}, max: n}
}

func (m *memory) get(k string) *event.Container { return m.byKey[k] }

func (m *memory) put(k string, c *event.Container) {
	if old, ok := m.byKey[k]; ok {
		m.bytes -= size(old)
	} else {
		m.order = append(m.order, k)
	}
	m.byKey[k] = c
	m.bytes += size(c)
	for len(m.order) > m.max || m.bytes > maxRememberBytes && len(m.order) > 1 {
		m.bytes -= size(m.byKey[m.order[0]])
		delete(m.byKey, m.order[0])
		m.order = m.order[1:]
	}
}

// size is about what c takes, in bytes.
func size(c *event.Container) int {
	n := 1 << 10
	for k, v := range c.Labels {
		n += len(k) + len(v) + 32
	}
	for i := range c.Mounts {
		m := &c.Mounts[i]
		n += len(m.Source) + len(m.Dest) + len(m.Mode) + len(m.Propagation) + 72
	}
	return n
}
