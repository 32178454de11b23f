package sim

import (
	"fmt"
	"slices"
	"time"

	"github.com/profferhq/proffer/kernel/store"
	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/scheduler/mind"
)

// instance is the shell around a framework's mind, as sdk/scheduler is: it waits to lead
// by a lease, loads, subscribes, and does what the mind decides.
type instance struct {
	subscriber
	p *program

	// Of the process.
	lease   string
	copied  mind.Copy // of the space, until it leads
	writes  []func()  // transactions, the first of them on its way
	written uint64    // revision of the last one
	mind    mind.Mind // nil until it leads
	inputs  []mind.Input
	awake   bool
	ticking time.Time
	events  []*sdk.Event // that wait while the framework's id is written
	writing bool
	mailbox mailbox
}

// The scheduler's own keys of the store.
const (
	keyLeader    = "leader"
	keyFramework = "framework"
	keyWrites    = "writes"
	leaseTTL     = 10 * time.Second
	storeRetry   = 100 * time.Millisecond
)

func newInstance(p *program, n int) *instance {
	i := &instance{p: p}
	name := fmt.Sprintf("%s %d", p.f.Name(), n+1)
	i.subscriber = subscriber{w: p.w, name: name, suppressed: []string{"*"}, event: i.handle, ended: i.unsubscribed}
	p.w.after(p.w.between(0, 2*time.Second), name+" starts", i.begin)
	return i
}

// begin is a new process.
func (i *instance) begin() {
	if i.up {
		return
	}
	i.info = sdk.FrameworkInfo{Name: i.p.f.Name(), Principal: i.p.f.Name(), User: "nobody", FailoverTimeout: 7 * 24 * 3600, Checkpoint: true, Roles: []string{"*"},
		Capabilities: []sdk.FrameworkCapability{{Type: sdk.CapabilityPartitionAware}, {Type: sdk.CapabilityMultiRole}}}
	i.lease, i.mind, i.inputs, i.awake, i.ticking, i.events, i.writing = "", nil, nil, false, time.Time{}, nil, false
	i.writes, i.written = nil, 0
	i.mailbox = mailbox{i: i, doubt: map[sdk.TaskID]*doubt{}}
	i.copied = mind.Copy{}
	i.start()
	i.soon(standbyAfter, standbyAfter, "follows the space", i.follow)
	i.candidate()
}

// end is the end of the process by its own decision. Somebody starts it anew.
func (i *instance) end(why string) {
	if !i.up {
		return
	}
	i.w.note("%s ends: %s", i.name, why)
	i.crash()
	i.w.after(i.w.between(time.Second, 5*time.Second), i.name+" starts again", i.begin)
}

// resign ends the process as a clean stop does: another may lead at once.
func (i *instance) resign() {
	if i.lease != "" {
		call := &sdk.StoreCall{Type: sdk.StoreCallRevoke, Space: i.p.f.Name(), Revoke: &sdk.StoreRevoke{Lease: i.lease}}
		i.w.storeCall(i.name, store.Caller{Principal: i.p.f.Name()}, call, func(*sdk.StoreResponse, *sdk.Error) {})
	}
	i.end("it is stopped")
}

func (i *instance) crash() {
	i.subscriber.crash()
	i.mind = nil
}

// store asks the store; the answer comes in this life of the process only.
func (i *instance) store(call *sdk.StoreCall, answer storeAnswer) {
	life := i.life
	call.Space = i.p.f.Name()
	i.w.storeCall(i.name, store.Caller{Principal: i.p.f.Name()}, call, func(r *sdk.StoreResponse, err *sdk.Error) {
		if i.up && i.life == life {
			answer(r, err)
		}
	})
}

func (i *instance) again(do func()) { i.soon(storeRetry, storeRetry, "tries again", do) }

// candidate takes a lease with which to lead.
func (i *instance) candidate() {
	i.store(&sdk.StoreCall{Type: sdk.StoreCallGrant, Grant: &sdk.StoreGrant{TTLSeconds: leaseTTL.Seconds()}}, func(r *sdk.StoreResponse, err *sdk.Error) {
		if err != nil {
			i.again(i.candidate)
			return
		}
		i.lease = r.Lease.ID
		i.keepAlive(i.lease)
		i.campaign()
	})
}

// keepAlive renews the lease, and ends the process when it has ended.
func (i *instance) keepAlive(lease string) {
	i.soon(leaseTTL/3, leaseTTL/3, "keeps its lease", func() { i.renew(lease) })
}

func (i *instance) renew(lease string) {
	i.store(&sdk.StoreCall{Type: sdk.StoreCallKeepAlive, KeepAlive: &sdk.StoreKeepAlive{Lease: lease}}, func(_ *sdk.StoreResponse, err *sdk.Error) {
		switch {
		case err == nil:
			i.keepAlive(lease)
		case err.Code == sdk.CodeUnknown || err.Code == sdk.CodeUnavailable:
			i.again(func() { i.renew(lease) })
		default:
			i.end("its lease has ended")
		}
	})
}

// campaign takes the leader's key when it is free.
func (i *instance) campaign() {
	commit := &sdk.StoreCommit{
		If:   []sdk.StoreCompare{{Type: sdk.StoreAbsent, Key: keyLeader}},
		Then: []sdk.StoreOp{{Type: sdk.StorePut, Key: keyLeader, Value: []byte(i.name), Lease: i.lease}},
	}
	i.store(&sdk.StoreCall{Type: sdk.StoreCallCommit, Commit: commit}, func(r *sdk.StoreResponse, err *sdk.Error) {
		switch {
		case err == nil && r.Held:
			i.load()
		case err != nil && err.Code != sdk.CodeUnknown && err.Code != sdk.CodeUnavailable:
			i.end(err.Error())
		default:
			i.look()
		}
	})
}

