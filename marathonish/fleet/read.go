package fleet

import "github.com/profferhq/proffer/marathonish/app"
import "github.com/profferhq/proffer/sdk"

// Fleet is the mind of the marathonish that leads.
type Fleet struct {
}

// Apps are all apps, sorted by id.
func (f *Fleet) Apps() []AppStatus { return nil }

// App is one app.
func (f *Fleet) App(id app.ID) (AppStatus, bool) { return AppStatus{}, false }

// Versions are the versions of an app, newest first.
func (f *Fleet) Versions(id app.ID) []app.Version { return nil }

// Version is the definition that an app had under a version.
func (f *Fleet) Version(id app.ID, v app.Version) (*app.App, bool) { return nil, false }

// Task is the instance with that task id.
func (f *Fleet) Task(id sdk.TaskID) (Instance, bool) { return Instance{}, false }

// Deployments are those that run, oldest first.
func (f *Fleet) Deployments() []Deployment { return nil }

// Queue is what waits to be launched, by app id.
func (f *Fleet) Queue() []Waiting { return nil }

// PortTaken tells whether a service port is assigned to an app.
func (f *Fleet) PortTaken(port int) bool { return false }
