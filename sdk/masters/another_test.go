package masters_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/profferhq/proffer/sdk/masters"
)

// TestAnotherLeads: the followers tell that another master leads; the one that the stream
// is of says nothing at all. The next request goes to the new one and not to the silent.
func TestAnotherLeads(t *testing.T) {
	silent := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	t.Cleanup(silent.Close)
	var leads atomic.Value
	var asked, done atomic.Int64
	follower := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/redirect" {
			asked.Add(1)
			w.Header().Set("Location", "//"+leads.Load().(string))
			w.WriteHeader(http.StatusTemporaryRedirect)
		}
	}))
	t.Cleanup(follower.Close)
	next := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { done.Add(1) }))
	t.Cleanup(next.Close)
	leads.Store("alias-of-the-silent:5050") // it may have more names than one
	c, err := masters.New(masters.Options{Addrs: []string{silent.Listener.Addr().String(), follower.Listener.Addr().String()}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	over := make(chan error, 1)
	go func() { over <- c.AwaitAnother(ctx, silent.URL, time.Millisecond) }()
	for asked.Load() < 3 {
		select {
		case err := <-over:
			t.Fatalf("it ended although the same one leads: %v", err)
		case <-time.After(time.Millisecond):
		}
	}
	leads.Store(next.Listener.Addr().String())
	if err := <-over; err != nil {
		t.Fatal(err)
	}
	resp, err := c.Do(ctx, masters.Request{Op: "x", Method: http.MethodGet, Path: "/x"})
	if err != nil || done.Load() != 1 {
		t.Fatalf("%v; the new leader got %d requests", err, done.Load())
	}
	_ = resp.Body.Close()
	short, end := context.WithTimeout(ctx, 20*time.Millisecond)
	defer end()
	if err := c.AwaitAnother(short, silent.URL, time.Millisecond); err == nil {
		t.Error("the same one leads, and it ended well")
	}
}

// TestWhoGivesNoAnswerIsAskedLast: a master that takes connections and says nothing costs
// one time-out, not one for each request.
func TestWhoGivesNoAnswerIsAskedLast(t *testing.T) {
	var calls atomic.Int64
	silent := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { calls.Add(1); <-r.Context().Done() }))
	t.Cleanup(silent.Close)
	good := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(good.Close)
	tr := masters.NewTransport()
	tr.ResponseHeaderTimeout = 20 * time.Millisecond
	c, err := masters.New(masters.Options{Addrs: []string{silent.Listener.Addr().String(), good.Listener.Addr().String()}, Transport: tr})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 4 {
		resp, err := c.Do(t.Context(), masters.Request{Op: "x", Method: http.MethodPost, Path: "/x"})
		if (err == nil) != (i > 0) {
			t.Errorf("request %d: %v", i, err)
		}
		if err == nil {
			_ = resp.Body.Close()
		}
	}
	if calls.Load() != 1 {
		t.Errorf("the silent one was asked %d times", calls.Load())
	}
}
