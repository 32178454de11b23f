package sdktest

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/profferhq/proffer/kernel/cluster"
	"github.com/profferhq/proffer/kernel/link"
	"github.com/profferhq/proffer/kernel/registry"
	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/wire"
)

// pump steps everything that can be stepped now, master and agents, and sets the
// timer for what comes later. k.mu is held.
func (k *Kernel) pump() {
	for busy := true; busy; {
		busy = false
		for len(k.inputs) > 0 {
			in := k.inputs[0]
			k.inputs = k.inputs[1:]
			k.perform(k.mind.Step(k.now(), in))
			busy = true
		}
		for _, a := range k.agents {
			busy = a.step() || busy
		}
		busy = k.keepStore() || busy
		if due, ok := k.mind.Due(); !busy && ok && !due.After(k.now()) {
			k.perform(k.mind.Step(k.now(), cluster.Tick{}))
			busy = true
		}
	}
	k.arm()
}

// due is when something happens next by itself.
func (k *Kernel) due() (time.Time, bool) {
	due, ok := k.mind.Due()
	if at, some := k.keeper.Due(); some && (!ok || at.Before(due)) {
		due, ok = at, true
	}
	for _, a := range k.agents {
		if at, some := a.due(); some && (!ok || at.Before(due)) {
			due, ok = at, true
		}
	}
	return due, ok
}

// arm sets the timer for the next thing that happens by itself.
func (k *Kernel) arm() {
	if k.timer != nil {
		k.timer.Stop()
	}
	due, ok := k.due()
	if !ok || k.closed {
		return
	}
	k.timer = time.AfterFunc(max(due.Sub(k.now()), 0), func() {
		k.mu.Lock()
		defer k.mu.Unlock()
		if !k.closed {
			k.pump()
		}
	})
}

// perform carries out what the mind wants. k.mu is held.
func (k *Kernel) perform(effects []cluster.Effect) {
	for _, e := range effects {
		switch e := e.(type) {
		case cluster.ToScheduler:
			if s := k.streams[e.Session]; s != nil {
				s.push(e.Event)
			}
		case cluster.CloseScheduler:
			if s := k.streams[e.Session]; s != nil {
				s.end()
			}
		case cluster.ToAgent:
			if a := k.agentAt(e.Session); a != nil {
				a.receive(e.Event)
			}
		case cluster.CloseAgent:
			if a := k.agentAt(e.Session); a != nil {
				a.disconnected()
			}
		case cluster.Propose:
			k.inputs = append(k.inputs, cluster.Committed{ID: e.ID, Result: k.commit(e.Command)})
		case cluster.Reply:
			k.replies[e.Request] = e.Err
		case cluster.Operator:
			k.told(e.Event)
		case cluster.Log:
			k.log.Log(context.Background(), slog.Level(e.Level), e.Message, e.KV...)
		case cluster.Resign:
			panic("sdktest: the leader gave up: " + e.Reason)
		}
	}
}

// commit is consensus: one master agrees with itself.
func (k *Kernel) commit(c registry.Command) registry.Result {
	if c.Version == 0 {
		c.Version = registry.CommandVersion
	}
	k.index++
	return k.registry.Apply(k.index, c)
}

// request steps an input that is answered, and gives the answer.
func (k *Kernel) request(make func(request uint64) cluster.Input) *sdk.Error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.requests++
	request := k.requests
	k.inputs = append(k.inputs, make(request))
	k.pump()
	err, answered := k.replies[request]
	delete(k.replies, request)
	if !answered {
		return sdk.Errorf(sdk.CodeInternal, "", "the kernel did not answer")
	}
	return err
}

// newSession names a stream.
func (k *Kernel) newSession() cluster.Session {
	k.sessions++
	return cluster.Session(fmt.Sprintf("session-%d", k.sessions))
}

func (k *Kernel) agentAt(s cluster.Session) *agent {
	for _, a := range k.agents {
		if s != "" && a.session == s {
			return a
		}
	}
	return nil
}

// carry is the wire between master and agent: what arrives shares nothing with
// what was sent.
func carry[T link.Call | link.Event](message *T) *T {
	data, err := wire.Marshal(wire.Msgpack, message)
	if err != nil {
		panic("sdktest: a link message cannot be written: " + err.Error())
	}
	arrived := new(T)
	if err := wire.Unmarshal(wire.Msgpack, data, arrived); err != nil {
		panic("sdktest: a link message cannot be read: " + err.Error())
	}
	return arrived
}
