package fleet

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/profferhq/proffer/marathonish/app"
	"github.com/profferhq/proffer/marathonish/plan"
	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/scheduler/mind"
)

// model drives a fleet through random events, crashes at any effect included, and
// compares what runs with what was asked for.
type model struct {
	*world
	t      *rapid.T
	wanted map[app.ID]*app.App // as answered
	excess map[app.ID]int      // tasks that there were when another number was asked for
	trace  []string            // what the fleet did
	last   *Fleet              // at the last check
}

// broken fails the test with the last that the fleet did.
func (m *model) broken(format string, args ...any) {
	m.t.Logf("%s", strings.Join(m.trace[max(0, len(m.trace)-60):], "\n"))
	m.t.Fatalf(format, args...)
}

// brief is an effect in a line, with ids cut short.
func brief(e mind.Effect) string {
	var b strings.Builder
	switch e := e.(type) {
	case mind.Commit:
		fmt.Fprintf(&b, "commit %d:", e.Txn)
		for _, w := range e.Writes {
			verb := "put"
			if w.Type != sdk.StorePut {
				verb = "delete"
			}
			fmt.Fprintf(&b, " %s %.16s", verb, w.Key)
			if strings.Contains(string(w.Value), `"doom"`) {
				b.WriteString(" doomed")
			}
		}
	case mind.Accept:
		fmt.Fprintf(&b, "accept %s:", e.Offer)
		for _, t := range e.Tasks {
			fmt.Fprintf(&b, " %.6s", t.TaskID)
		}
	case mind.Kill:
		fmt.Fprintf(&b, "kill %.6s", e.Task)
	case mind.Acknowledge:
		fmt.Fprintf(&b, "acknowledge %.6s %s", e.Status.TaskID, e.Status.State)
	case mind.Reply[Outcome]:
		fmt.Fprintf(&b, "reply %v", e.Refusal)
	case mind.Log:
		fmt.Fprintf(&b, "log %s %v", e.Message, e.KV)
	default:
		fmt.Fprintf(&b, "%T %+v", e, e)
	}
	return b.String()
}

func TestRandomEvents(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := &model{t: t, wanted: map[app.ID]*app.App{}, excess: map[app.ID]int{}}
		m.world = newWorld(m.broken, 3)
		m.leader = time.Duration(rapid.IntRange(-5, 5).Draw(t, "the leader's clock")) * time.Hour
		m.saw = func(e mind.Effect) {
			switch e.(type) {
			case Publish, mind.Decline, mind.Reconcile:
			default:
				m.trace = append(m.trace, brief(e))
			}
		}
		for range rapid.IntRange(5, 80).Draw(t, "steps") {
			m.once()
			m.check()
		}
		m.settle()
	})
}

// once lets one thing happen.
func (m *model) once() {
	if rapid.IntRange(0, 5).Draw(m.t, "crash") == 0 {
		m.after = rapid.IntRange(0, 6).Draw(m.t, "after")
	}
	event := rapid.SampledFrom([]string{"change", "go", "go", "go", "go", "die", "silence", "time", "time", "resend", "hold", "subscribe", "lose"}).Draw(m.t, "event")
	m.trace = append(m.trace, "> "+event)
	switch event {
	case "change":
		m.ask()
	case "go":
		m.proceed()
	case "die":
		if live := m.live(); len(live) > 0 {
			i := rapid.IntRange(0, len(live)-1).Draw(m.t, "who")
			m.becomes(live[i], sdk.TaskFailed, nil, "it failed")
		}
	case "silence":
		a := m.agents[rapid.IntRange(0, len(m.agents)-1).Draw(m.t, "agent")]
		m.silence(a, !a.silent)
	case "time":
		m.advance(time.Duration(rapid.IntRange(0, 3000).Draw(m.t, "ms")) * time.Millisecond)
	case "resend":
		m.resend()
	case "hold":
		if m.hold = !m.hold; !m.hold {
			m.release()
		}
	case "subscribe":
		m.inputs = slices.DeleteFunc(m.inputs, func(in mind.Input) bool { // the kernel's are gone with its stream
			switch in.(type) {
			case mind.Persisted, mind.Refused, mind.Request[Change]:
				return false
			}
			return true
		})
		m.forgetOffers()
		m.subscribe()
		m.release()
	case "lose":
		if ids := sortedKeys(m.offers); len(ids) > 0 {
			delete(m.offers, ids[0])
			m.inputs = append(m.inputs, mind.Rescinded{Offer: ids[0]})
		}
	}
	m.run()
}

