package consensus

import (
	"bytes"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/hashicorp/raft"
)

// sea is the network between islands, in virtual time: it delays and loses messages, and can
// be cut in one direction only. What befalls the n-th message of a kind from one island to
// another, in a weather, is a matter of the seed alone, whatever order goroutines run in.
type sea struct {
	seed  uint64
	spoke func(who string, term uint64) // told who sends entries or signs of life as a leader

	mu      sync.Mutex
	ports   map[raft.ServerAddress]*port
	fates   map[string]*rand.Rand
	cuts    map[way]bool
	lags    map[way]time.Duration       // of each message on it, at most, whatever the weather
	held    map[string]chan struct{}    // messages of the kind stay on their way until it is closed
	off     map[raft.ServerAddress]bool // whoever calls one of these, or is one, is refused at once
	weather weather
	count   struct{ carried, lost, late, snapshots, halves int }
}

// way is one direction between two islands.
type way struct{ from, to raft.ServerAddress }

// weather is what befalls messages on all ways.
type weather struct {
	name  string
	delay time.Duration // of a message, at most
	loss  float64       // part of the requests that are lost
	deaf  float64       // part of the answers that are: what was asked for is done, and nobody hears of it
	late  float64       // part of both that arrives when others have long overtaken it
}

// callersWait is how long a caller waits for an answer, lateness how late a message may be:
// most of the late ones come when the caller has given up, some are still believed.
const (
	callersWait = time.Second
	lateness    = 3 * time.Second
)

func weathers() []weather {
	return []weather{
		{name: "calm"},
		{name: "swell", delay: 40 * time.Millisecond, loss: 0.01, deaf: 0.01},
		{name: "storm", delay: 250 * time.Millisecond, loss: 0.05, deaf: 0.05, late: 0.02},
		{name: "wind against the answers", delay: 20 * time.Millisecond, deaf: 0.25},
		{name: "old messages", delay: 5 * time.Millisecond, late: 0.15},
	}
}

func newSea(seed uint64, spoke func(string, uint64)) *sea {
	s := &sea{seed: seed, spoke: spoke, ports: map[raft.ServerAddress]*port{}, fates: map[string]*rand.Rand{}, held: map[string]chan struct{}{}}
	s.heal()
	return s
}

// heal ends all cuts, and the weather.
func (s *sea) heal() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cuts, s.lags, s.off, s.weather = map[way]bool{}, map[way]time.Duration{}, map[raft.ServerAddress]bool{}, weathers()[0]
	for kind := range s.held {
		s.let(kind)
	}
}

// hold keeps all messages of a kind on their way, until the end of what it gives.
func (s *sea) hold(kind string) (let func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.held[kind] = make(chan struct{})
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.let(kind)
	}
}

// let lets them arrive. Callers hold the mutex.
func (s *sea) let(kind string) {
	if there := s.held[kind]; there != nil {
		close(there)
		delete(s.held, kind)
	}
}

// join ends all cuts.
func (s *sea) join() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cuts = map[way]bool{}
}

func (s *sea) turn(w weather) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.weather = w
}

func (s *sea) rough() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.weather.name != weathers()[0].name
}

// cut loses all that is on one way, or comes onto it.
func (s *sea) cut(from, to raft.ServerAddress) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cuts[way{from, to}] = true
}

// lag delays all that comes onto a way.
func (s *sea) lag(from, to raft.ServerAddress, most time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lags[way{from, to}] = most
}

// refuse cuts an island off so that callers on both sides hear of it at once.
func (s *sea) refuse(at raft.ServerAddress) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.off[at] = true
}

// moor gives a transport to an instance of raft. It takes the place of the one before: what
// was sent to that one and has not arrived comes to this one.
func (s *sea) moor(at raft.ServerAddress) *port {
	p := &port{sea: s, at: at, requests: make(chan raft.RPC, 16), closed: make(chan struct{})}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ports[at] = p
	return p
}

// to is where a message arrives, nil where it is refused.
func (s *sea) to(w way) *port {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.off[w.from] || s.off[w.to] {
		return nil
	}
	return s.ports[w.to]
}

func (s *sea) isCut(w way) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cuts[w] || s.off[w.from] || s.off[w.to]
}

