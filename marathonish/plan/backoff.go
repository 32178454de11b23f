package plan

import (
	"time"

	"github.com/profferhq/proffer/marathonish/app"
)

// Backoff is the delay that failures of one config of an app have brought about.
// The zero value is none.
type Backoff struct {
	Config app.Version
	Delay  time.Duration
	Until  time.Time // no launch before
}

// crashLoop is the least time between two launches of an app whose instances end
// again within it, whatever its backoffSeconds.
const crashLoop = time.Second

// Failed is the backoff after an instance of the app's present config ended without
// being told to. Marathon's rule: the first delay is backoffSeconds, each further one
// is longer by backoffFactor, none is longer than maxLaunchDelaySeconds, and without
// a failure for the delay and maxLaunchDelaySeconds all is forgotten.
func (b Backoff) Failed(now time.Time, a *app.App) Backoff {
	first := min(a.Backoff(), a.MaxLaunchDelay())
	next := first
	known := b.Config == a.LastConfigChangeAt && !b.Until.IsZero()
	if known && !now.After(b.Until.Add(b.Delay+a.MaxLaunchDelay())) {
		next = min(max(first, time.Duration(float64(b.Delay)*a.BackoffFactor)), a.MaxLaunchDelay())
	}
	if first == 0 {
		next = 0
	}
	wait := next
	if known && now.Before(b.Until.Add(crashLoop)) {
		wait = max(wait, crashLoop)
	}
	return Backoff{Config: a.LastConfigChangeAt, Delay: next, Until: now.Add(wait)}
}

// Left is for how long nothing may be launched under the config.
func (b Backoff) Left(now time.Time, config app.Version) time.Duration {
	if b.Config != config {
		return 0
	}
	return max(0, b.Until.Sub(now))
}
