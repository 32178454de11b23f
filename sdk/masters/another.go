package masters

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/profferhq/proffer/sdk"
)

// lookBound is how long a master may think about who leads.
const lookBound = 3 * time.Second

// AwaitAnother returns nil when the masters say that another one leads than they said at
// first, and has that one asked first from then on; otherwise it returns ctx's error. It
// is for who holds a stream of the leader at the base URL: a leader that is cut off or
// stopped ends no stream. That one is not asked; of the others one is, at once and then
// after each pause. Where only one master is known there is nobody to ask.
func (c *Client) AwaitAnother(ctx context.Context, base string, every time.Duration) error {
	tick := time.NewTicker(every)
	defer tick.Stop()
	var first *url.URL
	for {
		switch now := c.whoLeads(ctx, base); {
		case now == nil:
		case first == nil:
			first = now
		case now.Host != first.Host:
			c.mu.Lock()
			c.leader = now
			c.mu.Unlock()
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// FindLeader finds out who leads, where that is not known and several masters are, before a
// request that may be made only once: the first of the masters may be one that is stopped,
// and what it has been sent may or may not be done. It waits for three seconds at each
// master that gives no answer, and is no error where none knows.
func (c *Client) FindLeader(ctx context.Context) {
	if c.Leader() != "" || len(c.known()) < 2 {
		return
	}
	if u := c.whoLeads(ctx, ""); u != nil {
		c.mu.Lock()
		c.leader = u
		c.mu.Unlock()
	}
}

// whoLeads asks the masters but one, until one of them knows; nil: none does.
func (c *Client) whoLeads(ctx context.Context, but string) *url.URL {
	for _, base := range c.known() {
		if base.Scheme+"://"+base.Host == but {
			continue
		}
		if u, err := c.redirection(ctx, base); err == nil {
			return u
		}
	}
	return nil
}

// redirection is where a master leads those who look for the leader, as Mesos's do.
func (c *Client) redirection(ctx context.Context, base *url.URL) (*url.URL, error) {
	ctx, cancel := context.WithTimeout(ctx, lookBound)
	defer cancel()
	resp, err := c.send(ctx, base.JoinPath("redirect"), Request{Op: "look for the leader", Method: http.MethodGet})
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	to, err := base.Parse(resp.Header.Get("Location"))
	if err != nil || resp.StatusCode != http.StatusTemporaryRedirect || to.Host == "" {
		return nil, sdk.Errorf(sdk.CodeUnavailable, "", "%s knows no leader", base.Host)
	}
	c.learn(base, resp) // not of one that knows no leader: it may be cut off from the others, or removed
	return &url.URL{Scheme: base.Scheme, Host: to.Host}, nil
}
