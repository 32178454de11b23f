package executor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/wire"
)

// Options says how a Driver works. Env and Handle are required.
type Options struct {
	Env      Env
	Encoding wire.Encoding // the zero value is msgpack
	// Handle gets every event of the agent, one at a time. It must not block for
	// long: events behind it wait.
	Handle func(d *Driver, e *sdk.ExecutorEvent)
	Log    *slog.Logger // nil: no log
}

// Driver is an executor's side of the executor API. It keeps each update until the
// agent has acknowledged it, and tells it again after each new subscription.
type Driver struct {
	o   Options
	api *api

	mu       sync.Mutex
	unacked  []sdk.ExecutorUpdate // in the order of Update
	launched []sdk.TaskInfo       // without an acknowledged update
	queue    []sdk.ExecutorCall   // not sent on this subscription
	queued   chan struct{}        // one slot: the queue has something
	stopping chan struct{}
	stopWait time.Duration
	drained  chan struct{} // one slot: unacked became empty
}

// New makes a driver; it does nothing before Run.
func New(o Options) (*Driver, error) {
	if o.Handle == nil {
		return nil, sdk.Errorf(sdk.CodeInvalid, "handle", "must be set: it gets the agent's events")
	}
	if o.Env.DomainSocket == "" && o.Env.Endpoint == "" {
		return nil, sdk.Errorf(sdk.CodeInvalid, "env", "names no agent: neither Endpoint nor DomainSocket is set")
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Driver{o: o, api: newAPI(o.Env, o.Encoding), queued: make(chan struct{}, 1),
		stopping: make(chan struct{}), drained: make(chan struct{}, 1)}, nil
}

// Run subscribes and serves until Stop, until ctx ends, or until the agent stays
// away for longer than Env.Recovery (an error; an executor then ends its tasks).
// Without Env.Checkpoint it does not wait for an agent that went away.
func (d *Driver) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer d.api.close()
	go func() {
		select {
		case <-ctx.Done():
		case <-d.stopping:
			d.awaitDrained(ctx)
			cancel()
		}
	}()
	away, pause := time.Now(), 50*time.Millisecond
	for {
		subscribed, err := d.session(ctx)
		if ctx.Err() != nil {
			if d.stopped() {
				return nil
			}
			return ctx.Err()
		}
		if subscribed {
			away, pause = time.Now(), 50*time.Millisecond
			if !d.o.Env.Checkpoint {
				return fmt.Errorf("the agent is gone, and the framework did not ask for checkpoints: %w", err)
			}
		}
		if sdk.CodeOf(err) == sdk.CodeGone {
			return err
		}
		if time.Since(away) > d.o.Env.Recovery {
			return fmt.Errorf("the agent did not come back within %v: %w", d.o.Env.Recovery, err)
		}
		d.o.Log.Info("not subscribed", "error", err)
		select {
		case <-ctx.Done():
		case <-time.After(pause/2 + rand.N(pause/2+1)):
		}
		pause = min(2*pause, max(d.o.Env.BackoffMax, 100*time.Millisecond))
	}
}

// session is one subscription from its call to its end.
func (d *Driver) session(ctx context.Context) (subscribed bool, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stream, err := d.api.subscribe(ctx, d.subscribeCall())
	if err != nil {
		return false, err
	}
	var sender sync.WaitGroup
	defer sender.Wait()
	defer cancel(nil)
	defer stream.Close()
	records := wire.NewReader(stream, maxEvent)
	for {
		b, err := records.Next()
		if err != nil {
			if cause := context.Cause(ctx); cause != nil {
				err = cause // the sender failed, or we are told to end
			}
			if errors.Is(err, io.EOF) {
				err = sdk.Errorf(sdk.CodeUnavailable, "", "the agent closed the event stream")
			}
			return subscribed, err
		}
		e := &sdk.ExecutorEvent{}
		if err := wire.Unmarshal(d.o.Encoding, b, e); err != nil {
			d.o.Log.Error("an event of the agent is not understood", "error", err)
			continue
		}
		if e.Type == sdk.ExecutorEventSubscribed && !subscribed {
			subscribed = true
			sender.Go(func() { d.send(ctx, cancel) })
		}
		d.note(e)
		d.o.Handle(d, e)
	}
}

// maxEvent bounds one event of the agent, in bytes.
const maxEvent = 64 << 20

// subscribeCall tells everything that is not acknowledged; what waited in the
// queue is part of it.
func (d *Driver) subscribeCall() *sdk.ExecutorCall {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.queue = nil
	call := d.call(sdk.ExecutorCallSubscribe)
	call.Subscribe = &sdk.ExecutorSubscribe{
		UnacknowledgedTasks:   append([]sdk.TaskInfo(nil), d.launched...),
		UnacknowledgedUpdates: append([]sdk.ExecutorUpdate(nil), d.unacked...),
	}
	return &call
}

