package framework

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/masters"
	"github.com/profferhq/proffer/sdk/wire"
)

const (
	path = "/api/v1/scheduler"
	// maxRecord bounds one event, in bytes: a master keeps offers well below.
	maxRecord = 16 << 20
	// silentIntervals without a record mean that the master is gone.
	silentIntervals = 5
	// defaultHeartbeat holds until SUBSCRIBED tells the master's.
	defaultHeartbeat = 15 * time.Second
	// lookEvery is the pause between two looks at who leads now. A session's calls are not
	// given up before its stream is (masters.Request.Only): that bounds them.
	lookEvery = time.Second
)

// session is one subscription: from a SUBSCRIBE to the end of its stream.
type session struct {
	ctx       context.Context // ends with it
	master    string          // base URL of the leader that serves it, and alone can take its calls
	streamID  string
	heartbeat time.Duration
}

// errSilent ends a stream on which nothing was heard for too long.
var errSilent = errors.New("the master has been silent for five heartbeats")

// errAnother ends a stream whose master leads no more and has not ended it.
var errAnother = errors.New("another master leads now")

// runSession subscribes once and serves the stream to its end. It tells whether
// SUBSCRIBED was reached; its error is never nil.
func (f *Framework) runSession(ctx context.Context, handle Handler) (subscribed bool, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	resp, err := f.subscribe(ctx)
	if err != nil {
		return false, err
	}
	defer func() { _ = resp.Body.Close() }()

	s := &session{
		ctx: ctx, streamID: resp.Header.Get("Mesos-Stream-Id"), heartbeat: defaultHeartbeat,
		master: resp.Request.URL.Scheme + "://" + resp.Request.URL.Host,
	}
	enc, err := wire.ParseContentType(resp.Header.Get("Content-Type"))
	if err != nil {
		return false, err
	}
	var sender sync.WaitGroup
	defer func() {
		cancel(nil)
		sender.Wait()
		f.endSession()
	}()

	watchdog := time.AfterFunc(silentIntervals*s.heartbeat, func() { cancel(errSilent) })
	defer watchdog.Stop()
	records := wire.NewReader(resp.Body, maxRecord)
	for {
		record, err := records.Next()
		watchdog.Stop() // a slow handler is not a silent master
		if err != nil {
			f.masters.AskLast(s.master) // the others know first who leads now
			if cause := context.Cause(ctx); cause != nil {
				err = cause
			} else if errors.Is(err, io.EOF) {
				err = errors.New("the master ended the stream")
			}
			return subscribed, err
		}
		event := &sdk.Event{}
		if err := wire.Unmarshal(enc, record, event); err != nil {
			return subscribed, fmt.Errorf("reading an event: %w", err)
		}
		if event.Type == sdk.EventSubscribed && event.Subscribed != nil && !subscribed {
			subscribed = true
			f.beginSession(s, event.Subscribed)
			sender.Go(func() { f.sendLoop(ctx, s) })
			sender.Go(func() {
				if f.masters.AwaitAnother(ctx, s.master, lookEvery) == nil {
					cancel(errAnother)
				}
			})
		}
		if err := f.dispatch(ctx, handle, event); err != nil {
			if errors.Is(err, Stop) {
				f.drain(ctx, s)
			}
			return subscribed, &fatal{err}
		}
		watchdog.Reset(silentIntervals * s.heartbeat)
	}
}

