package fleet

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/profferhq/proffer/marathonish/app"
	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/scheduler/mind"
)

// world is a store and a kernel as simple as they can be, and the fleet between
// them. It checks what the fleet does as it does it.
type world struct {
	fail   func(format string, args ...any) // of the test
	now    time.Time
	f      *Fleet
	seeds  byte
	store  map[string]string
	limit  int           // most bytes in the store; 0: no limit
	hold   bool          // commits are not answered
	held   []mind.Commit // not answered yet
	inputs []mind.Input  // not stepped yet
	agents []*machine
	open   map[string]bool // roles with offers
	offers map[sdk.OfferID]*machine
	roles  map[sdk.OfferID]string // that they were made for
	count  int                    // of offers and requests
	tasks  map[sdk.TaskID]*task
	after  int // effects that are done before the fleet crashes; -1: it does not

	replies map[uint64]mind.Reply[Outcome]
	kills   int
	leader  time.Duration     // by how much the leading master's clock is ahead
	saw     func(mind.Effect) // what a script prints
}

// machine is an agent.
type machine struct {
	name    string
	cpus    int64 // free, in thousandths
	ports   sdk.Ranges
	silent  bool
	since   time.Time       // of its silence
	refused map[string]bool // by role
	attrs   []sdk.Attribute
}

// task is what the kernel knows of one.
type task struct {
	info    sdk.TaskInfo
	on      *machine
	state   sdk.TaskState
	started time.Time
	healthy *bool
	pending []sdk.TaskStatus // not acknowledged
	killed  bool
}

func newWorld(fail func(string, ...any), machines int) *world {
	w := &world{
		fail: fail, now: time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC), store: map[string]string{}, after: -1,
		offers: map[sdk.OfferID]*machine{}, roles: map[sdk.OfferID]string{}, tasks: map[sdk.TaskID]*task{}, replies: map[uint64]mind.Reply[Outcome]{}, saw: func(mind.Effect) {},
	}
	for i := range machines {
		w.agents = append(w.agents, &machine{name: fmt.Sprintf("a%d", i+1), cpus: 8000, refused: map[string]bool{}, ports: sdk.Ranges{Range: []sdk.Range{{Begin: 31000, End: 31099}}}})
	}
	w.boot()
	return w
}

// boot starts a fleet from what is in the store, and subscribes it.
func (w *world) boot() {
	w.seeds++
	w.inputs, w.held = nil, nil
	w.forgetOffers()
	var kvs []sdk.StoreKV
	for _, k := range slices.Sorted(maps.Keys(w.store)) {
		kvs = append(kvs, sdk.StoreKV{Key: k, Value: []byte(w.store[k])})
	}
	f, err := Load(w.now, Options{Seed: [16]byte{w.seeds}}, kvs)
	if err != nil {
		w.fail("load: %v", err)
		return
	}
	w.f, w.after = f, -1
	w.subscribe()
}

// subscribe begins a subscription; what follows of itself is done by sdk/framework.
func (w *world) subscribe() {
	w.step(mind.Subscribed{FrameworkID: "fw", Master: "m1"})
	w.reconcileAll()
}

func (w *world) reconcileAll() {
	for _, t := range w.live() {
		w.reconcile(sdk.ReconcileTask{TaskID: t.info.TaskID, AgentID: sdk.AgentID(t.on.name)})
	}
}

// forgetOffers is what the kernel does when a subscription begins.
func (w *world) forgetOffers() {
	w.open, w.offers = map[string]bool{}, map[sdk.OfferID]*machine{}
	for _, m := range w.agents {
		clear(m.refused)
	}
}

// step gives one input to the fleet and does what it wants. With after set, only so
// many effects are done, and then the fleet crashes.
func (w *world) step(in ...mind.Input) {
	for _, e := range slices.Clone(w.f.Step(w.now, in...)) {
		if w.after == 0 {
			w.boot()
			return
		}
		if w.after > 0 {
			w.after--
		}
		w.saw(e)
		w.perform(e)
	}
}

// run steps all that has come up, until nothing comes up any more.
func (w *world) run() {
	for range 10000 {
		w.proffer()
		if len(w.inputs) == 0 {
			return
		}
		in := w.inputs[0]
		w.inputs = w.inputs[1:]
		w.step(in)
	}
	w.fail("it never comes to rest")
}

// advance lets time pass, from one thing that is due to the next.
func (w *world) advance(d time.Duration) {
	end := w.now.Add(d)
	for range 10000 {
		w.run()
		due, ok := w.f.Due()
		if !ok || due.After(end) {
			w.now = end
			w.step(mind.Tick{})
			w.run()
			return
		}
		if due.After(w.now) {
			w.now = due
		}
		w.step(mind.Tick{})
	}
	w.fail("something is due again and again at %v", w.now)
}

