package container

import (
	"fmt"
	"time"

	"github.com/profferhq/proffer/sdk"
)

// State is where a container is in its life. It only ever moves forward.
type State uint8

// The states in their order. A terminal status of the task may be told from Cleaning
// on, because only then no process is left.
const (
	Fresh     State = iota
	Preparing       // the isolators work
	Starting        // its parent is asked to start it
	Running
	Stopping   // SIGTERM was sent, the grace runs
	Destroying // everything in it is being killed, again and again until nothing is left
	Emptied    // nothing is left; its parent has not told yet how it ended
	Cleaning   // its groups and directories go
	Gone
)

// String is the state's word for logs.
func (s State) String() string {
	words := [...]string{"fresh", "preparing", "starting", "running", "stopping", "destroying", "emptied", "cleaning", "gone"}
	if int(s) < len(words) {
		return words[s]
	}
	return fmt.Sprintf("state %d", uint8(s))
}

// Options are a container's times.
type Options struct {
	Grace      time.Duration // from SIGTERM to SIGKILL
	ExitWait   time.Duration // how long an empty container waits for its exit status
	RetryFirst time.Duration // pause after a failed attempt; it doubles
	RetryMost  time.Duration
	AlarmAfter time.Duration // of trying to destroy or to clean
}

// DefaultOptions are those of the README's table, where they stand there.
func DefaultOptions() Options {
	return Options{
		Grace:      5 * time.Second,
		ExitWait:   5 * time.Second,
		RetryFirst: time.Second,
		RetryMost:  30 * time.Second,
		AlarmAfter: 30 * time.Second,
	}
}

// Container is one container's life.
type Container struct {
	options Options
	state   State

	due     time.Time     // when time matters next; zero when it does not
	working bool          // an order is out that will be answered
	retry   time.Duration // pause before the next attempt
	since   time.Time     // begin of the present destroying or cleaning
	alarmed bool

	grace  time.Duration // of a kill that came before there was a process
	killed bool
	ended  Ended
}

// New makes a container that nothing has been done for.
func New(o Options) *Container { return &Container{options: o} }

// State is where the container is.
func (c *Container) State() State { return c.state }

// Deadline is when the next Tick is due, if time matters at all.
func (c *Container) Deadline() (time.Time, bool) { return c.due, !c.due.IsZero() }

// Step takes a fact in and says what is to be done. Facts that come too late or twice
// change nothing.
func (c *Container) Step(now time.Time, in Input) []Effect {
	switch in := in.(type) {
	case Begin:
		if c.state == Fresh {
			c.state = Preparing
			return []Effect{DoPrepare{}}
		}
	case Prepared:
		return c.prepared(now, in)
	case Started:
		return c.started(now, in)
	case Exited:
		return c.exited(now, in)
	case Kill:
		return c.kill(now, in.Grace)
	case Limited:
		return c.limited(now, in.Limit)
	case Destroyed:
		return c.destroyed(now, in)
	case Cleaned:
		return c.cleaned(now, in)
	case Tick:
		if !c.due.IsZero() && !now.Before(c.due) {
			return c.expired(now)
		}
	}
	return nil
}

func (c *Container) prepared(now time.Time, in Prepared) []Effect {
	if c.state != Preparing {
		return nil
	}
	if in.Err != "" {
		c.ended.Failure, c.ended.Reason = in.Err, in.Reason
		return c.end(now)
	}
	if c.killed {
		c.ended.Failure, c.ended.Reason = "killed before it was started", sdk.ReasonTaskKilledDuringLaunch
		return c.end(now)
	}
	c.state = Starting
	return []Effect{DoStart{}}
}

func (c *Container) started(now time.Time, in Started) []Effect {
	if c.state != Starting {
		return nil
	}
	if in.Err != "" {
		// Whether something was born before it failed is not known: look.
		c.ended.Failure, c.ended.Reason = in.Err, sdk.ReasonContainerLaunchFailed
		return c.destroy(now)
	}
	c.state = Running
	if c.killed {
		return c.stop(now, c.grace)
	}
	return nil
}

