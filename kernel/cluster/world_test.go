package cluster

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/profferhq/proffer/kernel/link"
	"github.com/profferhq/proffer/kernel/registry"
	"github.com/profferhq/proffer/sdk"
)

// world is a cluster with everything around it that a script needs: schedulers
// and agents by name, a registry that commits, and a clock.
type world struct {
	now        time.Time
	c          *Cluster
	reg        *registry.State
	index      uint64
	term       uint64
	opt        Options
	hold       bool
	held       []Propose
	queue      []Input
	watch      func(Effect)
	out        strings.Builder
	operators  bool
	logs       bool
	sessions   int
	requests   uint64
	schedulers map[string]*fakeScheduler
	agents     map[string]*fakeAgent
	uuids      int
}

type fakeScheduler struct {
	session Session
	id      sdk.FrameworkID
	info    sdk.FrameworkInfo
	caller  Caller
}

// fakeAgent knows what an agent would: what it was told to run, and what it said.
type fakeAgent struct {
	name      string
	session   Session
	id        sdk.AgentID
	info      sdk.AgentInfo
	highest   link.Fence
	tasks     map[taskKey]*fakeTask
	executors map[executorKey]sdk.ExecutorInfo
	infos     map[sdk.FrameworkID]sdk.FrameworkInfo
}

type fakeTask struct {
	info     sdk.TaskInfo
	executor sdk.ExecutorID
	state    sdk.TaskState
	uuid     []byte // of the update that waits
}

func newWorld() *world {
	w := &world{
		now:        time.Unix(1700000000, 0).UTC(),
		reg:        registry.New(),
		term:       1,
		schedulers: map[string]*fakeScheduler{},
		agents:     map[string]*fakeAgent{},
	}
	w.commit(registry.Command{Type: registry.CommandBootstrap, Bootstrap: &registry.Bootstrap{ClusterID: "c", Name: "test"}})
	w.opt = Options{
		FrameworkLaunchers: []string{"init"},
		Published:          []string{"published"},
		AllowedUsers:       map[string][]string{"root-may": {"*"}},
		// What most scripts are not about.
		MassShare: 1, OfferWait: -1,
	}
	w.elect()
	return w
}

func (w *world) commit(cmd registry.Command) registry.Result {
	w.index++
	cmd.Version = min(registry.CommandVersion, w.reg.CommonVersion()) // as consensus writes it
	return w.reg.Apply(w.index, cmd)
}

// elect begins a new leader's mind from the registry.
func (w *world) elect() {
	opt := w.opt
	opt.Registry = w.reg.Clone()
	opt.Fence = link.Fence{Generation: 1, Term: w.term}
	opt.Master = sdk.MasterInfo{ID: fmt.Sprintf("m%d", w.term), Hostname: "m1", Port: 5050, Version: "1.12.0"}
	w.c = New(w.now, opt)
}

func (w *world) printf(format string, args ...any) { fmt.Fprintf(&w.out, format+"\n", args...) }

// step gives the cluster one input, performs the effects, and lets it settle.
func (w *world) step(in Input) {
	w.one(in)
	w.drain()
	w.settle()
}

// drain tells of commits: never before all effects of the step that proposed.
func (w *world) drain() {
	for len(w.queue) > 0 {
		in := w.queue[0]
		w.queue = w.queue[1:]
		w.one(in)
	}
}

func (w *world) one(in Input) {
	effects := append([]Effect(nil), w.c.Step(w.now, in)...)
	for _, e := range effects {
		w.perform(e)
	}
	if err := w.c.Check(); err != nil {
		w.printf("BROKEN: %v", err)
	}
}

func (w *world) settle() {
	for range 100 {
		due, ok := w.c.Due()
		if !ok || due.After(w.now) {
			return
		}
		w.one(Tick{})
		w.drain()
	}
	w.printf("BROKEN: time does not come to rest")
}

// advance lets time pass, stopping wherever something is due.
func (w *world) advance(d time.Duration) {
	end := w.now.Add(d)
	for {
		due, ok := w.c.Due()
		if !ok || due.After(end) {
			break
		}
		if due.After(w.now) {
			w.now = due
		}
		w.settle()
	}
	w.now = end
	w.settle()
}

