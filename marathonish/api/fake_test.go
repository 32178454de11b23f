package api

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/profferhq/proffer/marathonish/app"
	"github.com/profferhq/proffer/marathonish/event"
	"github.com/profferhq/proffer/marathonish/fleet"
	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/gateway"
	"github.com/profferhq/proffer/sdk/scheduler/rest/resttest"
)

// fake is a Backend whose apps obey at once and whose clock ticks a second per change.
type fake struct {
	mu          sync.RWMutex
	now         time.Time
	apps        map[app.ID]fleet.AppStatus
	versions    map[app.ID][]*app.App // oldest first
	deployments []fleet.Deployment
	queue       []fleet.Waiting
	locked      map[app.ID]string // by which deployment
	info        Info
	fails       error        // of the next changes
	last        fleet.Change // that was asked for
	between     func(*fake)  // runs once between a read and a change
	serial      int
	events      chan event.Event
	after       uint64 // that was subscribed
	cancelled   bool
}

func newFake() *fake {
	return &fake{now: time.Date(2021, 7, 27, 10, 0, 0, 123e6, time.UTC), apps: map[app.ID]fleet.AppStatus{}, versions: map[app.ID][]*app.App{}, locked: map[app.ID]string{},
		info:   Info{Software: "0.1.0", FrameworkID: "f-1", Elected: true, Leader: "127.0.0.1:8080", Hostname: "127.0.0.1", Port: 31000, Master: "127.0.0.1:5050", Role: "*"},
		events: make(chan event.Event, 16)}
}

// handler is the API with a gateway that takes everybody for an operator, or nobody.
func (f *fake) handler(operator bool) http.Handler {
	s := &server{backend: f, opts: DefaultOptions(), now: func() time.Time { return f.now.Add(time.Minute) }}
	return resttest.As(gateway.Caller{Principal: "ada", Operator: operator}, s.handler())
}

func (f *fake) Read(do func(View)) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	do(f)
}

func (f *fake) Info() Info { return f.info }

func (f *fake) Subscribe(after uint64) (<-chan event.Event, func()) {
	f.after = after
	return f.events, func() { f.cancelled = true }
}

func (f *fake) Apps() []fleet.AppStatus {
	var out []fleet.AppStatus
	for _, id := range slices.Sorted(maps.Keys(f.apps)) {
		out = append(out, f.apps[id])
	}
	return out
}

func (f *fake) App(id app.ID) (fleet.AppStatus, bool) { st, ok := f.apps[id]; return st, ok }

func (f *fake) Versions(id app.ID) []app.Version {
	var out []app.Version
	for _, a := range slices.Backward(f.versions[id]) {
		out = append(out, a.Version)
	}
	return out
}

func (f *fake) Version(id app.ID, v app.Version) (*app.App, bool) {
	for _, a := range f.versions[id] {
		if a.Version == v {
			return a, true
		}
	}
	return nil, false
}

func (f *fake) Task(id sdk.TaskID) (fleet.Instance, bool) {
	for _, st := range f.apps {
		for _, i := range st.Instances {
			if i.TaskID == id {
				return i, true
			}
		}
	}
	return fleet.Instance{}, false
}

func (f *fake) Deployments() []fleet.Deployment { return f.deployments }
func (f *fake) Queue() []fleet.Waiting          { return f.queue }

