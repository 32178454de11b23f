package boot

import (
	"strings"
	"time"

	"github.com/profferhq/proffer/sdk"
)

// Update says what was heard of a task. What follows from it must be done before it is
// acknowledged.
func (p *Plan) Update(now time.Time, st *sdk.TaskStatus) []Effect {
	r := p.runOf(st.TaskID)
	switch {
	case r == nil:
		if alive(st.State) { // of an attempt that was given up, or of a slot that nobody wants
			p.emit(Log{Message: "an attempt that was given up is back, and ended", KV: []any{"task", st.TaskID, "agent", st.AgentID}})
			p.emit(Kill{TaskID: st.TaskID, AgentID: st.AgentID})
		}
	case alive(st.State):
		p.lives(now, r, st.State)
	case !r.Over:
		p.ends(now, r, st)
	}
	return p.settle(now)
}

func (p *Plan) runOf(id sdk.TaskID) *run {
	for _, r := range p.runs {
		if r.TaskID == id {
			return r
		}
	}
	return nil
}

// alive tells whether processes of a task may be there, on an agent that is.
func alive(s sdk.TaskState) bool {
	switch s {
	case sdk.TaskStaging, sdk.TaskStarting, sdk.TaskRunning, sdk.TaskKilling:
		return true
	}
	return false
}

// lives notes that an attempt is there. One whose agent was unreachable is back before
// it was replaced.
func (p *Plan) lives(now time.Time, r *run, state sdk.TaskState) {
	if r.Over {
		if !r.Lost {
			return // late news of a task that has ended
		}
		r.Over, r.Lost, r.Ended, r.Why = false, false, 0, ""
		p.emit(Store{r.Record})
	}
	if r.state = state; state == sdk.TaskRunning && r.since.IsZero() {
		r.since = now
	}
}

// shot tells that somebody killed the instance, which says nothing of what it will do next
// time; its memory limit kills in the same way, but is named.
func shot(st *sdk.TaskStatus) bool {
	const sigkill, shell = 9, 137 // by the wait status itself, or by what a shell makes of it
	return st.WaitStatus != nil && (*st.WaitStatus&0x7f == sigkill || *st.WaitStatus>>8 == shell) && st.Limitation == nil
}

// ends notes that an attempt is over: it has ended, its agent never had it, or its agent
// is unreachable, which lets another one begin.
func (p *Plan) ends(now time.Time, r *run, st *sdk.TaskStatus) {
	r.Over, r.Ended, r.state = true, now.UnixNano(), st.State
	r.Lost = st.State == sdk.TaskUnreachable
	r.Why = strings.TrimPrefix(string(st.State), "TASK_")
	if st.Message != "" {
		r.Why += ": " + st.Message
	}
	switch lived := now.Sub(time.Unix(0, r.Launched)); {
	case !r.killed.IsZero(), r.Lost, st.State == sdk.TaskGone, st.State == sdk.TaskGoneByOperator, st.State == sdk.TaskUnknown:
		r.Failures = 0 // nothing that it did
	case lived >= healthyLife && !r.since.IsZero(), shot(st):
		r.Failures = 1
	default:
		r.Failures++
	}
	r.killed = time.Time{}
	p.emit(Store{r.Record})
	p.emit(Log{Message: "an instance is over", KV: []any{"task", r.TaskID, "host", r.Hostname, "why", r.Why, "failures", r.Failures}})
}