// ask makes a random change.
func (m *model) ask() {
	id := app.ID(rapid.SampledFrom([]string{"/a", "/b"}).Draw(m.t, "app"))
	m.excess[id] = m.number(id)
	c := Change{Force: rapid.Bool().Draw(m.t, "force")}
	kind := rapid.SampledFrom([]string{"put", "put", "scale", "restart", "delete", "kill", "kill and scale", "cancel"}).Draw(m.t, "kind")
	a := definition(id, rapid.IntRange(0, 5).Draw(m.t, "instances"))
	a.UpgradeStrategy.MinimumHealthCapacity = float64(rapid.IntRange(0, 4).Draw(m.t, "min")) / 4
	a.UpgradeStrategy.MaximumOverCapacity = float64(rapid.IntRange(0, 4).Draw(m.t, "over")) / 4
	a.UnreachableStrategy = &app.UnreachableStrategy{InactiveAfter: 2, ExpungeAfter: rapid.SampledFrom([]int{2, 60}).Draw(m.t, "expunge")}
	a.BackoffSeconds = rapid.IntRange(0, 1).Draw(m.t, "backoff")
	if rapid.Bool().Draw(m.t, "ports") {
		a.PortDefinitions = []app.PortDefinition{{Protocol: "tcp"}}
	}
	switch kind {
	case "put":
		c.Kind, c.Apps = Put, []*app.App{a}
	case "scale":
		c.Kind = Put
		if old := m.wanted[id]; old != nil {
			scaled := old.Clone()
			scaled.Instances = a.Instances
			a = scaled
		}
		c.Apps = []*app.App{a}
	case "restart":
		c.Kind, c.IDs = Restart, []app.ID{id}
	case "delete":
		c.Kind, c.IDs = Delete, []app.ID{id}
	case "kill", "kill and scale":
		c.Kind, c.Scale = Kill, kind != "kill"
		for _, t := range m.of(id) {
			if rapid.Bool().Draw(m.t, "this") {
				c.Tasks = append(c.Tasks, t.info.TaskID)
			}
		}
	case "cancel":
		c.Kind = Cancel
		for _, d := range m.f.Deployments() {
			c.Deployment = d.ID
		}
	}
	m.change(c)
	m.run()
	for id := range m.excess {
		m.excess[id] = max(m.excess[id], m.number(id))
	}
}

// of are the app's tasks that have not ended and are not given up.
func (m *model) of(id app.ID) []*task {
	var list []*task
	for _, t := range m.live() {
		if strings.HasPrefix(string(t.info.TaskID), id.TaskPrefix()+".") && !t.on.silent {
			list = append(list, t)
		}
	}
	return list
}

func (m *model) dump(id app.ID) {
	for _, t := range m.of(id) {
		m.t.Logf("%s %s on %s killed %t record %s", t.info.TaskID, t.state, t.on.name, t.killed, m.store[runKey(t.info.TaskID)])
	}
	m.t.Logf("all accounted for: %t, orphans %v, store %d keys", m.f.session.Accounted(), m.f.session.Orphans, len(m.store))
}

// number is how many tasks there are, with those whose launch is on its way. One that
// was given up and is back does not count; it has to end, see settle.
func (m *model) number(id app.ID) int {
	n := 0
	for _, t := range m.of(id) {
		if u := m.f.units[t.info.TaskID]; u != nil && !u.ended {
			n++
		}
	}
	for _, u := range m.f.units {
		if u.rec.App == id && !u.launched && !u.ended {
			n++
		}
	}
	return n
}

// proceed lets one task go on.
func (m *model) proceed() {
	live := m.live()
	if len(live) == 0 {
		return
	}
	m.forward(live[rapid.IntRange(0, len(live)-1).Draw(m.t, "task")])
}

func (m *model) forward(t *task) {
	switch {
	case t.on.silent:
	case t.killed:
		m.becomes(t, sdk.TaskKilled, nil, "it was killed")
	case t.state == sdk.TaskStaging:
		m.becomes(t, sdk.TaskStarting, nil, "")
	case t.state == sdk.TaskStarting:
		m.becomes(t, sdk.TaskRunning, nil, "")
	}
}

// silence makes an agent silent, or brings it back.
func (m *model) silence(a *machine, silent bool) {
	a.silent, a.since = silent, m.now
	m.trace = append(m.trace, fmt.Sprintf("%s is silent: %t", a.name, silent))
	clear(a.refused)
	for _, t := range m.live() {
		if t.on != a {
			continue
		}
		st := sdk.TaskStatus{TaskID: t.info.TaskID, AgentID: sdk.AgentID(a.name), State: t.state, Timestamp: m.stamp()}
		if silent {
			m.unreachable(&st, a)
		} else { // what was forgotten meanwhile is too much for a while
			id := appOf(t.info.TaskID)
			m.excess[id] = max(m.excess[id], len(m.of(id))+m.number(id))
		}
		m.inputs = append(m.inputs, mind.Update{Status: st})
	}
	for id := range m.excess {
		m.excess[id] = max(m.excess[id], m.number(id))
	}
	if !silent {
		m.resend()
	}
}

