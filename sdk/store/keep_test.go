package store_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/sdktest"
	"github.com/profferhq/proffer/sdk/store"
	"github.com/profferhq/proffer/sdk/wire"
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

// counting is a network whose requests are counted, and that are refused when there are
// too many: they would go on for ever without that any time passes.
type counting struct {
	http.RoundTripper
	most  int64
	count atomic.Int64
}

func (c *counting) RoundTrip(req *http.Request) (*http.Response, error) {
	if c.count.Add(1) > c.most {
		<-req.Context().Done()
		return nil, context.Cause(req.Context())
	}
	return c.RoundTripper.RoundTrip(req)
}

// Who waits for a leader that has held its key since before what the history reaches back
// to waits as quietly as any other, and has the key when it goes.
func TestWaitingForALeaderOfLongAgo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := &sdktest.Memory{}
		k := sdktest.New(t, sdktest.Options{Network: net})
		space := func(o store.Options, rt http.RoundTripper) *store.Space {
			o.Transport = rt
			return open(t, o)
		}
		s := space(k.Store("svc", "state"), net)
		holder, err := s.Lead(t.Context(), "leader", "first", 10*time.Second)
		if err != nil {
			t.Fatal(err)
		}
		for range 50 {
			var puts []store.Op
			for i := range 100 {
				puts = append(puts, store.Put(fmt.Sprint("k", i), nil))
			}
			if _, err := s.Commit(t.Context(), store.Txn{Then: puts}); err != nil {
				t.Fatal(err)
			}
		}
		kv, err := s.Get(t.Context(), "leader")
		if err != nil {
			t.Fatal(err)
		}
		for _, err := range s.Watch(t.Context(), "leader", kv.Modified) {
			if !store.IsCompacted(err) {
				t.Fatalf("the history reaches back to the key: %v", err)
			}
			break
		}
		const minute, ttl = time.Minute, 10 * time.Second
		c := &counting{RoundTripper: net, most: 100} // it keeps a lease alive meanwhile
		second := space(k.Store("svc", "state"), c)
		led := make(chan error, 1)
		ctx, cancel := context.WithTimeout(t.Context(), 2*minute)
		defer cancel()
		go func() {
			l, err := second.Lead(ctx, "leader", "second", ttl)
			if err == nil {
				err = l.Resign(ctx)
			}
			led <- err
		}()
		<-time.After(minute)
		if n := c.count.Load(); n > c.most {
			t.Errorf("it has asked %d times in a minute", n)
		}
		if err := holder.Resign(t.Context()); err != nil {
			t.Fatal(err)
		}
		gone := time.Now()
		if err := <-led; err != nil || time.Since(gone) > time.Second {
			t.Errorf("after %v: %v", time.Since(gone), err)
		}
	})
}

// Where no history is kept at all it is looked at now and then.
func TestWaitingWithoutAHistory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := &sdktest.Memory{}
		k := sdktest.New(t, sdktest.Options{Network: net})
		o := k.Store("svc", "state")
		o.Transport, o.Encoding = net, wire.JSON
		holder, err := open(t, o).Lead(t.Context(), "leader", "first", time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = holder.Resign(t.Context()) }()
		c := &counting{most: 1000}
		c.RoundTripper = asks(func(r *http.Request) (*http.Response, error) {
			body, err := r.GetBody()
			if err != nil {
				return nil, err
			}
			text, err := io.ReadAll(body)
			if err != nil {
				return nil, err
			}
			if bytes.Contains(text, []byte("WATCH")) {
				return &http.Response{StatusCode: http.StatusGone, Body: http.NoBody, Header: http.Header{}, Request: r}, nil
			}
			return net.RoundTrip(r)
		})
		o.Transport = c
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		if _, err := open(t, o).Lead(ctx, "leader", "second", time.Hour); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v", err)
		}
		if n := c.count.Load(); n > 400 || n < 100 {
			t.Errorf("it has asked %d times in ten seconds", n)
		}
	})
}
