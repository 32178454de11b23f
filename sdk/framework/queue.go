package framework

import (
	"context"
	"net/http"
	"time"

	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/masters"
	"github.com/profferhq/proffer/sdk/wire"
)

const (
	// maxQueue bounds the calls that wait while no master listens.
	maxQueue = 1 << 16
	// maxBatch and maxBatchBytes bound one request, so that a master's loop gets
	// to others between two.
	maxBatch      = 512
	maxBatchBytes = 1 << 20
	// drainTime is how long Stop waits for calls already made.
	drainTime = 2 * time.Second
	// settleTime is how long a failed request waits to see whether its stream
	// ends too.
	settleTime = 200 * time.Millisecond
)

// Send queues a call and returns at once: calls made before the sender's next
// flush travel together, in their order. The framework id is filled in. The call
// must not be changed afterwards. An answer to an offer is refused with
// CodeConflict while not subscribed, because the offer is gone; other calls wait
// for the next subscription, and beyond 65,536 of them are refused with
// CodeExhausted. What a master refuses is told to Options.Refused.
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
	case len(f.queue) >= maxQueue:
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
// answer matters (UPDATE_FRAMEWORK, a check of credentials) and Send otherwise.
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
	f.sending.Lock() // after what was queued before is on its way
	defer f.sending.Unlock()
	return f.post(ctx, s, []sdk.Call{call})
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

// flush sends the next batch of the queue.
func (f *Framework) flush(ctx context.Context, s *session) ([]sdk.Call, error) {
	f.sending.Lock()
	defer f.sending.Unlock()
	batch := f.take()
	if len(batch) == 0 {
		return nil, nil
	}
	return batch, f.post(ctx, s, batch)
}

// take removes the next batch from the queue.
func (f *Framework) take() []sdk.Call {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := min(len(f.queue), maxBatch)
	batch := f.queue[:n:n]
	f.queue = f.queue[n:]
	if len(f.queue) == 0 {
		f.queue = nil
	}
	return batch
}

// post sends calls in one or, when they are large, several requests.
func (f *Framework) post(ctx context.Context, s *session, calls []sdk.Call) error {
	id, enc := f.ID(), f.opts.Encoding
	var body, one []byte
	flush := func(n int) error {
		if n == 1 {
			return f.postBody(ctx, s, http.Header{"Content-Type": {enc.ContentType()}}, one)
		}
		return f.postBody(ctx, s, http.Header{
			"Content-Type":         {"application/recordio"},
			"Message-Content-Type": {enc.ContentType()},
		}, body)
	}
	n := 0
	for i := range calls {
		call := calls[i]
		call.FrameworkID = id
		var err error
		if one, err = wire.Marshal(enc, &call); err != nil {
			return err
		}
		body = wire.AppendRecord(body, one)
		if n++; len(body) >= maxBatchBytes && i < len(calls)-1 {
			if err := flush(n); err != nil {
				return err
			}
			body, n = nil, 0 // the transport may still read the old one
		}
	}
	return flush(n)
}

func (f *Framework) postBody(ctx context.Context, s *session, h http.Header, body []byte) error {
	h["Accept"] = []string{f.opts.Encoding.ContentType()}
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
	lost, again := calls, []sdk.Call(nil)
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
