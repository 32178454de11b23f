package scheduler

import (
	"context"
	"errors"
	"slices"
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

// keyWrites is written by every transaction of a leadership, and goes with its lease.
const keyWrites = "writes"

// write commits ops under the guard, until it is known whether they are done. A try that
// nobody waits for any more may still be on its way, in a master that stands still, and
// arrive after what followed it: so each transaction has to be the one after the last.
// One that is refused after such a try might still be done, when there is room again: no
// mind may be told then that it is not, so this leadership ends, and its lease with it.
func (s *Scheduler[M]) write(ctx context.Context, ops []store.Op) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	after := store.Absent(keyWrites)
	if s.written > 0 {
		after = store.Unchanged(keyWrites, s.written)
	}
	txn := store.Txn{If: []store.Compare{s.lead.Guard(), after}, Then: append(slices.Clip(ops), store.PutHeld(keyWrites, nil, s.lead.Lease()))}
	for doubt := false; ; {
		result, err := s.space.Commit(ctx, txn)
		if err == nil && result.Held {
			s.written = result.Revision
			return nil
		}
		if err == nil {
			var done bool
			if done, err = s.done(ctx); done {
				return nil
			}
		}
		switch {
		case err == nil:
			return s.deposed()
		case ctx.Err() != nil:
			return context.Cause(ctx)
		}
		switch sdk.CodeOf(err) {
		case sdk.CodeUnknown, sdk.CodeUnavailable, sdk.CodeInternal:
			s.log.Warn("the store does not answer; tried again", "error", err)
			doubt = true
		case sdk.CodeExhausted, sdk.CodeTooLarge:
			if doubt {
				s.log.Warn("a transaction is refused of which an earlier try may still be on its way", "error", err)
				return s.deposed()
			}
			return err
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

// done tells whether a transaction that the store refuses to do was done by an earlier try.
func (s *Scheduler[M]) done(ctx context.Context) (bool, error) {
	kv, err := s.space.Get(ctx, keyWrites)
	switch {
	case err != nil && sdk.CodeOf(err) == sdk.CodeNotFound:
		return false, nil
	case err != nil:
		return false, err
	case kv.Lease != s.lead.Lease() || kv.Modified <= s.written:
		return false, nil
	}
	s.written = kv.Modified
	return true, nil
}
