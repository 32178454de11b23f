package due

import "github.com/profferhq/proffer/sdk"

// Verdict is what the end of an attempt means.
type Verdict string

// The verdicts.
const (
	Succeeded Verdict = "SUCCEEDED"
	Failed    Verdict = "FAILED"
	TimedOut  Verdict = "TIMEDOUT"
	Killed    Verdict = "KILLED" // somebody wanted it
	Lost      Verdict = "LOST"   // its agent was unreachable for too long, or is gone
	Never     Verdict = "NEVER"  // it was not launched: the agent never had it
)

// Stop is why an attempt was killed.
type Stop string

// The reasons of a kill.
const (
	NotStopped Stop = ""
	ByTime     Stop = "it took longer than it may"
	ByWish     Stop = "somebody ended it"
	ByDeletion Stop = "its job was deleted"
)

// End is the end of an attempt.
type End struct {
	State   sdk.TaskState // terminal
	Started bool          // it was seen running, or may have run unseen
	Stop    Stop
}

// Terminal tells whether an attempt in this state has ended for good.
func Terminal(s sdk.TaskState) bool { return s.Terminal() || s == sdk.TaskUnknown }

// Judge says what an end means. That it has succeeded counts even where it was to be
// killed; an attempt that the kernel does not know and that cannot have run was never
// launched.
func Judge(e End) Verdict {
	switch e.State {
	case sdk.TaskFinished:
		return Succeeded
	case sdk.TaskDropped, sdk.TaskLost, sdk.TaskGone, sdk.TaskGoneByOperator, sdk.TaskUnknown:
		switch {
		case e.Stop == ByTime:
			return TimedOut
		case e.Stop != NotStopped:
			return Killed
		case e.Started:
			return Lost
		}
		return Never
	}
	switch {
	case e.Stop == ByTime:
		return TimedOut
	case e.Stop != NotStopped, e.State == sdk.TaskKilled:
		return Killed
	}
	return Failed
}

// Again tells whether another attempt follows, after failures attempts that have
// failed, this one among them if it has. An attempt that was never launched costs no
// retry; one that was killed by somebody's wish has no successor; a lost one has where
// the job says so.
func Again(v Verdict, failures, retries int, retryOnLost bool) bool {
	switch v {
	case Never:
		return true
	case Failed, TimedOut:
		return failures <= retries
	case Lost:
		return retryOnLost && failures <= retries
	}
	return false
}

// Counts tells whether the verdict costs one of the retries.
func Counts(v Verdict) bool { return v == Failed || v == TimedOut || v == Lost }
