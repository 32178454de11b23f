package scheduler

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/profferhq/proffer/sdk"
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

// standby is a copy of the space that follows it, so that a scheduler that waits to lead
// has everything when it does.
type standby struct {
	mu   sync.Mutex
	kvs  map[string]sdk.StoreKV
	at   uint64        // all changes up to this revision are in kvs; 0: nothing is
	news chan struct{} // closed by the next change
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
	b.kvs = map[string]sdk.StoreKV{}
	for _, kv := range kvs {
		b.kvs[kv.Key] = kv
	}
	b.told(at)
}

func (b *standby) apply(e store.Event) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if e.Deleted {
		delete(b.kvs, e.KV.Key)
	} else {
		b.kvs[e.KV.Key] = e.KV
	}
	if !e.More {
		b.told(e.Revision)
	}
}

// told notes that everything up to a revision is there. The caller holds mu.
func (b *standby) told(at uint64) {
	b.at = at
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
		at, news := b.at, b.news
		var kvs []sdk.StoreKV
		if at >= revision {
			kvs = slices.SortedFunc(maps.Values(b.kvs), func(x, y sdk.StoreKV) int { return strings.Compare(x.Key, y.Key) })
		}
		b.mu.Unlock()
		switch {
		case at == 0:
			return nil, false
		case at >= revision:
			return kvs, true
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
