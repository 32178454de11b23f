package scheduler

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/profferhq/proffer/sdk/scheduler/mind"
)

// queue holds the inputs that the loop has not taken yet.
type queue struct {
	mu   sync.Mutex
	list []mind.Input
	wake chan struct{} // has a token when list is not empty
}

func newQueue() queue { return queue{wake: make(chan struct{}, 1)} }

func (q *queue) take() []mind.Input {
	q.mu.Lock()
	defer q.mu.Unlock()
	list := q.list
	q.list = nil
	return list
}

// Push gives inputs to the mind, for those that are a framework's own. Until it leads
// they wait.
func (s *Scheduler[M]) Push(in ...mind.Input) {
	q := &s.queue
	q.mu.Lock()
	q.list = append(q.list, in...)
	q.mu.Unlock()
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// loop steps the mind with all that has happened meanwhile, and at the times that it
// asks for.
func (s *Scheduler[M]) loop(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-s.queue.wake:
		case <-timer.C:
		case <-ctx.Done():
			return
		}
		inputs := s.queue.take()
		if len(inputs) == 0 {
			inputs = []mind.Input{mind.Tick{}}
		}
		now := time.Now()
		s.mu.Lock()
		effects := s.mind.Step(now, inputs...)
		due, wanted := s.mind.Due()
		s.mu.Unlock()
		s.metrics.steps.Inc()
		for _, e := range effects {
			s.perform(ctx, now, e)
		}
		timer.Stop()
		if wanted {
			timer.Reset(max(time.Until(due), time.Millisecond))
		}
	}
}

// perform does one thing that the mind has decided. None of it waits for the network.
func (s *Scheduler[M]) perform(ctx context.Context, now time.Time, e mind.Effect) {
	switch e := e.(type) {
	case mind.Commit:
		s.work.Go(func() { s.commit(ctx, e) })
	case mind.Answer:
		s.asked.reply(e)
	case mind.Log:
		s.log.Log(ctx, slog.Level(e.Level), e.Message, e.KV...)
	default:
		known, err := s.call(e)
		switch {
		case err != nil: // no subscription: the next one begins with what is the case then
			s.log.Debug("a call was not made", "error", err)
		case known:
		case s.program.Perform != nil:
			s.program.Perform(now, e)
		}
	}
}
