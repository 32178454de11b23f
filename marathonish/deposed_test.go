package marathonish_test

import (
	"testing"

	"github.com/profferhq/proffer/marathonish/app"
	"github.com/profferhq/proffer/marathonish/fleet"
	"github.com/profferhq/proffer/sdk/sdktest"
	"github.com/profferhq/proffer/sdk/store"
)

// TestFollowersOfEventsAreSentOn: when another marathonish leads, who follows the events of
// this one would hear nothing any more; the stream ends, so that it asks again.
func TestFollowersOfEventsAreSentOn(t *testing.T) {
	k := sdktest.New(t, sdktest.Options{Agents: []sdktest.Agent{{}}})
	r := start(t, k, nil)
	r.put(web, 1, "one")
	r.await("it runs", func() bool { return r.are("/web", 1) })
	events, leave := r.Subscribe(0)
	defer leave()
	space, err := store.Open(k.Store("marathonish", "marathonish"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := space.Commit(t.Context(), store.Txn{Then: []store.Op{store.Put("leader", []byte("another"))}}); err != nil {
		t.Fatal(err)
	}
	go func() { // a transaction that finds the guard broken
		_, _ = r.Change(t.Context(), fleet.Change{Kind: fleet.Delete, IDs: []app.ID{"/web"}})
	}()
	r.await("the stream of events ends", func() bool {
		for {
			select {
			case _, open := <-events:
				if !open {
					return true
				}
			default:
				return false
			}
		}
	})
}
