package scheduler

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/sdktest"
	"github.com/profferhq/proffer/sdk/store"
)

func keys(kvs []sdk.StoreKV) (all []string) {
	for _, kv := range kvs {
		all = append(all, kv.Key+"="+string(kv.Value))
	}
	return all
}

func change(revision uint64, key, value string, more bool) store.Event {
	return store.Event{Revision: revision, Deleted: value == "", KV: sdk.StoreKV{Key: key, Value: []byte(value)}, More: more}
}

// A copy is given only whole: with all changes up to the revision, and not in the middle
// of one.
func TestACopyIsGivenWhole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newStandby()
		if _, ok := b.warm(t.Context(), 0); ok {
			t.Error("a copy that was never made was given")
		}
		b.reset([]sdk.StoreKV{{Key: "b", Value: []byte("1")}, {Key: "a", Value: []byte("1")}}, 5)
		if kvs, ok := b.warm(t.Context(), 4); !ok || !slices.Equal(keys(kvs), []string{"a=1", "b=1"}) {
			t.Errorf("%v %v", keys(kvs), ok)
		}
		begin := time.Now()
		if _, ok := b.warm(t.Context(), 6); ok || time.Since(begin) != warmBound {
			t.Errorf("what has not come was given, after %v", time.Since(begin))
		}
		got := make(chan []string)
		go func() {
			kvs, _ := b.warm(t.Context(), 7)
			got <- keys(kvs)
		}()
		synctest.Wait()
		b.apply(change(7, "a", "", true))
		synctest.Wait()
		select {
		case kvs := <-got:
			t.Errorf("half a change was given: %v", kvs)
		default:
		}
		if kvs, ok := b.warm(t.Context(), 5); !ok || !slices.Equal(keys(kvs), []string{"a=1", "b=1"}) {
			t.Errorf("in the middle of a change: %v %v", keys(kvs), ok)
		}
		b.apply(change(7, "c", "2", false))
		if kvs := <-got; !slices.Equal(kvs, []string{"b=1", "c=2"}) {
			t.Errorf("given: %v", kvs)
		}
	})
}

// What follows a space has what was written to it, without reading it again.
func TestFollows(t *testing.T) {
	k := sdktest.New(t, sdktest.Options{})
	space, err := store.Open(k.Store("p", "s"))
	if err != nil {
		t.Fatal(err)
	}
	defer space.Close()
	put := func(key, value string) uint64 {
		r, err := space.Commit(t.Context(), store.Txn{Then: []store.Op{store.Put(key, []byte(value))}})
		if err != nil {
			t.Fatal(err)
		}
		return r.Revision
	}
	put("a", "1")
	ctx, cancel := context.WithCancelCause(t.Context())
	b, over := newStandby(), make(chan struct{})
	go func() {
		defer close(over)
		b.follow(ctx, space)
	}()
	for news := b.bell(); !b.follows(); news = b.bell() {
		<-news
	}
	last := put("b", "2")
	if kvs, ok := b.warm(t.Context(), last); !ok || !slices.Equal(keys(kvs), []string{"a=1", "b=2"}) {
		t.Errorf("%v %v", keys(kvs), ok)
	}
	cancel(errors.New("the end"))
	<-over
}

func (b *standby) follows() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.copy.At() > 0
}

func (b *standby) bell() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.news
}
