package store_test

import (
	"context"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/sdktest"
	"github.com/profferhq/proffer/sdk/store"
)

// twoMasters are two addresses of one kernel; the first can stand still: it takes requests
// and never answers.
type twoMasters struct {
	kernel  http.RoundTripper
	addr    string
	stopped atomic.Bool
}

func (m *twoMasters) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Host == "first:5050" && m.stopped.Load() {
		<-req.Context().Done()
		return nil, context.Cause(req.Context())
	}
	there := req.Clone(req.Context())
	there.URL.Host = m.addr
	return m.kernel.RoundTrip(there)
}

// A lease is kept although the master that was asked last stands still: the others are
// asked while there is time.
func TestALeaseIsKeptWhenAMasterStandsStill(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := &sdktest.Memory{}
		k := sdktest.New(t, sdktest.Options{Network: net})
		o := k.Store("svc", "state")
		m := &twoMasters{kernel: net, addr: k.Addr()}
		o.Addrs, o.Transport = []string{"first:5050", "second:5050"}, m
		s, err := store.Open(o)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		const ttl = 10 * time.Second
		lead, err := s.Lead(t.Context(), "leader", "", ttl)
		if err != nil {
			t.Fatal(err)
		}
		m.stopped.Store(true)
		for end := time.Now().Add(time.Minute); time.Now().Before(end); {
			<-time.After(time.Second)
			if since := time.Since(lead.Confirmed()); since >= ttl {
				t.Errorf("the lease was kept alive %v ago", since)
				break
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), ttl)
		defer cancel()
		if result, err := s.Commit(ctx, store.Txn{If: []store.Compare{lead.Guard()}}); err != nil || !result.Held {
			t.Errorf("%+v %v", result, err)
		}
		if err := lead.Resign(ctx); err != nil && sdk.CodeOf(err) != sdk.CodeNotFound {
			t.Error(err)
		}
	})
}