// proffer makes offers of all that is free, for the roles that want some. What was
// offered is not offered again before a revive, or before the machine changes.
func (w *world) proffer() {
	out := map[*machine]bool{}
	for _, m := range w.offers {
		out[m] = true
	}
	for _, role := range slices.Sorted(maps.Keys(w.open)) {
		var list []sdk.Offer
		for _, m := range w.agents {
			if !w.open[role] || m.silent || m.refused[role] || out[m] {
				continue
			}
			m.refused[role] = true
			w.count++
			o := sdk.Offer{
				ID: sdk.OfferID(fmt.Sprintf("o%d", w.count)), AgentID: sdk.AgentID(m.name), Hostname: m.name + ".example",
				AllocationInfo: &sdk.AllocationInfo{Role: role}, Attributes: m.attrs,
				Resources: []sdk.Resource{sdk.NewScalar("cpus", sdk.FromMillis(m.cpus)), sdk.NewScalar("mem", 65536), sdk.NewRanges("ports", m.ports.Range...)},
			}
			w.offers[o.ID], w.roles[o.ID] = m, role
			list = append(list, o)
		}
		if len(list) > 0 {
			w.inputs = append(w.inputs, mind.Offers{Offers: list})
		}
	}
}

func (w *world) perform(e mind.Effect) {
	switch e := e.(type) {
	case mind.Commit:
		w.commit(e)
	case mind.Accept:
		w.accept(e)
	case mind.Decline:
		for _, id := range e.Offers {
			if w.offers[id] == nil {
				w.fail("declines %s, which is not there", id)
			}
			delete(w.offers, id)
		}
	case mind.Suppress:
		w.open[e.Role] = false
	case mind.Revive:
		w.open[e.Role] = true
		for _, m := range w.agents {
			m.refused[e.Role] = false
		}
	case mind.Kill:
		w.kill(e)
	case mind.Reconcile:
		for _, t := range e.Tasks {
			w.reconcile(t)
		}
		if len(e.Tasks) == 0 {
			w.reconcileAll()
		}
	case mind.Acknowledge:
		w.acknowledge(e.Status)
	case mind.Reply[Outcome]:
		w.replies[e.ID] = e
	}
}

func (w *world) commit(c mind.Commit) {
	if w.hold {
		w.held = append(w.held, c)
		return
	}
	next := maps.Clone(w.store)
	grows, bytes := false, 0
	for _, x := range c.Writes {
		bytes += len(x.Key) + len(x.Value)
		switch {
		case x.Type == sdk.StoreDeletePrefix:
			maps.DeleteFunc(next, func(k, _ string) bool { return strings.HasPrefix(k, x.Key) })
		case x.Type == sdk.StoreDelete:
			delete(next, x.Key)
		default:
			grows = grows || len(x.Value) > len(next[x.Key])
			next[x.Key] = string(x.Value)
		}
	}
	size := 0
	for k, v := range next {
		size += len(k) + len(v)
	}
	if bytes > 1<<20 || len(c.Writes) > 4095 { // the store's own bounds
		w.inputs = append(w.inputs, mind.Refused{Txn: c.Txn, Err: sdk.Errorf(sdk.CodeExhausted, "", "a transaction of %d writes and %d bytes", len(c.Writes), bytes)})
		return
	}
	if w.limit > 0 && size > w.limit && grows {
		w.inputs = append(w.inputs, mind.Refused{Txn: c.Txn, Err: sdk.Errorf(sdk.CodeExhausted, "", "the space would have %d bytes, %d are allowed", size, w.limit)})
		return
	}
	w.store = next
	w.inputs = append(w.inputs, mind.Persisted{Txn: c.Txn})
}

func (w *world) release() {
	w.hold = false
	held := w.held
	w.held = nil
	for _, c := range held {
		w.commit(c)
	}
}

func (w *world) accept(a mind.Accept) {
	m := w.offers[a.Offer]
	if m == nil {
		w.fail("accepts %s, which is not there", a.Offer)
		return
	}
	delete(w.offers, a.Offer)
	m.refused[w.roles[a.Offer]] = a.Refuse > 0 // also where a revive came in between
	for _, info := range a.Tasks {
		if w.store[runKey(info.TaskID)] == "" {
			w.fail("launches %s without a record", info.TaskID)
		}
		if w.tasks[info.TaskID] != nil {
			w.fail("launches %s twice", info.TaskID)
		}
		t := &task{info: info, on: m, state: sdk.TaskStaging}
		w.tasks[info.TaskID] = t
		m.cpus -= sdk.Resources(info.Resources).Millis("cpus")
		m.ports = m.ports.Minus(sdk.Resources(info.Resources).Ranges("ports"))
		if m.cpus < 0 {
			w.fail("%s is overbooked", m.name)
		}
	}
}

