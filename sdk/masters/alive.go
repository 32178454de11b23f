package masters

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"sync"
	"time"
)

const (
	// SilentAfter is how long a master may leave a request without an answer before it is
	// asked whether it lives.
	SilentAfter = time.Second
	// maxSilent is the longest pause to the next such question.
	maxSilent = 4 * time.Second
	// AliveBound is how long a master that lives may take to say so.
	AliveBound = 2 * time.Second
)

// errSilent ends a request to a master that shows no sign of life.
var errSilent = errors.New("the master shows no sign of life")

// attend is send, given up when the master shows no sign of life meanwhile and there are
// others: one that is stopped or cut off holds a connection, and says nothing on it.
func (c *Client) attend(ctx context.Context, target *url.URL, r Request) (*http.Response, error) {
	if len(c.known()) < 2 || r.Only != "" {
		return c.send(ctx, target, r)
	}
	ctx, end := context.WithCancelCause(ctx)
	waiting, answered := context.WithCancel(ctx)
	defer answered()
	var once sync.Once // a request that the transport repeats gets a second connection
	traced := httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) {
		once.Do(func() {
			go func() {
				if c.awaitSilence(waiting, target) {
					end(errSilent)
				}
			}()
		})
	}})
	resp, err := c.send(traced, target, r)
	if err != nil {
		if context.Cause(ctx) == errSilent {
			err = &url.Error{Op: r.Method, URL: target.String(), Err: errSilent}
		}
		end(nil)
		return nil, err
	}
	resp.Body = &attended{resp.Body, end}
	return resp, nil
}

// attended is an answer's body, whose Close ends the request's context.
type attended struct {
	io.ReadCloser
	end context.CancelCauseFunc
}

func (a *attended) Close() error {
	err := a.ReadCloser.Close()
	a.end(nil)
	return err
}

// awaitSilence asks a master again and again whether it lives, until it does not say so
// (true) or ctx ends. The longer it takes, the rarer it is asked: a new leader has its hands
// full with those that come back to it.
func (c *Client) awaitSilence(ctx context.Context, target *url.URL) bool {
	for pause := SilentAfter; ; pause = min(2*pause, maxSilent) {
		tick := time.NewTimer(pause)
		select {
		case <-tick.C:
		case <-ctx.Done():
			tick.Stop()
			return false
		}
		if !c.lives(ctx, target, AliveBound) {
			return ctx.Err() == nil
		}
	}
}

// lives tells whether a master answers at all within a bound, whatever it says.
func (c *Client) lives(ctx context.Context, base *url.URL, bound time.Duration) bool {
	ctx, cancel := context.WithTimeout(ctx, bound)
	defer cancel()
	u := &url.URL{Scheme: base.Scheme, Host: base.Host, Path: "/health"}
	resp, err := c.send(ctx, u, Request{Op: "look whether a master lives", Method: http.MethodGet})
	if err != nil {
		return false
	}
	_ = resp.Body.Close()
	return true
}

// AwaitSilence returns nil when the master at the base URL shows no sign of life after the
// reader of its stream has heard nothing for longer than its heartbeat; otherwise it
// returns ctx's error. That one is asked last from then on.
func (c *Client) AwaitSilence(ctx context.Context, base string, heartbeat time.Duration, silence func() time.Duration) error {
	u, err := baseURL(base)
	if err != nil {
		return err
	}
	err = overdue(ctx, heartbeat, silence, func() bool { return !c.lives(ctx, u, aliveWithin(heartbeat)) })
	if err == nil {
		c.AskLast(base)
	}
	return err
}

// AwaitAbandoned is AwaitSilence for who needs the leader itself: it goes on while nobody
// says that another master leads, and has that one asked first then.
func (c *Client) AwaitAbandoned(ctx context.Context, base string, heartbeat time.Duration, silence func() time.Duration) error {
	u, err := baseURL(base)
	if err != nil {
		return err
	}
	return overdue(ctx, heartbeat, silence, func() bool {
		now := c.whoLeads(ctx, base)
		if now == nil || now.Host == u.Host || c.lives(ctx, u, aliveWithin(heartbeat)) || ctx.Err() != nil {
			return false
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		c.demote(u.Host)
		c.leader = now
		return true
	})
}

// aliveWithin is how long a master may take to say that it lives, to the reader of a stream
// on which it speaks that often.
func aliveWithin(heartbeat time.Duration) time.Duration { return min(AliveBound, heartbeat/2) }

// overdue returns nil when a heartbeat is overdue and it is over by what is seen then.
func overdue(ctx context.Context, heartbeat time.Duration, silence func() time.Duration, over func() bool) error {
	tick := time.NewTicker(max(heartbeat/4, time.Millisecond))
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		if silence() > heartbeat+heartbeat/4 && over() && ctx.Err() == nil {
			return nil
		}
	}
}

// AskLast has the master at the base URL asked after all others, until it answers: whose
// stream has ended leads no more, or is about to, and the others know first who does.
func (c *Client) AskLast(base string) {
	u, err := baseURL(base)
	if err != nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.demote(u.Host)
}

// demote is AskLast with c.mu held.
func (c *Client) demote(host string) {
	c.failures++
	c.failed[host] = c.failures
}
