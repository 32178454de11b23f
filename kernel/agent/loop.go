package agent

import (
	"context"
	"time"

	"github.com/profferhq/proffer/kernel/agent/ledger"
	"github.com/profferhq/proffer/kernel/link"
)

const (
	// tickEvery is how exact the ledger's waits are.
	tickEvery = 250 * time.Millisecond
	// restEvery is how often the ledger hears of the time while nothing waits but what
	// has lasted long: executors without tasks, tombstones.
	restEvery = time.Second
)

// loop owns the ledger. It takes every fact that waits, steps the ledger through
// them, makes the records durable with one fsync, and performs the effects.
func (a *Agent) loop(ctx context.Context) error {
	defer close(a.loopEnd)
	ticker := time.NewTicker(tickEvery)
	defer ticker.Stop()
	rests := false
	var spare []ledger.Input
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-a.inbox.signal:
			facts := a.inbox.take(spare)
			now := a.now()
			for _, f := range facts {
				a.ledger.Step(now, f)
			}
			spare = facts
		case ask := <-a.asks:
			ask(a.ledger)
		case <-ticker.C:
			a.ledger.Step(a.now(), ledger.Tick{})
			a.metrics.observe(a.ledger.Counts())
			if err := a.journal.flush(); err != nil {
				return err
			}
			a.journal.reserve.renew()
			// A snapshot says what the ledger has decided; decisions that are stored
			// behind it again would not fit it when it is read.
			if err := a.settle(); err != nil {
				return err
			}
			if err := a.journal.compact(a.ledger); err != nil {
				return err
			}
			// Only here, so that a tick that is due is never put off.
			if !rests && !a.waits() {
				rests = true
				ticker.Reset(restEvery)
			}
		}
		if err := a.settle(); err != nil {
			return err
		}
		if rests && a.waits() {
			rests = false
			ticker.Reset(tickEvery)
		}
	}
}

// waits tells whether the next tick should come soon.
func (a *Agent) waits() bool { return a.ledger.Waits() || len(a.journal.late) > 0 }

// settle stores what the ledger has decided, and does it. Should storing fail, the
// decisions are not carried out, and the agent ends: what is on the disk is then
// not known, and another start reads it.
func (a *Agent) settle() error {
	r := a.ledger.Ready()
	if err := a.store(r.Records); err != nil {
		return err
	}
	if len(r.Effects) == 0 {
		return nil
	}
	for i := range r.Effects {
		a.perform(r.Effects[i])
	}
	a.link.flush()
	a.executors.flush()
	return nil
}

// store makes records durable; those that may be late wait for others.
func (a *Agent) store(rs []ledger.Record) error {
	a.metrics.records.Add(float64(len(rs)))
	for i := range rs {
		if !rs[i].MayBeLate() {
			a.metrics.stores.Inc()
			return a.journal.store(rs)
		}
	}
	a.journal.add(rs)
	return nil
}

func (a *Agent) perform(e ledger.Effect) {
	switch e := e.(type) {
	case ledger.SendMaster:
		a.link.send(e.Stream, e.Call)
		if e.Call.Type == link.CallUpdate {
			a.metrics.updates.Inc()
		}
	case ledger.CloseLink:
		a.log.Warn("link closed", "why", e.Reason)
		a.link.close(e.Stream)
	case ledger.SendExecutor:
		a.executors.send(e.Conn, e.Event)
	case ledger.CloseExecutor:
		a.executors.close(e.Conn, e.Err)
	case ledger.StartExecutor:
		a.startExecutor(e)
	case ledger.Prepare:
		a.prepareTask(e)
	case ledger.Resize:
		a.resizeBox(e)
	case ledger.Destroy:
		a.destroyBox(e)
	case ledger.Retire:
		a.retire(e.Message)
	case ledger.Note:
		a.log.Warn(e.Message, "about", e.Key)
	}
}

// noteAgent publishes who the agent is to handlers.
func (a *Agent) noteAgent() {
	id := a.ledger.Agent()
	a.agentID.Store(&id)
}

// retire ends an agent that is not wanted, once its tasks have ended.
func (a *Agent) retire(message string) {
	a.log.Error("this agent is not wanted any more; it ends its tasks and stops", "why", message)
	a.fail(errRetired(message))
}
