package boot

import (
	"time"

	"github.com/profferhq/proffer/sdk"
)

// Effect is one thing that Run has to do, in the order given. When a Store fails,
// nothing behind it may be done: whether it will hold is not known.
type Effect interface{ effect() }

type (
	// Store commits a record.
	Store struct{ Record Record }
	// Launch accepts an offer with these tasks, whose records are committed.
	Launch struct {
		Offer sdk.Offer
		Tasks []sdk.TaskInfo
	}
	// Decline gives an offer back, for that long.
	Decline struct {
		Offer  sdk.Offer
		Refuse time.Duration
	}
	// Kill ends a task.
	Kill struct {
		TaskID  sdk.TaskID
		AgentID sdk.AgentID
	}
	// Ask has the kernel tell the state of a task.
	Ask struct {
		TaskID  sdk.TaskID
		AgentID sdk.AgentID
	}
	// Revive asks for offers; Suppress wants none.
	Revive   struct{}
	Suppress struct{}
	// Log is a line for the log.
	Log struct {
		Message string
		KV      []any
	}
)

func (Store) effect()    {}
func (Launch) effect()   {}
func (Decline) effect()  {}
func (Kill) effect()     {}
func (Ask) effect()      {}
func (Revive) effect()   {}
func (Suppress) effect() {}
func (Log) effect()      {}
