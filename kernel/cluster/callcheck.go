package cluster

import (
	"strconv"

	"github.com/profferhq/proffer/sdk"
)

// checkCall refuses a call whose shape is wrong: its type, its body, its ids. It
// looks at nothing beyond the call.
func checkCall(call *sdk.Call) *sdk.Error {
	name, set, known := bodyOf(call)
	switch {
	case !known:
		return sdk.Errorf(sdk.CodeInvalid, "type", "Expecting 'type' to be present, with the name of a call; it is %q", string(call.Type))
	case call.Type != sdk.CallSubscribe && call.FrameworkID == "":
		return sdk.Errorf(sdk.CodeInvalid, "framework_id", "Expecting 'framework_id' to be present")
	case !set:
		return sdk.Errorf(sdk.CodeInvalid, name, "Expecting '%s' to be present", name)
	}
	return checkBody(call)
}

// bodyOf tells which body the type of a call needs and whether it is there.
func bodyOf(call *sdk.Call) (name string, set, known bool) {
	switch call.Type {
	case sdk.CallTeardown, sdk.CallRevive, sdk.CallSuppress:
		return "", true, true
	case sdk.CallSubscribe:
		return "subscribe", call.Subscribe != nil, true
	case sdk.CallAccept:
		return "accept", call.Accept != nil, true
	case sdk.CallDecline:
		return "decline", call.Decline != nil, true
	case sdk.CallAcceptInverseOffers:
		return "accept_inverse_offers", call.AcceptInverseOffers != nil, true
	case sdk.CallDeclineInverseOffers:
		return "decline_inverse_offers", call.DeclineInverseOffers != nil, true
	case sdk.CallKill:
		return "kill", call.Kill != nil, true
	case sdk.CallShutdown:
		return "shutdown", call.Shutdown != nil, true
	case sdk.CallAcknowledge:
		return "acknowledge", call.Acknowledge != nil, true
	case sdk.CallAcknowledgeOperationStatus:
		return "acknowledge_operation_status", call.AcknowledgeOperationStatus != nil, true
	case sdk.CallReconcile:
		return "reconcile", call.Reconcile != nil, true
	case sdk.CallReconcileOperations:
		return "reconcile_operations", call.ReconcileOperations != nil, true
	case sdk.CallMessage:
		return "message", call.Message != nil, true
	case sdk.CallRequest:
		return "request", call.Request != nil, true
	case sdk.CallUpdateFramework:
		return "update_framework", call.UpdateFramework != nil, true
	}
	return "", false, false
}

// checkBody refuses wrong content of a body that is there.
func checkBody(call *sdk.Call) *sdk.Error {
	switch call.Type {
	case sdk.CallSubscribe:
		if call.FrameworkID != call.Subscribe.FrameworkInfo.ID {
			return sdk.Errorf(sdk.CodeInvalid, "framework_id", "'framework_id' differs from 'subscribe.framework_info.id'")
		}
		if err := refusal(optionalID("framework_id", call.FrameworkID)); err != nil {
			return err
		}
		return checkInfoText("subscribe.framework_info", &call.Subscribe.FrameworkInfo)
	case sdk.CallUpdateFramework:
		if call.FrameworkID != call.UpdateFramework.FrameworkInfo.ID {
			return sdk.Errorf(sdk.CodeInvalid, "framework_id", "'framework_id' differs from 'update_framework.framework_info.id'")
		}
		return checkInfoText("update_framework.framework_info", &call.UpdateFramework.FrameworkInfo)
	case sdk.CallKill:
		return firstOf(sdk.ValidateID("kill.task_id", call.Kill.TaskID), optionalID("kill.agent_id", call.Kill.AgentID), checkGrace("kill.kill_policy", call.Kill.KillPolicy))
	case sdk.CallShutdown:
		return firstOf(sdk.ValidateID("shutdown.executor_id", call.Shutdown.ExecutorID), sdk.ValidateID("shutdown.agent_id", call.Shutdown.AgentID))
	case sdk.CallAcknowledge:
		if n := len(call.Acknowledge.UUID); n != 16 {
			return sdk.Errorf(sdk.CodeInvalid, "acknowledge.uuid", "Not a valid UUID: it has %d bytes, not 16", n)
		}
		return firstOf(sdk.ValidateID("acknowledge.agent_id", call.Acknowledge.AgentID), sdk.ValidateID("acknowledge.task_id", call.Acknowledge.TaskID))
	case sdk.CallReconcile:
		for i := range call.Reconcile.Tasks {
			at := "reconcile.tasks[" + strconv.Itoa(i) + "]"
			t := &call.Reconcile.Tasks[i]
			if err := firstOf(sdk.ValidateID(at+".task_id", t.TaskID), optionalID(at+".agent_id", t.AgentID)); err != nil {
				return err
			}
		}
	case sdk.CallMessage:
		return firstOf(sdk.ValidateID("message.agent_id", call.Message.AgentID), sdk.ValidateID("message.executor_id", call.Message.ExecutorID))
	}
	return nil
}

func optionalID[T ~string](field string, id T) error {
	if id == "" {
		return nil
	}
	return sdk.ValidateID(field, id)
}

func checkGrace(field string, p *sdk.KillPolicy) error {
	if p != nil && p.GracePeriod != nil && p.GracePeriod.Nanoseconds < 0 {
		return sdk.Errorf(sdk.CodeInvalid, field+".grace_period", "must be non-negative, it is %d ns", p.GracePeriod.Nanoseconds)
	}
	return nil
}

// firstOf is the first error of a list as the refusal that it is.
func firstOf(errs ...error) *sdk.Error {
	for _, err := range errs {
		if err != nil {
			return refusal(err)
		}
	}
	return nil
}

// refusal narrows an error to *sdk.Error; anything else counts as invalid input.
func refusal(err error) *sdk.Error {
	if err == nil {
		return nil
	}
	if e, ok := err.(*sdk.Error); ok {
		return e
	}
	return sdk.Errorf(sdk.CodeInvalid, "", "%v", err)
}
