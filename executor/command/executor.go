package command

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/profferhq/proffer/executor/checker"
	"github.com/profferhq/proffer/executor/supervise"
	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/executor"
	"github.com/profferhq/proffer/sdk/wire"
)

// Options say for whom an executor works.
type Options struct {
	Env     executor.Env
	Runtime string // the agent's runtime directory
	Log     *slog.Logger
}

// Executor is one default executor.
type Executor struct {
	o      Options
	lock   *supervise.Lock
	driver *executor.Driver
	waiter *supervise.Waiter
	drain  *supervise.Drain

	checker *checker.Checker

	inbox chan func()
	done  chan struct{} // closed when the loop has ended

	// The loop's own.
	tasks       map[sdk.TaskID]*task
	tellKilling bool // the framework wants TASK_KILLING
	ending      bool // no new task; ends with the last one
	upgrade     string
}

// lastAcks is how long an ending executor waits for the agent to acknowledge its
// last updates; the agent finds the same in the records.
const lastAcks = 5 * time.Second

// New takes the lock of this executor's id, and adopts what a predecessor left.
func New(o Options) (*Executor, error) {
	e := &Executor{o: o, inbox: make(chan func(), 256), done: make(chan struct{}), tasks: map[sdk.TaskID]*task{},
		checker: checker.New(o.Env.Endpoint)}
	id := sha256.Sum256([]byte(string(o.Env.FrameworkID) + "\x00" + string(o.Env.ExecutorID)))
	var err error
	if e.lock, err = supervise.TakeLock(filepath.Join(o.Runtime, "executors", hex.EncodeToString(id[:16])+".lock")); err != nil {
		return nil, err
	}
	if e.driver, err = executor.New(executor.Options{Env: o.Env, Encoding: wire.Msgpack, Handle: e.handle, Log: o.Log}); err != nil {
		return nil, err
	}
	if e.waiter, err = supervise.NewWaiter(o.Runtime, e.ended); err != nil {
		return nil, err
	}
	if e.drain, err = supervise.NewDrain(o.Log); err != nil {
		return nil, err
	}
	return e, e.adopt()
}

// Run serves until the agent shuts the executor down, or stays away for too long:
// then the tasks are killed, as Mesos's executors do, and the error says why. ctx
// ends it like a SHUTDOWN.
func (e *Executor) Run(ctx context.Context) error {
	gone := make(chan error, 1)
	serving, stop := context.WithCancel(context.Background())
	defer stop()
	go func() { gone <- e.driver.Run(serving) }()

	var failure error
	served, ended := gone, ctx.Done()
	for {
		if e.upgrade != "" {
			e.execute()
		}
		if served == nil && !e.anyAlive() {
			close(e.done) // lets go whoever waits to hand in a function
			e.close()
			return failure
		}
		select {
		case f := <-e.inbox:
			f()
		case failure = <-served:
			served = nil
			e.shutdown()
		case <-ended:
			ended = nil
			e.shutdown()
		}
	}
}

func (e *Executor) anyAlive() bool {
	for _, t := range e.tasks {
		if t.exit == nil {
			return true
		}
	}
	return false
}

// Upgrade executes binary in place of this process; the tasks stay its children.
func (e *Executor) Upgrade(binary string) {
	e.do(func() { e.upgrade = binary })
}

func (e *Executor) execute() {
	binary := e.upgrade
	e.upgrade = ""
	e.o.Log.Info("upgrade", "binary", binary)
	e.o.Log.Error("the upgrade failed", "error", e.lock.Exec(binary))
}

func (e *Executor) close() {
	e.waiter.Close()
	e.drain.Close()
	e.lock.Release()
}

// do runs f in the loop, or not at all when the loop has ended.
func (e *Executor) do(f func()) {
	select {
	case e.inbox <- f:
	case <-e.done:
	}
}

// handle gets the agent's events.
func (e *Executor) handle(_ *executor.Driver, ev *sdk.ExecutorEvent) {
	e.do(func() { e.event(ev) })
}

func (e *Executor) event(ev *sdk.ExecutorEvent) {
	switch ev.Type {
	case sdk.ExecutorEventSubscribed:
		if ev.Subscribed != nil {
			e.subscribed(ev.Subscribed)
		}
	case sdk.ExecutorEventLaunch:
		if ev.Launch != nil {
			e.launch(&ev.Launch.Task, ev.Launch.Spec)
		}
	case sdk.ExecutorEventLaunchGroup:
		if ev.LaunchGroup != nil {
			e.launchGroup(ev.LaunchGroup)
		}
	case sdk.ExecutorEventKill:
		if ev.Kill != nil {
			e.killAsked(ev.Kill)
		}
	case sdk.ExecutorEventAcknowledged:
		if ev.Acknowledged != nil {
			e.acknowledged(ev.Acknowledged)
		}
	case sdk.ExecutorEventError:
		if ev.Error != nil {
			e.o.Log.Error("the agent ends this executor", "message", ev.Error.Message)
		}
		e.shutdown()
	case sdk.ExecutorEventShutdown:
		e.o.Log.Info("shutdown")
		e.shutdown()
	}
}

func (e *Executor) subscribed(s *sdk.ExecutorSubscribed) {
	e.tellKilling = false
	for _, c := range s.FrameworkInfo.Capabilities {
		if c.Type == sdk.CapabilityTaskKillingState {
			e.tellKilling = true
		}
	}
	e.o.Log.Info("subscribed", "tasks", len(e.tasks))
}

// shutdown ends every task, then the executor.
func (e *Executor) shutdown() {
	e.ending = true
	for _, t := range e.tasks {
		e.kill(t, executor.KillAsked, min(t.grace, e.o.Env.ShutdownGrace))
	}
	e.endIfIdle()
}

// endIfIdle stops the driver after the last task's end has been told.
func (e *Executor) endIfIdle() {
	if e.ending && len(e.tasks) == 0 {
		e.driver.Stop(lastAcks)
	}
}
