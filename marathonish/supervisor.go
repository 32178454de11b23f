package marathonish

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/profferhq/proffer/marathonish/fleet"
	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/framework"
	"github.com/profferhq/proffer/sdk/masters"
	"github.com/profferhq/proffer/sdk/store"
)

// Supervisor is one marathonish.
type Supervisor struct {
	opts     Options
	log      *slog.Logger
	space    *store.Space
	lead     *store.Leadership // set before the loop begins
	listener net.Listener
	ring     *ring
	metrics  *metrics

	mu     sync.RWMutex         // held for writing while the fleet steps
	fleet  *fleet.Fleet         // nil until it leads
	kernel *framework.Framework // the same; not changed afterwards

	queue   queue
	asked   sync.Mutex
	replies map[uint64]chan fleet.Reply
	number  uint64
	end     context.CancelCauseFunc // ends Run
}

// New makes a marathonish, which listens already. It refuses options that cannot
// work.
func New(o Options) (*Supervisor, error) {
	o.FillIn()
	if err := o.Validate(); err != nil {
		return nil, err
	}
	if len(o.Addrs) == 0 {
		return nil, sdk.Errorf(sdk.CodeInvalid, "masters", "none are known: set --masters, or PROFFER_ADDR in the environment")
	}
	task := store.FromEnv(o.Space) // that the lease ends with, where no token says it
	space, err := store.Open(store.Options{
		Addrs: o.Addrs, Token: o.Token, TokenFile: o.TokenFile, Space: o.Space, Principal: o.Principal, Patience: storePatience, Transport: o.Transport,
		FrameworkID: task.FrameworkID, TaskID: task.TaskID,
	})
	if err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", net.JoinHostPort(o.Bind, fmt.Sprint(o.Port)))
	if err != nil {
		return nil, err
	}
	s := &Supervisor{
		opts: o, log: o.Log, space: space, listener: l, ring: newRing(o.KeptEvents, time.Now()), replies: map[uint64]chan fleet.Reply{},
		queue: queue{wake: make(chan struct{}, 1)},
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	s.log = s.log.With("component", "marathonish")
	s.metrics = newMetrics(s)
	return s, nil
}

// storePatience is how long a call waits for a leading master before it is tried
// anew.
const storePatience = 5 * time.Second

// errDeposed ends a marathonish that does not lead any more.
var errDeposed = errors.New("another marathonish leads, or the lease has ended")

// Run waits until it leads, and then supervises until ctx ends (nil), or until it
// loses its leadership or the kernel refuses it (an error).
func (s *Supervisor) Run(ctx context.Context) error {
	ctx, s.end = context.WithCancelCause(ctx)
	defer s.end(nil)
	defer s.space.Close()
	defer s.ring.close()
	stop := s.serve()
	defer stop()
	s.log.Info("waits to lead", "api", s.address())
	lead, err := s.space.Lead(ctx, "leader", s.address(), s.opts.LeaseTTL)
	if err != nil {
		return ended(ctx, err)
	}
	s.lead = lead
	defer s.resign()
	id, err := s.load(ctx)
	if err != nil {
		return ended(ctx, err)
	}
	kernel, err := framework.New(s.frameworkOptions(id))
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.kernel = kernel
	s.mu.Unlock()
	var work sync.WaitGroup
	work.Go(func() { s.loop(ctx) })
	work.Go(func() { s.watchLease(ctx) })
	s.boot()
	err = s.kernel.Run(ctx, s.handle)
	if sdk.CodeOf(err) == sdk.CodeGone {
		err = s.disown(ctx, err)
	}
	s.end(err)
	work.Wait()
	return ended(ctx, err)
}

// disown forgets the framework's id, which the kernel has removed for good with all of
// its tasks: the next marathonish is a new framework, and launches what is wanted.
func (s *Supervisor) disown(ctx context.Context, removed error) error {
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

func (s *Supervisor) address() string { return s.listener.Addr().String() }

// resign lets a successor lead at once.
func (s *Supervisor) resign() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if err := s.lead.Resign(ctx); err != nil {
		s.log.Info("the lease is left to run out", "error", err)
	}
}

func (s *Supervisor) watchLease(ctx context.Context) {
	select {
	case <-s.lead.Lost():
		s.log.Error("the leadership is lost")
		s.end(errDeposed)
	case <-ctx.Done():
	}
}

// load reads what an earlier marathonish has left: the framework's id, and the fleet.
func (s *Supervisor) load(ctx context.Context) (sdk.FrameworkID, error) {
	kvs, _, err := s.space.List(ctx, "")
	if err != nil {
		return "", err
	}
	var id sdk.FrameworkID
	var list []fleet.KV
	for _, kv := range kvs {
		if kv.Key == keyFramework {
			id = sdk.FrameworkID(kv.Value)
		}
		list = append(list, fleet.KV{Key: kv.Key, Value: kv.Value})
	}
	o := s.opts.Fleet
	if _, err := rand.Read(o.Seed[:]); err != nil {
		return "", err
	}
	f, err := fleet.Load(time.Now(), o, list)
	if err != nil {
		return "", err
	}
	s.mu.Lock()
	s.fleet = f
	s.mu.Unlock()
	s.log.Info("leads", "keys", len(kvs), "framework", id)
	return id, nil
}

// keyFramework has the framework's id.
const keyFramework = "framework"

func (s *Supervisor) frameworkOptions(id sdk.FrameworkID) framework.Options {
	o := framework.DefaultOptions(s.opts.Name)
	o.Addrs, o.Token, o.TokenFile, o.Transport, o.Log = s.opts.Addrs, s.opts.Token, s.opts.TokenFile, s.opts.Transport, s.log
	o.Info.ID, o.Info.Principal, o.Info.Roles = id, s.opts.Principal, s.opts.Roles
	o.Info.FailoverTimeout = s.opts.FailoverTimeout.Seconds()
	o.Info.WebUIURL = "http://" + s.address()
	o.SuppressedRoles, o.ExplicitAck, o.Refused = s.opts.Roles, true, s.refused
	return o
}

func (s *Supervisor) mastersOptions() masters.Options {
	return masters.Options{Addrs: s.opts.Addrs, Token: s.opts.Token, TokenFile: s.opts.TokenFile, Transport: s.opts.Transport}
}
