package sim

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/profferhq/proffer/marathonish/app"
	"github.com/profferhq/proffer/marathonish/fleet"
	"github.com/profferhq/proffer/marathonish/plan"
	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/scheduler/mind"
)

// services are marathonish's apps: what the store has of them, and what users asked for.
type services struct {
	apps     map[app.ID]*app.App
	runs     map[sdk.TaskID]*instance
	ever     map[sdk.TaskID]*instance // those of the past, too
	away     map[sdk.TaskID]bool      // that were unreachable at some time: they may be replaced, and come back
	excess   map[app.ID]int           // instances that there were when another number was asked for
	versions map[string]bool          // that were ever stored
}

// instance is what the store has of one.
type instance struct {
	App  app.ID          `json:"app"`
	Doom json.RawMessage `json:"doom"`
}

func newServices() *services {
	return &services{apps: map[app.ID]*app.App{}, runs: map[sdk.TaskID]*instance{}, ever: map[sdk.TaskID]*instance{}, away: map[sdk.TaskID]bool{}, excess: map[app.ID]int{}, versions: map[string]bool{}}
}

// Name is the framework's.
func (s *services) Name() string { return "marathonish" }

// Load makes the mind.
func (s *services) Load(now time.Time, seed uint64, kvs []sdk.StoreKV) (mind.Mind, error) {
	o := fleet.Options{}
	for i := range o.Seed {
		o.Seed[i] = byte(seed >> (8 * (i % 8)))
	}
	return fleet.Load(now, o, kvs)
}

// definition is an app that somebody may want.
func definition(r *rand.Rand, id app.ID) *app.App {
	cmd := "serve"
	if r.IntN(4) == 0 {
		cmd = fmt.Sprint("serve ", r.IntN(3))
	}
	a := &app.App{
		ID: id, Cmd: &cmd, Instances: r.IntN(6), CPUs: 0.1, Mem: 16, Role: "*", BackoffSeconds: 1, BackoffFactor: 1.15, MaxLaunchDelaySeconds: 60,
		UpgradeStrategy: app.UpgradeStrategy{MinimumHealthCapacity: float64(r.IntN(5)) / 4, MaximumOverCapacity: float64(r.IntN(5)) / 4},
		KillSelection:   app.YoungestFirst, UnreachableStrategy: &app.UnreachableStrategy{InactiveAfter: r.IntN(20), ExpungeAfter: 20 + r.IntN(100)},
	}
	if r.IntN(2) == 0 {
		a.PortDefinitions = []app.PortDefinition{{Protocol: "tcp"}}
	}
	return a
}

// Ask is what a user wants.
func (s *services) Ask(r *rand.Rand, number uint64, m mind.Mind, calm bool) mind.Input {
	f := m.(*fleet.Fleet)
	id := []app.ID{"/web", "/db"}[r.IntN(2)]
	now, exists := f.App(id)
	c := fleet.Change{Force: r.IntN(2) == 0}
	switch kind := r.IntN(9); {
	case calm && exists && now.App != nil:
		return nil
	case !exists || now.App == nil || kind < 2 || calm:
		c.Kind, c.Apps = fleet.Put, []*app.App{definition(r, id)}
	case kind < 5:
		a := now.App.Clone()
		a.Instances = r.IntN(6)
		c.Kind, c.Apps = fleet.Put, []*app.App{a}
	case kind == 5:
		c.Kind, c.IDs = fleet.Restart, []app.ID{id}
	case kind == 6:
		c.Kind, c.Scale = fleet.Kill, r.IntN(3) == 0
		for _, i := range now.Instances {
			if r.IntN(2) == 0 {
				c.Tasks = append(c.Tasks, i.TaskID)
			}
		}
	case kind == 7 && r.IntN(3) == 0:
		c.Kind, c.IDs = fleet.Delete, []app.ID{id}
	default:
		c.Kind = fleet.Cancel
		for _, d := range f.Deployments() {
			c.Deployment = d.ID
		}
		if c.Deployment == "" {
			return nil
		}
	}
	return mind.Request[fleet.Change]{ID: number, Change: c}
}

// Answered: what is said to be accepted is in the store.
func (s *services) Answered(a mind.Answer) error {
	r, ok := a.(mind.Reply[fleet.Outcome])
	if !ok || r.Refusal != nil || r.Outcome.App == nil {
		return nil
	}
	if key := fmt.Sprint(r.Outcome.App.ID, "@", r.Outcome.App.Version); !s.versions[key] {
		return fmt.Errorf("%s was accepted and is not in the store", key)
	}
	return nil
}

