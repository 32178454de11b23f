package e2e

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/framework"
)

// flow is a framework that launches a fixed number of short tasks a second, each of which
// writes its id into a file, and remembers what it was told of each.
type flow struct {
	t    *testing.T
	n    *netCluster
	f    *framework.Framework
	rate int

	mu    sync.Mutex
	held  map[sdk.OfferID]sdk.Offer
	made  int
	tasks map[sdk.TaskID]*flowTask
	stays map[sdk.TaskID][]sdk.TaskState // of tasks that do not end, what was told, without repetitions
	heard int                            // tasks of which any status came
}

type flowTask struct {
	agent sdk.AgentID
	at    time.Time // of its launch
	told  bool
	ran   time.Time     // when its executor's first status came here: the launch is acknowledged; zero: not yet
	began time.Time     // by its executor; zero: not heard
	end   sdk.TaskState // empty: not yet
	why   string
}

// startFlow subscribes it from a host, and begins.
func startFlow(n *netCluster, host string, rate int) (f *flow, stop func()) {
	n.t.Helper()
	f = &flow{t: n.t, n: n, rate: rate, held: map[sdk.OfferID]sdk.Offer{}, tasks: map[sdk.TaskID]*flowTask{}, stays: map[sdk.TaskID][]sdk.TaskState{}}
	o := framework.DefaultOptions("flow")
	o.Addrs, o.Token, o.Transport = strings.Split(n.addrs(5050), ","), n.secret, n.transport(host)
	o.Refused = func([]sdk.Call, error) {} // reconciliation tells
	var err error
	if f.f, err = framework.New(o); err != nil {
		n.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	launching, quiet := context.WithCancel(ctx)
	var all sync.WaitGroup
	all.Go(func() {
		err := f.f.Run(ctx, framework.Handlers{
			Subscribed: func(context.Context, *sdk.Subscribed) error { f.forget(""); return nil },
			Offers:     func(_ context.Context, offers []sdk.Offer) error { f.hold(offers); return nil },
			Rescind:    func(_ context.Context, id sdk.OfferID) error { f.forget(id); return nil },
			Update:     func(_ context.Context, st sdk.TaskStatus) error { f.told(st); return nil },
		}.Handle)
		if err != nil && !errors.Is(err, context.Canceled) {
			n.t.Errorf("the flow ended: %v", err)
		}
	})
	all.Go(func() {
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		last, due := time.Now(), 0.0
		for {
			select {
			case <-launching.Done():
				return
			case now := <-tick.C:
				due = min(due+now.Sub(last).Seconds()*float64(rate), float64(rate)/4) // what was missed is missed
				last = now
				due -= float64(f.launch(int(due)))
			}
		}
	})
	n.t.Cleanup(func() { cancel(); all.Wait() })
	return f, quiet
}

func (f *flow) hold(offers []sdk.Offer) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, o := range offers {
		f.held[o.ID] = o
	}
}

func (f *flow) forget(id sdk.OfferID) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if delete(f.held, id); id == "" {
		clear(f.held)
	}
}

// launch starts so many tasks on one of the offers that are there.
func (f *flow) launch(count int) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	if count == 0 {
		return 0
	}
	for id, o := range f.held {
		delete(f.held, id)
		count = min(count, int(sdk.Resources(o.Resources).Scalar("cpus")/0.01)-1)
		if count < 1 {
			_ = f.f.Decline(time.Second, o)
			continue
		}
		var tasks []sdk.TaskInfo
		for range count {
			f.made++
			task := sdk.TaskID(fmt.Sprintf("flow-%d", f.made))
			tasks = append(tasks, sdk.TaskInfo{Name: "flow", TaskID: task, AgentID: o.AgentID, Resources: []sdk.Resource{scalar("cpus", 0.01), scalar("mem", 1)},
				Command: &sdk.CommandInfo{Value: fmt.Sprintf("echo %s %s >> %s", task, termOf(o.ID), filepath.Join(f.n.truth, "flow-"+strings.ReplaceAll(o.Hostname, ".", "-")))}})
			f.tasks[task] = &flowTask{agent: o.AgentID, at: time.Now()}
		}
		err := f.f.Accept(&sdk.Accept{OfferIDs: []sdk.OfferID{o.ID}, Filters: &sdk.Filters{RefuseSeconds: new(float64)},
			Operations: []sdk.Operation{{Type: sdk.OperationLaunch, Launch: &sdk.Launch{TaskInfos: tasks}}}})
		if err != nil { // never sent
			for _, task := range tasks {
				delete(f.tasks, task.TaskID)
			}
			return 0
		}
		return count
	}
	return 0
}

