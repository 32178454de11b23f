package masters_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/profferhq/proffer/sdk/masters"
)

// replaced is a cluster whose masters give way to others at other addresses: each that
// lives names those that do.
type replaced struct {
	mu    sync.Mutex
	live  []string
	asked []string
}

func (c *replaced) lives(hosts ...string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.live = hosts
}

func (c *replaced) RoundTrip(req *http.Request) (*http.Response, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asked = append(c.asked, req.URL.Host)
	if !slices.Contains(c.live, req.URL.Host) {
		return nil, errors.New("nobody is there")
	}
	h := http.Header{masters.HeaderMasters: {strings.Join(c.live, ",")}}
	status := http.StatusOK
	if req.URL.Path == "/redirect" {
		h.Set("Location", "//"+c.live[0])
		status = http.StatusTemporaryRedirect
	}
	return &http.Response{StatusCode: status, Header: h, Body: io.NopCloser(strings.NewReader("")), Request: req}, nil
}

// TestMastersThatTookOver: who holds a stream for long finds the masters, although none of
// those that it was told of is left.
func TestMastersThatTookOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &replaced{live: []string{"a:1", "b:1", "c:1"}}
		client, err := masters.New(masters.Options{Addrs: []string{"a:1", "b:1"}, Transport: c})
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		go client.KeepLearning(ctx)
		for _, live := range [][]string{{"a:1", "b:1", "d:1"}, {"a:1", "e:1", "d:1"}, {"f:1", "e:1", "d:1"}} {
			c.lives(live...)
			<-time.After(6 * time.Minute)
			synctest.Wait()
		}
		stop()
		synctest.Wait()
		if want := []string{"a:1", "b:1", "f:1", "e:1", "d:1"}; !slices.Equal(client.Addrs(), want) {
			t.Errorf("it knows %q, want %q", client.Addrs(), want)
		}
		if n := len(c.asked); n > 9 {
			t.Errorf("%d requests in 18 minutes: %q", n, c.asked)
		}
		ask := func() (err error) {
			resp, err := client.Do(t.Context(), masters.Request{Op: "x", Method: http.MethodPost, Path: "/x", Safe: true})
			if err == nil {
				err = resp.Body.Close()
			}
			return err
		}
		if err := ask(); err != nil {
			t.Fatalf("it finds no master: %v", err)
		}
		c.lives("f:1", "x y", "http://z:1/")
		if err := ask(); err != nil || !slices.Contains(client.Addrs(), "d:1") {
			t.Errorf("%v; names that are none were learned: %q", err, client.Addrs())
		}
	})
}

// TestWhoIsNotBelieved: a framework behind the gateway that sends elsewhere, and a master that
// knows no leader, name no masters.
func TestWhoIsNotBelieved(t *testing.T) {
	c := &hostile{}
	client, err := masters.New(masters.Options{Addrs: []string{"a:1", "b:1"}, Token: "secret", Transport: c})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.Do(t.Context(), masters.Request{Op: "x", Method: http.MethodGet, Path: "/service/web/x"}); err == nil {
		t.Error("a redirect of a framework's was followed, or is an answer")
	}
	client.FindLeader(t.Context())
	if got := client.Addrs(); len(got) != 2 || slices.Contains(c.asked, "evil:1") {
		t.Errorf("it knows %q, and asked %q", got, c.asked)
	}
}

// hostile names others than the masters wherever it can.
type hostile struct{ asked []string }

func (h *hostile) RoundTrip(req *http.Request) (*http.Response, error) {
	h.asked = append(h.asked, req.URL.Host)
	header := http.Header{masters.HeaderMasters: {"evil:1"}, "Location": {"http://evil:1/x"}}
	status := http.StatusTemporaryRedirect
	if req.URL.Path == "/redirect" {
		status = http.StatusServiceUnavailable
	}
	return &http.Response{StatusCode: status, Header: header, Body: io.NopCloser(strings.NewReader("")), Request: req}, nil
}
