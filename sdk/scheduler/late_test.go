package scheduler_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
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
	full bool // refuse the try after it, as a space does that has no room
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
	if l.full && bytes.Contains(body, []byte(prefix)) {
		l.full = false
		return &http.Response{StatusCode: http.StatusTooManyRequests, Body: io.NopCloser(strings.NewReader("no room")), Header: http.Header{}, Request: req}, nil
	}
	req.Body = io.NopCloser(bytes.NewReader(body))
	return http.DefaultTransport.RoundTrip(req)
}

// TestLateTransaction: a try of a transaction that comes after what followed it changes
// nothing, also where the store has refused the next try: nobody is told that it is not
// done, and then it is.
func TestLateTransaction(t *testing.T) {
	for name, way := range map[string]*late{"the next try is done": {}, "the next try is refused": {full: true}} {
		t.Run(name, func(t *testing.T) {
			k := sdktest.New(t, sdktest.Options{})
			o := scheduler.DefaultOptions("errands")
			refused := way.full
			o.Addrs, o.Token, o.Bind, o.Transport = []string{k.Addr()}, k.Token(), "127.0.0.1", way
			s, err := scheduler.New(o, scheduler.Program[*errands]{Load: load})
			if err != nil {
				t.Fatal(err)
			}
			r := &running{s, sdktest.Go(t, s.Run)}
			await(t, "it is subscribed", func() bool { return s.Standing().FrameworkID != "" })
			if !refused {
				do(t, r, "true")
			} else if _, err := scheduler.Ask[string](t.Context(), s, "true"); sdk.CodeOf(err) != sdk.CodeUnknown {
				t.Errorf("what may still be done is answered with %v", err)
			}
			if way.held == nil {
				t.Fatal("no request was held")
			}
			await(t, "it leads", func() bool { return s.Standing().FrameworkID != "" })
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
			if kvs, _, err := space.List(t.Context(), prefix); err != nil || len(kvs) > 0 {
				t.Errorf("%v is stored late, %v", kvs, err)
			}
			do(t, r, "true") // and it goes on
			if err := r.Stop(); err != nil {
				t.Error(err)
			}
		})
	}
}
