package masters_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptrace"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/masters"
)

// hosts is a network whose masters answer after a while; below zero: never.
type hosts map[string]struct {
	work, health time.Duration
	leads        string // whom it redirects those to who look for the leader
}

func (h hosts) RoundTrip(r *http.Request) (*http.Response, error) {
	if trace := httptrace.ContextClientTrace(r.Context()); trace != nil {
		trace.GotConn(httptrace.GotConnInfo{})
	}
	m, d := h[r.URL.Host], h[r.URL.Host].work
	if r.URL.Path == "/health" {
		d = m.health
	}
	answers := time.NewTimer(max(d, 0))
	defer answers.Stop()
	if d < 0 {
		answers.Stop()
	}
	select {
	case <-answers.C:
	case <-r.Context().Done():
		return nil, context.Cause(r.Context())
	}
	resp := &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(r.URL.Host)), Header: http.Header{}}
	if r.URL.Path == "/redirect" && m.leads != "" {
		resp.StatusCode = http.StatusTemporaryRedirect
		resp.Header.Set("Location", "//"+m.leads)
	}
	return resp, nil
}

// asks makes a request and tells who answered, and after how long.
func asks(t *testing.T, c *masters.Client, r masters.Request) (who string, took time.Duration, err error) {
	t.Helper()
	began := time.Now()
	r.Op, r.Path = "ask", "/x"
	resp, err := c.Do(t.Context(), r)
	if err != nil {
		return "", time.Since(began), err
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	return string(text), time.Since(began), err
}

const never = -1

// TestASilentMasterIsGivenUp: a master that is stopped or cut off keeps a request for as
// long as it takes to see that it does not live, and the next one is not asked of it.
func TestASilentMasterIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := hosts{"a:1": {work: never, health: never}, "b:1": {}, "c:1": {}}
		c, err := masters.New(masters.Options{Addrs: []string{"a:1", "b:1"}, Transport: net})
		if err != nil {
			t.Fatal(err)
		}
		bound := masters.SilentAfter + masters.AliveBound
		if who, took, err := asks(t, c, masters.Request{Method: http.MethodPost}); err == nil || sdk.CodeOf(err) == sdk.CodeUnavailable || took != bound {
			t.Errorf("a write was answered by %q after %v: %v; whether it was done is not known", who, took, err)
		}
		if who, took, err := asks(t, c, masters.Request{Method: http.MethodPost}); who != "b:1" || took != 0 || err != nil {
			t.Errorf("the next was answered by %q after %v: %v", who, took, err)
		}
		c.AskLast("http://b:1")
		c.AskLast("http://a:1")
		c.AskLast("http://b:1")
		if who, took, err := asks(t, c, masters.Request{Method: http.MethodPost, Safe: true}); who != "b:1" || took != bound || err != nil {
			t.Errorf("what is safe was answered by %q after %v: %v", who, took, err)
		}
	})
}

// TestASlowMasterIsWaitedFor: one that says that it lives is not given up, nor is the only
// one that is known.
func TestASlowMasterIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := hosts{"a:1": {work: 20 * time.Second, health: masters.AliveBound - 1}, "alone:1": {work: 20 * time.Second, health: never}}
		for _, addrs := range [][]string{{"a:1", "b:1"}, {"alone:1"}} {
			c, err := masters.New(masters.Options{Addrs: addrs, Transport: net})
			if err != nil {
				t.Fatal(err)
			}
			if who, took, err := asks(t, c, masters.Request{Method: http.MethodPost}); who != addrs[0] || took != 20*time.Second || err != nil {
				t.Errorf("%v: answered by %q after %v: %v", addrs, who, took, err)
			}
		}
	})
}

// TestAbandoned: a leader is given up when a heartbeat is overdue, it shows no sign of life
// and another one leads, and for no less.
func TestAbandoned(t *testing.T) {
	const beat = 2 * time.Second
	for name, c := range map[string]struct {
		health time.Duration
		leads  string
		spoke  bool // it goes on speaking
		want   time.Duration
	}{
		"silent, another leads": {never, "c:1", false, 2 * beat},
		"silent, nobody knows":  {never, "", false, 0},
		"silent, it leads":      {never, "a:1", false, 0},
		"it lives":              {0, "c:1", false, 0}, // under another name, or about to know
		"it speaks":             {never, "c:1", true, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				net := hosts{"a:1": {health: c.health}, "b:1": {leads: c.leads}, "c:1": {}}
				client, err := masters.New(masters.Options{Addrs: []string{"a:1", "b:1"}, Transport: net})
				if err != nil {
					t.Fatal(err)
				}
				began := time.Now()
				silence := func() time.Duration {
					if c.spoke {
						return beat
					}
					return time.Since(began)
				}
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				err = client.AwaitAbandoned(ctx, "http://a:1", beat, silence)
				if took := time.Since(began); (err == nil) != (c.want > 0) || err == nil && took != c.want {
					t.Errorf("it ended after %v: %v", took, err)
				}
				if who, _, err := asks(t, client, masters.Request{Method: http.MethodPost}); err != nil || (who == "c:1") != (c.want > 0) {
					t.Errorf("then %q was asked: %v", who, err)
				}
			})
		})
	}
}
