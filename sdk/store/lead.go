package store

import (
	"context"
	"sync"
	"time"

	"github.com/profferhq/proffer/sdk"
)

// Leadership is the possession of a key by a lease of its own.
type Leadership struct {
	space *Space
	key   string
	lease string
	ttl   time.Duration
	lost  chan struct{}
	stop  context.CancelFunc
	over  chan struct{} // the keeper has ended

	mu        sync.Mutex
	confirmed time.Time
}

// Lead waits until it holds the key, with that value, by a lease of its own, and
// keeps the lease alive from then on. When another leader's key goes, it has it one
// round trip later. ctx bounds the waiting only: the leadership lasts until it is
// lost or resigned. It fails when ctx ends (its error) or a master refuses.
func (s *Space) Lead(ctx context.Context, key, value string, ttl time.Duration) (*Leadership, error) {
	for {
		l, err := s.candidate(ctx, key, ttl)
		if err == nil {
			if err = l.campaign(ctx, value); err == nil {
				return l, nil
			}
			l.withdraw()
		}
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		// A lease that ended while it waited is no reason to give up.
		if final(err) && sdk.CodeOf(err) != sdk.CodeNotFound && sdk.CodeOf(err) != sdk.CodeGone {
			return nil, err
		}
		if err := pause(ctx, retryPause); err != nil {
			return nil, err
		}
	}
}

// candidate takes the lease with which to lead, and keeps it alive.
func (s *Space) candidate(ctx context.Context, key string, ttl time.Duration) (*Leadership, error) {
	asked := time.Now()
	lease, err := s.Grant(ctx, ttl)
	if err != nil {
		return nil, err
	}
	keep, stop := context.WithCancel(context.Background())
	l := &Leadership{space: s, key: key, lease: lease, ttl: ttl, confirmed: asked,
		lost: make(chan struct{}), stop: stop, over: make(chan struct{})}
	go l.keep(keep)
	return l, nil
}

// campaign takes the key when it is free, waiting for that.
func (l *Leadership) campaign(ctx context.Context, value string) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		select {
		case <-l.lost:
			cancel(sdk.Errorf(sdk.CodeNotFound, "", "the lease %s ended while it waited for %s", l.lease, l.key))
		case <-ctx.Done():
		}
	}()
	for {
		result, err := l.space.Commit(ctx, Txn{If: []Compare{Absent(l.key)}, Then: []Op{PutHeld(l.key, []byte(value), l.lease)}})
		if err == nil && result.Held {
			return nil
		}
		if err != nil && sdk.CodeOf(err) != sdk.CodeUnknown {
			return err
		}
		// Somebody has it; after an unknown outcome it may be us.
		kv, revision, err := l.space.getAt(ctx, l.key)
		switch {
		case sdk.CodeOf(err) == sdk.CodeNotFound && err != nil:
			continue
		case err != nil:
			return err
		case kv.Lease == l.lease:
			return nil
		}
		if err := l.await(ctx, revision); err != nil {
			return err
		}
	}
}

// await waits until the key has gone that another held at the revision. That may be far
// later than the key's own, which the history need not reach back to.
func (l *Leadership) await(ctx context.Context, revision uint64) error {
	for event, err := range l.space.Watch(ctx, l.key, revision) {
		if IsCompacted(err) {
			return pause(ctx, retryPause) // a long absence, or a restore: look again
		}
		if err != nil {
			return err
		}
		if event.KV.Key == l.key {
			return nil
		}
	}
	return nil
}

const (
	// keepEvery is the part of its time-to-live after which a lease is kept alive. One
	// try has as long, so that others are asked in time when a master stands still,
	keepEvery = 3
	// but not less than this, where the time-to-live allows it.
	keepTry = time.Second
)

// keep renews the lease until ctx ends, or the store says that it has ended.
func (l *Leadership) keep(ctx context.Context) {
	defer close(l.over)
	for {
		if pause(ctx, l.ttl/keepEvery) != nil {
			return
		}
		for {
			asked := time.Now()
			try, cancel := context.WithTimeout(ctx, min(max(l.ttl/keepEvery, keepTry), l.ttl))
			err := l.space.KeepAlive(try, l.lease)
			cancel()
			if err == nil {
				l.mu.Lock()
				l.confirmed = asked
				l.mu.Unlock()
				break
			}
			if ctx.Err() != nil {
				return
			}
			if final(err) {
				close(l.lost)
				return
			}
			if pause(ctx, retryPause) != nil {
				return
			}
		}
	}
}

// Lost is closed when the store says that the lease has ended. While no master
// answers, the lease does not end, and neither does the leadership; a holder that
// is cut off from a cluster that goes on learns of its loss late. What protects
// the state is Guard; Confirmed tells when the leadership was last certain.
func (l *Leadership) Lost() <-chan struct{} { return l.lost }

// Confirmed is the time at which the leadership was certain to be held: until a
// time-to-live later nobody else can have it.
func (l *Leadership) Confirmed() time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.confirmed
}

// Lease is the id of the lease; further keys may be attached to it (PutHeld).
func (l *Leadership) Lease() string { return l.lease }

// Guard is the condition that the leadership is still held. A transaction with it
// can not be done by a leader of the past.
func (l *Leadership) Guard() Compare { return HeldBy(l.key, l.lease) }

// Resign gives the leadership up: its key is deleted and the next has it at once.
// When no master can be asked the lease runs out by itself. It is to be called
// once, also after the leadership was lost.
func (l *Leadership) Resign(ctx context.Context) error {
	l.stop()
	<-l.over
	return l.space.Revoke(ctx, l.lease)
}

// withdraw resigns for a candidate that may not wait any longer.
func (l *Leadership) withdraw() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = l.Resign(ctx) // else it runs out
}
