package container

import (
	"time"

	"github.com/profferhq/proffer/sdk"
)

// Input is a fact about the container, or a wish.
type Input interface{ input() }

type (
	// Begin asks for the container to be made and started.
	Begin struct{}
	// Prepared says that the isolators are done; Err is why one of them failed.
	Prepared struct {
		Err    string
		Reason sdk.Reason
	}
	// Started says that the process runs, or Err why it could not be started.
	Started struct{ Err string }
	// Exited is how the process ended, told by its parent.
	Exited struct{ WaitStatus uint32 }
	// Kill asks for the end. A second one may shorten the grace, never prolong it.
	// A negative Grace means the container's own.
	Kill struct{ Grace time.Duration }
	// Limited says that a limit was reached that ends the container.
	Limited struct{ Limit Limit }
	// Destroyed is the end of an attempt to empty the container: with Err empty no
	// process is left, and Limit is final.
	Destroyed struct {
		Err   string
		Limit *Limit
	}
	// Cleaned is the end of an attempt to take away what the isolators made.
	Cleaned struct{ Err string }
	// Tick is the passing of time; it is due at Deadline.
	Tick struct{}
)

// Limit is a limit that was reached.
type Limit struct {
	Reason  sdk.Reason
	Message string
}

func (Begin) input()     {}
func (Prepared) input()  {}
func (Started) input()   {}
func (Exited) input()    {}
func (Kill) input()      {}
func (Limited) input()   {}
func (Destroyed) input() {}
func (Cleaned) input()   {}
func (Tick) input()      {}

// Effect is an order to the shell. Each of the orders that take time is answered by
// an input, and none is given again before that.
type Effect interface{ effect() }

type (
	// DoPrepare: run the isolators' Prepare; answered by Prepared.
	DoPrepare struct{}
	// DoStart: hand the launch specification to the parent; answered by Started.
	DoStart struct{}
	// DoTerminate: send SIGTERM to the task. There is no answer but its exit.
	DoTerminate struct{}
	// DoDestroy: kill everything in the container; answered by Destroyed.
	DoDestroy struct{}
	// DoClean: run the isolators' Cleanup; answered by Cleaned.
	DoClean struct{}
	// Ended: the container's end, told exactly once, and only when no process is
	// left in it.
	Ended struct {
		Known      bool // WaitStatus was learned
		WaitStatus uint32
		Killed     bool // it was asked to end
		Limit      *Limit
		Failure    string // why it never ran
		Reason     sdk.Reason
	}
	// Alarm: the container does not end or can not be cleaned; a person should look.
	Alarm struct{ Message string }
)

func (DoPrepare) effect()   {}
func (DoStart) effect()     {}
func (DoTerminate) effect() {}
func (DoDestroy) effect()   {}
func (DoClean) effect()     {}
func (Ended) effect()       {}
func (Alarm) effect()       {}
