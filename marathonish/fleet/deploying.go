package fleet

import (
	"fmt"
	"slices"
	"strings"

	"github.com/profferhq/proffer/marathonish/app"
	"github.com/profferhq/proffer/marathonish/event"
	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/scheduler/mind"
)

// deployment is a change on its way.
type deployment struct {
	rec  deploymentRecord
	step int // of rec.Steps; beyond the last: it is being deleted
}

// acts tells whether the deployment's present step does that to the app.
func (d *deployment) acts(action string, id app.ID) bool {
	return d.step < len(d.rec.Steps) && slices.Contains(d.rec.Steps[d.step], Action{action, id})
}

func (d *deployment) apps() []app.ID {
	list := make([]app.ID, 0, len(d.rec.Edits))
	for _, e := range d.rec.Edits {
		list = append(list, e.App)
	}
	return list
}

func (d *deployment) plan() event.Plan {
	steps := make([][]event.Action, len(d.rec.Steps))
	for i, s := range d.rec.Steps {
		steps[i] = actions(s)
	}
	return event.NewPlan(d.rec.ID, d.rec.Version, steps)
}

func actions(list []Action) []event.Action {
	var out []event.Action
	for _, a := range list {
		out = append(out, event.Action{Action: a.Action, App: a.App})
	}
	return out
}

// begin starts a deployment that is in the store, or one that has nothing to do.
func (f *Fleet) begin(d *deployment) {
	if len(d.rec.Steps) == 0 {
		f.emit(Publish{event.DeploymentSuccess{ID: d.rec.ID, Plan: d.plan()}})
		return
	}
	f.deployments[d.rec.ID] = d
	for _, e := range d.rec.Edits {
		s := f.service(e.App)
		s.deployment, s.settled = d, false
		f.touch(s.id)
	}
	f.emit(Publish{event.DeploymentInfo{Plan: d.plan(), CurrentStep: event.NewStep(actions(d.rec.Steps[0]))}})
}

// advance ends the steps whose actions are done, and the deployment with the last of
// them.
func (f *Fleet) advance(d *deployment) {
	for d.step < len(d.rec.Steps) {
		for _, a := range d.rec.Steps[d.step] {
			if s := f.services[a.App]; a.Action != StartApplication && s != nil && (!s.settled || f.dirty[a.App]) {
				return
			}
		}
		f.emit(Publish{event.DeploymentStepSuccess{Plan: d.plan(), CurrentStep: event.NewStep(actions(d.rec.Steps[d.step]))}})
		d.step++
		if d.step == len(d.rec.Steps) {
			break
		}
		f.emit(Publish{event.DeploymentInfo{Plan: d.plan(), CurrentStep: event.NewStep(actions(d.rec.Steps[d.step]))}})
		for _, e := range d.rec.Edits { // what was good for the last step need not be for this one
			if s := f.services[e.App]; s != nil {
				s.settled = false
				f.touch(e.App)
			}
		}
		if d.waitsForNobody() {
			continue
		}
		return
	}
	d.step++ // not again
	done := func() {
		if f.deployments[d.rec.ID] == d {
			f.drop(d)
			f.emit(Publish{event.DeploymentSuccess{ID: d.rec.ID, Plan: d.plan()}})
		}
	}
	p := &mind.Posting{Writes: []sdk.StoreOp{remove(deploymentKey(d.rec.ID))}}
	if f.outbox.Quiet() {
		// Nothing that brought the end about is still to be committed. A crash before the
		// record is deleted begins the deployment anew, which ends at once: there is nothing to
		// do for it. Later changes of its apps are committed after this, or with it.
		p.Lazy = true
		f.post(p)
		done()
		return
	}
	p.Done, p.Failed = done, func(*sdk.Error) { done() }
	f.post(p)
}

// waitsForNobody tells whether the present step has nothing to wait for.
func (d *deployment) waitsForNobody() bool {
	return !slices.ContainsFunc(d.rec.Steps[d.step], func(a Action) bool { return a.Action != StartApplication })
}

// drop takes the deployment away; its apps are free.
func (f *Fleet) drop(d *deployment) {
	delete(f.deployments, d.rec.ID)
	for _, e := range d.rec.Edits {
		if s := f.services[e.App]; s != nil && s.deployment == d {
			s.deployment = nil
			f.touch(s.id)
		}
	}
}

// abort drops a deployment that somebody else has ended.
func (f *Fleet) abort(d *deployment, reason string) {
	f.drop(d)
	step := event.NewStep(nil)
	if d.step < len(d.rec.Steps) {
		step = event.NewStep(actions(d.rec.Steps[d.step]))
	}
	f.emit(Publish{event.DeploymentStepFailure{Plan: d.plan(), CurrentStep: step}})
	f.emit(Publish{event.DeploymentFailed{ID: d.rec.ID, Plan: d.plan(), Reason: reason}})
}

// read is the deployment as readers see it.
func (f *Fleet) read(d *deployment) Deployment {
	out := Deployment{
		ID: d.rec.ID, Version: d.rec.Version, Apps: d.apps(), Steps: d.rec.Steps, Since: d.rec.Since, Total: len(d.rec.Steps), Waits: map[app.ID]string{},
	}
	at := min(d.step, len(d.rec.Steps)-1)
	out.Step, out.Current = at+1, d.rec.Steps[at]
	for _, a := range out.Current {
		s := f.services[a.App]
		if s == nil || s.settled {
			continue
		}
		out.Waits[a.App] = s.waits
		if len(s.waiting.indexes) > 0 && s.app != nil {
			out.Waits[a.App] = strings.TrimPrefix(fmt.Sprintf("%s: %s", s.waits, f.status(s).Why), ": ")
		}
	}
	return out
}
