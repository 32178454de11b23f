package scheduler_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"testing"

	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/scheduler"
	"github.com/profferhq/proffer/sdk/sdktest"
	"github.com/profferhq/proffer/sdk/store"
)

// late keeps the first request that writes an errand, as a master does that stands
// still, and lets it go when it is told to.
type late struct {
	mu   sync.Mutex
	held *http.Request
	body []byte
}

func (l *late) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Body == nil {
		return http.DefaultTransport.RoundTrip(req)
	}
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	_ = req.Body.Close()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.held == nil && bytes.Contains(body, []byte(prefix)) {
		l.held, l.body = req.Clone(context.Background()), body
		return nil, errors.New("the connection was lost")
	}
	req.Body = io.NopCloser(bytes.NewReader(body))
	return http.DefaultTransport.RoundTrip(req)
}

// TestLateTransaction: a try of a transaction that comes after what followed it changes
// nothing.
func TestLateTransaction(t *testing.T) {
	k := sdktest.New(t, sdktest.Options{})
	o := scheduler.DefaultOptions("errands")
	way := &late{}
	o.Addrs, o.Token, o.Bind, o.Transport = []string{k.Addr()}, k.Token(), "127.0.0.1", way
	s, err := scheduler.New(o, scheduler.Program[*errands]{Load: load})
	if err != nil {
		t.Fatal(err)
	}
	r := &running{s, sdktest.Go(t, s.Run)}
	await(t, "it is subscribed", func() bool { return s.Standing().FrameworkID != "" })
	do(t, r, "true")
	if way.held == nil {
		t.Fatal("no request was held")
	}
	way.held.Body = io.NopCloser(bytes.NewReader(way.body))
	resp, err := http.DefaultTransport.RoundTrip(way.held)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	space, err := store.Open(k.Store("errands", "errands"))
	if err != nil {
		t.Fatal(err)
	}
	var kvs []sdk.StoreKV
	if kvs, _, err = space.List(t.Context(), prefix); err != nil || len(kvs) > 0 {
		t.Errorf("%v is stored again, %v", kvs, err)
	}
	do(t, r, "true") // and it goes on
	if err := r.Stop(); err != nil {
		t.Error(err)
	}
}
