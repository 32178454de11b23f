package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/masters"
)

// The waits for marathonish.
const (
	servicePatience = 30 * time.Second       // until it is up
	serviceRetry    = 200 * time.Millisecond // between two tries
	serviceSilence  = time.Second            // before a person is told that it waits
)

// gateway is where the masters serve frameworks, each below its name.
const gateway = "/service/"

// maxServiceAnswer bounds one answer, in bytes.
const maxServiceAnswer = 256 << 20

// services asks a framework of the system, marathonish or chronosish, through the gateway
// of any master.
type services struct {
	who      string // the framework's name
	hint     string // where it says why it is not up
	masters  *masters.Client
	talk     io.Writer // what a person is told; nil for nothing
	patience time.Duration
}

func (c *client) services() (*services, error) {
	return c.through("marathonish", "`proffer status` says what the boot waits for")
}

// through makes the client of a framework.
func (c *client) through(who, hint string) (*services, error) {
	addrs, token, err := c.access()
	if err != nil {
		return nil, err
	}
	m, err := masters.New(masters.Options{Addrs: addrs, Token: token, Transport: c.transport})
	if err != nil {
		return nil, err
	}
	return &services{who: who, hint: hint, masters: m, talk: c.io.err, patience: servicePatience}, nil
}

// get reads an object.
func (s *services) get(ctx context.Context, op, path string, into any) error {
	return s.call(ctx, op, http.MethodGet, path, nil, into)
}

// call sends a call and reads the answer into an object, unless that is nil. A body of
// none is sent as none.
func (s *services) call(ctx context.Context, op, method, path string, body []byte, into any) error {
	h := http.Header{"Accept": {"application/json"}}
	if body != nil {
		h.Set("Content-Type", "application/json")
	}
	resp, err := s.do(ctx, masters.Request{Op: op, Method: method, Path: path, Header: h, Body: body})
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	data, err := io.ReadAll(io.LimitReader(resp.Body, maxServiceAnswer))
	if err != nil {
		return broke(op, method, err)
	}
	if into == nil {
		return nil
	}
	if raw, ok := into.(*json.RawMessage); ok {
		*raw = bytes.TrimSpace(data)
		return nil
	}
	if err := json.Unmarshal(data, into); err != nil {
		return sdk.Errorf(sdk.CodeInternal, "", "%s: %s answered what cannot be understood: %v", op, s.who, err)
	}
	return nil
}

// do sends a request, whose path is as the framework serves it, again while that is not up
// and patience lasts. A call that may have been acted on is never sent twice.
func (s *services) do(ctx context.Context, r masters.Request) (*http.Response, error) {
	r.Path = gateway + s.who + r.Path
	r.Refused = func(op string, resp *http.Response) error { return refusal(op, r.Method, resp) }
	begin, told := time.Now(), ""
	for {
		resp, err := s.masters.Do(ctx, r)
		switch {
		case err == nil:
			return resp, nil
		case ctx.Err() != nil:
			return nil, context.Cause(ctx)
		case masters.IsUnreachable(err):
			return nil, err
		case sdk.CodeOf(err) != sdk.CodeUnavailable:
			return nil, broke(r.Op, r.Method, err)
		}
		waited := time.Since(begin)
		if waited >= s.patience {
			return nil, &sdk.Error{Code: sdk.CodeUnavailable, Op: r.Op, Message: fmt.Sprintf(
				"%s was not up within %s (%s); %s", s.who, s.patience, reason(err), s.hint)}
		}
		if told == "" && waited >= serviceSilence && s.talk != nil {
			told = reason(err)
			fmt.Fprintf(s.talk, "waiting up to %s for %s: %s\n", s.patience, s.who, told)
		}
		if err := pause(ctx, serviceRetry); err != nil {
			return nil, err
		}
	}
}

// patiently does something again while nobody answers, as when a master or marathonish is
// being restarted, and patience lasts.
func (s *services) patiently(ctx context.Context, try func() error) error {
	for begin := time.Now(); ; {
		err := try()
		if err == nil || ctx.Err() != nil || sdk.CodeOf(err) != sdk.CodeUnavailable || time.Since(begin) >= s.patience {
			return err
		}
		if err := pause(ctx, serviceRetry); err != nil {
			return err
		}
	}
}

// reason is an error's sentence without what was being done.
func reason(err error) string {
	var e *sdk.Error
	if errors.As(err, &e) {
		return e.Message
	}
	return err.Error()
}

// broke is the error for a connection that ended too early.
func broke(op, method string, err error) error {
	var e *sdk.Error
	if errors.As(err, &e) {
		return err
	}
	if method == http.MethodGet {
		return sdk.Errorf(sdk.CodeUnavailable, "", "%s: the connection broke: %v", op, err)
	}
	return sdk.Errorf(sdk.CodeInternal, "", "%s: the connection broke, it may or may not have been done: %v; look before it is done again", op, err)
}

// servicePath is the path of a service below /v2/apps, whatever way its id is written.
func servicePath(id string) (string, error) {
	id = strings.Trim(id, "/")
	if id == "" {
		return "", usagef("a service's id is expected, such as web or /shop/web")
	}
	parts := strings.Split(id, "/")
	for i, p := range parts {
		parts[i] = url.PathEscape(p)
	}
	return "/v2/apps/" + strings.Join(parts, "/"), nil
}

// short is an id as people write it.
func short(id string) string { return strings.TrimPrefix(id, "/") }

// fitting is the id in the way that a word begins it, or nothing.
func fitting(id, word string) []string {
	if !strings.HasPrefix(word, "/") {
		id = short(id)
	}
	if strings.HasPrefix(id, word) {
		return []string{id}
	}
	return nil
}
