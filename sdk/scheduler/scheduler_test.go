package scheduler_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/scheduler"
	"github.com/profferhq/proffer/sdk/scheduler/mind"
	"github.com/profferhq/proffer/sdk/sdktest"
	"github.com/profferhq/proffer/sdk/store"
)

// running is a scheduler of errands on a kernel of sdktest.
type running struct {
	*scheduler.Scheduler[*errands]
	*sdktest.Running
}

// start runs one; stop ends it and gives the error of Run.
func start(t *testing.T, k *sdktest.Kernel, p scheduler.Program[*errands]) (r *running, stop func() error) {
	t.Helper()
	o := scheduler.DefaultOptions("errands")
	o.Addrs, o.Token, o.Bind = []string{k.Addr()}, k.Token(), "127.0.0.1"
	if p.Load == nil {
		p.Load = load
	}
	s, err := scheduler.New(o, p)
	if err != nil {
		t.Fatal(err)
	}
	r = &running{s, sdktest.Go(t, s.Run)}
	return r, r.Stop
}

func await(t *testing.T, what string, condition func() bool) {
	t.Helper()
	sdktest.Await(t, what, condition, nil)
}

func do(t *testing.T, r *running, command string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if outcome, err := scheduler.Ask[string](ctx, r.Scheduler, command); err != nil || !strings.HasPrefix(outcome, "TASK_FINISHED") {
		t.Errorf("%s: %q, %v", command, outcome, err)
	}
}

// TestStandby: of two one leads; the other follows with its state, under the same id.
func TestStandby(t *testing.T) {
	k := sdktest.New(t, sdktest.Options{Run: func(sdk.TaskInfo) sdktest.Outcome { return sdktest.Outcome{Endless: true} }})
	first, stop := start(t, k, scheduler.Program[*errands]{})
	await(t, "the first is subscribed", func() bool { return first.Standing().FrameworkID != "" })
	second, _ := start(t, k, scheduler.Program[*errands]{})
	go func() { _, _ = scheduler.Ask[string](t.Context(), first.Scheduler, "sleep") }()
	await(t, "the errand runs", func() bool { return len(k.Running()) == 1 })
	if second.Standing().Leads || second.Read(func(*errands) { t.Error("the second has a mind") }) {
		t.Error("both lead")
	}
	id := first.Standing().FrameworkID
	if err := stop(); err != nil {
		t.Error(err)
	}
	await(t, "the second is subscribed", func() bool { return second.Standing().FrameworkID == id })
	open := 0
	second.Read(func(m *errands) { open = len(m.open) })
	if open != 1 {
		t.Errorf("%d errands are open", open)
	}
	if err := k.End(k.Running()[0].TaskID, sdktest.Outcome{}); err != nil {
		t.Error(err)
	}
	await(t, "the end is heard", func() bool {
		second.Read(func(m *errands) { open = len(m.open) })
		return open == 0
	})
}

// TestUnknownOutcome: a transaction whose answer is lost is tried again.
func TestUnknownOutcome(t *testing.T) {
	k := sdktest.New(t, sdktest.Options{})
	r, stop := start(t, k, scheduler.Program[*errands]{})
	await(t, "it is subscribed", func() bool { return r.Standing().FrameworkID != "" })
	k.LoseWrites(2)
	do(t, r, "true")
	if err := stop(); err != nil {
		t.Error(err)
	}
}

// TestDeposed: who does not hold the guard any more stores nothing, says so, and waits to
// lead again; then it begins with what the store has.
func TestDeposed(t *testing.T) {
	k := sdktest.New(t, sdktest.Options{})
	var told, begun atomic.Int32
	r, _ := start(t, k, scheduler.Program[*errands]{
		Name: "errand boy", Deposed: func() { told.Add(1) },
		Load: func(now time.Time, kvs []sdk.StoreKV) (*errands, error) {
			m, err := load(now, kvs)
			if err == nil {
				begun.Store(int32(len(m.open)))
			}
			return m, err
		},
	})
	space, err := store.Open(k.Store("errands", "errands"))
	if err != nil {
		t.Fatal(err)
	}
	var id sdk.FrameworkID
	await(t, "it is subscribed, and has stored its id", func() bool {
		kv, err := space.Get(t.Context(), "framework")
		id = sdk.FrameworkID(kv.Value)
		return err == nil
	})
	write := func(ops ...store.Op) {
		t.Helper()
		if _, err := space.Commit(t.Context(), store.Txn{Then: ops}); err != nil {
			t.Fatal(err)
		}
	}
	write(store.Put("leader", []byte("me")), store.Put(prefix+"theirs", []byte("sleep")))
	_, err = scheduler.Ask[string](t.Context(), r.Scheduler, "true")
	if sdk.CodeOf(err) != sdk.CodeUnknown || !strings.Contains(err.Error(), "this errand boy leads no longer") {
		t.Errorf("it answered %v", err)
	}
	await(t, "it leads no longer", func() bool { return !r.Standing().Leads && !r.Read(func(*errands) {}) && told.Load() == 1 })
	kvs, _, err := space.List(t.Context(), prefix)
	if err != nil || len(kvs) != 1 {
		t.Errorf("%v is stored, %v", kvs, err)
	}
	write(store.Delete("leader"))
	await(t, "it leads again, with what the store has", func() bool {
		return r.Standing().FrameworkID == id && begun.Load() == 1
	})
	do(t, r, "true")
}

