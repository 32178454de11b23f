package chronosish

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/profferhq/proffer/chronosish/book"
	"github.com/profferhq/proffer/sdk"
)

// queue holds the inputs that the loop has not taken yet.
type queue struct {
	mu   sync.Mutex
	list []book.Input
	wake chan struct{} // has a token when list is not empty
}

func (q *queue) push(in ...book.Input) {
	q.mu.Lock()
	q.list = append(q.list, in...)
	q.mu.Unlock()
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

func (q *queue) take() []book.Input {
	q.mu.Lock()
	defer q.mu.Unlock()
	list := q.list
	q.list = nil
	return list
}

// loop steps the book with all that has happened meanwhile, and at the times that it
// asks for.
func (s *Scheduler) loop(ctx context.Context) {
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
			inputs = []book.Input{book.Tick{}}
		}
		now := time.Now()
		s.mu.Lock()
		effects := s.book.Step(now, inputs...)
		due, wanted := s.book.Due()
		s.mu.Unlock()
		s.metrics.steps.Inc()
		for _, e := range effects {
			s.perform(ctx, e)
		}
		timer.Stop()
		if wanted {
			timer.Reset(max(time.Until(due), time.Millisecond))
		}
	}
}

// perform does one thing that the book has decided. None of it waits for the
// network.
func (s *Scheduler) perform(ctx context.Context, e book.Effect) {
	var err error
	switch e := e.(type) {
	case book.Commit:
		go s.commit(ctx, e)
	case book.Accept:
		err = s.accept(e)
	case book.Decline:
		err = s.kernel.Send(decline(e))
	case book.Suppress:
		err = s.kernel.Suppress(s.opts.Role)
	case book.Revive:
		err = s.kernel.Revive(s.opts.Role)
	case book.KillTask:
		s.metrics.kills.Inc()
		err = s.kernel.Kill(e.Task, e.Agent, 0)
	case book.Reconcile:
		err = s.kernel.Reconcile(e.Tasks...)
	case book.Acknowledge:
		err = s.kernel.Acknowledge(e.Status)
	case book.Reply:
		s.reply(e)
	case book.Log:
		s.log.Log(ctx, slog.Level(e.Level), e.Message, e.KV...)
	}
	if err != nil { // no subscription: the next one begins with what is the case then
		s.log.Debug("a call was not made", "error", err)
	}
}

func (s *Scheduler) accept(e book.Accept) error {
	seconds := e.Refuse.Seconds()
	s.metrics.launches.Add(float64(len(e.Tasks)))
	err := s.kernel.Accept(&sdk.Accept{
		OfferIDs:   []sdk.OfferID{e.Offer},
		Operations: []sdk.Operation{{Type: sdk.OperationLaunch, Launch: &sdk.Launch{TaskInfos: e.Tasks}}},
		Filters:    &sdk.Filters{RefuseSeconds: &seconds},
	})
	if err != nil {
		s.queue.push(book.Lost{Tasks: taskIDs(e.Tasks)})
	}
	return err
}

func taskIDs(tasks []sdk.TaskInfo) []sdk.TaskID {
	var list []sdk.TaskID
	for i := range tasks {
		list = append(list, tasks[i].TaskID)
	}
	return list
}

func decline(e book.Decline) sdk.Call {
	seconds := e.Refuse.Seconds()
	return sdk.Call{Type: sdk.CallDecline, Decline: &sdk.Decline{OfferIDs: e.Offers, Filters: &sdk.Filters{RefuseSeconds: &seconds}}}
}

// refused hears of calls that were not taken. Launches among them are in doubt.
func (s *Scheduler) refused(calls []sdk.Call, err error) {
	for _, call := range calls {
		s.log.Warn("a call was not taken", "type", call.Type, "error", err)
		if call.Accept == nil {
			continue
		}
		for _, op := range call.Accept.Operations {
			if op.Launch != nil {
				s.queue.push(book.Lost{Tasks: taskIDs(op.Launch.TaskInfos)})
			}
		}
	}
}
