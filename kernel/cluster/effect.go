package cluster

import (
	"github.com/profferhq/proffer/kernel/link"
	"github.com/profferhq/proffer/kernel/registry"
	"github.com/profferhq/proffer/sdk"
)

// Effect is one thing that the shell has to do, in the order given. What an
// effect points at is shared and never changes again.
type Effect interface{ effect() }

type (
	// ToScheduler appends an event to the stream of the session.
	ToScheduler struct {
		Session Session
		Event   *sdk.Event
	}
	// CloseScheduler ends the stream after what was sent on it.
	CloseScheduler struct{ Session Session }

	// ToAgent appends an event to the agent's stream.
	ToAgent struct {
		Session Session
		Event   *link.Event
	}
	// CloseAgent ends the stream after what was sent on it.
	CloseAgent struct{ Session Session }

	// Propose asks for consensus; the answer is an input Committed or Failed.
	// Proposals are numbered from 1 and must be proposed in their order.
	Propose struct {
		ID      uint64
		Command registry.Command
	}

	// Reply answers a request: with the error, or with success. Its status is
	// 202, or 200 where Done is set (UPDATE_FRAMEWORK, operator writes) and for a
	// stream.
	Reply struct {
		Request uint64
		Err     *sdk.Error
		Done    bool
	}

	// Operator is one event for kernel/view and the operator streams.
	Operator struct{ Event *sdk.OperatorEvent }

	// Log is a line for the log: a constant message and key, value pairs.
	Log struct {
		Level   Level
		Message string
		KV      []any
	}

	// Resign ends this leader: every stream is closed, and nothing that is
	// stepped afterwards has an effect. The shell gives up its leadership.
	Resign struct{ Reason string }
)

// Level is how much a Log matters; the values are those of log/slog.
type Level int

// The levels.
const (
	Debug Level = -4
	Info  Level = 0
	Warn  Level = 4
	Error Level = 8
)

func (ToScheduler) effect()    {}
func (CloseScheduler) effect() {}
func (ToAgent) effect()        {}
func (CloseAgent) effect()     {}
func (Propose) effect()        {}
func (Reply) effect()          {}
func (Operator) effect()       {}
func (Log) effect()            {}
func (Resign) effect()         {}
