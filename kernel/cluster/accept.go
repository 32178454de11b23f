package cluster

import (
	"fmt"

	"github.com/profferhq/proffer/kernel/allocator"
	"github.com/profferhq/proffer/sdk"
)

// acceptance is one ACCEPT while it is carried out.
type acceptance struct {
	framework *framework
	agent     *agent
	role      string
	offerIDs  []sdk.OfferID
	offered   sdk.Resources // by all its offers together
	left      sdk.Resources
	used      sdk.Resources
	runs      []*run
}

// accept carries out an ACCEPT: what its operations use is charged, the rest of
// the offers goes back, and the agent is told to run what was launched.
func (c *Cluster) accept(f *framework, call *sdk.Accept) {
	offers, wrong := c.useOffers(f, call.OfferIDs)
	if wrong != "" {
		for _, o := range offers {
			c.recoverOffered(o.holder(), o.resources, 0)
		}
		c.dropAll(f, call.Operations, "Task launched with invalid offers: "+wrong)
		return
	}
	acc := &acceptance{framework: f, agent: offers[0].agent, role: offers[0].role, offerIDs: call.OfferIDs, offered: offers[0].resources}
	for _, o := range offers[1:] {
		acc.offered = acc.offered.Add(o.resources)
	}
	acc.left = acc.offered
	for i := range call.Operations {
		c.operate(acc, &call.Operations[i])
	}
	refuse := allocator.RefusalOf(call.Filters)
	if err := c.books.Accept(c.now, offers[0].holder(), acc.offered, acc.used, refuse); err != nil {
		c.log(Error, "the books refuse what was accepted", "framework", f.id(), "agent", acc.agent.id, "offered", acc.offered.String(), "used", acc.used.String(), "error", err.Error())
	}
	for _, r := range acc.runs {
		c.tell(acc.agent, r.event(acc, c.usersOf(f)))
	}
}

func (c *Cluster) operate(acc *acceptance, op *sdk.Operation) {
	switch {
	case op.Type == sdk.OperationLaunch && op.Launch != nil:
		c.launch(acc, op)
	case op.Type == sdk.OperationLaunchGroup && op.LaunchGroup != nil:
		c.launchGroup(acc, op)
	case op.Type == sdk.OperationLaunch, op.Type == sdk.OperationLaunchGroup, op.Type == "", op.Type == sdk.OperationUnknown:
		// Nothing is asked for: as Mesos, the offer counts as declined.
	default:
		c.refuseOperation(acc.framework, acc.agent.id, op, fmt.Sprintf("%s is not supported by this master; tasks of this ACCEPT see the resources without it", op.Type))
	}
}

// useOffers ends the offers of an ACCEPT or DECLINE. When one of them cannot be
// used with the others it says why, and gives those that are ended all the same:
// their resources are the caller's to give back.
func (c *Cluster) useOffers(f *framework, ids []sdk.OfferID) (offers []*offer, wrong string) {
	if len(ids) == 0 {
		return nil, "No offers specified"
	}
	for i, id := range ids {
		o := c.offers[id]
		if o == nil {
			if fault := fmt.Sprintf("Offer %s is no longer valid", id); wrong == "" {
				if contains(ids[:i], id) {
					fault = fmt.Sprintf("Duplicate offer %s in offer list", id)
				}
				wrong = fault
			}
			continue
		}
		if o.framework != f {
			if wrong == "" {
				wrong = fmt.Sprintf("Offer %s has invalid framework %s while framework %s is expected", id, o.framework.id(), f.id())
			}
			continue
		}
		if wrong == "" && len(offers) > 0 {
			wrong = mismatch(offers[0], o)
		}
		c.endOffer(o)
		offers = append(offers, o)
	}
	return offers, wrong
}

// mismatch is why two offers cannot be used together, or "".
func mismatch(a, b *offer) string {
	switch {
	case a.agent != b.agent:
		return fmt.Sprintf("Aggregated offers must belong to one single agent. Offer %s uses agent %s and offer %s uses agent %s", a.id, a.agent.id, b.id, b.agent.id)
	case a.role != b.role:
		return fmt.Sprintf("Aggregated offers must be allocated to the same role. Offer %s uses role %s but another is using role %s", b.id, b.role, a.role)
	}
	return ""
}

func contains(ids []sdk.OfferID, id sdk.OfferID) bool {
	for _, x := range ids {
		if x == id {
			return true
		}
	}
	return false
}

// dropAll answers every task of operations whose offers cannot be used.
func (c *Cluster) dropAll(f *framework, ops []sdk.Operation, message string) {
	for i := range ops {
		switch op := &ops[i]; {
		case op.Type == sdk.OperationLaunch && op.Launch != nil:
			for j := range op.Launch.TaskInfos {
				c.dropTask(f, &op.Launch.TaskInfos[j], message)
			}
		case op.Type == sdk.OperationLaunchGroup && op.LaunchGroup != nil:
			for j := range op.LaunchGroup.TaskGroup.Tasks {
				c.dropTask(f, &op.LaunchGroup.TaskGroup.Tasks[j], message)
			}
		default:
			c.refuseOperation(f, "", op, message)
		}
	}
}

// dropTask answers one task whose offers cannot be used. One that lives came with
// the same ACCEPT a first time: to call it dropped would be its end.
func (c *Cluster) dropTask(f *framework, info *sdk.TaskInfo, message string) {
	if t := f.tasks[info.TaskID]; t != nil {
		c.send(f, updateEvent(f, c.reconciliation(t, "Reconciliation: Latest task state")))
		return
	}
	c.refuseTask(f, info, sdk.TaskDropped, sdk.ReasonInvalidOffers, message)
}

// refuseTask answers a task that never came to be.
func (c *Cluster) refuseTask(f *framework, t *sdk.TaskInfo, state sdk.TaskState, reason sdk.Reason, message string) {
	c.send(f, updateEvent(f, &sdk.TaskStatus{
		TaskID:    t.TaskID,
		AgentID:   t.AgentID,
		State:     state,
		Source:    sdk.SourceMaster,
		Reason:    reason,
		Message:   message,
		Timestamp: stamp(c.now),
	}))
}

// refuseOperation answers an operation that wants feedback; without an id
// nothing is said, as Mesos does.
func (c *Cluster) refuseOperation(f *framework, agent sdk.AgentID, op *sdk.Operation, message string) {
	if op.ID == "" {
		c.log(Warn, "operation refused", "framework", f.id(), "type", op.Type, "why", message)
		return
	}
	c.send(f, &sdk.Event{Type: sdk.EventUpdateOperationStatus, UpdateOperationStatus: &sdk.UpdateOperationStatus{
		Status: sdk.OperationStatus{OperationID: op.ID, State: sdk.OperationError, Message: message, AgentID: agent},
	}})
}

// decline ends offers without use. Offers that are over are no error: the
// framework could not know yet.
func (c *Cluster) decline(f *framework, call *sdk.Decline) {
	refuse := allocator.RefusalOf(call.Filters)
	for _, id := range call.OfferIDs {
		if o := c.offers[id]; o != nil && o.framework == f {
			c.endOffer(o)
			c.recoverOffered(o.holder(), o.resources, refuse)
		}
	}
}
