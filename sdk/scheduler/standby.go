package scheduler

import (
	"context"
	"sync"
	"time"

	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/scheduler/mind"
	"github.com/profferhq/proffer/sdk/store"
)

const (
	// standbyAfter is how long a scheduler waits to lead before it begins to follow the
	// space: one that leads at once need not.
	standbyAfter = 200 * time.Millisecond
	// warmBound is how long a new leader waits for the rest of what it has followed; then
	// it reads the whole space.
	warmBound = time.Second
	// followPause is between two tries to follow.
	followPause = time.Second
)

// standby is a copy of the space that follows it (mind.Copy), for whoever waits for it.
type standby struct {
	mu   sync.Mutex
	copy mind.Copy
	news chan struct{} // closed by the next revision
}

func newStandby() *standby { return &standby{news: make(chan struct{})} }

// follow keeps the copy until ctx ends.
func (b *standby) follow(ctx context.Context, space *store.Space) {
	select {
	case <-time.After(standbyAfter):
	case <-ctx.Done():
		return
	}
	for ctx.Err() == nil {
		kvs, at, err := space.List(ctx, "")
		if err == nil {
			b.reset(kvs, at)
			for e, werr := range space.Watch(ctx, "", at) {
				if werr != nil {
					err = werr
					break
				}
				b.apply(e)
			}
		}
		if store.IsCompacted(err) {
			continue // it was too slow: from the beginning
		}
		select {
		case <-time.After(followPause):
		case <-ctx.Done():
		}
	}
}

func (b *standby) reset(kvs []sdk.StoreKV, at uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.copy.Reset(kvs, at)
	b.told()
}

func (b *standby) apply(e store.Event) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.copy.Apply(e.Revision, sdk.StoreChange{Deleted: e.Deleted, KV: e.KV}, e.More) {
		b.told()
	}
}

// told notes that there is more. The caller holds mu.
func (b *standby) told() {
	close(b.news)
	b.news = make(chan struct{})
}

// warm is the whole space, sorted by key, with everything up to a revision; false where
// it is not there within warmBound.
func (b *standby) warm(ctx context.Context, revision uint64) ([]sdk.StoreKV, bool) {
	bound := time.NewTimer(warmBound)
	defer bound.Stop()
	for {
		b.mu.Lock()
		at, news := b.copy.At(), b.news
		kvs, whole := b.copy.Upto(revision)
		b.mu.Unlock()
		if whole || at == 0 {
			return kvs, whole
		}
		select {
		case <-news:
		case <-bound.C:
			return nil, false
		case <-ctx.Done():
			return nil, false
		}
	}
}
