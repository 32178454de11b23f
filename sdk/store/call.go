package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/masters"
	"github.com/profferhq/proffer/sdk/wire"
)

const (
	storePath = "/api/v1/store"
	// maxAnswer bounds one answer, in bytes: a full space, in base64 and more.
	maxAnswer = 1 << 30
	// CallBound is how long one try of a call may take, from its first byte to the last one
	// of the answer. Every call but Watch and Lead is over within Options.Patience and
	// CallBound, whatever the masters and the network do. Most of it is for masters that
	// are off (three seconds to connect to each) or between two leaders (two seconds).
	CallBound = 10 * time.Second
	// retryPause is how long a call without a leader waits between tries.
	retryPause = 100 * time.Millisecond
)

// uncertain is the error of a write that may or may not have been done: an
// *sdk.Error of CodeUnknown, and its cause.
type uncertain struct {
	said  *sdk.Error
	cause error
}

func (u *uncertain) Error() string   { return u.said.Error() }
func (u *uncertain) Unwrap() []error { return []error{u.said, u.cause} }

// write makes a call that changes something. Its error is CodeUnknown, unless it
// is certain that nothing was done.
func (s *Space) write(ctx context.Context, op string, call *sdk.StoreCall) (*sdk.StoreResponse, error) {
	answer, sent, err := s.call(ctx, op, call)
	if err == nil || !sent {
		return answer, err
	}
	var refused *sdk.Error
	if errors.As(err, &refused) && refused.Code != sdk.CodeInternal {
		return nil, err
	}
	said := sdk.Errorf(sdk.CodeUnknown, "", "it is not known whether it was done: %v", err)
	said.Op = op
	return nil, &uncertain{said: said, cause: err}
}

// call makes one call, again while no master can take it and patience lasts. sent
// tells whether a master may have acted on the last try.
func (s *Space) call(ctx context.Context, op string, call *sdk.StoreCall) (answer *sdk.StoreResponse, sent bool, err error) {
	sent, err = s.patiently(ctx, op, call, func(ctx context.Context, request masters.Request) error {
		ctx, cancel := context.WithTimeoutCause(ctx, CallBound, late(op))
		defer cancel()
		resp, err := s.masters.Do(ctx, request)
		if err != nil {
			return err
		}
		defer func() { _ = resp.Body.Close() }()
		answer, err = readAnswer(op, resp)
		return err
	})
	if err != nil {
		return nil, sent, err
	}
	return answer, true, nil
}

// late is the error of a try that had no answer in time.
func late(op string) error {
	return &sdk.Error{Code: sdk.CodeUnknown, Op: op, Message: fmt.Sprintf("no master has answered within %v", CallBound)}
}

// readAnswer reads the one answer to a call.
func readAnswer(op string, resp *http.Response) (*sdk.StoreResponse, error) {
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		said := sdk.Errorf(sdk.CodeUnknown, "", "the connection broke while the answer was read: %v", err)
		said.Op = op
		return nil, &uncertain{said: said, cause: err}
	}
	enc, err := wire.ParseContentType(resp.Header.Get("Content-Type"))
	if err != nil {
		return nil, unreadable(op, err)
	}
	answer := &sdk.StoreResponse{}
	if err := wire.Unmarshal(enc, body, answer); err != nil {
		return nil, unreadable(op, err)
	}
	return answer, nil
}

// unreadable is no *sdk.Error: no master refused anything.
func unreadable(op string, err error) error {
	return fmt.Errorf("%s: the master's answer can not be read: %v", op, err)
}

// patiently makes tries of a call, while no master can take it and patience lasts.
func (s *Space) patiently(ctx context.Context, op string, call *sdk.StoreCall, try func(context.Context, masters.Request) error) (sent bool, err error) {
	call.Space, call.Principal = s.opts.Space, s.opts.Principal
	body, err := wire.Marshal(s.opts.Encoding, call)
	if err != nil {
		return false, err
	}
	e := s.opts.Encoding.ContentType()
	request := masters.Request{Op: op, Method: http.MethodPost, Path: storePath, Body: body, Safe: repeatable(call),
		Header: http.Header{"Content-Type": {e}, "Accept": {e}}}
	for deadline := time.Now().Add(s.opts.Patience); ; {
		err := try(ctx, request)
		if err == nil {
			return true, nil
		}
		// A master says 503 only of what it has not begun, and who was not reached
		// has begun nothing. What is repeatable may be made again in any case.
		code := sdk.CodeOf(err)
		if code != sdk.CodeUnavailable && (code != sdk.CodeUnknown || !request.Safe) || ctx.Err() != nil {
			return true, err
		}
		if !time.Now().Add(retryPause).Before(deadline) {
			return false, err
		}
		if err := pause(ctx, retryPause); err != nil {
			return false, err
		}
	}
}

// repeatable tells whether a call changes nothing, or the same when it is made twice.
func repeatable(call *sdk.StoreCall) bool {
	switch call.Type {
	case sdk.StoreCallGet, sdk.StoreCallList, sdk.StoreCallWatch, sdk.StoreCallKeepAlive:
		return true
	}
	return false
}

// pause waits, at most until ctx ends.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
