package framework

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/masters"
	"github.com/profferhq/proffer/sdk/wire"
)

const (
	// maxQueue bounds the calls that wait while no master listens; of acknowledgements
	// maxAcks may: the states of 100,000 tasks that start at once come faster than they
	// are sent, and each that is dropped makes an update come again.
	maxQueue = 1 << 16
	maxAcks  = 16 * maxQueue
	// maxBatch and maxBatchBytes bound one request, so that a master's loop gets
	// to others between two.
	maxBatch      = 512
	maxBatchBytes = 1 << 20
	// drainTime is how long Stop waits for calls already made.
	drainTime = 2 * time.Second
	// lastWord is how long an answer is waited for after the end of its stream.
	lastWord = time.Second
	// settleTime is how long a failed request waits to see whether its stream
	// ends too.
	settleTime = 200 * time.Millisecond
)

// Send queues a call and returns at once: calls made before the sender's next
// flush travel together, in their order. The framework id is filled in. The call
// must not be changed afterwards. An answer to an offer is refused with
// CodeConflict while not subscribed, because the offer is gone; other calls wait
// for the next subscription, and beyond 65,536 of them (of acknowledgements 16 times
// as many) are refused with CodeExhausted. What a master refuses is told to
// Options.Refused.
func (f *Framework) Send(call sdk.Call) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.push(call)
}

// push is Send with f.mu held.
func (f *Framework) push(call sdk.Call) error {
	offerBound := call.Accept != nil || call.Decline != nil
	switch {
	case offerBound && f.session == nil:
		return sdk.Errorf(sdk.CodeConflict, "", "not subscribed: the offers of the last subscription are gone")
	case len(f.queue) >= maxQueue && (call.Acknowledge == nil || len(f.queue) >= maxAcks):
		return sdk.Errorf(sdk.CodeExhausted, "", "%d calls wait for a master already", maxQueue)
	}
	if call.Accept != nil {
		f.noteLaunches(call.Accept.Operations)
	}
	f.queue = append(f.queue, call)
	f.wakeUp()
	return nil
}

// Do sends one call by itself and waits for the master's answer. Use it where the
// answer matters (UPDATE_FRAMEWORK, a check of credentials) and Send otherwise. It ends
// with its subscription: whether the call was done is not known then.
func (f *Framework) Do(ctx context.Context, call sdk.Call) error {
	f.mu.Lock()
	s := f.session
	f.mu.Unlock()
	if s == nil {
		return sdk.Errorf(sdk.CodeConflict, "", "not subscribed")
	}
	if call.Accept != nil {
		f.mu.Lock()
		f.noteLaunches(call.Accept.Operations)
		f.mu.Unlock()
	}
	select {
	case f.sending <- struct{}{}: // after what was queued before is on its way
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	defer func() { <-f.sending }()
	body, _, _, err := f.encode(f.ID(), []sdk.Call{call})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(s.ctx, func() {
		// The master that ends a stream for a call, as for TEARDOWN, answers that too.
		time.AfterFunc(lastWord, func() { cancel(context.Cause(s.ctx)) })
	})()
	return f.post(ctx, s, body, false)
}

// sendLoop sends what is queued until the session ends.
func (f *Framework) sendLoop(ctx context.Context, s *session) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-f.wake:
		}
		for {
			batch, err := f.flush(ctx, s)
			if len(batch) == 0 {
				if err != nil { // nothing was taken
					f.wakeUp()
				}
				break
			}
			if err != nil {
				f.failed(ctx, batch, err)
			}
			if ctx.Err() != nil {
				f.wakeUp() // the next session's sender has what is left
				return
			}
		}
	}
}

func (f *Framework) wakeUp() {
	select {
	case f.wake <- struct{}{}:
	default:
	}
}

