package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/framework"
)

// batch is a framework that launches n tasks at once and waits for their states.
type batch struct {
	n       int
	command sdk.CommandInfo
	until   func(sdk.TaskState) bool // what a task must reach to be counted
	hold    chan struct{}            // closed when the tasks may be torn down; nil: at once

	submitted time.Time
	reached   []time.Duration // from submission, one per task
	failed    map[sdk.TaskState]int
	done      map[sdk.TaskID]bool
}

func terminal(s sdk.TaskState) bool {
	switch s {
	case sdk.TaskFinished, sdk.TaskFailed, sdk.TaskKilled, sdk.TaskError, sdk.TaskLost, sdk.TaskDropped, sdk.TaskGone, sdk.TaskGoneByOperator:
		return true
	}
	return false
}

func argv(words ...string) sdk.CommandInfo {
	no := false
	return sdk.CommandInfo{Shell: &no, Value: words[0], Arguments: words}
}

func resources(cpus, mem float64) []sdk.Resource {
	return []sdk.Resource{
		{Name: "cpus", Type: sdk.ValueScalar, Scalar: &sdk.Scalar{Value: cpus}},
		{Name: "mem", Type: sdk.ValueScalar, Scalar: &sdk.Scalar{Value: mem}},
	}
}

// run launches the batch on the first offer that comes and returns when every task has
// got where it should, and, with hold, when that is closed.
func (b *batch) run(ctx context.Context, u *upCluster, reached func()) error {
	o := framework.DefaultOptions("bench")
	o.Addrs, o.Token = []string{u.addr}, u.token
	f, err := framework.New(o)
	if err != nil {
		return err
	}
	b.done, b.failed = map[sdk.TaskID]bool{}, map[sdk.TaskState]int{}
	told := false
	for event, err := range f.Events(ctx) {
		if err != nil {
			return err
		}
		switch {
		case event.Offers != nil && b.submitted.IsZero():
			if err := b.launch(f, event.Offers.Offers[0]); err != nil {
				return err
			}
		case event.Update != nil:
			b.update(event.Update.Status)
		}
		if len(b.done) == b.n && !told {
			told = true
			reached()
			go func() {
				if b.hold != nil {
					<-b.hold
				}
				_ = f.Teardown(ctx) // ends the loop
			}()
		}
	}
	return nil
}

func (b *batch) launch(f *framework.Framework, offer sdk.Offer) error {
	tasks := make([]sdk.TaskInfo, b.n)
	for i := range tasks {
		command := b.command
		tasks[i] = sdk.TaskInfo{Name: "bench", TaskID: sdk.TaskID(fmt.Sprintf("bench-%d", i)), AgentID: offer.AgentID,
			Command: &command, Resources: resources(0.01, 32)}
	}
	b.submitted = time.Now()
	return f.Launch(offer, tasks...)
}

func (b *batch) update(s sdk.TaskStatus) {
	if terminal(s.State) && s.State != sdk.TaskFinished {
		b.failed[s.State]++
	}
	if b.until(s.State) && !b.done[s.TaskID] {
		b.done[s.TaskID] = true
		b.reached = append(b.reached, time.Since(b.submitted))
	}
}

// wall is how long the last task took, first how long the first.
func (b *batch) wall() time.Duration  { return slices.Max(b.reached) }
func (b *batch) first() time.Duration { return slices.Min(b.reached) }