// note keeps the books of what is acknowledged.
func (d *Driver) note(e *sdk.ExecutorEvent) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case e.Type == sdk.ExecutorEventLaunch && e.Launch != nil:
		d.launched = append(d.launched, e.Launch.Task)
	case e.Type == sdk.ExecutorEventLaunchGroup && e.LaunchGroup != nil:
		d.launched = append(d.launched, e.LaunchGroup.TaskGroup.Tasks...)
	case e.Type == sdk.ExecutorEventAcknowledged && e.Acknowledged != nil:
		d.acknowledged(e.Acknowledged)
	}
}

func (d *Driver) acknowledged(a *sdk.Acknowledged) {
	for i := range d.unacked {
		if s := &d.unacked[i].Status; s.TaskID == a.TaskID && string(s.UUID) == string(a.UUID) {
			d.unacked = append(d.unacked[:i], d.unacked[i+1:]...)
			break
		}
	}
	for i := range d.launched {
		if d.launched[i].TaskID == a.TaskID {
			d.launched = append(d.launched[:i], d.launched[i+1:]...)
			break
		}
	}
	if len(d.unacked) == 0 {
		signal(d.drained)
	}
}

// Update sends a status and keeps it until the agent has acknowledged it. What is
// left empty is filled in: the executor's id, the source, the time, the uuid.
func (d *Driver) Update(u sdk.ExecutorUpdate) {
	s := &u.Status
	if len(s.UUID) == 0 {
		id := uuid.New()
		s.UUID = id[:]
	}
	if s.Timestamp == 0 {
		s.Timestamp = float64(time.Now().UnixMicro()) / 1e6
	}
	if s.ExecutorID == "" {
		s.ExecutorID = d.o.Env.ExecutorID
	}
	s.Source = sdk.SourceExecutor
	d.mu.Lock()
	defer d.mu.Unlock()
	d.unacked = append(d.unacked, u)
	call := d.call(sdk.ExecutorCallUpdate)
	call.Update = &u
	d.enqueue(call)
}

// Message sends opaque bytes to the framework's scheduler, unreliably.
func (d *Driver) Message(data []byte) {
	d.mu.Lock()
	defer d.mu.Unlock()
	call := d.call(sdk.ExecutorCallMessage)
	call.Message = &sdk.MessageToScheduler{Data: data}
	d.enqueue(call)
}

// Stop makes Run return once every update is acknowledged, or after wait. Only the
// first call counts.
func (d *Driver) Stop(wait time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	select {
	case <-d.stopping:
	default:
		d.stopWait = wait
		close(d.stopping)
	}
}

func (d *Driver) stopped() bool {
	select {
	case <-d.stopping:
		return true
	default:
		return false
	}
}

func (d *Driver) awaitDrained(ctx context.Context) {
	late := time.NewTimer(d.stopWait)
	defer late.Stop()
	for {
		d.mu.Lock()
		empty := len(d.unacked) == 0
		d.mu.Unlock()
		if empty {
			return
		}
		select {
		case <-d.drained:
		case <-late.C:
			return
		case <-ctx.Done():
			return
		}
	}
}

func (d *Driver) call(t sdk.ExecutorCallType) sdk.ExecutorCall {
	return sdk.ExecutorCall{ExecutorID: d.o.Env.ExecutorID, FrameworkID: d.o.Env.FrameworkID, Type: t}
}

func (d *Driver) enqueue(call sdk.ExecutorCall) {
	d.queue = append(d.queue, call)
	signal(d.queued)
}

// signal puts something into a channel with one slot, unless there is something.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// send posts the queue, as many calls at once as there are, until ctx ends. When
// the agent does not take them it ends the session: the next one tells them again.
func (d *Driver) send(ctx context.Context, end context.CancelCauseFunc) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-d.queued:
		}
		d.mu.Lock()
		calls := d.queue
		d.queue = nil
		d.mu.Unlock()
		if err := d.api.post(ctx, calls); err != nil {
			if status := sdk.CodeOf(err); status == sdk.CodeInvalid || status == sdk.CodeTooLarge {
				d.singly(ctx, calls)
				continue
			}
			end(err)
			return
		}
	}
}

// singly finds the calls that the agent refuses for what they are: telling those
// again would stop all others for ever.
func (d *Driver) singly(ctx context.Context, calls []sdk.ExecutorCall) {
	for i := range calls {
		if err := d.api.post(ctx, calls[i:i+1]); err != nil {
			d.o.Log.Error("the agent refuses a call", "type", calls[i].Type, "error", err)
			if u := calls[i].Update; u != nil && sdk.CodeOf(err) == sdk.CodeInvalid {
				d.mu.Lock()
				d.acknowledged(&sdk.Acknowledged{TaskID: u.Status.TaskID, UUID: u.Status.UUID})
				d.mu.Unlock()
			}
		}
	}
}
