package masters

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/profferhq/proffer/sdk"
)

// Client asks the masters of one cluster.
type Client struct {
	opts  Options
	bases []*url.URL
	http  *http.Client

	mu       sync.Mutex
	learned  []*url.URL     // those that masters named in their last answer
	leader   *url.URL       // who answered last, or is said to lead; nil before that
	failed   map[string]int // hosts that have failed since their last answer, and the number of the failure
	failures int
}

// Request is one HTTP request to whichever master can answer it.
type Request struct {
	Op     string // for errors, such as "subscribe"
	Method string
	Path   string // with its query
	Header http.Header
	Body   []byte
	// Safe says that the request changes nothing, or the same when it is made twice:
	// where one master fails with it, another one is asked. GET and HEAD are.
	Safe bool
	// Only names the one master that can take the request, by its base URL (as
	// in Leader); empty for any. Its redirect is CodeUnavailable then.
	Only string
	// Refused reads an answer of status 300 or more in the form of whoever gives
	// it, such as a framework behind the gateway; nil for Refusal.
	Refused func(op string, resp *http.Response) error
}

// servicePrefix is before the paths that the gateway passes on to frameworks. A redirect of
// a framework's is not the masters', and may lead anywhere: nothing follows it with a token.
const servicePrefix = "/service/"

// maxHops bounds the redirects that one address may lead through: two masters
// that each believe in the other must not hold a request for ever.
const maxHops = 5

// New makes a client. It refuses an empty or malformed list of addresses and
// does not connect yet.
func New(o Options) (*Client, error) {
	c := &Client{opts: o, failed: map[string]int{}}
	if len(o.Addrs) == 0 {
		return nil, sdk.Errorf(sdk.CodeInvalid, "addrs", "no master is named: give an address such as 127.0.0.1:5050, or set PROFFER_ADDR")
	}
	for _, addr := range o.Addrs {
		base, err := baseURL(addr)
		if err != nil {
			return nil, err
		}
		c.bases = append(c.bases, base)
	}
	transport := o.Transport
	if transport == nil {
		transport = NewTransport()
	}
	c.http = &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return c, nil
}

// NewTransport makes the transport that a Client uses by default: no proxy, no
// compression (event streams must flow), three seconds to connect and thirty to
// the first byte of an answer.
func NewTransport() *http.Transport {
	return &http.Transport{
		DialContext:           (&net.Dialer{Timeout: 3 * time.Second, KeepAlive: 15 * time.Second}).DialContext,
		DisableCompression:    true,
		MaxIdleConnsPerHost:   16,
		IdleConnTimeout:       time.Minute,
		ResponseHeaderTimeout: 30 * time.Second,
	}
}

// Leader is the base URL ("http://host:port") of the master that answered last,
// or "" before one has.
func (c *Client) Leader() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.leader == nil {
		return ""
	}
	return c.leader.String()
}

// HTTP is the client underneath, for requests to others than masters.
func (c *Client) HTTP() *http.Client { return c.http }

// CloseIdle closes the connections that carry nothing now.
func (c *Client) CloseIdle() { c.http.CloseIdleConnections() }

// Do sends the request to the leader, wherever it is. The answer has a status
// below 300 and its body is the caller's to close; ctx governs the body too.
// Errors: *Unreachable when no master could be asked; *sdk.Error when one
// refused (CodeUnavailable when none knows a leader); ctx's error; any other
// means that the connection broke after the request was sent, so that it may or
// may not have been acted on.
//
// A master that has the request and says nothing is asked after SilentAfter, and
// then every few seconds, whether it lives; one that does not say so within AliveBound
// is given up as if the connection had broken. Where it is the only one that is
// known, or Request.Only names it, the transport's bound holds. Who failed last is
// asked last.
func (c *Client) Do(ctx context.Context, r Request) (*http.Response, error) {
	var attempts []Attempt
	var refused error
	candidates := c.candidates()
	if r.Only != "" {
		only, err := baseURL(r.Only)
		if err != nil {
			return nil, err
		}
		candidates = []*url.URL{only}
	}
	safe := r.Safe || r.Method == http.MethodGet || r.Method == http.MethodHead
	for _, base := range candidates {
		resp, err := c.ask(ctx, base, r)
		if err == nil {
			return resp, nil
		}
		network := c.suspect(ctx, err)
		switch {
		case ctx.Err() != nil:
			return nil, context.Cause(ctx)
		case notSent(err) || safe && network:
			attempts = append(attempts, Attempt{base.Host, err})
		case sdk.CodeOf(err) == sdk.CodeUnavailable:
			refused = err
			c.AskLast(base.String())
		default:
			return nil, err
		}
	}
	if refused != nil {
		return nil, refused
	}
	return nil, &Unreachable{Op: r.Op, Attempts: attempts}
}