// TestLeaseEnds: a scheduler whose lease has ended, as after a restore of the store, reads
// anew before it does anything, and its process goes on.
func TestLeaseEnds(t *testing.T) {
	k := sdktest.New(t, sdktest.Options{})
	loads := make(chan int, 10)
	r, stop := start(t, k, scheduler.Program[*errands]{Load: func(now time.Time, kvs []sdk.StoreKV) (*errands, error) {
		loads <- len(kvs)
		return load(now, kvs)
	}})
	await(t, "it is subscribed", func() bool { return r.Standing().FrameworkID != "" })
	do(t, r, "true")
	space, err := store.Open(k.Store("errands", "errands"))
	if err != nil {
		t.Fatal(err)
	}
	held, err := space.Get(t.Context(), "leader")
	if err != nil {
		t.Fatal(err)
	}
	if err := space.Revoke(t.Context(), held.Lease); err != nil {
		t.Fatal(err)
	}
	<-loads
	<-loads
	await(t, "it is subscribed again", func() bool { return r.Standing().FrameworkID != "" })
	do(t, r, "true")
	now, err := space.Get(t.Context(), "leader")
	if err != nil || now.Lease == held.Lease {
		t.Errorf("%+v %v", now, err)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}

// TestAsk: an answer of another kind, and one that nobody waits for.
func TestAsk(t *testing.T) {
	k := sdktest.New(t, sdktest.Options{})
	r, stop := start(t, k, scheduler.Program[*errands]{})
	if _, err := scheduler.Ask[int](t.Context(), r.Scheduler, "true"); err == nil || !strings.Contains(err.Error(), "Reply[string]") {
		t.Errorf("an int was answered: %v", err)
	}
	gone, cancel := context.WithCancelCause(t.Context())
	cancel(io.ErrUnexpectedEOF)
	if _, err := scheduler.Ask[string](gone, r.Scheduler, "true"); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("the error of the context is %v", err)
	}
	do(t, r, "true")
	if err := stop(); err != nil {
		t.Error(err)
	}
}

// bell is an effect of a framework's own, and strike an input that asks for it.
type (
	bell   struct{}
	strike struct{}
)

func (bell) Effect()  {}
func (strike) Input() {}

// ringing is errands with a bell.
type ringing struct{ *errands }

func (m ringing) Step(now time.Time, inputs ...mind.Input) []mind.Effect {
	effects := m.errands.Step(now, inputs...)
	for _, in := range inputs {
		if _, ours := in.(strike); ours {
			effects = append(effects, bell{})
		}
	}
	return effects
}

// TestOwn: own inputs and effects, the API, which lets in nobody unsigned, the numbers,
// and the call before connections end.
func TestOwn(t *testing.T) {
	k := sdktest.New(t, sdktest.Options{})
	o := scheduler.DefaultOptions("errands")
	o.Addrs, o.Token, o.Bind = []string{k.Addr()}, k.Token(), "127.0.0.1"
	rang, closing, registry := make(chan struct{}, 1), false, prometheus.NewRegistry()
	s, err := scheduler.New(o, scheduler.Program[ringing]{
		Load: func(now time.Time, kvs []sdk.StoreKV) (ringing, error) {
			m, err := load(now, kvs)
			return ringing{m}, err
		},
		API: func(verify func(http.Handler) http.Handler) http.Handler { return verify(http.NotFoundHandler()) },
		Perform: func(_ time.Time, e mind.Effect) {
			if _, ours := e.(bell); ours {
				rang <- struct{}{}
			}
		},
		Closing: func() { closing = true },
		Metrics: registry,
		Gauges:  []scheduler.Gauge[ringing]{{Name: "open", Help: "Errands.", Read: func(m ringing) int { return 7 + len(m.open) }}},
	})
	if err != nil {
		t.Fatal(err)
	}
	s.Push(strike{})
	ctx, cancel := context.WithCancel(t.Context())
	end := make(chan error)
	go func() { end <- s.Run(ctx) }()
	<-rang
	answer, err := http.Get("http://" + s.Address())
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	if answer.StatusCode != http.StatusServiceUnavailable { // sdktest has no gateway, and so no key
		t.Errorf("unsigned: %d", answer.StatusCode)
	}
	got := map[string]float64{}
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		got[f.GetName()] = f.GetMetric()[0].GetGauge().GetValue() + f.GetMetric()[0].GetCounter().GetValue()
	}
	if got["open"] != 7 || got["steps_total"] < 1 || len(got) != 5 {
		t.Errorf("the numbers are %v", got)
	}
	cancel()
	if err := <-end; err != nil || !closing {
		t.Errorf("it ended with %v; closing was called: %v", err, closing)
	}
}

// TestOptions: what cannot work is refused by its name.
func TestOptions(t *testing.T) {
	for field, spoil := range map[string]func(*scheduler.Options){
		"name":             func(o *scheduler.Options) { o.Name = "" },
		"principal":        func(o *scheduler.Options) { o.Principal = "" },
		"space":            func(o *scheduler.Options) { o.Space = "" },
		"roles":            func(o *scheduler.Options) { o.Roles = nil },
		"port":             func(o *scheduler.Options) { o.Port = 70000 },
		"lease-ttl":        func(o *scheduler.Options) { o.LeaseTTL = time.Millisecond },
		"failover-timeout": func(o *scheduler.Options) { o.FailoverTimeout = 0 },
		"masters":          func(o *scheduler.Options) { o.Addrs = nil },
	} {
		o := scheduler.DefaultOptions("errands")
		o.Addrs = []string{"127.0.0.1:1"}
		spoil(&o)
		_, err := scheduler.New(o, scheduler.Program[*errands]{Load: load})
		var refusal *sdk.Error
		if !errors.As(err, &refusal) || refusal.Code != sdk.CodeInvalid || refusal.Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
}