// Stored looks at each transaction: there are never more instances than are wanted at
// most.
func (s *services) Stored(changes []sdk.StoreChange) error {
	for _, c := range changes {
		if err := s.change(c); err != nil {
			return err
		}
	}
	for _, id := range []app.ID{"/web", "/db"} {
		n, most := s.number(id), 0
		if a := s.apps[id]; a != nil {
			_, most = plan.Bounds(a.Instances, a.UpgradeStrategy)
		}
		if n > max(most, s.excess[id]) {
			return fmt.Errorf("%s has %d instances, at most %d are allowed: %s", id, n, max(most, s.excess[id]), s.show(id))
		}
		s.excess[id] = min(s.excess[id], n)
	}
	return nil
}

func (s *services) change(c sdk.StoreChange) error {
	key := c.KV.Key
	switch {
	case strings.HasPrefix(key, "apps/"):
		id := app.ID(strings.TrimPrefix(key, "apps"))
		s.excess[id] = max(s.excess[id], s.number(id))
		if c.Deleted {
			delete(s.apps, id)
			return nil
		}
		a, err := app.Stored(c.KV.Value)
		if err != nil {
			return err
		}
		s.apps[id] = a
		s.versions[fmt.Sprint(id, "@", a.Version)] = true
	case strings.HasPrefix(key, "runs/"):
		id := sdk.TaskID(strings.TrimPrefix(key, "runs/"))
		if c.Deleted {
			delete(s.runs, id)
			return nil
		}
		i := &instance{}
		if err := json.Unmarshal(c.KV.Value, i); err != nil {
			return err
		}
		s.runs[id], s.ever[id] = i, i
	}
	return nil
}

// number counts the instances that were never lost.
func (s *services) number(id app.ID) (n int) {
	for task, i := range s.runs {
		if i.App == id && !s.away[task] {
			n++
		}
	}
	return n
}

// show lists the instances that count.
func (s *services) show(id app.ID) string {
	text := ""
	for task, i := range s.runs {
		if i.App == id {
			text += fmt.Sprintf(" %s (away %t, doom %s)", task, s.away[task], i.Doom)
		}
	}
	return text
}

// Told notes who is away, or given up: an executor that stood still meanwhile may start what
// it was told before, and ends it at once.
func (s *services) Told(status *sdk.TaskStatus) error {
	if status.State == sdk.TaskUnreachable || status.State == sdk.TaskGoneByOperator {
		s.away[status.TaskID] = true
	}
	return nil
}

// Said looks at nothing.
func (s *services) Said(mind.Log) {}

// Started: what starts was written down before.
func (s *services) Started(task sdk.TaskID, _ []sdk.TaskID) error {
	switch i := s.ever[task]; {
	case i == nil:
		return fmt.Errorf("%s starts, of which there is no record", task)
	case s.runs[task] == nil && !s.away[task]:
		return fmt.Errorf("%s starts after its record was deleted", task)
	}
	return nil
}

// Life of an instance.
func (s *services) Life(r *rand.Rand, _ sdk.TaskID, calm bool) time.Duration {
	switch {
	case calm:
		return 0
	case r.IntN(10) == 0:
		return time.Duration(r.IntN(3000)) * time.Millisecond
	}
	return time.Duration(1+r.IntN(15*60)) * time.Second
}

// Rest: as many run as are wanted, and no others.
func (s *services) Rest(_ time.Time, m mind.Mind, running []sdk.TaskID) error {
	have := map[app.ID]int{}
	for _, id := range running {
		i := s.runs[id]
		if i == nil {
			return fmt.Errorf("%s runs and has no record", id)
		}
		have[i.App]++
	}
	for _, id := range []app.ID{"/web", "/db"} {
		want := 0
		if a := s.apps[id]; a != nil {
			want = a.Instances
		}
		if have[id] != want {
			st, _ := m.(*fleet.Fleet).App(id)
			return fmt.Errorf("%s has %d instances and should have %d; its mind believes in %d: %+v", id, have[id], want, len(st.Instances), st.Instances)
		}
	}
	if d := m.(*fleet.Fleet).Deployments(); len(d) > 0 {
		return fmt.Errorf("a deployment never ends: %+v", d[0])
	}
	return nil
}
