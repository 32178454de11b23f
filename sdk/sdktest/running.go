package sdktest

import (
	"context"
	"testing"
	"time"
)

// Running is something that a test has started, such as a scheduler's Run. Its methods may
// be called any number of times.
type Running struct {
	cancel context.CancelFunc
	done   chan struct{}
	err    error // once it is done
}

// Go runs something until the test ends, or it does.
func Go(t testing.TB, run func(context.Context) error) *Running {
	ctx, cancel := context.WithCancel(context.Background())
	r := &Running{cancel: cancel, done: make(chan struct{})}
	go func() {
		r.err = run(ctx)
		close(r.done)
	}()
	t.Cleanup(func() { _ = r.Stop() })
	return r
}

// Stop ends it, and gives its error.
func (r *Running) Stop() error {
	r.cancel()
	return r.Wait()
}

// Wait gives its error when it has ended.
func (r *Running) Wait() error {
	<-r.done
	return r.err
}

// Await waits until a condition holds that other goroutines bring about. After 15 s the
// test ends with what was waited for, and with what there is instead (nil for nothing).
func Await(t testing.TB, what string, condition func() bool, there func() any) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Second)
	defer cancel()
	switch {
	case waitUntil(ctx, condition):
	case there == nil:
		t.Fatalf("waited for: %s", what)
	default:
		t.Fatalf("waited for: %s; there is %+v", what, there())
	}
}
