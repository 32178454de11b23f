package operator

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/wire"
)

// Stop is returned by a handler to end Subscribe without an error.
//
//lint:ignore ST1012 a signal and not a failure, as fs.SkipDir is
var Stop = errors.New("operator: stop")

const (
	maxRecord        = maxAnswer // SUBSCRIBED carries the whole state
	silentIntervals  = 5
	defaultHeartbeat = 15 * time.Second
)

// Subscribe calls handle with every event of the cluster, HEARTBEAT left out: the
// state first, in SUBSCRIBED, then each change. It returns when ctx ends (its
// error), when the handler returns an error (that one; nil for Stop), or when the
// stream ends or falls silent (CodeUnavailable): subscribe again then, and take
// the state anew.
func (c *Client) Subscribe(ctx context.Context, handle func(*sdk.OperatorEvent) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	const op = "subscribe to events"
	resp, err := c.post(ctx, op, &sdk.OperatorCall{Type: sdk.OperatorSubscribe})
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	enc, err := wire.ParseContentType(resp.Header.Get("Content-Type"))
	if err != nil {
		return err
	}
	heartbeat := defaultHeartbeat
	watchdog := time.AfterFunc(silentIntervals*heartbeat, func() {
		cancel(broken(op, errors.New("the master has been silent for five heartbeats")))
	})
	defer watchdog.Stop()
	records := wire.NewReader(resp.Body, maxRecord)
	for {
		record, err := records.Next()
		watchdog.Stop()
		if err != nil {
			return streamEnd(ctx, op, err)
		}
		event := &sdk.OperatorEvent{}
		if err := wire.Unmarshal(enc, record, event); err != nil {
			return err
		}
		if event.Subscribed != nil && event.Subscribed.HeartbeatIntervalSeconds > 0 {
			heartbeat = time.Duration(event.Subscribed.HeartbeatIntervalSeconds * float64(time.Second))
		}
		if event.Type != sdk.OperatorEventHeartbeat {
			if err := handle(event); errors.Is(err, Stop) {
				return nil
			} else if err != nil {
				return err
			}
		}
		watchdog.Reset(silentIntervals * heartbeat)
	}
}

func streamEnd(ctx context.Context, op string, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	if errors.Is(err, io.EOF) {
		err = errors.New("the master ended it")
	}
	return broken(op, err)
}