// exited notes the status; what the process has left behind is destroyed.
func (c *Container) exited(now time.Time, in Exited) []Effect {
	if c.ended.Known || c.state < Starting || c.state > Emptied {
		return nil
	}
	c.ended.Known, c.ended.WaitStatus = true, in.WaitStatus
	switch c.state {
	case Starting, Running, Stopping:
		return c.destroy(now)
	case Emptied:
		return c.end(now)
	}
	return nil
}

func (c *Container) kill(now time.Time, grace time.Duration) []Effect {
	if grace < 0 {
		grace = c.options.Grace
	}
	switch c.state {
	case Fresh:
		c.killed, c.ended.Killed = true, true
		c.ended.Failure, c.ended.Reason = "killed before it was started", sdk.ReasonTaskKilledDuringLaunch
		return c.end(now)
	case Preparing, Starting:
		if !c.killed || grace < c.grace {
			c.grace = grace
		}
		c.killed, c.ended.Killed = true, true
	case Running:
		c.killed, c.ended.Killed = true, true
		return c.stop(now, grace)
	case Stopping:
		if at := now.Add(grace); at.Before(c.due) {
			c.due = at
		}
		return c.Step(now, Tick{})
	}
	return nil
}

// stop begins the grace; without one there is no point in asking politely.
func (c *Container) stop(now time.Time, grace time.Duration) []Effect {
	if grace == 0 {
		return c.destroy(now)
	}
	c.state, c.due = Stopping, now.Add(grace)
	return []Effect{DoTerminate{}}
}

// limited ends the container at once: what has gone over a limit gets no grace.
func (c *Container) limited(now time.Time, l Limit) []Effect {
	if c.state > Destroying || c.state < Starting {
		return nil
	}
	if c.ended.Limit == nil {
		c.ended.Limit = &l
	}
	if c.state == Running || c.state == Stopping {
		return c.destroy(now)
	}
	return nil
}

func (c *Container) destroy(now time.Time) []Effect {
	c.state, c.since, c.retry, c.alarmed = Destroying, now, c.options.RetryFirst, false
	return c.attempt()
}

// attempt gives the order of the state, once until it is answered.
func (c *Container) attempt() []Effect {
	c.working, c.due = true, time.Time{}
	if c.state == Destroying {
		return []Effect{DoDestroy{}}
	}
	return []Effect{DoClean{}}
}

func (c *Container) destroyed(now time.Time, in Destroyed) []Effect {
	if c.state != Destroying || !c.working {
		return nil
	}
	if in.Err != "" {
		return c.failed(now, "does not end: "+in.Err)
	}
	if c.ended.Limit == nil && in.Limit != nil {
		l := *in.Limit
		c.ended.Limit = &l
	}
	if c.ended.Known || c.ended.Failure != "" {
		return c.end(now)
	}
	c.working, c.state, c.due = false, Emptied, now.Add(c.options.ExitWait)
	return nil
}

// failed waits before the next attempt, for ever if need be, and says so in time.
func (c *Container) failed(now time.Time, what string) []Effect {
	c.working, c.due = false, now.Add(c.retry)
	c.retry = min(2*c.retry, c.options.RetryMost)
	if c.alarmed || now.Sub(c.since) < c.options.AlarmAfter {
		return nil
	}
	c.alarmed = true
	return []Effect{Alarm{fmt.Sprintf("a container %s (tried for %v)", what, now.Sub(c.since))}}
}

// end tells the end and begins to clean.
func (c *Container) end(now time.Time) []Effect {
	c.state, c.since, c.retry, c.alarmed = Cleaning, now, c.options.RetryFirst, false
	return append([]Effect{c.ended}, c.attempt()...)
}

func (c *Container) cleaned(now time.Time, in Cleaned) []Effect {
	if c.state != Cleaning || !c.working {
		return nil
	}
	if in.Err != "" {
		return c.failed(now, "cannot be cleaned: "+in.Err)
	}
	c.working, c.state, c.due = false, Gone, time.Time{}
	return nil
}

// expired does what its state has waited for.
func (c *Container) expired(now time.Time) []Effect {
	switch c.state {
	case Stopping:
		return c.destroy(now)
	case Emptied: // the status is lost, and is told so
		return c.end(now)
	case Destroying, Cleaning:
		return c.attempt()
	}
	return nil
}
