package boot

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/framework"
	"github.com/profferhq/proffer/sdk/store"
)

// Principal is who init is, to the kernel and in the store.
const Principal = "init"

const (
	// Space is init's in the store. It has the records of what was launched.
	Space = "boot"
	// EpochKey holds the word of the newest session: only under it records are committed.
	EpochKey = "epoch"
	// failover is how long the kernel keeps what init launched while there is no leader.
	failover = 7 * 24 * time.Hour
	// look is how often the clock is looked at while something waits for it, and
	// lookLong is how often the manifest is.
	look     = 250 * time.Millisecond
	lookLong = time.Second
	// commitTimeout bounds one commit; after it the session begins anew.
	commitTimeout = 10 * time.Second
)

// Options are what init needs of the master that runs it.
type Options struct {
	Addr        string          // host:port of the own master's HTTP
	Token       string          // an operator's, of Principal; empty on an insecure cluster
	FrameworkID sdk.FrameworkID // the fixed one
	Epoch       string          // different for each leadership
	// Manifest is what is wanted now, and a number that changes with it; nil while the
	// cluster starts nothing.
	Manifest func() (*sdk.BootManifest, uint64)
	// Missing says why no agent has room for so much.
	Missing func(needs sdk.Resources) string
	Log     *slog.Logger
}

// Init is init during one leadership.
type Init struct {
	o Options

	doing   sync.Mutex // held over a step and what follows from it, which may take as long as a commit
	mu      sync.Mutex // of what is below; held for moments only, so that Status answers at once
	plan    *Plan      // nil between two sessions
	message string     // why there is no plan
}

// New makes the init of one leadership. It does not connect yet.
func New(o Options) *Init { return &Init{o: o, message: "init is starting"} }

// Status tells what init does now, and what it waits for.
func (i *Init) Status() *sdk.GetBoot {
	if m, _ := i.o.Manifest(); m == nil {
		return &sdk.GetBoot{Idle: true, Message: "there is no boot manifest: this cluster starts nothing by itself (`proffer boot set FILE`)"}
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.plan == nil {
		return &sdk.GetBoot{Message: i.message}
	}
	return &sdk.GetBoot{Instances: i.plan.Status(time.Now(), i.o.Missing)}
}

// Run keeps what the manifest names running until ctx ends. It waits for a manifest, and
// begins anew after a pause whenever something fails.
func (i *Init) Run(ctx context.Context) {
	pause := look
	for n := 1; ctx.Err() == nil; n++ {
		if m, _ := i.o.Manifest(); m != nil {
			began := time.Now()
			err := i.session(ctx, fmt.Sprintf("%s/%d", i.o.Epoch, n))
			i.end(ctx, err)
			if pause = min(2*pause, 5*time.Second); time.Since(began) > time.Minute {
				pause = look
			}
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
		}
	}
}

func (i *Init) end(ctx context.Context, err error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.plan, i.message = nil, "init begins anew"
	if err != nil {
		i.message = "init could not go on, and tries again: " + err.Error()
	}
	if err != nil && ctx.Err() == nil && !errors.Is(err, errOtherRoles) {
		i.o.Log.Warn("init could not go on, and begins anew", "error", err)
	}
}

// errOtherRoles ends a session whose manifest now wants other roles.
var errOtherRoles = errors.New("the manifest wants other roles")

// session is one claim of the records, one subscription and its plan.
type session struct {
	*Init
	epoch     string
	records   *store.Space
	framework *framework.Framework
	seen      uint64 // number of the manifest that the plan has
	roles     []string
}

func (i *Init) session(ctx context.Context, epoch string) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	s := &session{Init: i, epoch: epoch}
	var err error
	s.records, err = store.Open(store.Options{Addrs: []string{i.o.Addr}, Token: i.o.Token, Space: Space, Principal: Principal, Patience: commitTimeout})
	if err != nil {
		return err
	}
	defer s.records.Close()
	plan, err := s.claim(ctx)
	if err != nil {
		return err
	}
	m, seen := i.o.Manifest()
	if m == nil {
		return nil
	}
	s.roles = Roles(m)
	if s.framework, err = framework.New(s.options()); err != nil {
		return err
	}
	s.seen = seen
	i.mu.Lock()
	i.plan = plan
	i.mu.Unlock()
	if err = s.step(ctx, func(now time.Time, p *Plan) []Effect { return p.Manifest(now, m) }); err != nil {
		return err
	}
	clock := make(chan struct{})
	go func() {
		defer close(clock)
		if err := s.watch(ctx); err != nil {
			cancel(err)
		}
	}()
	err = s.framework.Run(ctx, s.handle)
	cancel(err)
	<-clock
	return err
}

