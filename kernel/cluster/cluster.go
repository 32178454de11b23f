package cluster

import "time"

// Cluster is one leader's mind, from its election to its end.
type Cluster struct {
	opt     Options
	effects []Effect
}

// New is the mind of a leader elected at now. What the registry knows counts as
// recovered: agents and frameworks have Options.RecoveryTimeout to come back.
// The first Step also returns what this start brings about.
func New(now time.Time, opt Options) *Cluster {
	return &Cluster{opt: opt.withDefaults()}
}

// Step takes one input and gives what has to be done about it, in order. The
// slice is valid until the next Step. Time that runs backwards counts as
// standing still.
func (c *Cluster) Step(now time.Time, in Input) []Effect {
	c.effects = c.effects[:0]
	return c.effects
}

// Due is when the next Tick is wanted; false when nothing waits for time. A time
// in the past means: as soon as the queue of inputs is drained.
func (c *Cluster) Due() (time.Time, bool) { return time.Time{}, false }
