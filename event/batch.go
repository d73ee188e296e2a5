package event

// Batch is what passes between a Source and its Stages: events in order and
// all that was learnt with them. It belongs to its Source and lives until
// Release; stages that keep an event Clone it.
type Batch struct {
	Events     []Event
	Alerts     []Alert
	Activities []Activity
	State      []*Process   // snapshots from files or from /proc at start
	Containers []*Container // of which metadata became known in this batch
	Lost       Losses       // dropped before or inside this batch, in-band
	Host       uint32

	release func(*Batch)
}

// NewBatch makes a batch whose memory goes back to its source by release,
// which may be nil.
func NewBatch(release func(*Batch)) *Batch { return &Batch{release: release} }

// Release hands the batch's memory back to its source. Only the pump calls it,
// once, after the last stage.
func (b *Batch) Release() {
	if b.release != nil {
		b.release(b)
	}
}

// Reset empties b for reuse, keeping its memory.
func (b *Batch) Reset() {
	clear(b.Alerts)
	clear(b.Activities)
	clear(b.State)
	clear(b.Containers)
	b.Containers = b.Containers[:0]
	b.Events, b.Alerts, b.Activities, b.State = b.Events[:0], b.Alerts[:0], b.Activities[:0], b.State[:0]
	b.Lost = Losses{}
}

// Cause says why something was lost or left out.
type Cause uint8

// Causes of loss. Thinned and Self are choices, not failures; they are
// counted all the same.
const (
	LostRing    Cause = iota // the kernel ring was full
	LostScratch              // an event did not fit the kernel's buffer
	LostStore                // the store's queue was full
	LostPeer                 // a console or hub was too slow
	LostParse                // bytes that could not be understood
	Thinned                  // read-only opens that no rule can match
	Self                     // our own processes
	Causes                   // how many there are
)

// String is the cause as the screen names it.
func (c Cause) String() string {
	switch c {
	case LostRing:
		return "ring"
	case LostScratch:
		return "scratch"
	case LostStore:
		return "store"
	case LostPeer:
		return "peer"
	case LostParse:
		return "parse"
	case Thinned:
		return "thinned"
	case Self:
		return "self"
	}
	return "other"
}

// Losses counts events by Cause.
type Losses [Causes]uint64

// Add adds what was lost in o to l.
func (l *Losses) Add(o Losses) {
	for i, n := range o {
		l[i] += n
	}
}

// Dropped is how many events were lost against our will.
func (l Losses) Dropped() uint64 {
	return l[LostRing] + l[LostScratch] + l[LostStore] + l[LostPeer] + l[LostParse]
}
