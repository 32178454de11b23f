package cluster

import (
	"fmt"
	"strings"

	"github.com/profferhq/proffer/kernel/link"
	"github.com/profferhq/proffer/sdk"
)

// format is an effect as scripts show it; empty for what they leave out.
func (w *world) format(e Effect) string {
	switch e := e.(type) {
	case ToScheduler:
		return fmt.Sprintf("%s <- %s", e.Session, formatEvent(e.Event))
	case CloseScheduler:
		return fmt.Sprintf("%s closed", e.Session)
	case ToAgent:
		if e.Event.Type == link.EventHeartbeat {
			return ""
		}
		return fmt.Sprintf("%s <= %s", e.Session, formatLink(e.Event))
	case CloseAgent:
		return fmt.Sprintf("%s closed", e.Session)
	case Propose:
		return fmt.Sprintf("propose %d %s", e.ID, e.Command.Type)
	case Reply:
		if e.Err != nil {
			return fmt.Sprintf("reply %d %s", e.Err.Code.HTTPStatus(), e.Err)
		}
		if e.Done {
			return "reply 200"
		}
		return ""
	case Operator:
		if w.operators {
			return "operator: " + formatOperator(e.Event)
		}
	case Log:
		if e.Level >= Error || w.logs {
			return fmt.Sprintf("log %d %s %v", e.Level, e.Message, e.KV)
		}
	case Resign:
		return "RESIGN " + e.Reason
	}
	return ""
}

func formatEvent(e *sdk.Event) string {
	s := string(e.Type)
	switch e.Type {
	case sdk.EventSubscribed:
		s += " " + string(e.Subscribed.FrameworkID)
	case sdk.EventOffers:
		for i := range e.Offers.Offers {
			s += "\n  " + formatOffer(&e.Offers.Offers[i])
		}
	case sdk.EventRescind:
		s += " " + string(e.Rescind.OfferID)
	case sdk.EventUpdate:
		s += " " + formatStatus(&e.Update.Status)
	case sdk.EventUpdateOperationStatus:
		o := e.UpdateOperationStatus.Status
		s += fmt.Sprintf(" %s %s %s", o.OperationID, o.State, o.Message)
	case sdk.EventMessage:
		s += fmt.Sprintf(" %s %s %q", e.Message.AgentID, e.Message.ExecutorID, e.Message.Data)
	case sdk.EventFailure:
		s += " " + string(e.Failure.AgentID)
		if e.Failure.Status != nil {
			s += fmt.Sprintf(" %s status %d", e.Failure.ExecutorID, *e.Failure.Status)
		}
	case sdk.EventError:
		s += " " + e.Error.Message
	}
	return s
}

func formatOffer(o *sdk.Offer) string {
	s := fmt.Sprintf("%s %s %s", o.ID, o.AgentID, formatResources(o.Resources))
	if o.AllocationInfo != nil {
		s += " role " + o.AllocationInfo.Role
	}
	if len(o.ExecutorIDs) > 0 {
		s += fmt.Sprintf(" executors %v", o.ExecutorIDs)
	}
	return s
}

// formatResources shows also what Resources.String leaves out: the form.
func formatResources(list []sdk.Resource) string {
	var parts []string
	for i := range list {
		x := list[i]
		role := x.Role
		x.Role, x.Reservation, x.AllocationInfo = "", nil, nil
		s := sdk.Resources{x}.String()
		if role != "" {
			s = "[" + role + "]" + s
		}
		if a := list[i].AllocationInfo; a != nil {
			s += "@" + a.Role
		}
		parts = append(parts, s)
	}
	return strings.Join(parts, ";")
}

func formatStatus(t *sdk.TaskStatus) string {
	s := fmt.Sprintf("%s %s", t.TaskID, t.State)
	if t.AgentID != "" {
		s += " on " + string(t.AgentID)
	}
	if t.Source != "" {
		s += " " + strings.TrimPrefix(string(t.Source), "SOURCE_")
	}
	if t.Reason != "" {
		s += " " + strings.TrimPrefix(string(t.Reason), "REASON_")
	}
	if t.UnreachableTime != nil {
		s += " since " + fmt.Sprint(t.UnreachableTime.Nanoseconds/1e9)
	}
	if len(t.UUID) > 0 {
		s += " " + string(t.UUID[:4]) + strings.TrimLeft(string(t.UUID[4:]), "0")
	}
	if t.Message != "" {
		s += fmt.Sprintf(" %q", t.Message)
	}
	return s
}