// subscribe opens the stream. A refusal that no later try could change is fatal.
func (f *Framework) subscribe(ctx context.Context) (*http.Response, error) {
	if f.opts.Before != nil {
		if err := f.opts.Before(ctx); err != nil && !retryable(err) {
			return nil, &fatal{err}
		} else if err != nil {
			return nil, err
		}
	}
	f.mu.Lock()
	info, id := f.opts.Info, f.id
	f.mu.Unlock()
	info.ID = id
	call := sdk.Call{Type: sdk.CallSubscribe, FrameworkID: id, Subscribe: &sdk.Subscribe{
		FrameworkInfo: info, SuppressedRoles: f.opts.SuppressedRoles, OfferConstraints: f.opts.OfferConstraints,
	}}
	body, err := wire.Marshal(f.opts.Encoding, &call)
	if err != nil {
		return nil, &fatal{err}
	}
	resp, err := f.masters.Do(ctx, masters.Request{
		Op: "subscribe", Method: http.MethodPost, Path: path, Body: body,
		Header: http.Header{
			"Content-Type": {f.opts.Encoding.ContentType()},
			"Accept":       {f.opts.Encoding.ContentType()},
		},
	})
	if err != nil && !retryable(err) {
		return nil, &fatal{err}
	}
	return resp, err
}

// retryable tells whether the same request may succeed later.
func retryable(err error) bool {
	var e *sdk.Error
	if !errors.As(err, &e) {
		return true // the network
	}
	return e.Code == sdk.CodeUnavailable || e.Code == sdk.CodeExhausted || e.Code == sdk.CodeInternal
}

// dispatch gives one event to the handler and does what follows from it.
func (f *Framework) dispatch(ctx context.Context, handle Handler, event *sdk.Event) error {
	switch event.Type {
	case sdk.EventHeartbeat:
		f.reconcileSuspects()
		return nil
	case sdk.EventUpdate:
		if event.Update == nil {
			return nil
		}
		f.confirm(event.Update.Status.TaskID)
	case sdk.EventError:
		return errorEvent(ctx, handle, event)
	}
	if err := handle(ctx, event); err != nil {
		if event.Type == sdk.EventUpdate && errors.Is(err, Stop) {
			f.autoAck(event)
		}
		return err
	}
	switch event.Type {
	case sdk.EventSubscribed:
		f.reconcileAll()
	case sdk.EventUpdate:
		f.autoAck(event)
	}
	return nil
}

func (f *Framework) autoAck(event *sdk.Event) {
	if !f.opts.ExplicitAck {
		_ = f.Acknowledge(event.Update.Status)
	}
}

// errorEvent makes ERROR the end of Run.
func errorEvent(ctx context.Context, handle Handler, event *sdk.Event) error {
	message := "the master ended the subscription without a reason"
	if event.Error != nil {
		message = event.Error.Message
	}
	e := sdk.Errorf(sdk.CodeInvalid, "", "%s", message)
	e.Op = "subscribe"
	switch lower := strings.ToLower(message); {
	case strings.Contains(lower, "failed over"):
		e.Code = sdk.CodeConflict
	case strings.Contains(lower, "removed"):
		e.Code = sdk.CodeGone
	case strings.Contains(lower, "not authorized"):
		e.Code = sdk.CodeDenied
	}
	if err := handle(ctx, event); err != nil && !errors.Is(err, Stop) {
		return err
	}
	return e
}

func (f *Framework) beginSession(s *session, sub *sdk.Subscribed) {
	if sub.HeartbeatIntervalSeconds > 0 {
		s.heartbeat = time.Duration(sub.HeartbeatIntervalSeconds * float64(time.Second))
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.id = sub.FrameworkID
	f.session = s
	f.signalChange()
	f.log.Info("subscribed", "id", f.id, "leader", f.masters.Leader())
}

// endSession forgets what was said about the session's offers: the next leader
// does not know them, and takes them back itself.
func (f *Framework) endSession() {
	f.mu.Lock()
	f.session = nil
	f.signalChange()
	var kept, lost []sdk.Call
	for _, call := range f.queue {
		switch call.Type {
		case sdk.CallAccept:
			lost = append(lost, call)
		case sdk.CallDecline, sdk.CallAcceptInverseOffers, sdk.CallDeclineInverseOffers:
		default:
			kept = append(kept, call)
		}
	}
	f.queue = kept
	f.mu.Unlock()
	f.lose(lost, sdk.Errorf(sdk.CodeConflict, "", "the subscription ended, and its offers with it"))
}
