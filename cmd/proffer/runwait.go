package main

import (
	"context"
	"fmt"
	"time"

	"github.com/profferhq/proffer/sdk"
)

// errLate is a wait that took longer than the command line allows.
type errLate struct{ what string }

func (e errLate) Error() string { return e.what }
func (e errLate) Unwrap() error { return context.DeadlineExceeded }

// await sees the task to its end. Until it begins it says every so often what it waits
// for, and gives up when late comes. early says that there is no end of the task to tell:
// the framework stopped, with err, or it was too late.
func (r *runner) await(ctx context.Context, ended <-chan error, late <-chan time.Time) (early bool, err error) {
	explain := time.NewTimer(explainAfter)
	defer explain.Stop()
	begun := r.begun
	for {
		select {
		case <-r.over:
			return false, nil
		case err := <-ended:
			return true, err
		case <-begun:
			begun, late = nil, nil
			explain.Stop()
		case <-explain.C:
			fmt.Fprintln(r.c.io.err, "proffer run:", r.why(ctx))
			explain.Reset(explainEvery)
		case <-late:
			return true, errLate{fmt.Sprintf("%s did not start within %s: %s", r.task.TaskID, r.o.timeout, r.why(ctx))}
		}
	}
}

// why says what keeps the task from its start.
func (r *runner) why(ctx context.Context) string {
	switch {
	case r.launched.Load():
		return fmt.Sprintf("%s is launched and not running yet", r.task.TaskID)
	case r.f.ID() == "":
		return "waiting for a leading master"
	}
	ctx, cancel := context.WithTimeout(ctx, explainAfter)
	defer cancel()
	list, err := r.op.Agents(ctx)
	if err != nil {
		return "waiting for an offer; the agents can not be listed: " + shown(err.Error())
	}
	if never := neverFits(r.task.Resources, r.o.ports, r.o.role, list.Agents); never != "" {
		return "waiting for a larger agent; " + never
	}
	if best := r.best.Load(); best != nil {
		return fmt.Sprintf("waiting; no offer is large enough (the last had %s)", shown(best.(string)))
	}
	for _, a := range list.Agents {
		if a.Active {
			return "waiting for an offer; `proffer status` shows how full the cluster is"
		}
	}
	return "waiting for an offer; no agent is there (`proffer agent list`)"
}

// neverFits says why none of the agents could run the task even if it ran nothing else,
// or nothing when one could, or when there are none.
func neverFits(want []sdk.Resource, ports int, role string, agents []sdk.AgentState) string {
	if len(agents) == 0 {
		return ""
	}
	if ports > 0 {
		want = append(want[:len(want):len(want)], scalar("ports", float64(ports)))
	}
	together := false
	most := make([]float64, len(want))
	for _, a := range agents {
		total := sdk.Resources(a.TotalResources).Filter(func(x *sdk.Resource) bool {
			return !x.IsReserved() || sdk.IsSubrole(role, x.ReservedRole()) || role == x.ReservedRole()
		})
		fits := true
		for i, w := range want {
			has := total.Scalar(w.Name)
			if w.Name == "ports" {
				ranges := total.Ranges("ports")
				has = float64(ranges.Count())
			}
			most[i] = max(most[i], has)
			fits = fits && sdk.Millis(has) >= sdk.Millis(w.Scalar.Value)
		}
		together = together || fits
	}
	for i, w := range want {
		if sdk.Millis(most[i]) < sdk.Millis(w.Scalar.Value) {
			return fmt.Sprintf("%s:%g is asked for, and no agent has more than %g in all", w.Name, w.Scalar.Value, most[i])
		}
	}
	if !together {
		return fmt.Sprintf("no agent has %s together, whatever else it runs", sdk.Resources(want))
	}
	return ""
}
