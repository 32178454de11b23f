package main

import (
	"context"
	"time"
)

// The waits of client commands.
const (
	retryLogs      = 200 * time.Millisecond // between two tries to follow a log
	completionTime = 300 * time.Millisecond // a shell's completion may take this long
)

// pause waits, or gives ctx's error when that ends first.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
