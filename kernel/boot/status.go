package boot

import (
	"fmt"
	"time"

	"github.com/profferhq/proffer/sdk"
)

// Status tells what is being done about every instance that is wanted or still there.
// missing says, in a sentence, why no agent has room for what an instance needs.
func (p *Plan) Status(now time.Time, missing func(needs sdk.Resources) string) []sdk.BootInstance {
	var out []sdk.BootInstance
	for _, s := range p.order {
		out = append(out, p.statusOf(now, s, missing))
	}
	for _, s := range p.slots() {
		if p.wanted[s] == nil && !p.runs[s].Over {
			out = append(out, p.statusOf(now, s, missing))
		}
	}
	return out
}

func (p *Plan) statusOf(now time.Time, s Slot, missing func(sdk.Resources) string) sdk.BootInstance {
	i := sdk.BootInstance{Framework: s.Name, Index: s.Index}
	r, w := p.runs[s], p.wanted[s]
	if r != nil {
		i.TaskID, i.AgentID, i.Hostname, i.OfferID = r.TaskID, r.AgentID, r.Hostname, r.OfferID
		i.Attempts, i.Failures = r.Attempt, r.Failures
		at := r.Launched
		if r.Over {
			at = r.Ended
		}
		i.Since = &sdk.TimeInfo{Nanoseconds: at}
	}
	switch {
	case r != nil && !r.Over && !r.killed.IsZero():
		i.State, i.Why = sdk.BootStopping, "the manifest does not want it so any more"
	case r != nil && !r.Over && r.state == sdk.TaskRunning:
		i.State = sdk.BootRunning
	case r != nil && !r.Over:
		i.State, i.Why = sdk.BootStarting, "it was launched on "+r.Hostname+"; nothing was heard of it yet"
		if r.state != "" {
			i.Why = "it is " + string(r.state) + " on " + r.Hostname
		}
	case r != nil && r.notBefore().After(now):
		i.State = sdk.BootPausing
		i.Why = fmt.Sprintf("it ended %d times in a row (%s); it starts again in %s", r.Failures, r.Why, r.notBefore().Sub(now).Round(time.Second/10))
	default:
		i.State, i.Why = sdk.BootWaiting, missing(w.Needs())
		if r != nil && r.Why != "" {
			i.Why += "; the last one ended: " + r.Why
		}
	}
	return i
}

// Missing says why no agent has room: nobody registered, nobody answers, or too little is
// free. Used counts what runs and what is out in others' offers.
func Missing(needs sdk.Resources, agents []sdk.AgentState) string {
	here := 0
	var most sdk.Resources
	host := ""
	for i := range agents {
		a := &agents[i]
		if !a.Active {
			continue
		}
		here++
		free := sdk.Resources(a.TotalResources).Subtract(sdk.Resources(a.AllocatedResources).WithoutAllocation())
		if free.Contains(needs) {
			return fmt.Sprintf("waits for an offer of %s", needs)
		}
		if host == "" || free.Scalar("cpus") > most.Scalar("cpus") {
			most, host = sdk.Resources{sdk.NewScalar("cpus", free.Scalar("cpus")), sdk.NewScalar("mem", free.Scalar("mem"))}, a.AgentInfo.Hostname
		}
	}
	switch {
	case len(agents) == 0:
		return fmt.Sprintf("waits for an offer of %s; no agent has registered", needs)
	case here == 0:
		return fmt.Sprintf("waits for an offer of %s; none of the %d agents answers", needs, len(agents))
	}
	return fmt.Sprintf("waits for an offer of %s; no agent has that much free, %s has cpus:%g;mem:%g", needs, host, most.Scalar("cpus"), most.Scalar("mem"))
}
