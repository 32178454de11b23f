package sim

import (
	"time"

	"github.com/profferhq/proffer/kernel/cluster"
	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/scheduler/mind"
)

// mailbox sends an instance's calls, in their order, as sdk/framework does: what is not
// taken goes again, but for an ACCEPT, whose tasks are asked about instead.
type mailbox struct {
	i       *instance
	queue   []*sdk.Call
	sending bool
	doubt   map[sdk.TaskID]*doubt
}

// doubt is a launch that no status has told of.
type doubt struct {
	agent sdk.AgentID
	ask   bool
	asked time.Time
}

const atOnce = 32 // calls in one body

// perform does one thing that the mind has decided.
func (i *instance) perform(e mind.Effect) {
	box := &i.mailbox
	switch e := e.(type) {
	case mind.Commit:
		i.write(e.Writes, func(err *sdk.Error) {
			if err != nil {
				i.push(mind.Refused{Txn: e.Txn, Err: err})
				return
			}
			i.push(mind.Persisted{Txn: e.Txn})
		})
	case mind.Answer:
		if i.w.chance(98) { // else the connection has ended
			i.p.check(i.p.f.Answered(e))
		}
	case mind.Accept:
		refuse := e.Refuse.Seconds()
		box.push(&sdk.Call{Type: sdk.CallAccept, Accept: &sdk.Accept{
			OfferIDs:   []sdk.OfferID{e.Offer},
			Operations: []sdk.Operation{{Type: sdk.OperationLaunch, Launch: &sdk.Launch{TaskInfos: e.Tasks}}},
			Filters:    &sdk.Filters{RefuseSeconds: &refuse},
		}})
	case mind.Decline:
		refuse := e.Refuse.Seconds()
		box.push(&sdk.Call{Type: sdk.CallDecline, Decline: &sdk.Decline{OfferIDs: e.Offers, Filters: &sdk.Filters{RefuseSeconds: &refuse}}})
	case mind.Suppress:
		box.push(&sdk.Call{Type: sdk.CallSuppress, Suppress: &sdk.Suppress{Roles: []string{"*"}}})
	case mind.Revive:
		box.push(&sdk.Call{Type: sdk.CallRevive, Revive: &sdk.Revive{Roles: []string{"*"}}})
	case mind.Kill:
		box.push(&sdk.Call{Type: sdk.CallKill, Kill: &sdk.Kill{TaskID: e.Task, AgentID: e.Agent}})
	case mind.Reconcile:
		box.push(&sdk.Call{Type: sdk.CallReconcile, Reconcile: &sdk.Reconcile{Tasks: e.Tasks}})
	case mind.Acknowledge:
		s := e.Status
		box.push(&sdk.Call{Type: sdk.CallAcknowledge, Acknowledge: &sdk.Acknowledge{AgentID: s.AgentID, TaskID: s.TaskID, UUID: s.UUID}})
	case mind.Log:
		i.p.f.Said(e)
		if e.Level >= mind.Warn {
			i.w.note("%s says: %s %v", i.name, e.Message, e.KV)
		}
	}
}

// launches are the tasks of an ACCEPT; nil of other calls.
func launches(c *sdk.Call) []sdk.TaskInfo {
	if c.Accept == nil {
		return nil
	}
	return c.Accept.Operations[0].Launch.TaskInfos
}

func (b *mailbox) push(c *sdk.Call) {
	if !b.i.subscribed && (c.Accept != nil || c.Decline != nil) {
		b.lose(c)
		return
	}
	for _, t := range launches(c) {
		b.doubt[t.TaskID] = &doubt{agent: t.AgentID}
	}
	b.queue = append(b.queue, c)
	b.flush()
}

// lose tells the mind of calls that will not be made.
func (b *mailbox) lose(c *sdk.Call) {
	var in mind.Lost
	for _, t := range launches(c) {
		in.Tasks = append(in.Tasks, t.TaskID)
	}
	if len(in.Tasks) > 0 {
		b.i.push(in)
	}
}

