package link

import "time"

const (
	// firstPause is short: a first leader is there after 0.3 s, and the machine waits for it.
	firstPause = 50 * time.Millisecond
	// settled is how long a leader has to serve an agent for the next loss to be a new one,
	// and not one more of a leader that cannot keep its agents.
	settled = time.Second
)

// Retry says how long an agent waits before it looks for a leader again.
type Retry struct {
	Longest time.Duration
	next    time.Duration
}

// Next is the pause after a stream on which a leader has served the agent for that long; 0
// when none had taken it in. The first is 50 ms, each that follows 1.3 times the last, up
// to Longest.
func (r *Retry) Next(served time.Duration) time.Duration {
	if served >= settled || r.next == 0 {
		r.next = firstPause
	}
	pause := min(r.next, r.Longest)
	r.next = min(r.next*13/10, r.Longest)
	return pause
}
