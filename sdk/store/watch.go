package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/masters"
	"github.com/profferhq/proffer/sdk/wire"
)

// Event is the change of one key.
type Event struct {
	Revision uint64
	Deleted  bool // KV then holds the key only
	KV       KV
	More     bool // further changes of the same revision follow
}

// compacted is the error of a watch that the history does not serve.
type compacted struct{ said *sdk.Error }

func (c *compacted) Error() string { return c.said.Error() }
func (c *compacted) Unwrap() error { return c.said }

// IsCompacted tells whether a Watch ended because the history does not reach back
// to where it was: List again, and watch after the revision of that.
func IsCompacted(err error) bool {
	var c *compacted
	return errors.As(err, &c)
}

const (
	silentIntervals  = 3
	defaultHeartbeat = 5 * time.Second
	firstPause       = 20 * time.Millisecond
	longestPause     = time.Second
)

// Watch gives every change of the keys that begin with prefix, in order and each
// once, from after the revision that List told. Broken connections and new leaders
// are gone over; it ends with an error when ctx ends (its error), when the history
// does not reach back any more (IsCompacted), or when a master refuses.
func (s *Space) Watch(ctx context.Context, prefix string, after uint64) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		wait := firstPause
		for {
			before := after
			err := s.watchOnce(ctx, prefix, &after, yield)
			switch {
			case errors.Is(err, errStopped):
				return
			case ctx.Err() != nil:
				yield(Event{}, context.Cause(ctx))
				return
			case final(err):
				yield(Event{}, err)
				return
			}
			if after != before {
				wait = firstPause
			}
			if err := pause(ctx, wait); err != nil {
				yield(Event{}, err)
				return
			}
			wait = min(2*wait, longestPause)
		}
	}
}

// errStopped says that the reader of a watch wants no more.
var errStopped = errors.New("store: stopped")

// final tells whether another try would end the same way.
func final(err error) bool {
	var e *sdk.Error
	if !errors.As(err, &e) {
		return false
	}
	switch e.Code {
	case sdk.CodeUnavailable, sdk.CodeExhausted, sdk.CodeInternal, sdk.CodeUnknown:
		return false
	}
	return true
}

// watchOnce reads one stream; *after is the revision up to which all was given.
func (s *Space) watchOnce(ctx context.Context, prefix string, after *uint64, yield func(Event, error) bool) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	op := "watch " + prefix
	watchdog := time.AfterFunc(CallBound, func() { cancel(errors.New("the master is silent")) })
	defer watchdog.Stop()
	var resp *http.Response
	_, err := s.patiently(ctx, op, &sdk.StoreCall{Type: sdk.StoreCallWatch, Watch: &sdk.StoreWatch{Prefix: prefix, After: *after}},
		func(ctx context.Context, request masters.Request) (err error) {
			watchdog.Reset(CallBound)
			resp, err = s.masters.Do(ctx, request)
			return err
		})
	if err != nil {
		var e *sdk.Error
		if errors.As(err, &e) && e.Code == sdk.CodeGone {
			return &compacted{e}
		}
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	enc, err := wire.ParseContentType(resp.Header.Get("Content-Type"))
	if err != nil {
		return err
	}
	heartbeat := defaultHeartbeat
	watchdog.Reset(silentIntervals * heartbeat)
	var heard atomic.Pointer[time.Time] // nil while the reader is busy: that is no silence
	go func() {
		silence := func() time.Duration {
			if at := heard.Load(); at != nil {
				return time.Since(*at)
			}
			return 0
		}
		if s.masters.AwaitSilence(ctx, resp.Request.URL.Scheme+"://"+resp.Request.URL.Host, defaultHeartbeat, silence) == nil {
			cancel(errors.New("the master shows no sign of life"))
		}
	}()
	records := wire.NewReader(resp.Body, maxAnswer)
	for {
		now := time.Now()
		heard.Store(&now)
		record, err := records.Next()
		heard.Store(nil)
		watchdog.Stop()
		if err != nil {
			if errors.Is(err, io.EOF) {
				err = errors.New("the master ended it")
			}
			return fmt.Errorf("%s: %w", op, err)
		}
		event := &sdk.StoreEvent{}
		if err := wire.Unmarshal(enc, record, event); err != nil {
			return fmt.Errorf("%s: %w", op, err)
		}
		if event.HeartbeatIntervalSeconds > 0 {
			heartbeat = time.Duration(event.HeartbeatIntervalSeconds * float64(time.Second))
		}
		for i, c := range event.Changes {
			e := Event{Revision: event.Revision, Deleted: c.Deleted, KV: c.KV, More: i+1 < len(event.Changes)}
			if !yield(e, nil) {
				return errStopped
			}
		}
		*after = max(*after, event.Revision)
		watchdog.Reset(silentIntervals * heartbeat)
	}
}
