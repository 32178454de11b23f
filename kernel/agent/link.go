package agent

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/profferhq/proffer/kernel/agent/ledger"
	"github.com/profferhq/proffer/kernel/credential"
	"github.com/profferhq/proffer/kernel/link"
	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/masters"
	"github.com/profferhq/proffer/sdk/wire"
)

const (
	maxEvent       = 16 << 20 // bytes of one event
	callsPerBody   = 512
	firstRestart   = 50 * time.Millisecond // between two tries to start the launcher
	longestRestart = 5 * time.Second
	callTimeout    = 10 * time.Second
	missedAllowed  = 3 // heartbeats
)

// linkClient keeps the stream to whichever master leads.
type linkClient struct {
	a      *Agent
	out    *outbox
	joined time.Time // when a leader took the agent in on this stream; run's

	mu     sync.Mutex
	stream uint64
	cancel context.CancelCauseFunc // of the open stream
}

func newLinkClient(a *Agent) *linkClient { return &linkClient{a: a, out: newOutbox()} }

func (c *linkClient) send(stream uint64, call *link.Call) { c.out.put(stream, call) }
func (c *linkClient) flush()                              { c.out.flush() }

// close ends the stream if it is still the open one.
func (c *linkClient) close(stream uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if stream == c.stream && c.cancel != nil {
		c.cancel(errors.New("closed by the agent"))
	}
}