func (w *world) perform(e Effect) {
	if w.watch != nil {
		w.watch(e)
	}
	if line := w.format(e); line != "" {
		w.printf("%s", line)
	}
	switch e := e.(type) {
	case Propose:
		if w.hold {
			w.held = append(w.held, e)
			return
		}
		w.queue = append(w.queue, Committed{ID: e.ID, Result: w.commit(e.Command)})
	case ToScheduler:
		if s := w.scheduler(e.Session); s != nil && e.Event.Type == sdk.EventSubscribed {
			s.id = e.Event.Subscribed.FrameworkID
		}
	case ToAgent:
		if a := w.agent(e.Session); a != nil {
			a.obey(e.Event)
		}
	}
}

func (w *world) scheduler(s Session) *fakeScheduler {
	for _, x := range w.schedulers {
		if x.session == s {
			return x
		}
	}
	return nil
}

func (w *world) agent(s Session) *fakeAgent {
	for _, x := range w.agents {
		if x.session == s {
			return x
		}
	}
	return nil
}

func (w *world) session(name string) Session {
	w.sessions++
	return Session(name + "#" + strconv.Itoa(w.sessions))
}

func (w *world) request() uint64 {
	w.requests++
	return w.requests
}

func (w *world) uuid() []byte {
	w.uuids++
	return []byte(fmt.Sprintf("uuid%012d", w.uuids))
}

// obey is what an agent does with an event.
func (a *fakeAgent) obey(e *link.Event) {
	if f := e.Fence(); f.Compare(a.highest) > 0 {
		a.highest = f
	}
	switch e.Type {
	case link.EventRegistered:
		a.id = e.Registered.AgentID
	case link.EventRun:
		r := e.Run
		a.infos[r.Framework.ID] = r.Framework
		var id sdk.ExecutorID
		if r.Executor != nil {
			id = r.Executor.ExecutorID
			info := *r.Executor
			info.FrameworkID = r.Framework.ID
			a.executors[executorKey{r.Framework.ID, id}] = info
		}
		for _, t := range r.Tasks {
			a.tasks[taskKey{r.Framework.ID, t.TaskID}] = &fakeTask{info: t, executor: id, state: sdk.TaskStaging}
		}
	case link.EventFramework:
		a.infos[e.Framework.Info.ID] = e.Framework.Info
	case link.EventAcknowledge:
		key := taskKey{e.Acknowledge.FrameworkID, e.Acknowledge.TaskID}
		if t := a.tasks[key]; t != nil && string(t.uuid) == string(e.Acknowledge.UUID) {
			t.uuid = nil
			if t.state.Terminal() {
				delete(a.tasks, key)
			}
		}
	}
}

// report is the REGISTER call of the agent as it is now.
func (a *fakeAgent) report() *link.Call {
	r := &link.Register{Agent: a.info, BootID: "boot", Software: "1.0", Address: a.info.Hostname + ":5051", Highest: a.highest}
	r.Agent.ID = a.id
	for _, id := range sortedKeys(a.infos) {
		r.Frameworks = append(r.Frameworks, a.infos[id])
	}
	for _, key := range sortedBy(a.executors, func(k executorKey) string { return string(k.framework) + "/" + string(k.executor) }) {
		r.Executors = append(r.Executors, a.executors[key])
	}
	for _, key := range sortedBy(a.tasks, func(k taskKey) string { return string(k.framework) + "/" + string(k.task) }) {
		t := a.tasks[key]
		r.Tasks = append(r.Tasks, sdk.Task{
			Name: t.info.Name, TaskID: key.task, FrameworkID: key.framework, ExecutorID: t.executor, AgentID: a.id,
			State: t.state, Resources: t.info.Resources, StatusUpdateUUID: t.uuid,
		})
	}
	return &link.Call{Version: link.Version, Type: link.CallRegister, AgentID: a.id, Register: r}
}

func sortedBy[K comparable, V any](m map[K]V, name func(K) string) []K {
	byName := map[string]K{}
	for k := range m {
		byName[name(k)] = k
	}
	var out []K
	for _, n := range sortedKeys(byName) {
		out = append(out, byName[n])
	}
	return out
}