// look sees whether somebody leads; after an unknown outcome it may be this one.
func (i *instance) look() {
	i.store(&sdk.StoreCall{Type: sdk.StoreCallGet, Get: &sdk.StoreGet{Key: keyLeader}}, func(r *sdk.StoreResponse, err *sdk.Error) {
		switch {
		case err != nil && err.Code == sdk.CodeNotFound:
			i.campaign()
		case err == nil && r.KVs[0].Lease == i.lease:
			i.load()
		default:
			i.soon(500*time.Millisecond, time.Second, "waits to lead", i.look)
		}
	})
}

// lead makes the mind of what the store has.
func (i *instance) lead(kvs []sdk.StoreKV) {
	for _, kv := range kvs {
		if kv.Key == keyFramework {
			i.info.ID = sdk.FrameworkID(kv.Value)
		}
	}
	m, failed := i.p.f.Load(i.clock.now(), i.w.rng.Uint64(), kvs)
	if failed != nil {
		i.w.fail("%s can not be loaded: %v", i.name, failed)
		return
	}
	i.w.note("%s leads, with %d keys", i.name, len(kvs))
	i.mind = m
	i.connectSoon(0)
	i.push(mind.Tick{})
}

// write does a transaction under the guard, after the last one, until it is known whether
// it is done. One is on its way at a time.
func (i *instance) write(ops []sdk.StoreOp, done func(*sdk.Error)) {
	i.writes = append(i.writes, func() { i.try(ops, done, false) })
	if len(i.writes) == 1 {
		i.writes[0]()
	}
}

// wrote lets the next transaction go.
func (i *instance) wrote() {
	if i.writes = i.writes[1:]; len(i.writes) > 0 {
		i.writes[0]()
	}
}

// try is one of a transaction; doubt says that an earlier one may still be on its way.
func (i *instance) try(ops []sdk.StoreOp, done func(*sdk.Error), doubt bool) {
	after := sdk.StoreCompare{Type: sdk.StoreAbsent, Key: keyWrites}
	if i.written > 0 {
		after = sdk.StoreCompare{Type: sdk.StoreUnchanged, Key: keyWrites, Modified: i.written}
	}
	commit := &sdk.StoreCommit{
		If:   []sdk.StoreCompare{{Type: sdk.StoreHeldBy, Key: keyLeader, Lease: i.lease}, after},
		Then: append(slices.Clone(ops), sdk.StoreOp{Type: sdk.StorePut, Key: keyWrites, Lease: i.lease}),
	}
	i.store(&sdk.StoreCall{Type: sdk.StoreCallCommit, Commit: commit}, func(r *sdk.StoreResponse, err *sdk.Error) {
		switch {
		case err == nil && r.Held:
			i.written = r.Revision
			done(nil)
			i.wrote()
		case err == nil:
			i.check(ops, done)
		case err.Code == sdk.CodeUnknown || err.Code == sdk.CodeUnavailable || err.Code == sdk.CodeInternal:
			i.again(func() { i.try(ops, done, true) })
		case doubt && (err.Code == sdk.CodeExhausted || err.Code == sdk.CodeTooLarge):
			i.end("a transaction is refused of which an earlier try may still be on its way")
		case err.Code == sdk.CodeExhausted || err.Code == sdk.CodeTooLarge:
			done(err)
			i.wrote()
		default:
			i.w.fail("%s: its transaction is refused: %v", i.name, err)
		}
	})
}

// check sees whether a transaction that is refused was done by an earlier try.
func (i *instance) check(ops []sdk.StoreOp, done func(*sdk.Error)) {
	i.store(&sdk.StoreCall{Type: sdk.StoreCallGet, Get: &sdk.StoreGet{Key: keyWrites}}, func(r *sdk.StoreResponse, err *sdk.Error) {
		switch {
		case err != nil && err.Code != sdk.CodeNotFound:
			i.again(func() { i.try(ops, done, true) })
		case err != nil || r.KVs[0].Lease != i.lease || r.KVs[0].Modified == i.written:
			i.end("another one leads")
		default:
			i.written = r.KVs[0].Modified
			done(nil)
			i.wrote()
		}
	})
}

// push gives the mind an input, in the next step.
func (i *instance) push(in ...mind.Input) {
	i.inputs = append(i.inputs, in...)
	if !i.awake && i.mind != nil {
		i.awake = true
		i.soon(0, 5*time.Millisecond, "steps", i.step)
	}
}

func (i *instance) step() {
	i.awake = false
	inputs := i.inputs
	i.inputs = nil
	if i.mind == nil {
		return
	}
	life := i.life
	for _, e := range slices.Clone(i.mind.Step(i.clock.now(), inputs...)) {
		if !i.up || i.life != life {
			return
		}
		if !i.w.calm && i.w.rng.IntN(1500) == 0 { // between any two things that it does
			i.w.result.Faults++
			i.end("it crashes")
			return
		}
		i.perform(e)
	}
	i.plan()
}

// plan has a Tick come when the mind wants it.
func (i *instance) plan() {
	if i.mind == nil {
		return
	}
	shown, ok := i.mind.Due()
	if !ok {
		return
	}
	due := i.clock.real(shown)
	if least := i.w.now.Add(time.Millisecond); due.Before(least) {
		due = least
	}
	if !i.ticking.IsZero() && i.ticking.After(i.w.now) && !i.ticking.After(due) {
		return
	}
	i.ticking = due
	life := i.life
	i.w.queue.add(due, i.name+" ticks", func() {
		if i.up && i.life == life && i.ticking.Equal(due) {
			i.ticking = time.Time{}
			i.inputs = append(i.inputs, mind.Tick{})
			i.step()
		}
	})
}
