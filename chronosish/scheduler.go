package chronosish

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/profferhq/proffer/chronosish/book"
	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/framework"
	"github.com/profferhq/proffer/sdk/masters"
	"github.com/profferhq/proffer/sdk/store"
)

// Scheduler is one chronosish.
type Scheduler struct {
	opts     Options
	log      *slog.Logger
	space    *store.Space
	lead     *store.Leadership // set before the loop begins
	listener net.Listener
	metrics  *metrics

	mu     sync.RWMutex         // held for writing while the book steps
	book   *book.Book           // nil until it leads
	kernel *framework.Framework // the same; not changed afterwards

	queue   queue
	asked   sync.Mutex
	replies map[uint64]chan book.Reply
	number  uint64
	end     context.CancelCauseFunc // ends Run
}

// New makes a chronosish, which listens already. It refuses options that cannot
// work.
func New(o Options) (*Scheduler, error) {
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
	s := &Scheduler{
		opts: o, log: o.Log, space: space, listener: l, replies: map[uint64]chan book.Reply{},
		queue: queue{wake: make(chan struct{}, 1)},
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	s.log = s.log.With("component", "chronosish")
	s.metrics = newMetrics(s)
	return s, nil
}

// storePatience is how long a call waits for a leading master before it is tried
// anew.
const storePatience = 5 * time.Second

// errDeposed ends a chronosish that does not lead any more.
var errDeposed = errors.New("another chronosish leads, or the lease has ended")

// Run waits until it leads, and then schedules until ctx ends (nil), or until it
// loses its leadership or the kernel refuses it (an error).
func (s *Scheduler) Run(ctx context.Context) error {
	ctx, s.end = context.WithCancelCause(ctx)
	defer s.end(nil)
	defer s.space.Close()
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
	err = s.kernel.Run(ctx, s.handle)
	if sdk.CodeOf(err) == sdk.CodeGone {
		err = s.disown(ctx, err)
	}
	s.end(err)
	work.Wait()
	return ended(ctx, err)
}

// disown forgets the framework's id, which the kernel has removed for good with all of
// its tasks: the next chronosish is a new framework, and attempts that were going on are lost.
func (s *Scheduler) disown(ctx context.Context, removed error) error {
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

func (s *Scheduler) address() string { return s.listener.Addr().String() }

// resign lets a successor lead at once.
func (s *Scheduler) resign() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if err := s.lead.Resign(ctx); err != nil {
		s.log.Info("the lease is left to run out", "error", err)
	}
}

func (s *Scheduler) watchLease(ctx context.Context) {
	select {
	case <-s.lead.Lost():
		s.log.Error("the leadership is lost")
		s.end(errDeposed)
	case <-ctx.Done():
	}
}

// load reads what an earlier chronosish has left: the framework's id, and the book.
func (s *Scheduler) load(ctx context.Context) (sdk.FrameworkID, error) {
	kvs, _, err := s.space.List(ctx, "")
	if err != nil {
		return "", err
	}
	var id sdk.FrameworkID
	var list []book.KV
	for _, kv := range kvs {
		if kv.Key == keyFramework {
			id = sdk.FrameworkID(kv.Value)
		}
		list = append(list, book.KV{Key: kv.Key, Value: kv.Value})
	}
	b, err := book.Load(time.Now(), s.opts.Book, list)
	if err != nil {
		return "", err
	}
	s.mu.Lock()
	s.book = b
	s.mu.Unlock()
	s.log.Info("leads", "keys", len(kvs), "framework", id)
	return id, nil
}

// keyFramework has the framework's id.
const keyFramework = "framework"

func (s *Scheduler) frameworkOptions(id sdk.FrameworkID) framework.Options {
	o := framework.DefaultOptions(s.opts.Name)
	o.Addrs, o.Token, o.TokenFile, o.Transport, o.Log = s.opts.Addrs, s.opts.Token, s.opts.TokenFile, s.opts.Transport, s.log
	o.Info.ID, o.Info.Principal, o.Info.Roles = id, s.opts.Principal, []string{s.opts.Role}
	o.Info.FailoverTimeout = s.opts.FailoverTimeout.Seconds()
	o.Info.WebUIURL = "http://" + s.address()
	o.SuppressedRoles, o.ExplicitAck, o.Refused = []string{s.opts.Role}, true, s.refused
	return o
}

func (s *Scheduler) mastersOptions() masters.Options {
	return masters.Options{Addrs: s.opts.Addrs, Token: s.opts.Token, TokenFile: s.opts.TokenFile, Transport: s.opts.Transport}
}