// candidates lists whom to ask: who has answered since it last failed, the last to answer
// first; then those that have not, who failed last at the end. Each address once.
func (c *Client) candidates() []*url.URL {
	list := c.known()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.leader != nil {
		list = slices.DeleteFunc(list, func(u *url.URL) bool { return u.Host == c.leader.Host })
		list = slices.Insert(list, 0, c.leader)
	}
	slices.SortStableFunc(list, func(a, b *url.URL) int { return cmp.Compare(c.failed[a.Host], c.failed[b.Host]) })
	return list
}

// suspect has the others asked before a master that a connection broke with, and tells
// whether one did: one that is stopped takes connections, and each request to it would
// wait. That the caller has given up says nothing of the master, that its time is over does.
func (c *Client) suspect(ctx context.Context, err error) bool {
	var failed *url.Error
	if !errors.As(err, &failed) {
		return false // it answered
	}
	if errors.Is(ctx.Err(), context.Canceled) {
		return true
	}
	if u, err := url.Parse(failed.URL); err == nil {
		c.AskLast(u.Scheme + "://" + u.Host)
	}
	return true
}

// ask sends the request to one master and follows its redirects.
func (c *Client) ask(ctx context.Context, base *url.URL, r Request) (*http.Response, error) {
	target, err := base.Parse(r.Path)
	if err != nil {
		return nil, sdk.Errorf(sdk.CodeInvalid, "path", "%v", err)
	}
	for range maxHops {
		resp, err := c.attend(ctx, target, r)
		if err != nil {
			return nil, err
		}
		if resp.StatusCode == http.StatusTemporaryRedirect && !strings.HasPrefix(r.Path, servicePrefix) {
			next, err := target.Parse(resp.Header.Get("Location"))
			_ = resp.Body.Close()
			if r.Only != "" {
				return nil, sdk.Errorf(sdk.CodeUnavailable, "", "%s: master %s does not lead any more", r.Op, target.Host)
			}
			if err != nil {
				return nil, sdk.Errorf(sdk.CodeUnavailable, "", "%s: master %s redirects to nowhere: %v", r.Op, target.Host, err)
			}
			target = next
			continue
		}
		if resp.StatusCode >= 300 {
			defer func() { _ = resp.Body.Close() }()
			if r.Refused != nil {
				return nil, r.Refused(r.Op, resp)
			}
			return nil, Refusal(r.Op, resp)
		}
		c.learn(target, resp)
		c.mu.Lock()
		c.leader = &url.URL{Scheme: target.Scheme, Host: target.Host}
		delete(c.failed, target.Host)
		c.mu.Unlock()
		return resp, nil
	}
	return nil, sdk.Errorf(sdk.CodeUnavailable, "", "%s: the masters redirect in a circle, no leader is settled yet", r.Op)
}

func (c *Client) send(ctx context.Context, target *url.URL, r Request) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, r.Method, target.String(), bytes.NewReader(r.Body))
	if err != nil {
		return nil, sdk.Errorf(sdk.CodeInvalid, "path", "%v", err)
	}
	for name, values := range r.Header {
		req.Header[name] = values
	}
	if err := c.Authorize(req); err != nil {
		return nil, err
	}
	return c.http.Do(req)
}

// Authorize puts the token on a request. It fails when the token file cannot be
// read.
func (c *Client) Authorize(req *http.Request) error {
	token := c.opts.Token
	if token == "" && c.opts.TokenFile != "" {
		data, err := os.ReadFile(c.opts.TokenFile)
		if err != nil {
			return sdk.Errorf(sdk.CodeUnauthenticated, "token_file", "cannot read the token: %v", err)
		}
		token = strings.TrimSpace(string(data))
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	return nil
}

// notSent tells whether err means that no byte of the request left, so that
// asking another master cannot make it happen twice.
func notSent(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial"
}
