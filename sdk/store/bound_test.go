package store_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/store"
)

// stuck is a network whose master gives at most the head of an answer.
type stuck struct{ head bool }

func (s stuck) RoundTrip(r *http.Request) (*http.Response, error) {
	if !s.head {
		<-r.Context().Done()
		return nil, context.Cause(r.Context())
	}
	body, w := io.Pipe()
	context.AfterFunc(r.Context(), func() { _ = w.CloseWithError(context.Cause(r.Context())) })
	return &http.Response{StatusCode: http.StatusOK, Body: body, Header: http.Header{"Content-Type": {"application/x-msgpack"}}, Request: r}, nil
}

// TestEveryCallIsBounded: whatever the masters do, a call ends within CallBound, and one
// that may be made again within the patience and CallBound; of a write that may have been
// done nobody knows.
func TestEveryCallIsBounded(t *testing.T) {
	calls := map[string]func(ctx context.Context, s *store.Space) error{
		"get":    func(ctx context.Context, s *store.Space) error { _, err := s.Get(ctx, "k"); return err },
		"list":   func(ctx context.Context, s *store.Space) error { _, _, err := s.List(ctx, ""); return err },
		"keep":   func(ctx context.Context, s *store.Space) error { return s.KeepAlive(ctx, "1") },
		"commit": func(ctx context.Context, s *store.Space) error { _, err := s.Commit(ctx, store.Txn{}); return err },
		"grant":  func(ctx context.Context, s *store.Space) error { _, err := s.Grant(ctx, time.Second); return err },
		"revoke": func(ctx context.Context, s *store.Space) error { return s.Revoke(ctx, "1") },
	}
	for name, call := range calls {
		for _, head := range []bool{false, true} {
			for _, patience := range []time.Duration{0, 15 * time.Second} {
				synctest.Test(t, func(t *testing.T) {
					s := open(t, store.Options{Addrs: []string{"a:1"}, Space: "s", Transport: stuck{head}, Patience: patience})
					began := time.Now()
					err := call(t.Context(), s)
					took, again := time.Since(began), strings.Contains("get list keep", name)
					most := store.CallBound
					if again {
						most += patience
					}
					if took > most || took < store.CallBound || sdk.CodeOf(err) != sdk.CodeUnknown || again && patience > 0 && took < 2*store.CallBound {
						t.Errorf("%s (head %v, patience %v): %v after %v", name, head, patience, err, took)
					}
				})
			}
		}
	}
}

// TestAWatchLeavesAMasterWithoutLife: a stream on which nothing comes, of a master that does
// not say that it lives, is left before the third heartbeat.
func TestAWatchLeavesAMasterWithoutLife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked []time.Duration
		began := time.Now()
		s := open(t, store.Options{Addrs: []string{"a:1"}, Space: "s", Transport: asks(func(r *http.Request) (*http.Response, error) {
			if r.URL.Path != "/health" {
				asked = append(asked, time.Since(began))
			}
			return stuck{r.URL.Path != "/health"}.RoundTrip(r)
		})})
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		for range s.Watch(ctx, "", 0) {
			continue
		}
		if len(asked) < 2 || asked[1] < 6*time.Second || asked[1] > 10*time.Second {
			t.Errorf("it was asked after %v", asked)
		}
	})
}

type asks func(*http.Request) (*http.Response, error)

func (a asks) RoundTrip(r *http.Request) (*http.Response, error) { return a(r) }
