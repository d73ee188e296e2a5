package event

// Status is what an engine says of itself, for title bars, metrics and doctor.
type Status struct {
	Now        uint64 // ns since the epoch
	Host       string
	Kernel     string
	Version    string
	Source     string  // "live", or a capture's name; empty while programs attach
	Started    uint64  // ns since the epoch
	Events     uint64  // system events handled since start
	Activities uint64  // stored since start
	Rate       float64 // system events per second, last second
	Lost       Losses
	LagNS      uint64  // age of the newest handled event when it was handled
	RingUsed   float64 // share of the ring in use, 0..1
	QueueUsed  float64 // share of the store's queue in use, 0..1
	StoreBytes uint64
	StoreDays  int
	Processes  int
	Containers int
	CPUShare   float64 // of one core, last second
	RSS        uint64
	Notes      []string // what people should know: "no BTF: …", "store: disk full"
}
