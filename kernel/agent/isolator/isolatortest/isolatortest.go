package isolatortest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/profferhq/proffer/kernel/agent/isolator"
	"github.com/profferhq/proffer/kernel/agent/usage"
	"github.com/profferhq/proffer/sdk"
)

// Subject is an isolator under test.
type Subject struct {
	// New makes the isolator; called again it stands for an agent that restarts.
	New func(t *testing.T) isolator.Isolator
	// Container makes a container with that id, with directories of its own.
	Container func(t *testing.T, id string) *isolator.Container
	// Start runs a process that never ends by itself inside the prepared container,
	// and returns what waits for its end. Nil when the isolator can not end processes.
	Start func(t *testing.T, c *isolator.Container, spec *sdk.LaunchSpec) (wait func())
	// Left says whether anything of the container is still on the machine.
	Left func(id string) bool
}

// Run runs all tests.
func Run(t *testing.T, s Subject) {
	t.Run("cleanup undoes prepare", s.cleanup)
	t.Run("cleanup without prepare", s.neverPrepared)
	t.Run("a chain undoes what failed", s.rollback)
	t.Run("recover finds orphans only", s.recover)
	t.Run("destroy empties", s.destroy)
	t.Run("optional interfaces", s.optional)
}

func deadline(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func (s Subject) prepare(t *testing.T, i isolator.Isolator, c *isolator.Container) *sdk.LaunchSpec {
	t.Helper()
	spec := &sdk.LaunchSpec{Version: sdk.LaunchVersion, ContainerID: c.ID}
	if err := i.Prepare(deadline(t), c, spec); err != nil {
		t.Fatal(err)
	}
	return spec
}

func (s Subject) gone(t *testing.T, id string) {
	t.Helper()
	if s.Left(id) {
		t.Errorf("something of %s is left", id)
	}
}

func (s Subject) cleanup(t *testing.T) {
	i, c := s.New(t), s.Container(t, "once")
	s.prepare(t, i, c)
	for n := range 2 {
		if err := i.Cleanup(deadline(t), c); err != nil {
			t.Errorf("cleanup, time %d: %v", n+1, err)
		}
		s.gone(t, c.ID)
	}
}

func (s Subject) neverPrepared(t *testing.T) {
	i, c := s.New(t), s.Container(t, "never")
	if err := i.Cleanup(deadline(t), c); err != nil {
		t.Error(err)
	}
	if d, ok := i.(isolator.Destroyer); ok {
		if err := d.Destroy(deadline(t), c); err != nil {
			t.Error(err)
		}
	}
	s.gone(t, c.ID)
}

// failing is an isolator whose Prepare fails.
type failing struct{ cleaned int }

var errPlanned = errors.New("planned failure")

func (*failing) Name() string { return "failing" }

func (*failing) Prepare(context.Context, *isolator.Container, *sdk.LaunchSpec) error {
	return errPlanned
}

func (f *failing) Cleanup(context.Context, *isolator.Container) error {
	f.cleaned++
	return nil
}

func (s Subject) rollback(t *testing.T) {
	f, c := &failing{}, s.Container(t, "rolled-back")
	err := isolator.Chain{s.New(t), f}.Prepare(deadline(t), c, &sdk.LaunchSpec{})
	if !errors.Is(err, errPlanned) || f.cleaned != 1 {
		t.Errorf("%v; the failing one was cleaned %d times", err, f.cleaned)
	}
	s.gone(t, c.ID)
}

func (s Subject) recover(t *testing.T) {
	i := s.New(t)
	if _, ok := i.(isolator.Recoverer); !ok {
		t.Skip("it leaves nothing that could be found")
	}
	known, orphan := s.Container(t, "known"), s.Container(t, "orphan")
	s.prepare(t, i, known)
	spec := s.prepare(t, i, orphan)
	wait := func() {}
	if s.Start != nil {
		wait = s.Start(t, orphan, spec)
	}
	next := s.New(t)
	reaped := make(chan bool)
	go func() { wait(); close(reaped) }()
	ids, err := next.(isolator.Recoverer).Recover(deadline(t), []*isolator.Container{known})
	if err != nil || !slices.Equal(ids, []string{"orphan"}) {
		t.Errorf("orphans %v, %v", ids, err)
	}
	<-reaped
	s.gone(t, "orphan")
	if !s.Left("known") {
		t.Error("the known container was removed")
	}
	if err := next.Cleanup(deadline(t), known); err != nil {
		t.Error(err)
	}
	s.gone(t, "known")
}

func (s Subject) destroy(t *testing.T) {
	i := s.New(t)
	d, ok := i.(isolator.Destroyer)
	if !ok || s.Start == nil {
		t.Skip("it ends no processes")
	}
	c := s.Container(t, "running")
	wait := s.Start(t, c, s.prepare(t, i, c))
	if err := i.Cleanup(deadline(t), c); err == nil {
		t.Error("cleaned up while a process runs")
	}
	for range 2 {
		if err := d.Destroy(deadline(t), c); err != nil {
			t.Error(err)
		}
	}
	wait()
	if err := i.Cleanup(deadline(t), c); err != nil {
		t.Error(err)
	}
	s.gone(t, c.ID)
}

// optional calls what an agent would call on a container that is gone: each must say
// nothing rather than fail, because containers end at any moment.
func (s Subject) optional(t *testing.T) {
	i, c := s.New(t), s.Container(t, "gone")
	if w, ok := i.(isolator.Watcher); ok {
		if l, err := w.Reached(deadline(t), c); l != nil || err != nil {
			t.Errorf("reached %v, %v", l, err)
		}
		ctx, cancel := context.WithCancel(deadline(t))
		cancel()
		if err := w.Watch(ctx, func(id string, l isolator.Limitation) { t.Errorf("told %s %v", id, l) }); !errors.Is(err, context.Canceled) {
			t.Errorf("the watch ended with %v", err)
		}
	}
	if m, ok := i.(isolator.Sampler); ok {
		var u usage.Sample
		if err := m.Sample(deadline(t), c, &u); err != nil || u != (usage.Sample{}) {
			t.Errorf("sampled %s, %v", fmt.Sprintf("%+v", u), err)
		}
	}
}
