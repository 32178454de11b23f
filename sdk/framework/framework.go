package framework

import (
	"context"
	"errors"
	"iter"
	"log/slog"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/masters"
)

// Framework is one framework's connection to the kernel.
type Framework struct {
	opts    Options
	masters *masters.Client
	log     *slog.Logger

	mu      sync.Mutex
	id      sdk.FrameworkID
	running bool                     // Run has not returned
	session *session                 // nil while not subscribed
	changed chan struct{}            // closed, and made anew, when running or session changes
	queue   []sdk.Call               // calls not yet handed to the sender
	wake    chan struct{}            // has one token when queue is not empty
	doubt   map[sdk.TaskID]*launched // launches that no status has confirmed
	over    bool                     // torn down: the end of the stream is the end of Run

	sending chan struct{} // has a token while a batch is on its way, so that batches keep their order
}

// Handler gets every event but HEARTBEAT. An error ends Run with that error and
// leaves an update unacknowledged, so that it comes again; Stop ends Run without
// an error.
type Handler func(ctx context.Context, event *sdk.Event) error

// Stop is returned by a handler to end Run without an error. The kernel keeps the
// tasks for FrameworkInfo.FailoverTimeout; Teardown is what ends them.
//
//lint:ignore ST1012 a signal and not a failure, as fs.SkipDir is
var Stop = errors.New("framework: stop")

// New makes a framework of the options. It refuses options that cannot work and
// does not connect yet.
func New(o Options) (*Framework, error) {
	if o.Info.Name == "" {
		return nil, sdk.Errorf(sdk.CodeInvalid, "info.name", "a framework needs a name")
	}
	m, err := masters.New(masters.Options{Addrs: o.Addrs, Token: o.Token, TokenFile: o.TokenFile, Transport: o.Transport})
	if err != nil {
		return nil, err
	}
	log := o.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Framework{
		opts: o, masters: m, id: o.Info.ID,
		log:     log.With("component", "framework", "framework", o.Info.Name),
		changed: make(chan struct{}),
		wake:    make(chan struct{}, 1),
		sending: make(chan struct{}, 1),
		doubt:   map[sdk.TaskID]*launched{},
	}, nil
}

// Run is New and Framework.Run in one.
func Run(ctx context.Context, o Options, handle Handler) error {
	f, err := New(o)
	if err != nil {
		return err
	}
	return f.Run(ctx, handle)
}

// Run subscribes and hands the events to the handler, until ctx ends (its error),
// the handler stops it, Teardown was called (nil), or the kernel refuses the
// framework (an *sdk.Error). Anything else makes it subscribe again. It may be
// called again after it returned, not twice at a time.
func (f *Framework) Run(ctx context.Context, handle Handler) error {
	defer f.masters.CloseIdle()
	f.setRunning(true)
	defer f.setRunning(false)
	learning, stop := context.WithCancel(ctx)
	defer stop()
	go f.masters.KeepLearning(learning) // ends with this function
	pause := backoff.NewExponentialBackOff()
	pause.InitialInterval = 100 * time.Millisecond
	pause.MaxInterval = 5 * time.Second // a new leader is there after about one
	for {
		subscribed, err := f.runSession(ctx, handle)
		var final *fatal
		switch {
		case errors.As(err, &final):
			if errors.Is(final.err, Stop) {
				return nil
			}
			return final.err
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case f.isOver():
			return nil
		}
		if subscribed {
			pause.Reset()
			if f.opts.Unsubscribed != nil {
				f.opts.Unsubscribed(err)
			}
		}
		wait := pause.NextBackOff()
		f.log.Warn("not subscribed, trying again", "error", err, "in", wait)
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// Events is Run as a loop. An update is acknowledged when the loop's body is done
// with it; leaving the loop is Stop. The last pair may be (nil, error).
func (f *Framework) Events(ctx context.Context) iter.Seq2[*sdk.Event, error] {
	return func(yield func(*sdk.Event, error) bool) {
		left := false
		err := f.Run(ctx, func(_ context.Context, event *sdk.Event) error {
			if !yield(event, nil) {
				left = true
				return Stop
			}
			return nil
		})
		if err != nil && !left {
			yield(nil, err)
		}
	}
}

// ID is the framework's id, empty before the first SUBSCRIBED of a new one. Store
// it: with it in Options.Info.ID a later process takes over the tasks.
func (f *Framework) ID() sdk.FrameworkID {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.id
}

// Leader is the base URL of the master that answered last, for humans.
func (f *Framework) Leader() string { return f.masters.Leader() }

func (f *Framework) setRunning(on bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.running = on
	f.signalChange()
}

// signalChange wakes whoever waits for a session. f.mu is held.
func (f *Framework) signalChange() {
	close(f.changed)
	f.changed = make(chan struct{})
}

func (f *Framework) isOver() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.over
}

// fatal marks an error that another SUBSCRIBE cannot mend.
type fatal struct{ err error }

func (e *fatal) Error() string { return e.err.Error() }
func (e *fatal) Unwrap() error { return e.err }
