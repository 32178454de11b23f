package plan

import (
	"time"

	"github.com/profferhq/proffer/marathonish/app"
	"github.com/profferhq/proffer/sdk"
)

// State is how far an instance has come.
type State int

// The states, from those whose loss matters least.
const (
	Unreachable State = iota // its agent is silent
	Staging                  // recorded, perhaps launched
	Starting                 // its executor has it
	Running
)

// Instance is one that has not ended.
type Instance struct {
	Task   sdk.TaskID
	Index  int
	Config app.Version // of the definition it was launched with: LastConfigChangeAt
	State  State
	Ready  bool      // runs, and its checks say that it is well
	Since  time.Time // when it was launched
	Lost   time.Time // when it became Unreachable
	Doomed bool      // it is decided already that it ends
	// Unconfirmed is set until the kernel has told of it to this marathonish.
	Unconfirmed bool
}

// Wanted is what there shall be of an app.
type Wanted struct {
	Instances     int
	Config        app.Version
	Upgrade       app.UpgradeStrategy
	KillSelection app.KillSelection
	Unreachable   *app.UnreachableStrategy // nil: never replaced
	// Replace ends instances of another Config; without it they count as good.
	Replace bool
	// Stop ends all: the app was destroyed.
	Stop bool
}

// Decision is what has to be done now.
type Decision struct {
	Launch  []int        // indexes
	Kill    []Kill       // in the order in which they were chosen
	Expunge []sdk.TaskID // to be forgotten
	Done    bool         // there is what is wanted, and nothing else
	Waits   string       // for what, where it is not Done; for people
	// Wake is when time alone changes the decision; zero: never.
	Wake time.Time
}

// Kill is an instance that has to end.
type Kill struct {
	Task   sdk.TaskID
	Reason string // for people
}

// inactive tells whether the instance is replaced because its agent is silent. What a
// predecessor knew of that is no reason: the agent may be back since.
func (w *Wanted) inactive(now time.Time, i *Instance) bool {
	return i.State == Unreachable && !i.Unconfirmed && w.Unreachable != nil && !now.Before(i.Lost.Add(seconds(w.Unreachable.InactiveAfter)))
}

// expunged tells whether the instance is forgotten because its agent is silent.
func (w *Wanted) expunged(now time.Time, i *Instance) bool {
	return i.State == Unreachable && !i.Unconfirmed && w.Unreachable != nil && !now.Before(i.Lost.Add(seconds(w.Unreachable.ExpungeAfter)))
}

// wake is when the silence of instances next means more.
func (w *Wanted) wake(now time.Time, have []Instance) time.Time {
	var wake time.Time
	for i := range have {
		if have[i].State != Unreachable || w.Unreachable == nil {
			continue
		}
		for _, after := range []int{w.Unreachable.InactiveAfter, w.Unreachable.ExpungeAfter} {
			if at := have[i].Lost.Add(seconds(after)); at.After(now) && (wake.IsZero() || at.Before(wake)) {
				wake = at
			}
		}
	}
	return wake
}

func seconds(n int) time.Duration { return time.Duration(n) * time.Second }
