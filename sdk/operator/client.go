package operator

import (
	"context"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/masters"
	"github.com/profferhq/proffer/sdk/wire"
)

// Options say which cluster to ask, and as whom.
type Options struct {
	// Addrs are the masters, "host:port" each; one that lives is enough.
	Addrs []string
	// Token authenticates; TokenFile holds it instead and is read anew for every
	// request.
	Token     string
	TokenFile string
	// Encoding of calls and answers: msgpack unless set.
	Encoding wire.Encoding
	// Patience is how long a call waits for a cluster that is there but has no
	// leader now; 0 for not at all. A cluster that does not answer is not waited for.
	Patience time.Duration
	// Transport carries the requests; nil for one of the client's own.
	Transport http.RoundTripper
}

// DefaultOptions waits five seconds for a leader, a few times what an election
// takes.
func DefaultOptions() Options { return Options{Patience: 5 * time.Second} }

// FromEnv is DefaultOptions with PROFFER_ADDR (comma separated),
// PROFFER_TOKEN_FILE and PROFFER_TOKEN.
func FromEnv() Options {
	o, env := DefaultOptions(), masters.FromEnv()
	o.Addrs, o.Token, o.TokenFile = env.Addrs, env.Token, env.TokenFile
	return o
}

// Client asks one cluster.
type Client struct {
	opts    Options
	masters *masters.Client
}

// New makes a client of the options. It refuses an empty or malformed list of
// addresses and does not connect yet.
func New(o Options) (*Client, error) {
	m, err := masters.New(masters.Options{Addrs: o.Addrs, Token: o.Token, TokenFile: o.TokenFile, Transport: o.Transport})
	if err != nil {
		return nil, err
	}
	return &Client{opts: o, masters: m}, nil
}

// IsUnreachable tells whether err means that no master of the cluster answers.
func IsUnreachable(err error) bool { return masters.IsUnreachable(err) }

// Close closes idle connections.
func (c *Client) Close() { c.masters.CloseIdle() }

const (
	operatorPath = "/api/v1"
	// maxAnswer bounds one answer, in bytes: a state of some 100,000 tasks.
	maxAnswer = 1 << 30
	// retryPause is how long a call without a leader waits between tries.
	retryPause = 100 * time.Millisecond
)

// call sends one call and reads the answer, nil for an empty one.
func (c *Client) call(ctx context.Context, op string, call *sdk.OperatorCall) (*sdk.OperatorResponse, error) {
	resp, err := c.post(ctx, op, call)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return nil, broken(op, err)
	}
	if len(body) == 0 {
		return nil, nil
	}
	enc, err := wire.ParseContentType(resp.Header.Get("Content-Type"))
	if err != nil {
		return nil, err
	}
	answer := &sdk.OperatorResponse{}
	if err := wire.Unmarshal(enc, body, answer); err != nil {
		return nil, err
	}
	return answer, nil
}

// post sends one call, again while the cluster has no leader and patience lasts.
func (c *Client) post(ctx context.Context, op string, call *sdk.OperatorCall) (*http.Response, error) {
	body, err := wire.Marshal(c.opts.Encoding, call)
	if err != nil {
		return nil, err
	}
	request := masters.Request{
		Op: op, Method: http.MethodPost, Path: operatorPath, Body: body, Safe: reads(call.Type),
		Header: http.Header{
			"Content-Type": {c.opts.Encoding.ContentType()},
			"Accept":       {c.opts.Encoding.ContentType()},
		},
	}
	for deadline := time.Now().Add(c.opts.Patience); ; {
		if !request.Safe {
			c.masters.FindLeader(ctx)
		}
		resp, err := c.masters.Do(ctx, request)
		if err == nil {
			return resp, nil
		}
		if sdk.CodeOf(err) != sdk.CodeUnavailable || IsUnreachable(err) || !time.Now().Before(deadline) {
			return nil, err
		}
		select {
		case <-time.After(retryPause):
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// reads tells whether a call changes nothing, so that it may be made twice.
func reads(t sdk.OperatorCallType) bool {
	return strings.HasPrefix(string(t), "GET_") || strings.HasPrefix(string(t), "LIST_") || t == sdk.OperatorSubscribe
}

// broken is the error for an answer that ended too early.
func broken(op string, err error) error {
	e := sdk.Errorf(sdk.CodeUnavailable, "", "the connection broke while the answer was read: %v", err)
	e.Op = op
	return e
}

// missing is the error for an answer without the part that was asked for.
func missing(op string) error {
	e := sdk.Errorf(sdk.CodeInternal, "", "the master answered without what was asked for")
	e.Op = op
	return e
}
