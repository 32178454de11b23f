package cluster

import (
	"github.com/profferhq/proffer/kernel/link"
	"github.com/profferhq/proffer/kernel/registry"
	"github.com/profferhq/proffer/sdk"
)

// Session names one stream, of a scheduler (its Mesos-Stream-Id) or of an agent.
// The shell makes it, unique for ever.
type Session string

// Caller is who an authenticated request comes from.
type Caller struct {
	Principal string // empty when nobody said (--insecure)
	Operator  bool   // may act as any principal, and launch frameworks; also set with --insecure
}

// Input is one thing that has happened. Requests are numbers that the shell
// chooses; each input with a Request that is not zero is answered by exactly one
// Reply effect with it, perhaps in a later Step.
type Input interface{ input() }

type (
	// Subscribe is a scheduler's SUBSCRIBE. A Reply without error means: answer
	// 200 and stream what ToScheduler brings for the session.
	Subscribe struct {
		Request uint64
		Session Session
		Caller  Caller
		Call    *sdk.Call
	}
	// SchedulerCall is any other call of a scheduler; Session is the value of its
	// Mesos-Stream-Id header.
	SchedulerCall struct {
		Request uint64
		Session Session
		Caller  Caller
		Call    *sdk.Call
	}
	// SchedulerClosed says that the stream of the session ended (also after a
	// CloseScheduler, when it does no harm).
	SchedulerClosed struct{ Session Session }

	// AgentRegister is an agent's REGISTER call, whose answer is its event stream.
	AgentRegister struct {
		Request uint64
		Session Session
		Call    *link.Call
	}
	// AgentCall is any other call of a registered agent; Session is the value of its
	// link.SessionHeader. A refusal with sdk.CodeConflict tells the agent to
	// register anew.
	AgentCall struct {
		Request uint64
		Session Session
		Call    *link.Call
	}
	// AgentClosed says that the stream of the session ended.
	AgentClosed struct{ Session Session }

	// AgentNotice is something that the shell found out about the agent of the session,
	// for the people who run it.
	AgentNotice struct {
		Session Session
		Message string
	}

	// AgentSuspected is gossip's word about the agent whose HTTP is at Address.
	AgentSuspected struct {
		Address   string // host:port
		Suspected bool   // it does not answer there either; false: it does again
	}

	// OperatorCall is a write of an operator; reads are answered by kernel/view.
	OperatorCall struct {
		Request uint64
		Caller  Caller
		Call    *sdk.OperatorCall
	}

	// Committed says that the proposal is in the replicated log and applied.
	Committed struct {
		ID     uint64
		Result registry.Result
	}
	// Failed says that it is not known whether the proposal ever is applied. It
	// ends this leader's mind: every stream is closed and the Cluster is dead.
	Failed struct {
		ID  uint64
		Err error
	}

	// Tick lets time pass: deadlines that have come, and allocation.
	Tick struct{}
)

func (Subscribe) input()       {}
func (SchedulerCall) input()   {}
func (SchedulerClosed) input() {}
func (AgentRegister) input()   {}
func (AgentCall) input()       {}
func (AgentClosed) input()     {}
func (AgentNotice) input()     {}
func (AgentSuspected) input()  {}
func (OperatorCall) input()    {}
func (Committed) input()       {}
func (Failed) input()          {}
func (Tick) input()            {}