// fate is that of the next message of the kind.
func (s *sea) fate(w way, kind string, answers bool) (delay time.Duration, lost bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	name := fmt.Sprint(w, kind, answers, s.weather.name)
	random := s.fates[name]
	if random == nil {
		h := fnv.New64a()
		_, _ = io.WriteString(h, name)
		random = rand.New(rand.NewPCG(s.seed, h.Sum64()))
		s.fates[name] = random
	}
	loss := s.weather.loss
	if answers {
		loss = s.weather.deaf
	}
	lost = random.Float64() < loss || s.cuts[w]
	late, part := random.Float64() < s.weather.late, random.Float64()
	delay = time.Duration(part * float64(max(s.weather.delay, s.lags[w])))
	if late && !lost {
		delay = time.Duration(part * float64(lateness))
		s.count.late++
	}
	s.count.carried++
	if lost {
		s.count.lost++
	}
	return delay, lost
}

// pass takes the time that a message takes, and tells whether it arrives.
func (s *sea) pass(w way, kind string, answers bool) bool {
	delay, lost := s.fate(w, kind, answers)
	if lost {
		return false
	}
	if delay > 0 {
		<-time.After(delay) // synctest
	}
	s.mu.Lock()
	held := s.held[kind]
	s.mu.Unlock()
	if held != nil {
		<-held
	}
	return !s.isCut(w)
}

var errRefused, errUnanswered = errors.New("refused"), errors.New("no answer in time")

// carry takes a request over and its answer back, unless one of them is lost.
func (s *sea) carry(w way, kind string, rpc raft.RPC) {
	answer, heard := rpc.RespChan, make(chan raft.RPCResponse, 1)
	rpc.RespChan = heard
	if s.to(w) == nil {
		answer <- raft.RPCResponse{Error: errRefused}
		return
	}
	if !s.pass(w, kind, false) {
		if rpc.Reader == nil {
			return
		}
		rpc.Reader = s.half(rpc.Reader) // a snapshot is many messages: it breaks off in the middle
	}
	p := s.to(w)
	if p == nil || !p.take(rpc) {
		answer <- raft.RPCResponse{Error: errRefused}
		return
	}
	select {
	case a := <-heard:
		if s.pass(way{w.to, w.from}, kind, true) {
			answer <- a
		}
	case <-p.closed: // with the request in its queue
	}
}

func (s *sea) half(all io.Reader) io.Reader {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.count.halves++
	return io.LimitReader(all, int64(all.(*bytes.Reader).Len()/2))
}

// String is what has befallen the messages.
func (s *sea) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return fmt.Sprintf("%d messages, of which %d were lost and %d late; %d snapshots sent, of which %d broke off",
		s.count.carried, s.count.lost, s.count.late, s.count.snapshots, s.count.halves)
}

// port is raft's transport at the sea. It has all that the one over the network has: raft
// leaves the pre-vote away where a transport can not ask for one, and does without pipelines.
type port struct {
	sea      *sea
	at       raft.ServerAddress
	requests chan raft.RPC
	once     sync.Once
	closed   chan struct{}

	mu   sync.Mutex
	beat func(raft.RPC)
}

var _ interface {
	raft.Transport
	raft.WithPreVote
	raft.WithClose
} = (*port)(nil)

func (p *port) Consumer() <-chan raft.RPC              { return p.requests }
func (p *port) LocalAddr() raft.ServerAddress          { return p.at }
func (p *port) Close() error                           { p.once.Do(func() { close(p.closed) }); return nil }
func (p *port) DecodePeer(b []byte) raft.ServerAddress { return raft.ServerAddress(b) }

func (p *port) EncodePeer(_ raft.ServerID, at raft.ServerAddress) []byte { return []byte(at) }

func (p *port) SetHeartbeatHandler(beat func(raft.RPC)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.beat = beat
}

// take gives a request to raft: a mere sign of life past its main loop, as the network's
// transport does.
func (p *port) take(rpc raft.RPC) bool {
	select {
	case <-p.closed:
		return false
	default:
	}
	p.mu.Lock()
	beat := p.beat
	p.mu.Unlock()
	if q, ok := rpc.Command.(*raft.AppendEntriesRequest); ok && beat != nil && kindOf(q) == "heartbeat" {
		beat(rpc)
		return true
	}
	select {
	case p.requests <- rpc:
		return true
	case <-p.closed:
		return false
	}
}

// kindOf tells a mere sign of life from what goes behind an entry.
func kindOf(q *raft.AppendEntriesRequest) string {
	if isSignOfLife(q) {
		return "heartbeat"
	}
	return "entries"
}