// check holds the bounds against what the kernel knows.
func (m *model) check() {
	for _, id := range []app.ID{"/a", "/b"} {
		n := m.number(id)
		if m.f != m.last { // a crash; what the last one had given up may be remembered again
			m.excess[id] = max(m.excess[id], len(m.of(id)), n)
		}
		most := 0
		if s, ok := m.f.App(id); ok {
			if m.wanted[id] != s.App { // a change was made since the last look
				m.wanted[id], m.excess[id] = s.App, max(m.excess[id], n)
			}
			_, ceiling := plan.Bounds(s.App.Instances, s.App.UpgradeStrategy)
			most = max(ceiling, s.App.Instances)
		} else if m.wanted[id] != nil {
			delete(m.wanted, id)
			m.excess[id] = max(m.excess[id], n)
		}
		if n > max(most, m.excess[id]) {
			m.dump(id)
			m.broken("%s has %d tasks, at most %d are allowed", id, n, max(most, m.excess[id]))
		}
		m.excess[id] = min(m.excess[id], n)
	}
	m.last = m.f
	m.indexes()
}

// indexes: of the present config, no two records of instances that are not to end, and that
// are neither lost nor back, have the same index.
func (m *model) indexes() {
	for _, s := range m.f.Apps() {
		seen := map[string]sdk.TaskID{}
		for _, i := range s.Instances {
			u := m.f.units[i.TaskID]
			if i.State == "TASK_KILLING" || i.State == "TASK_UNREACHABLE" || !u.rec.Lost.IsZero() || !u.watch.Told() || u.rec.Config != s.App.LastConfigChangeAt {
				continue
			}
			key := fmt.Sprint(u.rec.Config, i.Index)
			if other := seen[key]; other != "" && m.f.session.Accounted() && !m.returned(i.TaskID) && !m.returned(other) {
				m.dump(s.App.ID)
				m.t.Logf("%+v %+v %+v", s, m.f.units[other], u)
				m.broken("%s and %s have both index %d", other, i.TaskID, i.Index)
			}
			seen[key] = i.TaskID
		}
	}
}

// returned tells whether the task's agent may have been away.
func (m *model) returned(id sdk.TaskID) bool {
	var r runRecord
	_ = json.Unmarshal([]byte(m.store[runKey(id)]), &r)
	return !r.Lost.IsZero()
}

// settle lets all go well; then what was asked for must be there, and nothing else.
func (m *model) settle() {
	m.release()
	for _, a := range m.agents {
		if a.silent {
			m.silence(a, false)
		}
	}
	for range 60 {
		m.run()
		for _, t := range m.live() {
			m.forward(t)
		}
		m.resend()
		m.advance(2 * time.Second)
	}
	if d := m.f.Deployments(); len(d) > 0 {
		for _, id := range sortedKeys(m.f.units) {
			u := m.f.units[id]
			m.t.Logf("%s index %d %s confirmed %t launched %t ended %t doom %+v; the kernel: %+v", id, u.rec.Index, u.state, u.watch.Told(), u.launched, u.ended, u.rec.Doom, m.tasks[id])
		}
		m.broken("a deployment never ends: %+v", d[0])
	}
	for _, id := range []app.ID{"/a", "/b"} {
		s, _ := m.f.App(id)
		want := 0
		if s.App != nil {
			want = s.App.Instances
		}
		var indexes []int
		keys := map[string]bool{}
		for _, i := range s.Instances {
			indexes = append(indexes, i.Index)
			keys[fmt.Sprint(i.Index, m.f.units[i.TaskID].rec.Config)] = true // a dropped deployment leaves two configs
			if i.State != "TASK_RUNNING" {
				m.t.Fatalf("%s is %s", i.TaskID, i.State)
			}
		}
		if n := len(m.of(id)); n != want || len(indexes) != want {
			m.dump(id)
			m.broken("%s has %d tasks and %d instances, %d are wanted", id, n, len(indexes), want)
		}
		if len(keys) != len(indexes) {
			m.t.Fatalf("%s has the indexes %v", id, indexes)
		}
	}
	for k := range m.store {
		if id, ok := strings.CutPrefix(k, keyRuns); ok && terminal(m.tasks[sdk.TaskID(id)].state) {
			m.t.Fatalf("the record of %s is never deleted", id)
		}
	}
}