func (f *flow) told(st sdk.TaskStatus) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if told, stays := f.stays[st.TaskID]; stays && (len(told) == 0 || told[len(told)-1] != st.State) {
		f.stays[st.TaskID] = append(told, st.State)
	}
	task := f.tasks[st.TaskID]
	if task == nil {
		return
	}
	if !task.told {
		task.told = true
		f.heard++
	}
	if task.ran.IsZero() && st.Source == sdk.SourceExecutor { // a master says of those that never were that they are lost
		task.began, task.ran = time.UnixMicro(int64(st.Timestamp*1e6)), time.Now()
	}
	if ended(st.State) && (task.end == "" || task.end == sdk.TaskUnknown) {
		task.end, task.why = st.State, fmt.Sprintf("%s %s", st.Reason, st.Message)
	}
}

// stay starts a task on a host that does not end, and writes the number of its process into
// the file of its name ten times a second. It gives its id and agent when it runs.
func (f *flow) stay(host string) (id sdk.TaskID, agent sdk.AgentID) {
	f.t.Helper()
	eventually(f.t, 20*time.Second, "a task stays on "+host, func() bool {
		if told := f.toldOf(id); len(told) > 0 && !ended(told[len(told)-1]) {
			return slices.Contains(told, sdk.TaskRunning)
		} else if id != "" && len(told) == 0 {
			return false // it may still come; if its offer was withdrawn meanwhile, that is told
		}
		f.mu.Lock()
		defer f.mu.Unlock()
		for offer, o := range f.held {
			if o.Hostname != host {
				continue
			}
			delete(f.held, offer)
			id, agent = sdk.TaskID(fmt.Sprintf("stays-%d", len(f.stays)+1)), o.AgentID
			task := sdk.TaskInfo{Name: "stays", TaskID: id, AgentID: agent, Resources: []sdk.Resource{scalar("cpus", 0.1), scalar("mem", 16)},
				Command: &sdk.CommandInfo{Value: fmt.Sprintf("while :; do echo $$ >> %s; sleep 0.1; done", filepath.Join(f.n.truth, string(id)))}}
			err := f.f.Accept(&sdk.Accept{OfferIDs: []sdk.OfferID{offer}, Filters: &sdk.Filters{RefuseSeconds: new(float64)},
				Operations: []sdk.Operation{{Type: sdk.OperationLaunch, Launch: &sdk.Launch{TaskInfos: []sdk.TaskInfo{task}}}}})
			if f.stays[id] = nil; err != nil { // never sent
				id = ""
			}
			break
		}
		return false
	})
	return id, agent
}

// toldOf is what was told of a task that stays.
func (f *flow) toldOf(id sdk.TaskID) []sdk.TaskState {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.stays[id])
}

// termOf is the generation and term of the leader that made an offer, as its id says:
// cluster-generation-term-number.
func termOf(id sdk.OfferID) string {
	parts := strings.Split(string(id), "-")
	return strings.Join(parts[max(0, len(parts)-3):len(parts)-1], ".")
}

// compareTerms compares two of termOf as the pairs of numbers that they are.
func compareTerms(a, b string) int {
	var x, y [2]uint64
	_, _ = fmt.Sscanf(a, "%d.%d", &x[0], &x[1])
	_, _ = fmt.Sscanf(b, "%d.%d", &y[0], &y[1])
	return slices.Compare(x[:], y[:])
}

