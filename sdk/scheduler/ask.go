package scheduler

import (
	"context"
	"fmt"
	"sync"

	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/framework"
	"github.com/profferhq/proffer/sdk/scheduler/mind"
)

// Read calls do while the mind stands still. do is short, changes nothing, and keeps
// only what is never changed afterwards. Before there is a mind it is not called, and
// Read gives false.
func (s *Scheduler[M]) Read(do func(M)) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.loaded {
		do(s.mind)
	}
	return s.loaded
}

// Ask has the mind of s make a change (mind.Request of C) and waits for its answer
// (mind.Reply of O), which a mind may give only when the change is stored. The error is
// the mind's refusal; CodeUnknown when this scheduler leads no longer; or that of ctx. With
// the last two the change may still be made.
func Ask[O, C any, M mind.Mind](ctx context.Context, s *Scheduler[M], change C) (O, error) {
	var none O
	id, answer := s.asked.begin()
	defer s.asked.end(id)
	s.Push(mind.Request[C]{ID: id, Change: change})
	select {
	case a := <-answer:
		switch r, ok := a.(mind.Reply[O]); {
		case a == nil:
			return none, sdk.Errorf(sdk.CodeUnknown, "", "this %s leads no longer, and whether the change was made is not known; look, and try again", s.program.Name)
		case !ok:
			return none, fmt.Errorf("the mind of %s has answered a %T with a %T", s.program.Name, change, a)
		case r.Refusal != nil:
			return none, r.Refusal
		default:
			return r.Outcome, nil
		}
	case <-ctx.Done():
		return none, context.Cause(ctx)
	}
}

// Output reads a piece of what one of the framework's tasks has written, as
// framework.Output does; CodeUnavailable before it leads.
func (s *Scheduler[M]) Output(ctx context.Context, r framework.OutputRequest) (text []byte, from int64, err error) {
	s.mu.RLock()
	kernel := s.kernel
	s.mu.RUnlock()
	if kernel == nil {
		return nil, 0, sdk.Errorf(sdk.CodeUnavailable, "", "this scheduler does not lead yet")
	}
	return kernel.Output(ctx, r)
}

// asked are the requests that wait for their answers, by number. Numbers begin at 1: one
// of 0 is nobody's.
type asked struct {
	mu      sync.Mutex
	number  uint64
	waiting map[uint64]chan mind.Answer
}

func newAsked() asked { return asked{waiting: map[uint64]chan mind.Answer{}} }

func (a *asked) begin() (uint64, <-chan mind.Answer) {
	answer := make(chan mind.Answer, 1)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.number++
	a.waiting[a.number] = answer
	return a.number, answer
}

func (a *asked) end(id uint64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.waiting, id)
}

// reply gives an answer to who waits for it; a second one to the same request is lost.
func (a *asked) reply(r mind.Answer) {
	a.mu.Lock()
	defer a.mu.Unlock()
	select {
	case a.waiting[r.RequestID()] <- r:
	default: // nobody waits: the channel is nil, or full
	}
}

// lose has all who wait hear that nobody answers them any more.
func (a *asked) lose() {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, answer := range a.waiting {
		select {
		case answer <- nil:
		default: // it is answered
		}
	}
}
