package cluster

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/profferhq/proffer/kernel/registry"
	"github.com/profferhq/proffer/kernel/view"
	"github.com/profferhq/proffer/sdk"
)

// TestRandomOperations lets frameworks, agents, operators and time do anything in
// any order. After each step the books must be right (world.one asks Check), and
// what readers see must be what is. In the end every task that was ever launched
// must have been told a status.
func TestRandomOperations(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := &random{world: newWorld(), t: t, view: view.New(view.Options{})}
		r.watch = r.saw
		steps := rapid.IntRange(20, 150).Draw(t, "steps")
		for range steps {
			line := r.line()
			r.out.Reset()
			if err := r.do(line); err != nil {
				t.Fatalf("%s: %v", line, err)
			}
			t.Logf("> %s", line)
			if out := r.out.String(); strings.Contains(out, "BROKEN") || strings.Contains(out, "log 8 the books") {
				t.Fatalf("%s", out)
			}
			r.compare()
		}
	})
}

type random struct {
	*world
	t       *rapid.T
	view    *view.View
	tasks   int
	picks   uint64
	offered []string // offers seen, newest last
}

// saw notes what a script writer would read.
func (r *random) saw(e Effect) {
	switch e := e.(type) {
	case Operator:
		r.view.Apply(r.now, e.Event)
	case ToScheduler:
		if e.Event.Type == sdk.EventOffers {
			for i := range e.Event.Offers.Offers {
				r.offered = append(r.offered, string(e.Event.Offers.Offers[i].ID))
			}
		}
	}
}

// line makes up the next thing to happen.
func (r *random) line() string {
	f := fmt.Sprintf("f%d", r.pick("framework", 3))
	a := fmt.Sprintf("a%d", r.pick("agent", 3))
	if s := r.schedulers[f]; s != nil && r.reg.WasRemoved(s.id) && r.pick("again", 3) > 0 {
		delete(r.schedulers, f)
	}
	if r.schedulers[f] == nil {
		caps := []string{"PARTITION_AWARE", "TASK_KILLING_STATE"}[r.pick("caps", 2)]
		return fmt.Sprintf("subscribe %s timeout=%d caps=%s", f, r.pick("timeout", 3)*15, caps)
	}
	if x := r.agents[a]; x != nil {
		if known, ok := r.reg.Agent(x.id); ok && known.State == registry.AgentGone && r.pick("anew", 2) == 0 {
			delete(r.agents, a) // with an empty work directory
		}
	}
	if r.agents[a] == nil {
		return fmt.Sprintf("agent %s cpus:%d;mem:%d", a, 1+r.pick("cpus", 8), 64+64*r.pick("mem", 10))
	}
	known := r.knownTask(a, f)
	switch r.pick("what", 27) {
	case 0:
		return fmt.Sprintf("subscribe %s again", f)
	case 1:
		return "close " + f
	case 2:
		return "drop " + a
	case 3:
		return "register " + a
	case 4:
		if r.pick("elect", 4) == 0 {
			r.view = view.New(view.Options{})
			return "elect"
		}
		return "advance 5s"
	case 5:
		if r.pick("teardown", 8) == 0 {
			return "teardown " + f
		}
		return "revive " + f
	case 6:
		return "suppress " + f
	case 7:
		return "revive " + f
	case 8:
		return fmt.Sprintf("decline %s %s refuse=%d", f, r.offer(f), r.pick("refuse", 3))
	case 9, 10, 11, 12:
		return r.acceptLine(f)
	case 13:
		return fmt.Sprintf("advance %ds", 1+r.pick("seconds", 12))
	case 14, 15:
		return "heartbeat " + a
	case 16:
		return fmt.Sprintf("reconcile %s", f)
	case 17:
		return fmt.Sprintf("reconcile %s %s nope@$%s", f, r.anyTask(), a)
	case 18:
		return fmt.Sprintf("kill %s %s", f, r.anyTask())
	case 19:
		return fmt.Sprintf("exited %s %s x%d 9", a, f, r.pick("executor", 2))
	case 20:
		if known != "" && r.waits(a, f, known) {
			return fmt.Sprintf("ack %s %s", f, known)
		}
	case 21:
		if known != "" && r.pick("forget", 5) == 0 {
			return fmt.Sprintf("forget %s %s %s", a, f, known)
		}
	case 24, 25:
		care := []string{"drain", "drain", "deactivate", "reactivate", "reactivate", "gone"}[r.pick("care", 6)]
		if care == "gone" && r.pick("really", 3) > 0 {
			return "heartbeat " + a
		}
		return fmt.Sprintf("care %s %s", care, a)
	case 26:
		return fmt.Sprintf("gossip %s %s", a, []string{"loses", "finds"}[r.pick("gossip", 2)])
	case 22:
		return fmt.Sprintf("operator kill %s %s", f, r.anyTask())
	}
	if known == "" {
		return "heartbeat " + a
	}
	if t := r.agents[a].tasks[taskKey{r.schedulers[f].id, sdk.TaskID(known)}]; t.state.Terminal() {
		return fmt.Sprintf("update %s %s %s %s again=yes", a, f, known, t.state) // final
	}
	states := []sdk.TaskState{sdk.TaskRunning, sdk.TaskRunning, sdk.TaskFinished, sdk.TaskFailed, sdk.TaskDropped}
	again := []string{"", " again=yes", " refused=yes", " latest=TASK_FINISHED"}[r.pick("again", 4)]
	return fmt.Sprintf("update %s %s %s %s%s", a, f, known, states[r.pick("state", len(states))], again)
}

