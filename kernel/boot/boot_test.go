package boot

import (
	"context"
	"io"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/sdktest"
	"github.com/profferhq/proffer/sdk/store"
)

// leadership is an init that runs against the kernel of the tests.
type leadership struct {
	*Init
	stop func()
}

// wanted is a manifest that a test can change.
type wanted struct {
	atomic.Pointer[sdk.BootManifest]
}

func (w *wanted) now() (*sdk.BootManifest, uint64) {
	m := w.Load()
	if m == nil {
		return nil, 0
	}
	n := uint64(0)
	for _, f := range m.Frameworks {
		n = n*1000 + uint64(f.Instances) + uint64(len(f.Command)) + uint64(f.CPUs)
	}
	return m, n
}

func one(command string, cpus float64) *sdk.BootManifest {
	return &sdk.BootManifest{Frameworks: []sdk.BootFramework{{Name: "m", Principal: "marathonish", Command: command, Instances: 1, Role: "system", CPUs: cpus, Mem: 64}}}
}

func lead(t *testing.T, k *sdktest.Kernel, w *wanted, epoch string) *leadership {
	i := New(Options{Addr: k.Addr(), Token: k.Token(), FrameworkID: "c-init", Epoch: epoch, Manifest: w.now,
		Missing: func(needs sdk.Resources) string { return "nobody has " + needs.String() },
		Log:     slog.New(slog.NewTextHandler(t.Output(), nil))})
	ctx, cancel := context.WithCancel(context.Background())
	over := make(chan struct{})
	go func() {
		defer close(over)
		i.Run(ctx)
	}()
	stop := func() {
		cancel()
		<-over
	}
	t.Cleanup(stop)
	return &leadership{i, stop}
}

