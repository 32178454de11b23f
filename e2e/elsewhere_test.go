package e2e

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/store"
)

// elsewhereBound is for calls at masters that live: a leader is found in 1.4 s, waited for
// two seconds, and the machine has its own pauses.
const elsewhereBound = 6 * time.Second

// calls are those of one kind at one master, one after the other.
type calls struct {
	good, bad int
	slowest   time.Duration // from the first try to a good answer, however many tries that took
	answered  time.Duration // the slowest try
	last      error         // of the last bad one
}

// kindsOf are the kinds of calls by the master that they are made at.
type kindsOf map[string]map[string]func(ctx context.Context) error

// elsewhere measures calls of what masters answer themselves, at all of them but one.
func (n *netCluster) elsewhere(but string) func() map[string]time.Duration {
	web := &http.Client{Transport: n.transport("c1"), CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	at := kindsOf{}
	for _, name := range n.others(but) {
		s := n.space("c1", "elsewhere", name)
		at[name] = map[string]func(ctx context.Context) error{
			"health": func(ctx context.Context) error { return n.ask(ctx, web, name, "/health", "", http.StatusOK) },
			"agents": func(ctx context.Context) error {
				return n.ask(ctx, web, name, "/api/v1", `{"type":"GET_AGENTS"}`, http.StatusOK)
			},
			"store read": func(ctx context.Context) error {
				if _, err := s.Get(ctx, "k"); sdk.CodeOf(err) != sdk.CodeNotFound { // nobody may have written it yet
					return err
				}
				return nil
			},
			"store write": func(ctx context.Context) error {
				_, err := s.Commit(ctx, store.Txn{Then: []store.Op{store.Put("k", nil)}})
				return err
			},
			"gateway": func(ctx context.Context) error {
				return n.ask(ctx, web, name, "/service/nobody/", "", http.StatusNotFound)
			},
		}
	}
	return measure(n.t, at)
}

// behind measures calls of what frameworks answer, through the gateways of all masters but
// one. What is no answer of the framework says to try again.
func (c *cluster) behind(but string, frameworks ...service) func() map[string]time.Duration {
	at := kindsOf{}
	for addr := range c.masters() {
		if addr == but {
			continue
		}
		at[addr] = map[string]func(ctx context.Context) error{}
		for _, f := range frameworks {
			at[addr][f.name] = func(context.Context) error {
				status, text, _ := c.fetch("http://" + addr + "/service/" + f.name + f.path)
				if status != http.StatusOK && status != http.StatusServiceUnavailable {
					c.t.Errorf("%s: the gateway to %s answers %d %s", addr, f.name, status, text)
				}
				if status != http.StatusOK {
					return fmt.Errorf("%d %s", status, text)
				}
				return nil
			}
		}
	}
	return measure(c.t, at)
}

// measure makes calls, one of each kind at each master every 50 ms, until what it gives is
// called; that tells the slowest of each kind. A caller who was answered badly, as is right
// where no master leads, calls again: what counts is when he has his answer, but none of his
// tries may take longer than elsewhereBound. At each master most calls of each kind must be
// answered well, or what is told is no measure of anything.
func measure(t *testing.T, at kindsOf) func() map[string]time.Duration {
	done := map[string]map[string]*calls{}
	var all sync.WaitGroup
	ctx, stop := context.WithCancel(t.Context())
	for name, kinds := range at {
		for kind, call := range kinds {
			c := &calls{}
			if done[kind] == nil {
				done[kind] = map[string]*calls{}
			}
			done[kind][name] = c
			all.Go(func() { c.run(ctx, call) })
		}
	}
	t.Cleanup(func() { stop(); all.Wait() })
	return func() map[string]time.Duration {
		t.Helper()
		stop()
		all.Wait()
		slowest := map[string]time.Duration{}
		for kind, at := range done {
			for name, c := range at {
				slowest[kind] = max(slowest[kind], c.slowest)
				if c.answered > elsewhereBound {
					t.Errorf("%s: a call of the %s was answered after %v", name, kind, c.answered)
				}
				if c.good <= c.bad {
					t.Errorf("%s: %d calls of the %s were answered well and %d not, such as: %v", name, c.good, kind, c.bad, c.last)
				} else if c.bad > 0 {
					t.Logf("%s: %d calls of the %s were answered well and %d not, such as: %v; each within %v", name, c.good, kind, c.bad, c.last, c.answered)
				}
			}
		}
		return slowest
	}
}

// run calls until the context ends; whoever has no good answer then, or fewer than bad ones,
// goes on until he has, or has waited for too long.
func (c *calls) run(ctx context.Context, call func(ctx context.Context) error) {
	over, began := ctx.Done(), time.Now()
	var late <-chan time.Time
	for {
		one, cancel := context.WithTimeout(context.Background(), 40*time.Second)
		tried := time.Now()
		err := call(one)
		cancel()
		c.answered, c.slowest = max(c.answered, time.Since(tried)), max(c.slowest, time.Since(began))
		if err == nil {
			c.good++
		} else {
			c.bad, c.last = c.bad+1, err
		}
		select {
		case <-time.After(50 * time.Millisecond):
		case <-over:
			over, late = nil, time.After(elsewhereBound+time.Second)
		case <-late:
			return
		}
		if over == nil && err == nil && c.good > c.bad {
			return
		}
		if err == nil {
			began = time.Now()
		}
	}
}

// ask posts a body, or gets where there is none, and reads the answer to its end; any other
// status than the one that is wanted is an error.
func (n *netCluster) ask(ctx context.Context, web *http.Client, name, path, body string, want int) error {
	method := http.MethodGet
	if body != "" {
		method = http.MethodPost
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://"+n.addrs(5050, name)+path, strings.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+n.secret)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json")
	resp, err := web.Do(req)
	if err != nil {
		return err
	}
	text, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if err == nil && resp.StatusCode != want {
		err = fmt.Errorf("%s: %s", resp.Status, text)
	}
	return err
}