// run connects, and connects again, until ctx ends. A stream is closed, and known
// to the ledger as closed, before the next REGISTER is sent.
func (c *linkClient) run(ctx context.Context) error {
	retry := link.Retry{Longest: c.a.o.LinkPause}
	for ctx.Err() == nil {
		c.joined = time.Time{}
		err := c.once(ctx)
		if ctx.Err() != nil {
			break
		}
		var served time.Duration
		if !c.joined.IsZero() {
			served = time.Since(c.joined)
		}
		pause := retry.Next(served)
		c.a.metrics.reconnects.Inc()
		c.a.log.Info("not linked to a leader", "why", err, "again_in", pause)
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
	return nil
}

// once is the life of one stream.
func (c *linkClient) once(parent context.Context) error {
	ctx, cancel := context.WithCancelCause(parent)
	defer cancel(nil)
	c.mu.Lock()
	c.stream++
	stream := c.stream
	c.cancel = cancel
	c.mu.Unlock()
	defer c.a.inbox.put(ledger.Closed{Stream: stream})

	var report *link.Register
	ok := c.a.ask(ctx, func(l *ledger.Ledger) {
		l.Step(c.a.now(), ledger.Opened{Stream: stream})
		report = l.Report()
	})
	if !ok {
		return errors.New("the agent is ending")
	}
	report.Software, report.Address = c.a.o.Software, c.a.addr
	report.Cluster, report.Time = c.a.o.Cluster, c.a.now().UnixNano()
	resp, err := c.register(ctx, cancel, report)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	c.out.open(stream)
	done := make(chan struct{})
	defer func() { cancel(nil); <-done }()
	s := &linkStream{c: c, number: stream, session: resp.Header.Get(link.SessionHeader), leader: c.a.masters.Leader(), cancel: cancel, beat: make(chan time.Duration, 1)}
	go func() { defer close(done); s.write(ctx) }()
	err = s.read(ctx, resp.Body)
	c.a.masters.AskLast(s.leader) // the others know first who leads now
	return err
}

// register opens the stream, and makes sure that whoever answers holds the key.
func (c *linkClient) register(ctx context.Context, cancel context.CancelCauseFunc, r *link.Register) (*http.Response, error) {
	body, err := wire.Marshal(wire.Msgpack, &link.Call{Version: link.Version, Type: link.CallRegister, AgentID: r.Agent.ID, Register: r})
	if err != nil {
		return nil, err
	}
	challenge := rand.Text()
	limit := time.AfterFunc(c.a.o.LinkTimeout, func() { cancel(errors.New("no master answered in time")) })
	defer limit.Stop()
	resp, err := c.a.masters.Do(ctx, masters.Request{Op: "register", Method: http.MethodPost, Path: link.Path, Body: body, Header: http.Header{
		"Content-Type": {wire.Msgpack.ContentType()}, "Accept": {wire.Msgpack.ContentType()},
		credential.HeaderChallenge: {challenge},
	}})
	if err != nil {
		return nil, err
	}
	if !c.a.o.Insecure {
		want := c.a.key.LinkProof(challenge)
		if subtle.ConstantTimeCompare([]byte(want), []byte(resp.Header.Get(credential.HeaderProof))) != 1 {
			_ = resp.Body.Close()
			return nil, sdk.Errorf(sdk.CodeUnauthenticated, "", "the master at %s does not hold this cluster's key; nothing of it is obeyed", c.a.masters.Leader())
		}
	}
	return resp, nil
}

// linkStream is one open stream.
type linkStream struct {
	c       *linkClient
	number  uint64
	session string
	leader  string
	cancel  context.CancelCauseFunc
	beat    chan time.Duration
	heard   atomic.Pointer[time.Time] // when the leader last spoke
	posted  atomic.Pointer[time.Time] // when the calls were sent that it has not answered; nil: there are none
}

// errAbandoned ends the stream of a leader that is stopped or cut off, when another one
// leads: the heartbeats that may be missed are for a leader that nobody has replaced.
var errAbandoned = errors.New("the leader is silent and another one leads")

// read brings events to the loop, as many at a time as have arrived.
func (s *linkStream) read(ctx context.Context, body io.Reader) error {
	silence := s.c.a.o.LinkTimeout // until REGISTERED says how often the leader speaks
	watch := time.AfterFunc(silence, func() { s.cancel(errors.New("the leader is silent")) })
	defer watch.Stop()
	r := wire.NewReader(body, maxEvent)
	var batch []ledger.Input
	var watched sync.Once
	for {
		data, err := r.Next()
		if err != nil {
			if cause := context.Cause(ctx); cause != nil {
				return cause
			}
			return err
		}
		watch.Reset(silence)
		now := time.Now()
		s.heard.Store(&now)
		e := &link.Event{}
		if err := wire.Unmarshal(wire.Msgpack, data, e); err != nil {
			return err
		}
		if e.Type == link.EventRegistered && e.Registered != nil {
			if own := s.c.a.o.Cluster; own != "" && e.Registered.Cluster != "" && e.Registered.Cluster != own {
				return fmt.Errorf("the master at %s is of the cluster %q, this agent was started for %q; nothing of it is obeyed", s.leader, e.Registered.Cluster, own)
			}
			s.c.joined = time.Now()
			every := s.registered(e.Registered)
			silence = missedAllowed * every
			watch.Reset(silence)
			watched.Do(func() { go s.leave(ctx, every) })
		}
		if e.Type != link.EventHeartbeat {
			batch = append(batch, ledger.FromMaster{Stream: s.number, Event: e})
		}
		if len(batch) > 0 && (r.Buffered() == 0 || len(batch) >= callsPerBody) {
			s.c.a.inbox.put(batch...)
			batch = batch[:0]
		}
	}
}

// leave ends the stream when its leader is silent and another one leads, unless ctx ends.
func (s *linkStream) leave(ctx context.Context, every time.Duration) {
	silence := func() time.Duration {
		if at := s.posted.Load(); at != nil && time.Since(*at) > masters.SilentAfter {
			return 2 * every // an answer is overdue, so is what it would say by itself
		}
		return time.Since(*s.heard.Load())
	}
	if s.c.a.masters.AwaitAbandoned(ctx, s.leader, every, silence) == nil {
		s.cancel(errAbandoned)
	}
}

// registered gives the time within which the leader says something.
func (s *linkStream) registered(r *link.Registered) time.Duration {
	a := s.c.a
	every := time.Duration(r.HeartbeatSeconds * float64(time.Second))
	if every <= 0 {
		every = a.o.LinkTimeout
	}
	id := r.AgentID
	a.agentID.Store(&id)
	a.log.Info("registered", "agent", r.AgentID, "leader", s.leader, "cluster", r.Cluster)
	s.beat <- every
	return every
}

// write posts what waits, one body at a time so that order holds, and a heartbeat
// when nothing does.
func (s *linkStream) write(ctx context.Context) {
	every := s.c.a.o.LinkTimeout
	beat := time.NewTimer(every)
	defer beat.Stop()
	for {
		var calls []*link.Call
		select {
		case <-ctx.Done():
			return
		case d := <-s.beat:
			every = d
			beat.Reset(every)
			continue
		case <-s.c.out.signal:
		case <-beat.C:
			calls = []*link.Call{{Version: link.Version, Type: link.CallHeartbeat, AgentID: *s.c.a.agentID.Load()}}
		}
		for more := true; more; {
			var next []*link.Call
			next, more = s.c.out.take(s.number, callsPerBody)
			if calls = append(calls, next...); len(calls) == 0 {
				break
			}
			if err := s.post(ctx, calls); err != nil {
				s.cancel(err)
				return
			}
			calls = nil
		}
		beat.Reset(every)
	}
}

func (s *linkStream) post(ctx context.Context, calls []*link.Call) error {
	body := wire.Body{Encoding: wire.Msgpack, Records: len(calls) > 1}
	var data []byte
	var err error
	for _, call := range calls {
		if body.Records {
			data, err = wire.AppendMessage(wire.Msgpack, data, call)
		} else {
			data, err = wire.Append(wire.Msgpack, data, call)
		}
		if err != nil {
			return err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	h := http.Header{link.SessionHeader: {s.session}}
	kind, inner := body.Headers()
	h["Content-Type"] = []string{kind}
	if inner != "" {
		h[wire.HeaderMessageContentType] = []string{inner}
	}
	now := time.Now()
	s.posted.Store(&now)
	defer s.posted.Store(nil)
	resp, err := s.c.a.masters.Do(ctx, masters.Request{Op: "report", Method: http.MethodPost, Path: link.Path, Body: data, Header: h, Only: s.leader})
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return errors.Join(err, resp.Body.Close())
}
