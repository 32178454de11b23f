package fleet

import (
	"encoding/json"
	"slices"

	"github.com/profferhq/proffer/marathonish/app"
)

// deploy makes a deployment of what a change makes of apps, unless other deployments
// stand in the way.
func (f *Fleet) deploy(d *draft, version app.Version, list []revision) *app.Refusal {
	c := &d.request.Change
	locks := f.locks(list)
	if len(locks) > 0 && !c.Force {
		ids := make([]string, len(locks))
		for i, l := range locks {
			ids[i] = l.rec.ID
		}
		return app.Locked(ids...)
	}
	if n := len(f.deployments) - len(locks); n >= f.opt.MaxDeployments && slices.ContainsFunc(list, func(r revision) bool { return r.action != "" }) {
		return app.Refusef(statusForbidden, "Max number (%d) of running deployments is reached. Wait for one to end, or cancel one.", f.opt.MaxDeployments)
	}
	next := &deployment{rec: deploymentRecord{ID: f.ids.uuid(), Version: version, Since: f.now}}
	for _, l := range locks {
		d.write(remove(deploymentKey(l.rec.ID)))
		d.then(func() { f.abort(l, "overridden by deployment "+next.rec.ID) })
	}
	for _, r := range list {
		f.revise(d, r)
	}
	next.rec.Steps, next.rec.Edits = steps(list), edits(list)
	if len(next.rec.Steps) > 0 {
		d.write(put(deploymentKey(next.rec.ID), &next.rec))
	}
	d.then(func() { f.begin(next) })
	d.outcome.Deployment, d.outcome.Version = next.rec.ID, version
	if len(list) == 1 {
		r := list[0]
		d.outcome.App, d.outcome.Created = r.after, r.before == nil
	}
	return nil
}

// locks are the deployments that change the same apps.
func (f *Fleet) locks(list []revision) []*deployment {
	found := map[string]*deployment{}
	for _, r := range list {
		if s := f.services[r.id]; s != nil && s.deployment != nil {
			found[s.deployment.rec.ID] = s.deployment
		}
	}
	var out []*deployment
	for _, id := range sortedKeys(found) {
		out = append(out, found[id])
	}
	return out
}

// revise writes what the change makes of one app.
func (f *Fleet) revise(d *draft, r revision) {
	d.touched = append(d.touched, r.id)
	switch {
	case r.after == nil:
		d.write(removeApp(r.id)...)
	case r.action != "":
		d.write(putApp(r.after)...)
		f.collect(d, r.id)
	default:
		return
	}
	d.then(func() { f.become(r) })
}

// collect lets the oldest versions go that are too many and that nobody runs.
func (f *Fleet) collect(d *draft, id app.ID) {
	s := f.services[id]
	if s == nil {
		return
	}
	surplus := len(s.versions) + 1 - f.opt.MaxVersions
	for _, v := range sortedKeys(s.versions) {
		used := s.app != nil && s.app.Version == v
		for _, u := range s.units {
			used = used || u.rec.Version == v
		}
		if surplus > 0 && !used {
			d.write(remove(versionKey(id, v)))
			d.then(func() { delete(s.versions, v) })
			surplus--
		}
	}
}

// steps are Marathon's: all stops, then the markers of the new apps, then the rest.
func steps(list []revision) [][]Action {
	var stop, start, rest []Action
	for _, r := range list {
		switch r.action {
		case "":
			continue
		case StopApplication:
			stop = append(stop, Action{r.action, r.id})
			continue
		}
		if r.before == nil {
			start = append(start, Action{StartApplication, r.id})
		}
		rest = append(rest, Action{r.action, r.id})
	}
	var out [][]Action
	for _, step := range [][]Action{stop, start, rest} {
		if len(step) > 0 {
			out = append(out, step)
		}
	}
	return out
}

func edits(list []revision) []edit {
	var out []edit
	for _, r := range list {
		if r.action == "" {
			continue
		}
		e := edit{App: r.id}
		if r.before != nil {
			e.Before = encode(r.before)
		}
		out = append(out, e)
	}
	return out
}

// drawCancel drops a deployment (with Force), or undoes it by another one.
func (f *Fleet) drawCancel(d *draft) *app.Refusal {
	c := &d.request.Change
	old := f.deployments[c.Deployment]
	if old == nil {
		return app.MissingDeployment(c.Deployment)
	}
	if c.Force {
		d.touched = old.apps()
		d.write(remove(deploymentKey(old.rec.ID)))
		d.then(func() { f.abort(old, "cancelled") })
		return nil
	}
	version := f.nextVersion(old.apps())
	var list []revision
	for _, e := range old.rec.Edits {
		s := f.services[e.App]
		r := revision{id: e.App, before: s.app}
		if before := decoded(e.Before); before != nil {
			r.after = before.Clone()
			r.after.Version, r.after.LastScalingAt = version, version
			r.action = RestartApplication // instances that have that config already are spared
			if s.app != nil && s.app.LastConfigChangeAt == before.LastConfigChangeAt {
				r.action = ScaleApplication
			}
		} else {
			r.action = StopApplication
		}
		list = append(list, r)
	}
	c.Force = true // over the one that is undone
	return f.deploy(d, version, list)
}

// decoded is an app of a deployment's record; nil for none.
func decoded(data json.RawMessage) *app.App {
	if len(data) == 0 {
		return nil
	}
	a, err := app.Stored(data)
	if err != nil {
		return nil // Load has refused such a record
	}
	return a
}
