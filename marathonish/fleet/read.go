package fleet

import (
	"slices"

	"github.com/profferhq/proffer/marathonish/app"
	"github.com/profferhq/proffer/sdk"
)

// Apps are all apps, sorted by id.
func (f *Fleet) Apps() []AppStatus {
	list := make([]AppStatus, 0, len(f.services))
	for _, id := range sortedKeys(f.services) {
		if s := f.services[id]; s.app != nil {
			list = append(list, s.status())
		}
	}
	return list
}

// App is one app.
func (f *Fleet) App(id app.ID) (AppStatus, bool) {
	s := f.services[id]
	if s == nil || s.app == nil {
		return AppStatus{}, false
	}
	return s.status(), true
}

func (s *service) status() AppStatus {
	live := s.live()
	st := AppStatus{App: s.app, LastFailure: s.failure, Instances: make([]Instance, 0, len(live))}
	for _, u := range live {
		st.Instances = append(st.Instances, u.view())
		switch u.state {
		case sdk.TaskStaging, sdk.TaskStarting:
			st.Staged++
		case sdk.TaskRunning, sdk.TaskKilling:
			st.Running++
			switch h := u.rec.Healthy; {
			case h == nil:
			case *h:
				st.Healthy++
			default:
				st.Unhealthy++
			}
		}
	}
	if s.deployment != nil {
		st.Deployments = []string{s.deployment.rec.ID}
	}
	return st
}

// Versions are the versions of an app, newest first.
func (f *Fleet) Versions(id app.ID) []app.Version {
	s := f.services[id]
	if s == nil || s.app == nil {
		return nil
	}
	list := sortedKeys(s.versions)
	slices.Reverse(list)
	return list
}

// Version is the definition that an app had under a version.
func (f *Fleet) Version(id app.ID, v app.Version) (*app.App, bool) {
	s := f.services[id]
	if s == nil || s.app == nil {
		return nil, false
	}
	a, ok := s.versions[v]
	return a, ok
}

// Task is the instance with that task id.
func (f *Fleet) Task(id sdk.TaskID) (Instance, bool) {
	u := f.units[id]
	if u == nil || u.ended {
		return Instance{}, false
	}
	return u.view(), true
}

// Deployments are those that run, oldest first.
func (f *Fleet) Deployments() []Deployment {
	list := make([]Deployment, 0, len(f.deployments))
	for _, id := range sortedKeys(f.deployments) {
		list = append(list, f.read(f.deployments[id]))
	}
	slices.SortStableFunc(list, func(a, b Deployment) int { return a.Since.Compare(b.Since) })
	return list
}

// Queue is what waits to be launched, by app id.
func (f *Fleet) Queue() []Waiting {
	var list []Waiting
	for _, id := range sortedKeys(f.wanting) {
		if s := f.services[id]; s != nil && s.app != nil && len(s.waiting.indexes) > 0 {
			list = append(list, f.status(s))
		}
	}
	return list
}

// PortTaken tells whether a service port is assigned to an app.
func (f *Fleet) PortTaken(port int) bool {
	return port >= 0 && port < len(f.ports) && f.ports[port] > 0
}

// Counts are the sizes of a Fleet.
type Counts struct{ Apps, Instances, Deployments, Waiting int }

// Counts tells how much there is.
func (f *Fleet) Counts() Counts {
	c := Counts{Instances: len(f.units), Deployments: len(f.deployments), Waiting: len(f.wanting)}
	for _, s := range f.services {
		if s.app != nil {
			c.Apps++
		}
	}
	return c
}