// exchange asks an island, and waits for its answer for a while.
func exchange[A any](p *port, to raft.ServerAddress, kind string, q any, data io.Reader, into *A) error {
	answer := make(chan raft.RPCResponse, 1)
	go p.sea.carry(way{p.at, to}, kind, raft.RPC{Command: q, Reader: data, RespChan: answer})
	select {
	case a := <-answer:
		if a.Error != nil {
			return a.Error
		}
		*into = *a.Response.(*A)
		return nil
	case <-p.closed:
		return raft.ErrTransportShutdown
	case <-time.After(callersWait): // synctest
		return errUnanswered
	}
}

// The requests are copied: raft uses them again when the call is over, and they may still be
// on their way.

func (p *port) AppendEntries(_ raft.ServerID, to raft.ServerAddress, q *raft.AppendEntriesRequest, a *raft.AppendEntriesResponse) error {
	p.sea.spoke(string(p.at), q.Term)
	c := *q
	return exchange(p, to, kindOf(q), &c, nil, a)
}

func (p *port) RequestVote(_ raft.ServerID, to raft.ServerAddress, q *raft.RequestVoteRequest, a *raft.RequestVoteResponse) error {
	c := *q
	return exchange(p, to, "vote", &c, nil, a)
}

func (p *port) RequestPreVote(_ raft.ServerID, to raft.ServerAddress, q *raft.RequestPreVoteRequest, a *raft.RequestPreVoteResponse) error {
	c := *q
	return exchange(p, to, "pre-vote", &c, nil, a)
}

func (p *port) TimeoutNow(_ raft.ServerID, to raft.ServerAddress, q *raft.TimeoutNowRequest, a *raft.TimeoutNowResponse) error {
	c := *q
	return exchange(p, to, "stand", &c, nil, a)
}

func (p *port) InstallSnapshot(_ raft.ServerID, to raft.ServerAddress, q *raft.InstallSnapshotRequest, a *raft.InstallSnapshotResponse, data io.Reader) error {
	all, err := io.ReadAll(data) // its file is closed when the call is over
	if err != nil {
		return err
	}
	p.sea.mu.Lock()
	p.sea.count.snapshots++
	p.sea.mu.Unlock()
	p.sea.spoke(string(p.at), q.Term)
	c := *q
	return exchange(p, to, "snapshot", &c, bytes.NewReader(all), a)
}

// AppendEntriesPipeline is one with the product's guard.
func (p *port) AppendEntriesPipeline(_ raft.ServerID, to raft.ServerAddress) (raft.AppendPipeline, error) {
	c := &convoy{port: p, to: to, queue: make(chan *ship, 2), answered: make(chan raft.AppendFuture, 2), closed: make(chan struct{})}
	go c.sail()
	return pipeline{c}, nil
}

// convoy is a pipeline: raft sends into it before it has heard of what went before. In it
// there is an order, as on a connection.
type convoy struct {
	port     *port
	to       raft.ServerAddress
	queue    chan *ship
	answered chan raft.AppendFuture
	once     sync.Once
	closed   chan struct{}
}

func (c *convoy) sail() {
	for {
		select {
		case s := <-c.queue:
			s.err = c.port.AppendEntries("", c.to, s.q, s.a)
			close(s.done)
			select {
			case c.answered <- s:
			case <-c.closed:
				return
			}
		case <-c.closed:
			return
		case <-c.port.closed:
			return
		}
	}
}

func (c *convoy) AppendEntries(q *raft.AppendEntriesRequest, a *raft.AppendEntriesResponse) (raft.AppendFuture, error) {
	s := &ship{began: time.Now(), q: q, a: a, done: make(chan struct{})}
	select {
	case c.queue <- s:
		return s, nil
	case <-c.closed:
		return nil, raft.ErrPipelineShutdown
	case <-c.port.closed:
		return nil, raft.ErrTransportShutdown
	}
}

func (c *convoy) Consumer() <-chan raft.AppendFuture { return c.answered }

func (c *convoy) Close() error { c.once.Do(func() { close(c.closed) }); return nil }

// ship is one request of a convoy.
type ship struct {
	began time.Time
	q     *raft.AppendEntriesRequest
	a     *raft.AppendEntriesResponse
	err   error
	done  chan struct{}
}

func (s *ship) Error() error                          { <-s.done; return s.err }
func (s *ship) Start() time.Time                      { return s.began }
func (s *ship) Request() *raft.AppendEntriesRequest   { return s.q }
func (s *ship) Response() *raft.AppendEntriesResponse { return s.a }
