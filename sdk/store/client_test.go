package store_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/sdktest"
	"github.com/profferhq/proffer/sdk/store"
)

func open(t *testing.T, o store.Options) *store.Space {
	t.Helper()
	s, err := store.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// fake is a master that answers as told, and counts.
func fake(t *testing.T, answer http.HandlerFunc) (*store.Space, *atomic.Int64) {
	t.Helper()
	var calls atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		calls.Add(1)
		_, _ = io.Copy(io.Discard, r.Body)
		answer(w, r)
	}))
	t.Cleanup(server.Close)
	return open(t, store.Options{Addrs: []string{server.Listener.Addr().String()}, Space: "s", Patience: 300 * time.Millisecond}), &calls
}

// What is not known to be refused is told as not known, and never tried again;
// what was certainly not done is tried again for as long as patience lasts.
func TestCommitTellsRefusedFromUnknown(t *testing.T) {
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		code   sdk.Code
		again  bool
	}{
		"504": {func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "lost", http.StatusGatewayTimeout) }, sdk.CodeUnknown, false},
		"500": {func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "fault", http.StatusInternalServerError) }, sdk.CodeUnknown, false},
		"429": {func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "too much", http.StatusTooManyRequests) }, sdk.CodeExhausted, false},
		"403": {func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusForbidden) }, sdk.CodeDenied, false},
		"503": {func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "no leader", http.StatusServiceUnavailable)
		}, sdk.CodeUnavailable, true},
		"broken":  {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, sdk.CodeUnknown, false},
		"garbage": {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("hello")) }, sdk.CodeUnknown, false},
		"half an answer": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "9")
			panic(http.ErrAbortHandler)
		}, sdk.CodeUnknown, false},
		"never": {func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, sdk.CodeUnknown, false},
	} {
		t.Run(name, func(t *testing.T) {
			s, calls := fake(t, c.answer)
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
			defer cancel()
			if name == "never" {
				time.AfterFunc(50*time.Millisecond, cancel)
			}
			_, err := s.Commit(ctx, store.Txn{Then: []store.Op{store.Put("k", nil)}})
			if sdk.CodeOf(err) != c.code || (calls.Load() > 1) != c.again {
				t.Errorf("%v (%s) after %d calls", err, sdk.CodeOf(err), calls.Load())
			}
			if name == "never" && !errors.Is(err, context.Canceled) {
				t.Errorf("the cause is lost: %v", err)
			}
		})
	}
}

// A cluster that nobody answers for was asked nothing.
func TestUnreachableWasNotDone(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := ln.Addr().String()
	_ = ln.Close()
	s := open(t, store.Options{Addrs: []string{addr}, Space: "s"})
	if _, err := s.Commit(t.Context(), store.Txn{}); sdk.CodeOf(err) != sdk.CodeUnavailable {
		t.Errorf("%v (%s)", err, sdk.CodeOf(err))
	}
	if _, err := store.Open(store.Options{Addrs: []string{addr}}); sdk.CodeOf(err) != sdk.CodeInvalid {
		t.Errorf("a space without a name: %v", err)
	}
}