func formatLink(e *link.Event) string {
	s := string(e.Type)
	if e.Term != 1 {
		s += fmt.Sprintf("/%d", e.Term)
	}
	switch e.Type {
	case link.EventRegistered:
		s += " " + string(e.Registered.AgentID)
	case link.EventRun:
		r := e.Run
		s += " " + string(r.Framework.ID)
		if r.Executor != nil {
			s += fmt.Sprintf(" executor %s(%s)", r.Executor.ExecutorID, formatResources(r.Executor.Resources))
		}
		if r.Group {
			s += " group"
		}
		if r.FrameworkPrincipal != "" {
			s += " credentials of " + r.FrameworkPrincipal
		}
		if len(r.AllowedUsers) > 0 {
			s += fmt.Sprintf(" users %v", r.AllowedUsers)
		}
		for i := range r.Tasks {
			s += fmt.Sprintf(" %s(%s)", r.Tasks[i].TaskID, formatResources(r.Tasks[i].Resources))
		}
	case link.EventKill:
		s += " " + string(e.Kill.TaskID)
		if e.Kill.Reason != "" {
			s += " " + strings.TrimPrefix(string(e.Kill.Reason), "REASON_")
		}
		if g := e.Kill.MaxGrace; g != nil {
			s += fmt.Sprintf(" at most %dms", g.Nanoseconds/1e6)
		}
		if p := e.Kill.KillPolicy; p != nil && p.GracePeriod != nil {
			s += fmt.Sprintf(" grace %dms", p.GracePeriod.Nanoseconds/1e6)
		}
	case link.EventAcknowledge:
		s += " " + formatStatus(&sdk.TaskStatus{TaskID: e.Acknowledge.TaskID, UUID: e.Acknowledge.UUID})
	case link.EventMessage:
		s += fmt.Sprintf(" %s %q", e.Message.ExecutorID, e.Message.Data)
	case link.EventShutdownExecutor:
		s += " " + string(e.ShutdownExecutor.ExecutorID)
	case link.EventShutdownFramework:
		s += " " + string(e.ShutdownFramework.FrameworkID)
	case link.EventFramework:
		s += fmt.Sprintf(" %s %q", e.Framework.Info.ID, e.Framework.Info.Name)
	case link.EventReconcile:
		s += " " + string(e.Reconcile.TaskID)
	case link.EventShutdown:
		s += " " + e.Shutdown.Message
	}
	return s
}

func formatOperator(e *sdk.OperatorEvent) string {
	s := string(e.Type)
	switch e.Type {
	case sdk.OperatorEventTaskAdded:
		t := &e.TaskAdded.Task
		s += fmt.Sprintf(" %s %s %s", t.TaskID, t.State, formatResources(t.Resources))
	case sdk.OperatorEventTaskUpdated:
		s += fmt.Sprintf(" %s %s", e.TaskUpdated.State, formatStatus(&e.TaskUpdated.Status))
	case sdk.OperatorEventAgentAdded:
		s += fmt.Sprintf(" %s active=%v", e.AgentAdded.Agent.AgentInfo.ID, e.AgentAdded.Agent.Active)
	case sdk.OperatorEventAgentUpdated:
		s += fmt.Sprintf(" %s active=%v", e.AgentUpdated.Agent.AgentInfo.ID, e.AgentUpdated.Agent.Active)
		if at := e.AgentUpdated.Agent.UnreachableTime; at != nil {
			s += fmt.Sprintf(" unreachable since %d has %s", at.Nanoseconds/1e9, formatResources(e.AgentUpdated.Agent.TotalResources))
		}
		if a := &e.AgentUpdated.Agent; a.Deactivated {
			s += " deactivated"
			if a.DrainInfo != nil {
				s += fmt.Sprintf(" %s since %d", a.DrainInfo.State, a.EstimatedDrainStartTime.Nanoseconds/1e9)
			}
		}
	case sdk.OperatorEventNotice:
		s += fmt.Sprintf(" %s: %s", e.Notice.Key, e.Notice.Message)
	case sdk.OperatorEventAgentRecovered:
		s += " " + string(e.AgentRecovered.AgentInfo.ID)
	case sdk.OperatorEventAgentRemoved:
		s += " " + string(e.AgentRemoved.AgentID)
	case sdk.OperatorEventFrameworkAdded:
		f := e.FrameworkAdded.Framework
		s += fmt.Sprintf(" %s active=%v recovered=%v", f.FrameworkInfo.ID, f.Active, f.Recovered)
	case sdk.OperatorEventFrameworkUpdated:
		f := e.FrameworkUpdated.Framework
		s += fmt.Sprintf(" %s active=%v recovered=%v", f.FrameworkInfo.ID, f.Active, f.Recovered)
	case sdk.OperatorEventFrameworkRemoved:
		s += " " + string(e.FrameworkRemoved.FrameworkInfo.ID)
	case sdk.OperatorEventExecutorAdded:
		s += " " + string(e.ExecutorAdded.Executor.ExecutorInfo.ExecutorID)
	case sdk.OperatorEventExecutorRemoved:
		s += " " + string(e.ExecutorRemoved.ExecutorID)
	}
	return s
}