func (w *world) kill(k mind.Kill) {
	t := w.tasks[k.Task]
	record := w.store[runKey(k.Task)]
	if record != "" && !strings.Contains(record, `"doom"`) {
		w.fail("kills %s, which is not doomed in the store: %s, %+v, orphans %+v", k.Task, record, w.f.units[k.Task], w.f.session.Orphans)
	}
	if t == nil || terminal(t.state) {
		return
	}
	w.kills++
	t.killed = true
}

func (w *world) reconcile(r sdk.ReconcileTask) {
	t := w.tasks[r.TaskID]
	st := sdk.TaskStatus{TaskID: r.TaskID, AgentID: r.AgentID, State: sdk.TaskGone, Reason: sdk.ReasonReconciliation, Timestamp: w.stamp()}
	if t != nil {
		st.State, st.Healthy = t.state, t.healthy
		if t.on.silent && !terminal(t.state) {
			w.unreachable(&st, t.on)
		}
	}
	if m := w.machine(string(r.AgentID)); t == nil && m != nil && m.silent {
		return
	}
	w.inputs = append(w.inputs, mind.Update{Status: st})
}

func (w *world) machine(name string) *machine {
	for _, m := range w.agents {
		if m.name == name {
			return m
		}
	}
	return nil
}

// unreachable makes the status one of the leading master's, whose clock is off, about a
// silent agent.
func (w *world) unreachable(st *sdk.TaskStatus, m *machine) {
	st.State, st.Timestamp = sdk.TaskUnreachable, float64(w.now.Add(w.leader).UnixMilli())/1000
	st.UnreachableTime = &sdk.TimeInfo{Nanoseconds: m.since.Add(w.leader).UnixNano()}
}

func (w *world) stamp() float64 { return float64(w.now.UnixMilli()) / 1000 }

func (w *world) acknowledge(st sdk.TaskStatus) {
	t := w.tasks[st.TaskID]
	if t == nil {
		w.fail("acknowledges a status of %s, which was never launched", st.TaskID)
		return
	}
	if terminal(st.State) && w.store[runKey(st.TaskID)] != "" {
		w.fail("acknowledges the end of %s before it is in the store", st.TaskID)
	}
	if len(t.pending) > 0 && string(t.pending[0].UUID) == string(st.UUID) {
		if t.pending = t.pending[1:]; len(t.pending) > 0 && !t.on.silent {
			w.inputs = append(w.inputs, mind.Update{Status: t.pending[0]})
		}
	}
}

// becomes gives a task another state and tells of it.
func (w *world) becomes(t *task, state sdk.TaskState, healthy *bool, message string) {
	if terminal(t.state) {
		return
	}
	if terminal(state) {
		clear(t.on.refused)
		t.on.cpus += sdk.Resources(t.info.Resources).Millis("cpus")
		t.on.ports = t.on.ports.Union(sdk.Resources(t.info.Resources).Ranges("ports"))
	}
	if state == sdk.TaskRunning && t.started.IsZero() {
		t.started = w.now
	}
	t.state, t.healthy = state, healthy
	w.count++
	st := sdk.TaskStatus{
		TaskID: t.info.TaskID, AgentID: sdk.AgentID(t.on.name), State: state, Healthy: healthy, Message: message,
		Timestamp: w.stamp(), UUID: []byte(fmt.Sprintf("uuid%012d", w.count)),
	}
	t.pending = append(t.pending, st)
	if !t.on.silent && len(t.pending) == 1 { // the next one goes when this one is acknowledged
		w.inputs = append(w.inputs, mind.Update{Status: st})
	}
}

// resend says again what was not acknowledged.
func (w *world) resend() {
	for _, id := range slices.Sorted(maps.Keys(w.tasks)) {
		if t := w.tasks[id]; !t.on.silent && len(t.pending) > 0 {
			w.inputs = append(w.inputs, mind.Update{Status: t.pending[0]})
		}
	}
}

// live are the tasks that have not ended, by id.
func (w *world) live() []*task {
	var list []*task
	for _, id := range slices.Sorted(maps.Keys(w.tasks)) {
		if t := w.tasks[id]; !terminal(t.state) {
			list = append(list, t)
		}
	}
	return list
}

// change asks for a change and gives the number under which it is answered.
func (w *world) change(c Change) uint64 {
	w.count++
	id := uint64(w.count)
	w.inputs = append(w.inputs, mind.Request[Change]{ID: id, Change: c})
	return id
}

// definition is an app for tests.
func definition(id app.ID, instances int) *app.App {
	cmd := "serve"
	return &app.App{
		ID: id, Cmd: &cmd, Instances: instances, CPUs: 0.5, Mem: 32, Role: "*", BackoffSeconds: 1, BackoffFactor: 1.15, MaxLaunchDelaySeconds: 300,
		UpgradeStrategy: app.UpgradeStrategy{MinimumHealthCapacity: 1, MaximumOverCapacity: 1}, KillSelection: app.YoungestFirst,
		UnreachableStrategy: &app.UnreachableStrategy{},
	}
}
