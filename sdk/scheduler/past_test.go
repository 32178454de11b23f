package scheduler_test

import (
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/profferhq/proffer/sdk/scheduler"
	"github.com/profferhq/proffer/sdk/sdktest"
	"github.com/profferhq/proffer/sdk/store"
)

// subscribing counts the calls that open a stream.
type subscribing struct{ calls atomic.Int64 }

func (s *subscribing) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Path == "/api/v1/scheduler" && req.Header.Get("Mesos-Stream-Id") == "" {
		s.calls.Add(1)
	}
	return http.DefaultTransport.RoundTrip(req)
}

// TestOneOfThePast: a scheduler that does not lead any more, and has not noticed, does not
// take the framework from the one that does.
func TestOneOfThePast(t *testing.T) {
	k := sdktest.New(t, sdktest.Options{})
	o := scheduler.DefaultOptions("errands")
	way := &subscribing{}
	o.Addrs, o.Token, o.Bind, o.Transport = []string{k.Addr()}, k.Token(), "127.0.0.1", way
	s, err := scheduler.New(o, scheduler.Program[*errands]{Load: load})
	if err != nil {
		t.Fatal(err)
	}
	r := &running{s, sdktest.Go(t, s.Run)}
	await(t, "it is subscribed", func() bool { return s.Standing().FrameworkID != "" })
	space, err := store.Open(k.Store("errands", "errands"))
	if err != nil {
		t.Fatal(err)
	}
	do(t, r, "true")
	k.DropStreams()
	await(t, "it is subscribed again", func() bool { return way.calls.Load() == 2 })
	do(t, r, "true")
	if _, err := space.Commit(t.Context(), store.Txn{Then: []store.Op{store.Put("leader", []byte("me"))}}); err != nil {
		t.Fatal(err)
	}
	was := way.calls.Load()
	k.DropStreams()
	await(t, "it leads no longer", func() bool { return !s.Standing().Leads })
	if n := way.calls.Load() - was; n != 0 {
		t.Errorf("it subscribed %d times", n)
	}
	if err := r.Stop(); err != nil {
		t.Error(err)
	}
}