func (r *random) acceptLine(f string) string {
	line := fmt.Sprintf("accept %s %s", f, r.offer(f))
	if r.pick("two", 6) == 0 {
		line += "," + r.offer(f)
	}
	for range r.pick("tasks", 4) {
		r.tasks++
		line += fmt.Sprintf(" t%d:cpus:0.%d;mem:%d", r.tasks, r.pick("tenths", 10), 1+16*r.pick("mem", 8))
	}
	if r.pick("custom", 3) == 0 {
		line += fmt.Sprintf(" executor=x%d needs=cpus:0.1;mem:16", r.pick("executor", 2))
	}
	return line + fmt.Sprintf(" refuse=%d", r.pick("refuse", 2))
}

// pick is one of n. What rapid draws leans to small numbers, so that only the
// first verbs would be tried; the counter spreads it.
func (r *random) pick(what string, n int) int {
	r.picks++
	x := uint64(rapid.Uint32().Draw(r.t, what)) + r.picks*0x9E3779B97F4A7C15
	x = (x ^ x>>31) * 0xBF58476D1CE4E5B9
	return int((x ^ x>>29) % uint64(n))
}

// offer is one of the framework's, now and then one that is over or another's.
func (r *random) offer(f string) string {
	if own := r.c.frameworks[r.schedulers[f].id]; own != nil && len(own.offers) > 0 && r.pick("own", 8) > 0 {
		ids := sortedKeys(own.offers)
		return string(ids[r.pick("which", len(ids))])
	}
	n := min(len(r.offered), 4)
	if n == 0 {
		return "none"
	}
	return r.offered[len(r.offered)-1-r.pick("offer", n)]
}

func (r *random) anyTask() string { return fmt.Sprintf("t%d", 1+r.pick("task", r.tasks+1)) }

// knownTask is one of the framework's tasks that the agent knows.
func (r *random) knownTask(a, f string) string {
	var ids []string
	for _, key := range sortedBy(r.agents[a].tasks, func(k taskKey) string { return string(k.framework) + "/" + string(k.task) }) {
		if key.framework == r.schedulers[f].id {
			ids = append(ids, string(key.task))
		}
	}
	if len(ids) == 0 {
		return ""
	}
	return ids[r.pick("known", len(ids))]
}

func (r *random) waits(a, f, id string) bool {
	t := r.agents[a].tasks[taskKey{r.schedulers[f].id, sdk.TaskID(id)}]
	return t != nil && t.uuid != nil
}

// compare holds what readers see against what is.
func (r *random) compare() {
	seen := map[taskKey]sdk.TaskState{}
	tasks := r.view.Tasks()
	for _, list := range [][]sdk.Task{tasks.Tasks, tasks.UnreachableTasks} {
		for i := range list {
			seen[taskKey{list[i].FrameworkID, list[i].TaskID}] = list[i].State
		}
	}
	live := 0
	for _, f := range r.c.frameworks {
		for _, t := range f.tasks {
			if f.zombie || t.state.Terminal() {
				continue
			}
			live++
			if got := seen[taskKey{f.id(), t.id}]; got != t.state {
				r.t.Fatalf("task %s of %s is %s, readers see %q", t.id, f.id(), t.state, got)
			}
		}
	}
	if live != len(seen) {
		r.t.Fatalf("%d tasks live, readers see %d: %v", live, len(seen), seen)
	}
	agents := map[sdk.AgentID]sdk.AgentState{}
	for _, a := range r.view.Agents().Agents {
		agents[a.AgentInfo.ID] = a
	}
	for _, a := range r.c.agents {
		s, ok := agents[a.id]
		if ok != (a.state == agentHere || a.state == agentUnreachable) || s.Active != (a.session != "" && !a.deactivated) || (s.UnreachableTime != nil) != (a.state == agentUnreachable) {
			r.t.Fatalf("agent %s has state %d and session %q, readers see it: %v, %+v", a.id, a.state, a.session, ok, s)
		}
		known, _ := r.reg.Agent(a.id)
		if a.state != agentGone && (a.deactivated != known.Deactivated || ok && s.Deactivated != a.deactivated) {
			r.t.Fatalf("agent %s is deactivated: %v, by the registry %v, readers see %v", a.id, a.deactivated, known.Deactivated, s.Deactivated)
		}
		if a.deactivated && len(a.offers) > 0 {
			r.t.Fatalf("agent %s is deactivated, and %d offers of it are out", a.id, len(a.offers))
		}
		if _, listed := r.c.draining[a.id]; listed != (a.draining() && a.state != agentGone) {
			r.t.Fatalf("agent %s is %v, and stands in the index of those: %v", a.id, a.drain, listed)
		}
	}
}
