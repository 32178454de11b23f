package cluster

import (
	"github.com/profferhq/proffer/sdk"
)

// schedulerCall takes any call of a scheduler but SUBSCRIBE. It is refused as a
// whole, and changes nothing, or it is accepted; then whatever is wrong with its
// content is told in events.
func (c *Cluster) schedulerCall(in SchedulerCall) {
	f, err := c.callerOf(in)
	if err != nil {
		c.reply(in.Request, err)
		return
	}
	call := in.Call
	switch call.Type {
	case sdk.CallUpdateFramework:
		c.updateFramework(in.Request, f, call.UpdateFramework)
		return
	case sdk.CallKill:
		c.kill(f, call.Kill.TaskID, call.Kill.AgentID, call.Kill.KillPolicy, func() { c.reply(in.Request, nil) })
		return
	}
	c.reply(in.Request, nil)
	switch call.Type {
	case sdk.CallAccept:
		c.accept(f, call.Accept)
	case sdk.CallDecline:
		c.decline(f, call.Decline)
	case sdk.CallAcknowledge:
		c.acknowledge(f, call.Acknowledge)
	case sdk.CallReconcile:
		c.reconcile(f, call.Reconcile)
	case sdk.CallRevive:
		c.revive(f, call.Revive)
	case sdk.CallSuppress:
		c.suppress(f, call.Suppress)
	case sdk.CallMessage:
		c.message(f, call.Message)
	case sdk.CallShutdown:
		c.shutdownExecutor(f, call.Shutdown)
	case sdk.CallTeardown:
		f.leaving = true
		if !f.removing {
			c.remove(f, "it asked for it", nil)
		}
	case sdk.CallReconcileOperations:
		c.reconcileOperations(f, call.ReconcileOperations)
	case sdk.CallRequest, sdk.CallAcceptInverseOffers, sdk.CallDeclineInverseOffers, sdk.CallAcknowledgeOperationStatus:
		// REQUEST is ignored, as by Mesos. The others answer events that this master
		// never sends.
	}
}

// callerOf is the framework that a call comes from, in Mesos's order of checks.
func (c *Cluster) callerOf(in SchedulerCall) (*framework, *sdk.Error) {
	if err := checkCall(in.Call); err != nil {
		return nil, err
	}
	if in.Call.Type == sdk.CallSubscribe {
		return nil, sdk.Errorf(sdk.CodeInvalid, "", "Subscribe calls should not include the 'Mesos-Stream-Id' header")
	}
	f := c.frameworks[in.Call.FrameworkID]
	switch {
	case f == nil || f.zombie:
		return nil, sdk.Errorf(sdk.CodeInvalid, "framework_id", "Framework cannot be found")
	case in.Caller.Principal != "" && !in.Caller.Operator && in.Caller.Principal != f.info.Principal:
		return nil, sdk.Errorf(sdk.CodeInvalid, "framework_id", "Authenticated principal '%s' does not match principal '%s' set in `FrameworkInfo`", in.Caller.Principal, f.info.Principal)
	case !f.subscribed:
		return nil, sdk.Errorf(sdk.CodeDenied, "", "Framework is not subscribed")
	case in.Session == "":
		return nil, sdk.Errorf(sdk.CodeInvalid, "", "All non-subscribe calls should include the 'Mesos-Stream-Id' header")
	case in.Session != f.session:
		return nil, sdk.Errorf(sdk.CodeInvalid, "", "The stream ID '%s' included in this request didn't match the stream ID currently associated with framework ID %s", in.Session, f.id())
	}
	return f, nil
}

func (c *Cluster) revive(f *framework, call *sdk.Revive) {
	if roles, ok := f.ownRoles(rolesIn(call)); ok {
		c.books.Revive(f.id(), roles...)
	}
}

func (c *Cluster) suppress(f *framework, call *sdk.Suppress) {
	var named []string
	if call != nil {
		named = call.Roles
	}
	if roles, ok := f.ownRoles(named); ok {
		c.books.Suppress(f.id(), roles...)
	}
}

func rolesIn(r *sdk.Revive) []string {
	if r == nil {
		return nil
	}
	return r.Roles
}

// ownRoles is named without the roles that are not the framework's. Naming none
// means all; naming only foreign ones means nothing.
func (f *framework) ownRoles(named []string) ([]string, bool) {
	if len(named) == 0 {
		return nil, true
	}
	var own []string
	for _, role := range f.roles {
		for _, n := range named {
			if n == role {
				own = append(own, role)
				break
			}
		}
	}
	return own, len(own) > 0
}

// reconcileOperations answers with what this master can say of any operation.
func (c *Cluster) reconcileOperations(f *framework, call *sdk.ReconcileOperations) {
	for i := range call.Operations {
		o := &call.Operations[i]
		c.send(f, &sdk.Event{Type: sdk.EventUpdateOperationStatus, UpdateOperationStatus: &sdk.UpdateOperationStatus{
			Status: sdk.OperationStatus{
				OperationID: o.OperationID, AgentID: o.AgentID, ResourceProviderID: o.ResourceProviderID,
				State: sdk.OperationStateUnknown, Message: "Reconciliation: Operation is unknown",
			},
		}})
	}
}