func (s *session) options() framework.Options {
	o := framework.DefaultOptions("init")
	o.Addrs, o.Token, o.Log = []string{s.o.Addr}, s.o.Token, s.o.Log
	o.Info.ID, o.Info.Principal = s.o.FrameworkID, Principal
	o.Info.FailoverTimeout = failover.Seconds()
	o.Info.Roles, o.SuppressedRoles = s.roles, s.roles
	return o
}

// claim takes the records for this session: who has them so far commits nothing more.
func (s *session) claim(ctx context.Context) (*Plan, error) {
	held := store.Absent(EpochKey)
	switch old, err := s.records.Get(ctx, EpochKey); {
	case err == nil:
		held = store.Unchanged(EpochKey, old.Modified)
	case sdk.CodeOf(err) != sdk.CodeNotFound:
		return nil, err
	}
	if err := s.commit(ctx, held, store.Put(EpochKey, []byte(s.epoch))); err != nil {
		return nil, err
	}
	kvs, _, err := s.records.List(ctx, keyPrefix)
	if err != nil {
		return nil, err
	}
	var all []*Record
	for _, kv := range kvs {
		r, err := DecodeRecord(kv.Key, kv.Value)
		if err != nil {
			return nil, err
		}
		all = append(all, r)
	}
	return NewPlan(all), nil
}

// commit does one change under a condition that tells that nobody else took over.
func (s *session) commit(ctx context.Context, held store.Compare, op store.Op) error {
	ctx, cancel := context.WithTimeout(ctx, commitTimeout)
	defer cancel()
	result, err := s.records.Commit(ctx, store.Txn{If: []store.Compare{held}, Then: []store.Op{op}})
	if err == nil && !result.Held {
		err = sdk.Errorf(sdk.CodeConflict, "", "another init has taken over the records")
	}
	return err
}

// watch lets time pass and follows the manifest.
func (s *session) watch(ctx context.Context) error {
	timer := time.NewTimer(look)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
		case <-ctx.Done():
			return nil
		}
		m, seen := s.o.Manifest()
		if m != nil && seen != s.seen && !sameRoles(Roles(m), s.roles) {
			return errOtherRoles
		}
		if err := s.step(ctx, func(now time.Time, p *Plan) []Effect {
			if m != nil && seen != s.seen {
				s.seen = seen
				return p.Manifest(now, m)
			}
			if due, ok := p.Due(); ok && !due.After(now) {
				return p.Tick(now)
			}
			return nil
		}); err != nil {
			return err
		}
		timer.Reset(s.rest())
	}
}

// rest is how long the clock need not be looked at. What happens meanwhile may begin a
// wait, which is then noticed that much later; none of them is shorter than a second.
func (s *session) rest() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	due, ok := s.plan.Due()
	if !ok {
		return lookLong
	}
	return min(max(time.Until(due), look), lookLong)
}

// handle steps the plan with what the kernel says.
func (s *session) handle(ctx context.Context, event *sdk.Event) error {
	return s.step(ctx, func(now time.Time, p *Plan) []Effect {
		switch {
		case event.Subscribed != nil:
			return p.Subscribed(now)
		case event.Offers != nil:
			return p.Offers(now, event.Offers.Offers)
		case event.Update != nil:
			return p.Update(now, &event.Update.Status)
		}
		return nil
	})
}

// step steps the plan and does what follows, one step at a time.
func (s *session) step(ctx context.Context, do func(time.Time, *Plan) []Effect) error {
	s.doing.Lock()
	defer s.doing.Unlock()
	s.mu.Lock()
	effects := do(time.Now(), s.plan)
	s.mu.Unlock()
	return s.perform(ctx, effects)
}

// perform does what the plan says, in its order. After an error the session is over: the
// next one reads what has become of the records.
func (s *session) perform(ctx context.Context, effects []Effect) error {
	mine := store.ValueIs(EpochKey, []byte(s.epoch))
	for _, e := range effects {
		var err error
		switch e := e.(type) {
		case Store:
			err = s.commit(ctx, mine, store.Put(e.Record.Slot().Key(), e.Record.Encode()))
		case Launch:
			for i := range e.Tasks {
				s.o.Log.Info("init launches", "task", e.Tasks[i].TaskID, "offer", e.Offer.ID, "agent", e.Offer.AgentID, "host", e.Offer.Hostname)
			}
			err = s.framework.Launch(e.Offer, e.Tasks...)
		case Decline:
			err = s.framework.Decline(e.Refuse, e.Offer)
		case Kill:
			err = s.framework.Kill(e.TaskID, e.AgentID, 0)
		case Ask:
			err = s.framework.Reconcile(sdk.ReconcileTask{TaskID: e.TaskID, AgentID: e.AgentID})
		case Revive:
			err = s.framework.Revive()
		case Suppress:
			err = s.framework.Suppress()
		case Log:
			s.o.Log.Info("init: "+e.Message, e.KV...)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func sameRoles(a, b []string) bool { return fmt.Sprint(a) == fmt.Sprint(b) }
