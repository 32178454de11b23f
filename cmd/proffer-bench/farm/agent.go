package farm

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/profferhq/proffer/kernel/link"
	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/wire"
)

// agent is one of the farm.
type agent struct {
	f      *Farm
	name   string
	addr   string // where masters find it
	leader string // host:port of whoever answered last; run's own
	wake   chan struct{}

	mu         sync.Mutex
	id         sdk.AgentID
	highest    link.Fence
	registered bool
	calls      []*link.Call
	frameworks map[sdk.FrameworkID]*sdk.FrameworkInfo
	tasks      map[taskKey]*task
	tombs      map[taskKey]sdk.TaskState
}

func newAgent(f *Farm, name, addr string) *agent {
	return &agent{f: f, name: name, addr: addr, wake: make(chan struct{}, 1), frameworks: map[sdk.FrameworkID]*sdk.FrameworkInfo{},
		tasks: map[taskKey]*task{}, tombs: map[taskKey]sdk.TaskState{}}
}

// missed is that of the real agents.
const (
	missed   = 3
	maxEvent = 16 << 20
	perBody  = 512
)

// run registers, and again, until ctx ends.
func (a *agent) run(ctx context.Context) {
	select {
	case a.f.first <- struct{}{}:
	case <-ctx.Done():
		return
	}
	let := sync.OnceFunc(func() { <-a.f.first })
	defer let()
	retry := link.Retry{Longest: a.f.o.Pause}
	for ctx.Err() == nil {
		var joined time.Time
		_ = a.once(ctx, func() { joined = time.Now(); let() })
		if ctx.Err() != nil {
			return
		}
		var served time.Duration
		if !joined.IsZero() {
			served = time.Since(joined)
		}
		select {
		case <-ctx.Done():
		case <-time.After(retry.Next(served)):
		}
	}
}

// stream is an open one.
type stream struct {
	a       *agent
	c, p    *conn // of the events, and of the calls
	session string
	every   time.Duration // between two signs of life
}

// once is the life of one stream; joined is called when a leader has taken the agent in.
func (a *agent) once(ctx context.Context, joined func()) error {
	s, body, err := a.register(ctx)
	if err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, s.c.close)
	defer stop()
	s.p = &conn{f: a.f}
	var writer sync.WaitGroup
	done := make(chan struct{})
	defer func() {
		s.c.close()
		s.p.close()
		close(done)
		a.mu.Lock()
		if a.registered {
			a.f.here.Add(-1)
			a.f.Lost.Add(1)
		}
		a.registered, a.calls = false, nil
		a.mu.Unlock()
		writer.Wait()
	}()
	r := wire.NewReader(body, maxEvent)
	silence := a.f.o.Timeout
	for {
		_ = s.c.raw.SetReadDeadline(time.Now().Add(silence))
		data, err := r.Next()
		if err != nil {
			return err
		}
		e := &link.Event{}
		if err := wire.Unmarshal(wire.Msgpack, data, e); err != nil {
			return err
		}
		if e.Type == link.EventRegistered && e.Registered != nil {
			s.every = time.Duration(e.Registered.HeartbeatSeconds * float64(time.Second))
			silence = missed * s.every
			writer.Go(func() { s.write(done) })
			joined()
		}
		if err := a.obey(e); err != nil {
			return err
		}
		if r.Buffered() == 0 {
			a.wakeUp()
		}
	}
}

// obey does what a leader says, unless a newer one has spoken.
func (a *agent) obey(e *link.Event) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if e.Fence().Compare(a.highest) < 0 {
		return fmt.Errorf("its leader has %s, this agent has already obeyed %s", e.Fence(), a.highest)
	}
	a.highest = e.Fence()
	switch e.Type {
	case link.EventRegistered:
		if a.id != "" && a.id != e.Registered.AgentID {
			return errors.New("registered under another id")
		}
		a.id, a.registered = e.Registered.AgentID, true
		a.f.Registrations.Add(1)
		a.f.here.Add(1)
		a.f.last.Store(time.Now().UnixNano())
		for _, t := range a.tasks {
			if len(t.queue) > 0 {
				a.forward(t, resendMin)
			}
		}
	case link.EventRun:
		a.start(e.Run)
	case link.EventKill:
		key := taskKey{e.Kill.FrameworkID, e.Kill.TaskID}
		if t := a.tasks[key]; t == nil || t.ended {
			a.reconcile(&link.Reconcile{FrameworkID: key.framework, TaskID: key.task})
		} else {
			a.f.Killed.Add(1)
			t.ended = true
			a.reach(t, sdk.TaskKilled)
		}
	case link.EventAcknowledge:
		a.acknowledged(e.Acknowledge)
	case link.EventReconcile:
		a.reconcile(e.Reconcile)
	case link.EventFramework:
		a.frameworks[e.Framework.Info.ID] = &e.Framework.Info
	case link.EventShutdownFramework:
		a.drop(e.ShutdownFramework.FrameworkID)
	case link.EventShutdown:
		a.f.Unwanted.Add(1)
		return errors.New(e.Shutdown.Message)
	}
	return nil
}

// say queues a call. a.mu is held.
func (a *agent) say(kind link.CallType, fill func(*link.Call)) {
	c := &link.Call{Version: link.Version, Type: kind, AgentID: a.id}
	fill(c)
	a.calls = append(a.calls, c)
}

func (a *agent) wakeUp() {
	select {
	case a.wake <- struct{}{}:
	default:
	}
}

// take gives what waits to be posted, some of it.
func (a *agent) take() []*link.Call {
	a.mu.Lock()
	defer a.mu.Unlock()
	n := min(len(a.calls), perBody)
	calls := a.calls[:n:n]
	if a.calls = a.calls[n:]; len(a.calls) == 0 {
		a.calls = nil
	}
	return calls
}

// write posts what waits, and a heartbeat when nothing does, until the stream ends.
func (s *stream) write(done <-chan struct{}) {
	beat := time.NewTimer(s.every)
	defer beat.Stop()
	for {
		select {
		case <-done:
			return
		case <-s.a.wake:
		case <-beat.C:
			s.a.mu.Lock()
			s.a.say(link.CallHeartbeat, func(*link.Call) {})
			s.a.mu.Unlock()
		}
		for calls := s.a.take(); len(calls) > 0; calls = s.a.take() {
			if err := s.post(calls); err != nil {
				s.c.close()
				return
			}
			beat.Reset(s.every)
		}
	}
}

// post sends calls in one body.
func (s *stream) post(calls []*link.Call) error {
	var body []byte
	var err error
	for _, c := range calls {
		if len(calls) > 1 {
			body, err = wire.AppendMessage(wire.Msgpack, body, c)
		} else {
			body, err = wire.Append(wire.Msgpack, body, c)
		}
		if err != nil {
			return err
		}
	}
	p := s.p
	if shared := s.a.f.posts; shared != nil {
		p = <-shared
		defer func() { shared <- p }()
	}
	resp, err := p.ask(s.c.host, body, len(calls) > 1, s.session)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, resp.Body)
	if resp.StatusCode >= 300 {
		return errors.New(resp.Status)
	}
	return err
}