// until polls, because init acts by itself.
func until(t *testing.T, what string, done func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.After(15 * time.Second); !done(); {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

func runs(k *sdktest.Kernel, id string) func() bool {
	return func() bool {
		all := k.Running()
		return len(all) == 1 && string(all[0].TaskID) == id
	}
}

// The whole way: a manifest, a launch by an ordinary offer behind its record, a crash, a
// new leader that launches nothing again, a changed manifest, one that fits nowhere.
func TestInitKeepsTheManifestRunning(t *testing.T) {
	k := sdktest.New(t, sdktest.Options{Run: func(sdk.TaskInfo) sdktest.Outcome { return sdktest.Outcome{Endless: true} }})
	w := &wanted{}
	first := lead(t, k, w, "e1")
	if st := first.Status(); !st.Idle || !strings.Contains(st.Message, "no boot manifest") {
		t.Errorf("without a manifest: %+v", st)
	}
	w.Store(one("run", 1))
	until(t, "the first launch", runs(k, "m.0.1"))
	task := k.Running()[0]
	if task.Labels.Labels[0].Value != "marathonish" || task.Command.Value != "run" {
		t.Errorf("%+v", task)
	}
	until(t, "its state", func() bool {
		st := first.Status()
		return len(st.Instances) == 1 && st.Instances[0].State == sdk.BootRunning
	})
	if i := first.Status().Instances[0]; i.OfferID == "" || i.Hostname == "" || i.Attempts != 1 {
		t.Errorf("%+v", i)
	}
	space, err := store.Open(k.Store(Principal, "boot"))
	if err != nil {
		t.Fatal(err)
	}
	defer space.Close()
	kv, err := space.Get(t.Context(), "runs/m/0")
	if err != nil || !strings.Contains(string(kv.Value), `"task_id":"m.0.1"`) {
		t.Errorf("the record is %s, %v", kv.Value, err)
	}
	if err := k.End("m.0.1", sdktest.Outcome{Exit: 3}); err != nil {
		t.Fatal(err)
	}
	until(t, "the second launch", runs(k, "m.0.2"))

	k.Elect()
	second := lead(t, k, w, "e2")
	until(t, "the next leader's word", func() bool {
		st := second.Status()
		return len(st.Instances) == 1 && st.Instances[0].State == sdk.BootRunning && st.Instances[0].TaskID == "m.0.2"
	})
	first.stop()

	w.Store(one("run better", 1))
	until(t, "the replacement", runs(k, "m.0.3"))
	w.Store(one("run better", 1000))
	until(t, "waiting", func() bool {
		st := second.Status()
		return len(st.Instances) == 1 && st.Instances[0].State == sdk.BootWaiting && strings.Contains(st.Instances[0].Why, "nobody has cpus:1000;mem:64")
	})
	w.Store(&sdk.BootManifest{})
	until(t, "the end", func() bool { return len(second.Status().Instances) == 0 && len(k.Running()) == 0 })
}

// Who was deposed commits nothing more, whatever it still hears.
func TestADeposedInitCommitsNothing(t *testing.T) {
	k := sdktest.New(t, sdktest.Options{})
	i := New(Options{Addr: k.Addr(), Token: k.Token(), Log: slog.New(slog.DiscardHandler)})
	claim := func(epoch string) *session {
		space, err := store.Open(k.Store(Principal, "boot"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(space.Close)
		s := &session{Init: i, epoch: epoch, records: space}
		if _, err := s.claim(t.Context()); err != nil {
			t.Fatal(err)
		}
		return s
	}
	old := claim("old")
	write := []Effect{Store{Record{Name: "m", Attempt: 1, TaskID: "m.0.1"}}}
	if err := old.perform(t.Context(), write); err != nil {
		t.Fatal(err)
	}
	fresh := claim("new")
	if err := old.perform(t.Context(), write); sdk.CodeOf(err) != sdk.CodeConflict {
		t.Errorf("the deposed one: %v", err)
	}
	if err := fresh.perform(t.Context(), write); err != nil {
		t.Error(err)
	}
}

// asking asks what init does while something that init does is under way.
type asking struct {
	slog.Handler
	init *Init
	told chan *sdk.GetBoot
}

func (a *asking) Handle(context.Context, slog.Record) error {
	go func() { a.told <- a.init.Status() }()
	select {
	case status := <-a.told:
		a.told <- status
	case <-time.After(10 * time.Second):
	}
	return nil
}

// What init does now is told at once, also while a commit of its takes its time.
func TestStatusDoesNotWaitForWhatIsDone(t *testing.T) {
	a := &asking{Handler: slog.NewTextHandler(io.Discard, nil), told: make(chan *sdk.GetBoot, 1)}
	i := New(Options{Manifest: func() (*sdk.BootManifest, uint64) { return &sdk.BootManifest{}, 1 }, Log: slog.New(a)})
	i.plan, a.init = NewPlan(nil), i
	s := &session{Init: i}
	if err := s.step(t.Context(), func(time.Time, *Plan) []Effect { return []Effect{Log{Message: "it takes its time"}} }); err != nil {
		t.Fatal(err)
	}
	if len(a.told) != 1 {
		t.Error("the status waits for what is done")
	}
}

func TestMissingSaysWhatIsMissing(t *testing.T) {
	agent := func(active bool, total, used string) sdk.AgentState {
		a, err := sdk.ParseResources(total)
		if err != nil {
			t.Fatal(err)
		}
		b, err := sdk.ParseResources(used)
		if err != nil {
			t.Fatal(err)
		}
		return sdk.AgentState{Active: active, AgentInfo: sdk.AgentInfo{Hostname: "h" + total}, TotalResources: a, AllocatedResources: b.Allocate("*")}
	}
	needs := sdk.Resources{sdk.NewScalar("cpus", 1), sdk.NewScalar("mem", 64)}
	for want, agents := range map[string][]sdk.AgentState{
		"no agent has registered":              nil,
		"none of the 1 agents answers":         {agent(false, "cpus:4;mem:512", "")},
		"hcpus:4;mem:512 has cpus:0.5;mem:512": {agent(true, "cpus:4;mem:512", "cpus:3.5"), agent(true, "cpus:0.1", "")},
		"waits for an offer of cpus:1;mem:64":  {agent(true, "cpus:4;mem:512", "cpus:2")},
	} {
		if got := Missing(needs, agents); !strings.HasSuffix(got, want) {
			t.Errorf("%q, want …%q", got, want)
		}
	}
}
