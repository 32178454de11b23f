package scheduler

import (
	"context"
	"errors"
	"time"

	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/scheduler/mind"
	"github.com/profferhq/proffer/sdk/store"
)

// commit does a transaction of the mind's, under the guard of the leadership, and
// tells it the result. What is not known to be done is tried again: it writes values
// that nobody else changes. When the guard does not hold, this scheduler ends.
func (s *Scheduler[M]) commit(ctx context.Context, c mind.Commit) {
	began := time.Now()
	err := s.write(ctx, c.Writes)
	s.metrics.commits.Observe(time.Since(began).Seconds())
	var refusal *sdk.Error
	switch {
	case err == nil:
		s.Push(mind.Persisted{Txn: c.Txn})
	case ctx.Err() != nil:
	case errors.As(err, &refusal) && (refusal.Code == sdk.CodeExhausted || refusal.Code == sdk.CodeTooLarge):
		s.Push(mind.Refused{Txn: c.Txn, Err: refusal})
	default:
		s.end(err)
	}
}

// retryPause is between two tries of a transaction.
const retryPause = 100 * time.Millisecond

// write commits ops under the guard, until it is known whether they are done.
func (s *Scheduler[M]) write(ctx context.Context, ops []store.Op) error {
	for {
		result, err := s.space.Commit(ctx, store.Txn{If: []store.Compare{s.lead.Guard()}, Then: ops})
		switch {
		case err == nil && result.Held:
			return nil
		case err == nil:
			return s.deposed()
		case ctx.Err() != nil:
			return context.Cause(ctx)
		}
		switch sdk.CodeOf(err) {
		case sdk.CodeUnknown, sdk.CodeUnavailable, sdk.CodeInternal:
			s.log.Warn("the store does not answer; tried again", "error", err)
		default:
			return err
		}
		select {
		case <-time.After(retryPause):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
