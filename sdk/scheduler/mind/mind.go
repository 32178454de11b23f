package mind

import "time"

// Mind decides. It is stepped by one goroutine.
type Mind interface {
	// Step takes what has happened, in its order, and gives what has to be done about
	// it, in order. The slice is read before the next Step, and not kept. now never is
	// the wall clock of another machine, but may stand still or run backwards.
	Step(now time.Time, inputs ...Input) []Effect
	// Due is when a Tick is wanted; false: not before something else happens.
	Due() (at time.Time, wanted bool)
}