// flush sends what waits, one body at a time.
func (b *mailbox) flush() {
	i := b.i
	if b.sending || len(b.queue) == 0 || !i.subscribed {
		return
	}
	n := min(len(b.queue), atOnce)
	calls := b.queue[:n:n]
	b.queue = b.queue[n:]
	b.sending = true
	w, l, session, life := i.w, i.leader, i.session, i.life
	answered := func(failed []*sdk.Call, refused []*sdk.Call) {
		if i.up && i.life == life {
			b.answered(failed, refused)
		}
	}
	copies := make([]*sdk.Call, n)
	for k, c := range calls {
		c.FrameworkID = i.info.ID
		copies[k] = clone(w, c)
	}
	w.after(w.between(time.Millisecond, 20*time.Millisecond), i.name+" posts "+string(calls[0].Type)+showAccept(calls[0]), func() {
		lost := l.dead || !w.net.reaches(i.name, l.m.name) || !w.calm && w.rng.IntN(300) == 0
		deaf := !w.net.reaches(l.m.name, i.name) || !w.calm && w.rng.IntN(300) == 0
		var refused []*sdk.Call
		if !lost {
			for k, c := range copies {
				w.result.Operations++
				l.step(cluster.SchedulerCall{Session: session, Call: c, Request: l.ask(func(err *sdk.Error) {
					if err != nil {
						refused = append(refused, calls[k])
					}
				})})
			}
		}
		if lost || deaf {
			w.after(time.Second, i.name+" got no answer", func() { answered(calls, nil) })
			return
		}
		w.after(w.between(time.Millisecond, 20*time.Millisecond), i.name+" got an answer", func() { answered(nil, refused) })
	})
}

// answered decides what becomes of calls that were not taken.
func (b *mailbox) answered(failed, refused []*sdk.Call) {
	b.sending = false
	var again []*sdk.Call
	for _, c := range append(failed, refused...) {
		for _, t := range launches(c) {
			if d := b.doubt[t.TaskID]; d != nil {
				d.ask = true
			}
		}
	}
	for _, c := range failed {
		if c.Accept != nil {
			b.lose(c)
		} else {
			again = append(again, c)
		}
	}
	for _, c := range refused {
		b.lose(c)
	}
	b.queue = append(again, b.queue...)
	b.flush()
}

// unsubscribed is the end of a subscription: answers to its offers are void.
func (i *instance) unsubscribed() {
	b := &i.mailbox
	i.events, i.writing = nil, false
	var kept []*sdk.Call
	for _, c := range b.queue {
		switch {
		case c.Accept != nil:
			b.lose(c)
		case c.Decline == nil:
			kept = append(kept, c)
		}
	}
	b.queue = kept
}

// handle takes what comes down the stream. A new framework's id is in the store before
// anything is done under it.
func (i *instance) handle(e *sdk.Event) {
	if i.writing {
		i.events = append(i.events, e)
		return
	}
	b := &i.mailbox
	switch e.Type {
	case sdk.EventSubscribed:
		id := e.Subscribed.FrameworkID
		if i.info.ID != "" && i.info.ID != id {
			i.w.fail("%s is %s and was subscribed as %s", i.name, i.info.ID, id)
		}
		session := i.session
		i.info.ID, i.writing = id, true
		i.write([]sdk.StoreOp{{Type: sdk.StorePut, Key: keyFramework, Value: []byte(id)}}, func(err *sdk.Error) {
			if err != nil {
				i.end(err.Error())
				return
			}
			if i.session != session || !i.writing {
				return
			}
			i.push(mind.Subscribed{FrameworkID: id, Master: i.leader.name})
			b.push(&sdk.Call{Type: sdk.CallReconcile, Reconcile: &sdk.Reconcile{}})
			for _, d := range b.doubt {
				d.ask = true
			}
			b.askSuspects(0)
			events := i.events
			i.events, i.writing = nil, false
			for _, e := range events {
				i.handle(e)
			}
		})
	case sdk.EventOffers:
		i.push(mind.Offers{Offers: e.Offers.Offers})
	case sdk.EventRescind:
		i.push(mind.Rescinded{Offer: e.Rescind.OfferID})
	case sdk.EventFailure:
		if e.Failure.ExecutorID == "" {
			i.push(mind.AgentFailed{Agent: e.Failure.AgentID})
		}
	case sdk.EventUpdate:
		i.p.told(i.name, i.info.ID, &e.Update.Status)
		delete(b.doubt, e.Update.Status.TaskID)
		i.push(mind.Update{Status: e.Update.Status})
	case sdk.EventHeartbeat:
		b.askSuspects(15 * time.Second)
	case sdk.EventError:
		if e.Error.Message == "Framework has been removed" {
			i.w.fail("%s was removed", i.name)
		}
		i.end(e.Error.Message)
	}
}

// askSuspects asks for launches that nothing has told of.
func (b *mailbox) askSuspects(interval time.Duration) {
	call := &sdk.Reconcile{}
	for _, id := range sortedKeys(b.doubt) {
		if d := b.doubt[id]; d.ask && b.i.w.now.Sub(d.asked) >= interval {
			d.asked = b.i.w.now
			call.Tasks = append(call.Tasks, sdk.ReconcileTask{TaskID: id, AgentID: d.agent})
		}
	}
	if len(call.Tasks) > 0 {
		b.push(&sdk.Call{Type: sdk.CallReconcile, Reconcile: call})
	}
}
