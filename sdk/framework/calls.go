package framework

import (
	"context"
	"time"

	"github.com/profferhq/proffer/sdk"
)

// Launch runs tasks on an offer and gives back what they leave of it, which is
// not offered again for five seconds. The tasks' AgentID is filled in. One offer
// can be answered once: give all of its tasks in one call.
func (f *Framework) Launch(offer sdk.Offer, tasks ...sdk.TaskInfo) error {
	list := make([]sdk.TaskInfo, len(tasks))
	for i, task := range tasks {
		task.AgentID = offer.AgentID
		list[i] = task
	}
	return f.Accept(&sdk.Accept{
		OfferIDs:   []sdk.OfferID{offer.ID},
		Operations: []sdk.Operation{{Type: sdk.OperationLaunch, Launch: &sdk.Launch{TaskInfos: list}}},
	})
}

// LaunchGroup runs tasks that live and die together under one executor. The
// tasks' AgentID and the executor's FrameworkID are filled in.
func (f *Framework) LaunchGroup(offer sdk.Offer, executor sdk.ExecutorInfo, tasks ...sdk.TaskInfo) error {
	executor.FrameworkID = f.ID()
	group := sdk.TaskGroupInfo{}
	for _, task := range tasks {
		task.AgentID = offer.AgentID
		group.Tasks = append(group.Tasks, task)
	}
	return f.Accept(&sdk.Accept{
		OfferIDs:   []sdk.OfferID{offer.ID},
		Operations: []sdk.Operation{{Type: sdk.OperationLaunchGroup, LaunchGroup: &sdk.LaunchGroup{Executor: executor, TaskGroup: group}}},
	})
}

// Accept answers offers of one agent with any operations, in their order.
func (f *Framework) Accept(accept *sdk.Accept) error {
	return f.Send(sdk.Call{Type: sdk.CallAccept, Accept: accept})
}

// Decline gives offers back; the same resources are not offered again for the
// time of refuse (0: at the next occasion).
func (f *Framework) Decline(refuse time.Duration, offers ...sdk.Offer) error {
	seconds := refuse.Seconds()
	decline := &sdk.Decline{Filters: &sdk.Filters{RefuseSeconds: &seconds}}
	for _, offer := range offers {
		decline.OfferIDs = append(decline.OfferIDs, offer.ID)
	}
	return f.Send(sdk.Call{Type: sdk.CallDecline, Decline: decline})
}

// Suppress stops offers for the roles, for all of the framework's without any.
func (f *Framework) Suppress(roles ...string) error {
	return f.Send(sdk.Call{Type: sdk.CallSuppress, Suppress: &sdk.Suppress{Roles: roles}})
}

// Revive asks for offers again and forgets earlier refusals, for the roles or,
// without any, for all.
func (f *Framework) Revive(roles ...string) error {
	return f.Send(sdk.Call{Type: sdk.CallRevive, Revive: &sdk.Revive{Roles: roles}})
}

// Kill ends a task: SIGTERM, and SIGKILL after grace (0: the task's own kill
// policy, by default five seconds). agent may be empty. The end is an update.
func (f *Framework) Kill(task sdk.TaskID, agent sdk.AgentID, grace time.Duration) error {
	kill := &sdk.Kill{TaskID: task, AgentID: agent}
	if grace > 0 {
		kill.KillPolicy = &sdk.KillPolicy{GracePeriod: &sdk.DurationInfo{Nanoseconds: grace.Nanoseconds()}}
	}
	return f.Send(sdk.Call{Type: sdk.CallKill, Kill: kill})
}

// Shutdown ends an executor with all of its tasks.
func (f *Framework) Shutdown(executor sdk.ExecutorID, agent sdk.AgentID) error {
	return f.Send(sdk.Call{Type: sdk.CallShutdown, Shutdown: &sdk.Shutdown{ExecutorID: executor, AgentID: agent}})
}

// Message sends bytes to an executor; they may be lost.
func (f *Framework) Message(executor sdk.ExecutorID, agent sdk.AgentID, data []byte) error {
	return f.Send(sdk.Call{Type: sdk.CallMessage, Message: &sdk.Message{AgentID: agent, ExecutorID: executor, Data: data}})
}

// Acknowledge tells the kernel that a status is stored, so that it need not come
// again; Run does it by itself unless Options.ExplicitAck is set. A status without
// uuid (made by a master) needs none and is ignored.
func (f *Framework) Acknowledge(status sdk.TaskStatus) error {
	if len(status.UUID) == 0 {
		return nil
	}
	return f.Send(sdk.Call{Type: sdk.CallAcknowledge, Acknowledge: &sdk.Acknowledge{
		AgentID: status.AgentID, TaskID: status.TaskID, UUID: status.UUID,
	}})
}

// Reconcile asks for the latest state of the tasks, or of all that the kernel
// knows without any; the answers are updates. Name the tasks that you launched:
// only then is one that never arrived answered too.
func (f *Framework) Reconcile(tasks ...sdk.ReconcileTask) error {
	return f.Send(sdk.Call{Type: sdk.CallReconcile, Reconcile: &sdk.Reconcile{Tasks: tasks}})
}

// UpdateInfo changes the framework's info (not its user, checkpoint or
// principal) and waits for the answer.
func (f *Framework) UpdateInfo(ctx context.Context, info sdk.FrameworkInfo) error {
	info.ID = f.ID()
	err := f.Do(ctx, sdk.Call{Type: sdk.CallUpdateFramework, UpdateFramework: &sdk.UpdateFramework{FrameworkInfo: info}})
	if err == nil {
		f.mu.Lock()
		f.opts.Info = info
		f.mu.Unlock()
	}
	return err
}

// Teardown ends the framework: the kernel kills its tasks and forgets it, and Run
// returns nil when the stream has ended. The id cannot be used again. Where Run
// has ended already, or between two subscriptions, it subscribes for this, under
// the framework's id; ctx bounds the try. A framework that never subscribed needs
// none.
func (f *Framework) Teardown(ctx context.Context) error {
	f.mu.Lock()
	running, id := f.running, f.id
	f.mu.Unlock()
	switch {
	case running:
		if err := f.awaitSession(ctx); err != nil {
			return err
		}
		return f.teardown(ctx)
	case id == "":
		return nil
	}
	err := f.Run(ctx, func(ctx context.Context, event *sdk.Event) error {
		if event.Type == sdk.EventSubscribed {
			return f.teardown(ctx)
		}
		return nil
	})
	if sdk.CodeOf(err) == sdk.CodeGone {
		return nil // somebody else did it
	}
	return err
}

// teardown sends the call; from then on the end of the stream is the end of Run.
func (f *Framework) teardown(ctx context.Context) error {
	f.setOver(true)
	err := f.Do(ctx, sdk.Call{Type: sdk.CallTeardown})
	if err != nil {
		f.setOver(false)
	}
	return err
}

func (f *Framework) setOver(over bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.over = over
}

// awaitSession waits until the framework is subscribed.
func (f *Framework) awaitSession(ctx context.Context) error {
	for {
		f.mu.Lock()
		up, running := f.session != nil, f.running
		changed := f.changed
		f.mu.Unlock()
		switch {
		case up:
			return nil
		case !running:
			return sdk.Errorf(sdk.CodeConflict, "", "the framework's subscription has ended")
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