// flush sends the next batch of the queue in one request. What it returns with an
// error is for failed to decide about.
func (f *Framework) flush(ctx context.Context, s *session) ([]sdk.Call, error) {
	select {
	case f.sending <- struct{}{}:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	defer func() { <-f.sending }()
	f.mu.Lock()
	calls := f.queue[:min(len(f.queue), maxBatch)]
	id := f.id
	f.mu.Unlock()
	if len(calls) == 0 {
		return nil, nil
	}
	body, sequence, n, err := f.encode(id, calls)
	f.mu.Lock()
	batch := f.queue[:n:n]
	if f.queue = f.queue[n:]; len(f.queue) == 0 {
		f.queue = nil
	}
	f.mu.Unlock()
	if err == nil {
		err = f.post(ctx, s, body, sequence)
	}
	return batch, err
}

// encode writes the first n calls, as many as go into one body: one call as it
// is, several as a sequence. With an error n is 1, for the call that cannot be
// written.
func (f *Framework) encode(id sdk.FrameworkID, calls []sdk.Call) (body []byte, sequence bool, n int, err error) {
	var first []byte
	for i := range calls {
		call := calls[i]
		call.FrameworkID = id
		one, err := wire.Marshal(f.opts.Encoding, &call)
		switch {
		case err != nil && i == 0:
			return nil, false, 1, err
		case err != nil || (i > 0 && len(body)+len(one) > maxBatchBytes):
			calls = calls[:i] // the next body begins with it
		case i == 0:
			first = one
		}
		if i == len(calls) {
			break
		}
		body = wire.AppendRecord(body, one)
	}
	if len(calls) == 1 {
		return first, false, 1, nil
	}
	return body, true, len(calls), nil
}

// post sends one body to the master that serves the session.
func (f *Framework) post(ctx context.Context, s *session, body []byte, sequence bool) error {
	one := f.opts.Encoding.ContentType()
	// A refusal is a message to whoever accepts msgpack, and only a text to others.
	h := http.Header{"Content-Type": {one}, "Accept": {wire.Msgpack.ContentType()}}
	if sequence {
		h["Content-Type"] = []string{"application/recordio"}
		h["Message-Content-Type"] = []string{one}
	}
	if s.streamID != "" {
		h["Mesos-Stream-Id"] = []string{s.streamID}
	}
	resp, err := f.masters.Do(ctx, masters.Request{Op: "call", Method: http.MethodPost, Path: path, Header: h, Body: body, Only: s.master})
	if err != nil {
		return err
	}
	return resp.Body.Close()
}

// failed decides what becomes of calls that were not taken. What may be said
// twice goes back to the head of the queue when the network was at fault; an
// ACCEPT never, because a second one would be answered with a lost task, and its
// tasks are asked about instead (doubt.go).
func (f *Framework) failed(ctx context.Context, calls []sdk.Call, err error) {
	f.suspect(calls)
	select { // a refusal at the end of a stream is about the stream, not the call
	case <-time.After(settleTime):
	case <-ctx.Done():
	}
	lost, err := theRefused(calls, err)
	var again []sdk.Call
	if retryable(err) || ctx.Err() != nil {
		lost = nil
		for _, call := range calls {
			switch call.Type {
			case sdk.CallAccept, sdk.CallMessage, sdk.CallAcceptInverseOffers:
				lost = append(lost, call)
			default:
				again = append(again, call)
			}
		}
	}
	f.mu.Lock()
	f.queue = append(again, f.queue...)
	f.mu.Unlock()
	f.lose(lost, err)
}

// theRefused narrows the calls of one body to the one that the error names by its
// place, "[3].kill.task_id": the master has taken the others.
func theRefused(calls []sdk.Call, err error) ([]sdk.Call, error) {
	var e *sdk.Error
	if len(calls) < 2 || !errors.As(err, &e) || !strings.HasPrefix(e.Field, "[") {
		return calls, err
	}
	place, field, _ := strings.Cut(e.Field[1:], "]")
	n, wrong := strconv.Atoi(place)
	if wrong != nil || n < 0 || n >= len(calls) {
		return calls, err
	}
	narrowed := *e
	narrowed.Field = strings.TrimPrefix(field, ".")
	return calls[n : n+1], &narrowed
}

// lose tells of calls that will not be sent again.
func (f *Framework) lose(calls []sdk.Call, err error) {
	switch {
	case len(calls) == 0:
	case f.opts.Refused != nil:
		f.opts.Refused(calls, err)
	default:
		f.log.Warn("calls were not taken", "calls", len(calls), "first", calls[0].Type, "error", err)
	}
}

// drain sends what was queued before the handler said Stop, for a short while.
func (f *Framework) drain(ctx context.Context, s *session) {
	ctx, cancel := context.WithTimeout(ctx, drainTime)
	defer cancel()
	for {
		batch, err := f.flush(ctx, s)
		if err != nil {
			f.log.Warn("calls were lost at the end", "calls", len(batch), "error", err)
			return
		}
		if len(batch) == 0 {
			return
		}
	}
}