// launchedSince is how many launches after a moment are acknowledged by their executors, on
// those agents or on all.
func (f *flow) launchedSince(at time.Time, on ...sdk.AgentID) (n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, task := range f.tasks {
		if !task.ran.IsZero() && task.at.After(at) && (len(on) == 0 || slices.Contains(on, task.agent)) {
			n++
		}
	}
	return n
}

// acknowledgedAfter is when the first launch after a moment was acknowledged, as far as is
// known; what was launched before it does not count, since agents tell of that again.
func (f *flow) acknowledgedAfter(at time.Time) (first time.Time, ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, task := range f.tasks {
		if !task.ran.IsZero() && task.at.After(at) && (!ok || task.ran.Before(first)) {
			first, ok = task.ran, true
		}
	}
	return first, ok
}

// acknowledged is how many tasks had a first status, whatever it said.
func (f *flow) acknowledged() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.heard
}

// open are the tasks of which no end is known.
func (f *flow) open() []sdk.ReconcileTask {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []sdk.ReconcileTask
	for id, task := range f.tasks {
		if task.end == "" {
			out = append(out, sdk.ReconcileTask{TaskID: id, AgentID: task.agent})
		}
	}
	return out
}

// startsWithin is how long what an agent has taken from one leader may take to start, while
// what it took from the next one starts beside it.
const startsWithin = 2 * time.Second

// inOrder tells of tasks of a leader of the past that an agent's machine ran too long after
// the next leader's first to have been taken from it before.
func (f *flow) inOrder(agent string, lines []string) {
	latest, since := "", time.Time{}
	for _, line := range lines {
		id, term, _ := strings.Cut(line, " ")
		task := f.tasks[sdk.TaskID(id)]
		switch {
		case task == nil:
			f.t.Errorf("%s: %s was never launched", agent, id)
		case compareTerms(term, latest) > 0:
			latest, since = term, task.began
		case compareTerms(term, latest) < 0 && !task.began.IsZero() && !since.IsZero() && task.began.Sub(since) > startsWithin:
			f.t.Errorf("%s: %s of term %s began %v after one of term %s", agent, id, term, task.began.Sub(since), latest)
		}
	}
}

// judge waits until each task has been told to have ended, and compares that with what the
// tasks wrote: one that has run was told so, and one that has not run was told that. On no
// agent a leader of the past has launched anything after the next one has (promise P3).
func (f *flow) judge() {
	f.t.Helper()
	deadline, last := time.Now().Add(60*time.Second), time.Now()
	eventually(f.t, 70*time.Second, "all ends of the flow's tasks are told", func() bool {
		left := f.open()
		if len(left) > 0 && time.Since(last) > 5*time.Second {
			last = time.Now()
			_ = f.f.Reconcile(left...)
		}
		if time.Now().After(deadline) {
			f.t.Errorf("%d ends were never told, such as %s's", len(left), left[0].TaskID)
			return true
		}
		return len(left) == 0
	})
	ran := map[string]int{}
	files, err := filepath.Glob(filepath.Join(f.n.truth, "flow-*"))
	if err != nil {
		f.t.Fatal(err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, name := range files {
		lines := strings.Split(strings.TrimSpace(read(f.t, name)), "\n")
		for _, line := range lines {
			id, _, _ := strings.Cut(line, " ")
			ran[id]++
		}
		f.inOrder(filepath.Base(name), lines)
	}
	states := map[string]int{}
	wrong := 0
	for id, task := range f.tasks {
		states[string(task.end)]++
		finished := task.end == sdk.TaskFinished
		if (ran[string(id)] != 1 || !finished) && (ran[string(id)] != 0 || finished || task.end == sdk.TaskFailed || task.end == sdk.TaskKilled) {
			if wrong++; wrong < 10 {
				f.t.Errorf("%s ran %d times and was told as %s: %s", id, ran[string(id)], task.end, task.why)
			}
		}
	}
	if wrong > 0 {
		f.t.Errorf("%d of %d tasks were told wrongly", wrong, len(f.tasks))
	}
	f.t.Logf("%d launches: %v", len(f.tasks), states)
}