// A watch over broken streams and new leaders gives every change once, in order;
// when the history has moved on it says so.
func TestWatchMissesAndRepeatsNothing(t *testing.T) {
	k := sdktest.New(t, sdktest.Options{})
	s := open(t, k.Store("svc", "state"))
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	const changes = 60
	go func() {
		for i := range changes {
			_, err := s.Commit(ctx, store.Txn{Then: []store.Op{store.Put("a", fmt.Append(nil, i)), store.Put("b", nil), store.Put("a/1", fmt.Append(nil, i))}})
			if err != nil {
				t.Error(err)
			}
			switch {
			case i%20 == 19:
				k.Elect()
			case i%3 == 0:
				k.DropStreams()
			}
		}
	}()
	next := 0
	for event, err := range s.Watch(ctx, "a", 0) {
		if err != nil {
			t.Fatal(err)
		}
		want, key := fmt.Sprint(next/2), []string{"a", "a/1"}[next%2]
		if string(event.KV.Value) != want || event.KV.Key != key || event.More != (next%2 == 0) {
			t.Fatalf("change %d is %+v", next, event)
		}
		if next++; next == 2*changes {
			break
		}
	}
	for range 1500 {
		if _, err := s.Commit(ctx, store.Txn{Then: []store.Op{store.Put("c1", nil), store.Put("c2", nil), store.Put("c3", nil)}}); err != nil {
			t.Fatal(err)
		}
	}
	for _, err := range s.Watch(ctx, "a", 1) {
		if !store.IsCompacted(err) || sdk.CodeOf(err) != sdk.CodeGone {
			t.Errorf("a watch from too long ago: %v", err)
		}
	}
	_, revision, err := s.List(ctx, "")
	if err != nil {
		t.Fatal(err)
	}
	short, stop := context.WithTimeout(ctx, 20*time.Millisecond)
	defer stop()
	for _, err := range s.Watch(short, "a", revision) {
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("after the end of its context: %v", err)
		}
	}
}

// Many candidates lead one after the other, never two at once; an answer that is
// lost on the way does no harm, and a leader that loses its lease learns of it.
func TestOneLeadsAtATime(t *testing.T) {
	k := sdktest.New(t, sdktest.Options{})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	k.LoseWrites(3)
	done := make(chan error, 5)
	var leading atomic.Int64
	for i := range 5 {
		s := open(t, k.Store("svc", "state"))
		go func() {
			done <- func() error {
				lead, err := s.Lead(ctx, "leader", fmt.Sprint(i), time.Minute)
				if err != nil {
					return err
				}
				if n := leading.Add(1); n != 1 {
					return fmt.Errorf("%d lead", n)
				}
				result, err := s.Commit(ctx, store.Txn{If: []store.Compare{lead.Guard()}, Then: []store.Op{store.Put(fmt.Sprint("led/", i), nil)}})
				if err != nil || !result.Held {
					return fmt.Errorf("under the guard: %+v %w", result, err)
				}
				leading.Add(-1)
				return lead.Resign(ctx)
			}()
		}()
	}
	for range 5 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	s := open(t, k.Store("svc", "state"))
	kvs, _, err := s.List(ctx, "")
	if err != nil || len(kvs) != 5 {
		t.Errorf("%v %v", kvs, err)
	}
	lead, err := s.Lead(ctx, "leader", "last", 300*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Revoke(ctx, lead.Lease()); err != nil {
		t.Fatal(err)
	}
	select {
	case <-lead.Lost():
	case <-ctx.Done():
		t.Error("the loss of the lease was not told")
	}
	if err := lead.Resign(ctx); err != nil {
		t.Errorf("to resign what is lost: %v", err)
	}
}

// A leadership is kept over a change of leaders and beyond its time-to-live.
func TestLeadershipIsKept(t *testing.T) {
	k := sdktest.New(t, sdktest.Options{})
	s := open(t, k.Store("svc", "state"))
	lead, err := s.Lead(t.Context(), "leader", "", 200*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	first := lead.Confirmed()
	k.Elect()
	deadline := time.After(20 * time.Second)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for lead.Confirmed().Sub(first) < 500*time.Millisecond {
		select {
		case <-tick.C:
		case <-lead.Lost():
			t.Fatal("lost")
		case <-deadline:
			t.Fatal("not kept alive")
		}
	}
	if err := lead.Resign(t.Context()); err != nil {
		t.Error(err)
	}
}

// A read that may have been done is made again; it changes nothing.
func TestReadsAreMadeAgain(t *testing.T) {
	s, calls := fake(t, func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "lost", http.StatusGatewayTimeout) })
	if _, err := s.Get(t.Context(), "k"); sdk.CodeOf(err) != sdk.CodeUnknown || calls.Load() < 2 {
		t.Errorf("%v after %d calls", err, calls.Load())
	}
}
