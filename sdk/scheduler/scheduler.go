package scheduler

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/framework"
	"github.com/profferhq/proffer/sdk/scheduler/mind"
	"github.com/profferhq/proffer/sdk/store"
)

// Scheduler is one instance of a framework's scheduler.
type Scheduler[M mind.Mind] struct {
	opts     Options
	program  Program[M]
	log      *slog.Logger
	space    *store.Space
	listener net.Listener // nil: nothing is served
	metrics  metrics
	lead     *store.Leadership // set before the loop begins

	writing sync.Mutex // held for the time of a transaction
	written uint64     // revision of the last one; 0: this leadership has done none

	mu     sync.RWMutex // held for writing while the mind steps
	mind   M
	loaded bool                 // there is a mind
	kernel *framework.Framework // nil unless it leads

	queue queue
	asked asked
	work  sync.WaitGroup          // goroutines of one leadership
	end   context.CancelCauseFunc // ends it
}

// New makes a scheduler, which listens already. It refuses options that cannot work (see
// Options.Validate), and an address that cannot be listened on.
func New[M mind.Mind](o Options, p Program[M]) (*Scheduler[M], error) {
	o.FillIn()
	if err := o.Validate(); err != nil {
		return nil, err
	}
	if len(o.Addrs) == 0 {
		return nil, sdk.Errorf(sdk.CodeInvalid, "masters", "none are known: set --masters, or PROFFER_ADDR in the environment")
	}
	if p.Load == nil {
		return nil, sdk.Errorf(sdk.CodeInvalid, "program.load", "a scheduler needs a mind")
	}
	if p.Name == "" {
		p.Name = o.Name
	}
	space, err := store.Open(o.store())
	if err != nil {
		return nil, err
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	s := &Scheduler[M]{
		opts: o, program: p, log: o.Log.With("component", p.Name), space: space,
		queue: newQueue(), asked: newAsked(),
	}
	if p.API != nil {
		if s.listener, err = net.Listen("tcp", net.JoinHostPort(o.Bind, fmt.Sprint(o.Port))); err != nil {
			return nil, err
		}
	}
	s.metrics = newMetrics(s)
	return s, nil
}

// Run waits until it leads, and then schedules, until ctx ends (nil) or the kernel refuses
// it (an error). One that loses its leadership waits to lead again, and then begins with
// what the store has. It may be called once.
func (s *Scheduler[M]) Run(ctx context.Context) error {
	defer s.space.Close()
	defer s.serve()()
	for {
		err := s.reign(ctx)
		var lost *deposed
		switch {
		case !errors.As(err, &lost) && sdk.CodeOf(err) != sdk.CodeConflict:
			return err
		case ctx.Err() != nil:
			return nil
		}
		s.log.Warn("leads no longer, and waits to lead again", "why", err)
		select {
		case <-time.After(retryPause):
		case <-ctx.Done():
			return nil
		}
	}
}

// reign is one leadership, from waiting for it to its end.
func (s *Scheduler[M]) reign(ctx context.Context) error {
	ctx, s.end = context.WithCancelCause(ctx)
	defer s.forget()
	defer s.end(nil)
	s.log.Info("waits to lead", "api", s.Address())
	waiting, leads := context.WithCancel(ctx)
	defer leads()
	copied := newStandby()
	s.work.Go(func() { copied.follow(waiting, s.space) })
	lead, err := s.space.Lead(ctx, keyLeader, s.Address(), s.opts.LeaseTTL)
	if err != nil {
		return ended(ctx, err)
	}
	s.lead, s.written = lead, 0
	defer s.resign()
	kvs, err := s.read(ctx, copied)
	if err != nil {
		return ended(ctx, err)
	}
	leads()
	id, err := s.load(kvs)
	if err != nil {
		return ended(ctx, err)
	}
	kernel, err := s.connect(id)
	if err != nil {
		return err
	}
	s.work.Go(func() { s.loop(ctx) })
	s.work.Go(func() { s.watchLease(ctx) })
	err = kernel.Run(ctx, s.handle)
	if sdk.CodeOf(err) == sdk.CodeGone {
		err = s.disown(ctx, err)
	}
	s.end(err)
	s.work.Wait()
	return ended(ctx, err)
}

// forget ends what belongs to one leadership: the next one reads anew, and what was asked
// of this mind is not known to be done.
func (s *Scheduler[M]) forget() {
	s.work.Wait()
	s.mu.Lock()
	var none M
	s.mind, s.loaded, s.kernel = none, false, nil
	s.mu.Unlock()
	s.queue.take()
	s.asked.lose()
	if s.program.Deposed != nil {
		s.program.Deposed()
	}
}

// The scheduler's own keys of the store.
const (
	keyLeader    = "leader"    // who leads, held by its lease
	keyFramework = "framework" // the framework's id
)

// read is all that the space has now that this scheduler leads. What earlier ones have
// written came before the key by which it leads, so a copy with that key has all of it.
func (s *Scheduler[M]) read(ctx context.Context, copied *standby) ([]sdk.StoreKV, error) {
	key, err := s.space.Get(ctx, keyLeader)
	if err != nil && sdk.CodeOf(err) != sdk.CodeNotFound { // lost again: the guard will say so
		return nil, err
	}
	if kvs, ok := copied.warm(ctx, key.Modified); ok && err == nil {
		s.log.Info("takes over from what it has followed", "keys", len(kvs))
		return kvs, nil
	}
	kvs, _, err := s.space.List(ctx, "")
	return kvs, err
}

// load makes the mind of what the store has, and finds the framework's id there.
func (s *Scheduler[M]) load(kvs []sdk.StoreKV) (sdk.FrameworkID, error) {
	var id sdk.FrameworkID
	for _, kv := range kvs {
		if kv.Key == keyFramework {
			id = sdk.FrameworkID(kv.Value)
		}
	}
	m, err := s.program.Load(time.Now(), kvs)
	if err != nil {
		return "", err
	}
	s.mu.Lock()
	s.mind, s.loaded = m, true
	s.mu.Unlock()
	s.log.Info("leads", "keys", len(kvs), "framework", id)
	return id, nil
}

// connect makes the connection to the kernel, under the id of the last one that led.
func (s *Scheduler[M]) connect(id sdk.FrameworkID) (*framework.Framework, error) {
	o := s.opts.framework(id)
	o.Log, o.Refused, o.Before = s.log, s.refused, s.stillLeads
	o.Unsubscribed = func(error) { s.Push(mind.Disconnected{}) }
	if s.listener != nil {
		o.Info.WebUIURL = "http://" + s.Address()
	}
	kernel, err := framework.New(o)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	s.kernel = kernel
	s.mu.Unlock()
	return kernel, nil
}

// disown forgets the framework's id, which the kernel has removed for good with all of
// its tasks: the next scheduler is a new framework, and begins with what it wants.
func (s *Scheduler[M]) disown(ctx context.Context, removed error) error {
	s.log.Error("the kernel has removed this framework; the next start is a new one", "error", removed)
	if err := s.write(ctx, []store.Op{store.Delete(keyFramework)}); err != nil {
		return errors.Join(removed, err)
	}
	return removed
}

// ended is the error of Run: none when it was asked to end.
func ended(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil && errors.Is(err, cause) {
		err = cause
	}
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// deposed is the end of a leadership that another scheduler has, or nobody.
type deposed struct{ name string }

func (d *deposed) Error() string {
	return fmt.Sprintf("another %s leads, or the lease has ended", d.name)
}

// Unwrap says that no later try can change it.
func (d *deposed) Unwrap() error { return sdk.Errorf(sdk.CodeConflict, "", "%s", d.Error()) }

// stillLeads looks whether nobody else leads, before this scheduler subscribes: one whose
// lease has ended unnoticed would take the framework from its successor, and then end too.
func (s *Scheduler[M]) stillLeads(ctx context.Context) error {
	kv, err := s.space.Get(ctx, keyLeader)
	switch {
	case err != nil && sdk.CodeOf(err) == sdk.CodeNotFound, err == nil && kv.Lease != s.lead.Lease():
		return s.deposed()
	}
	return err
}

// deposed ends a scheduler's leadership that is not held any more.
func (s *Scheduler[M]) deposed() error { return &deposed{s.program.Name} }

func (s *Scheduler[M]) watchLease(ctx context.Context) {
	select {
	case <-s.lead.Lost():
		s.log.Error("the leadership is lost")
		s.end(s.deposed())
	case <-ctx.Done():
	}
}

// resign lets a successor lead at once.
func (s *Scheduler[M]) resign() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if err := s.lead.Resign(ctx); err != nil {
		s.log.Info("the lease is left to run out", "error", err)
	}
}

// Address is the host:port that the API listens on; empty without an API.
func (s *Scheduler[M]) Address() string {
	if s.listener == nil {
		return ""
	}
	return s.listener.Addr().String()
}

// Standing is where a scheduler stands.
type Standing struct {
	Leads       bool            // it leads, and has its mind
	FrameworkID sdk.FrameworkID // empty before the first subscription
	Master      string          // base URL of the leading master, for humans
}

// Standing tells whether it leads, and what it knows then.
func (s *Scheduler[M]) Standing() Standing {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.kernel == nil {
		return Standing{}
	}
	return Standing{Leads: true, FrameworkID: s.kernel.ID(), Master: s.kernel.Leader()}
}