func (f *fake) Change(ctx context.Context, c fleet.Change) (fleet.Outcome, error) {
	if do := f.between; do != nil {
		f.between = nil
		do(f)
	}
	if f.fails == context.DeadlineExceeded {
		<-ctx.Done()
		return fleet.Outcome{}, ctx.Err()
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.last = c
	if f.fails != nil {
		return fleet.Outcome{}, f.fails
	}
	if err := f.refuses(c); err != nil {
		return fleet.Outcome{}, err
	}
	f.now = f.now.Add(time.Second)
	f.serial++
	out := fleet.Outcome{Deployment: fmt.Sprintf("d-%d", f.serial), Version: app.NextVersion(f.now, "")}
	switch c.Kind {
	case fleet.Create, fleet.Put:
		for _, a := range c.Apps {
			_, there := f.apps[a.ID]
			out.Created, out.App = !there, f.keep(a, out.Version)
		}
	case fleet.Restart:
		for _, id := range c.IDs {
			out.App = f.keep(f.apps[id].App, out.Version)
		}
	case fleet.Delete:
		for _, id := range c.IDs {
			delete(f.apps, id)
			delete(f.versions, id)
		}
	case fleet.Kill:
		out.Killed = f.kill(c)
		if !c.Scale {
			out.Deployment = ""
		}
	case fleet.Cancel:
		f.deployments = nil
	}
	return out, nil
}

func (f *fake) refuses(c fleet.Change) error {
	ids := slices.Clone(c.IDs)
	for _, a := range c.Apps {
		ids = append(ids, a.ID)
	}
	for _, id := range ids {
		st, there := f.apps[id]
		if v, asked := c.IfVersion[id]; asked && (!there && v != "" || there && st.App.Version != v) {
			return &app.Refusal{Status: http.StatusConflict, Message: "stale", Stale: true}
		}
		switch {
		case c.Kind == fleet.Create && there:
			return app.Exists(id)
		case c.Kind != fleet.Create && c.Kind != fleet.Put && !there:
			return app.Missing(id)
		case f.locked[id] != "" && !c.Force:
			return app.Locked(f.locked[id])
		}
	}
	if c.Kind == fleet.Cancel && !slices.ContainsFunc(f.deployments, func(d fleet.Deployment) bool { return d.ID == c.Deployment }) {
		return app.MissingDeployment(c.Deployment)
	}
	return nil
}

func (f *fake) keep(a *app.App, v app.Version) *app.App {
	a = a.Clone()
	old := f.apps[a.ID]
	if err := app.AssignPorts(a, old.App, func(int) bool { return false }); err != nil {
		panic(err)
	}
	a.Version, a.LastScalingAt, a.LastConfigChangeAt = v, v, v
	old.App = a
	f.apps[a.ID] = old
	f.versions[a.ID] = append(f.versions[a.ID], a)
	return a
}

func (f *fake) kill(c fleet.Change) []fleet.Instance {
	var out []fleet.Instance
	for _, id := range slices.Sorted(maps.Keys(f.apps)) {
		st := f.apps[id]
		st.Instances = slices.DeleteFunc(slices.Clone(st.Instances), func(i fleet.Instance) bool {
			dies := slices.Contains(c.Tasks, i.TaskID) || slices.Contains(c.IDs, id) && (c.Host == "" || c.Host == i.Host)
			if dies {
				out = append(out, i)
			}
			return dies
		})
		f.apps[id] = st
	}
	return out
}

// run gives an app instances: the first is healthy, the second sick, the third without
// a result of its check, the others staging.
func (f *fake) run(id app.ID, n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	st := f.apps[id]
	yes, no := true, false
	for k := range n {
		i := fleet.Instance{App: id, Index: k, TaskID: sdk.TaskID(fmt.Sprintf("%s.%d", id.TaskPrefix(), k)), AgentID: "a1", Host: fmt.Sprintf("h%d", k%2+1), IPs: []string{"10.0.0.1"},
			Version: st.App.Version, State: "TASK_RUNNING", Role: "*", StagedAt: f.now, StartedAt: f.now.Add(time.Duration(k+1) * time.Second)}
		for p := range st.App.PortDefinitions {
			i.Ports = append(i.Ports, 31000+10*k+p)
		}
		switch k {
		case 0:
			i.Healthy, st.Healthy = &yes, 1
			i.Checks = []fleet.CheckResult{{Alive: &yes, FirstSuccess: f.now, LastSuccess: f.now.Add(time.Minute)}}
		case 1:
			i.Healthy, st.Unhealthy = &no, 1
			i.Checks = []fleet.CheckResult{{Alive: &no, ConsecutiveFailures: 2, FirstSuccess: f.now, LastSuccess: f.now, LastFailure: f.now.Add(time.Minute), Cause: "refused"}}
		case 2:
			i.Checks = []fleet.CheckResult{{}}
		default:
			i.State, i.StartedAt = "TASK_STAGING", time.Time{}
		}
		if i.State == "TASK_RUNNING" {
			st.Running++
		} else {
			st.Staged++
		}
		st.Instances = append(st.Instances, i)
	}
	f.apps[id] = st
}
