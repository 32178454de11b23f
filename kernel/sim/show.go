package sim

import (
	"fmt"

	"github.com/profferhq/proffer/kernel/link"
	"github.com/profferhq/proffer/sdk"
)

// What follows writes messages into the trace.

func show(c *link.Call) string {
	switch c.Type {
	case link.CallUpdate:
		return fmt.Sprintf("UPDATE %s %s (by now %s)", c.Update.Status.TaskID, c.Update.Status.State, c.Update.Latest)
	case link.CallReconciled:
		return fmt.Sprintf("RECONCILED %s %s", c.Reconciled.Status.TaskID, c.Reconciled.Status.State)
	case link.CallExecutorExited:
		return "EXECUTOR_EXITED " + string(c.ExecutorExited.ExecutorID)
	}
	return string(c.Type)
}

// showChanges names the keys; what was deleted has a minus.
func showChanges(list []sdk.StoreChange) (text string) {
	for i := range list {
		if list[i].Deleted {
			text += " -" + list[i].KV.Key
		} else {
			text += " " + list[i].KV.Key
		}
	}
	return text
}

func showEvent(e *sdk.Event) string {
	switch e.Type {
	case sdk.EventUpdate:
		s := &e.Update.Status
		return fmt.Sprintf("UPDATE %s %s %s %s", s.TaskID, s.State, s.Reason, s.Message)
	case sdk.EventOffers:
		text := "OFFERS"
		for i := range e.Offers.Offers {
			o := &e.Offers.Offers[i]
			text += fmt.Sprintf(" %s(%s %s)", o.ID, o.AgentID, sdk.Resources(o.Resources))
		}
		return text
	case sdk.EventRescind:
		return "RESCIND " + string(e.Rescind.OfferID)
	case sdk.EventError:
		return "ERROR " + e.Error.Message
	}
	return string(e.Type)
}

func showLink(e *link.Event) string {
	text := fmt.Sprintf("%s/%d", e.Type, e.Term)
	switch e.Type {
	case link.EventRun:
		for i := range e.Run.Tasks {
			text += " " + string(e.Run.Tasks[i].TaskID)
		}
	case link.EventKill:
		text += " " + string(e.Kill.TaskID)
	case link.EventAcknowledge:
		text += fmt.Sprintf(" %s %x", e.Acknowledge.TaskID, e.Acknowledge.UUID[:4])
	}
	return text
}

func showAccept(c *sdk.Call) string {
	if c.Accept == nil {
		return ""
	}
	text := fmt.Sprintf(" %v", c.Accept.OfferIDs)
	for i := range c.Accept.Operations {
		op := &c.Accept.Operations[i]
		if op.Launch != nil {
			for j := range op.Launch.TaskInfos {
				text += " " + string(op.Launch.TaskInfos[j].TaskID)
			}
		}
		if op.LaunchGroup != nil {
			for j := range op.LaunchGroup.TaskGroup.Tasks {
				text += " group " + string(op.LaunchGroup.TaskGroup.Tasks[j].TaskID)
			}
		}
	}
	return text
}
