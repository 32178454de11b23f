package fleet

import (
	"slices"

	"github.com/profferhq/proffer/marathonish/app"
	"github.com/profferhq/proffer/marathonish/event"
)

// revision is what a change makes of one app.
type revision struct {
	id     app.ID
	before *app.App // nil: there was none
	after  *app.App // nil: it is destroyed
	action string   // empty: nothing changes
}

// drawPut makes and changes apps.
func (f *Fleet) drawPut(d *draft) *app.Refusal {
	c := &d.request.Change
	version, given := f.nextVersion(f.about(c)), map[int]bool{}
	var list []revision
	for _, a := range c.Apps {
		s := f.services[a.ID]
		r := revision{id: a.ID, after: a.Clone()}
		if s != nil {
			r.before = s.app
		}
		if c.Kind == Create && r.before != nil {
			return app.Exists(a.ID)
		}
		if err := f.assignPorts(&r, given); err != nil {
			return err
		}
		f.compare(s, &r, version)
		list = append(list, r)
	}
	return f.deploy(d, version, list)
}

// compare says what a definition changes, and gives it its versions. An equal one
// changes nothing, unless an earlier change was left half-way.
func (f *Fleet) compare(s *service, r *revision, version app.Version) {
	a := r.after
	a.Version, a.LastScalingAt, a.LastConfigChangeAt = version, version, version
	switch {
	case r.before == nil:
		r.action = ScaleApplication
		if s != nil && len(s.live()) > 0 { // what is left of a destroyed one
			r.action = RestartApplication
		}
	case a.SameConfig(r.before):
		a.LastConfigChangeAt = r.before.LastConfigChangeAt
		outdated := slices.ContainsFunc(s.live(), func(u *unit) bool { return u.rec.Config != a.LastConfigChangeAt })
		switch {
		case outdated:
			r.action = RestartApplication
		case a.Instances != r.before.Instances:
			r.action = ScaleApplication
		default:
			r.after = r.before
		}
	case a.Instances == 0:
		r.action = ScaleApplication
	default:
		r.action = RestartApplication
	}
}

// drawBoot makes the apps that come with the cluster, once for ever.
func (f *Fleet) drawBoot(d *draft) *app.Refusal {
	c := &d.request.Change
	version, given := f.nextVersion(f.about(c)), map[int]bool{}
	var list []revision
	marks := sortedKeys(f.booted)
	for _, a := range c.Apps {
		if f.booted[a.ID] {
			continue
		}
		marks = append(marks, a.ID)
		d.then(func() { f.booted[a.ID] = true })
		if s := f.services[a.ID]; s != nil && s.app != nil {
			continue
		}
		r := revision{id: a.ID, after: a.Clone()}
		if err := f.assignPorts(&r, given); err != nil {
			return err
		}
		f.compare(f.services[a.ID], &r, version)
		list = append(list, r)
	}
	if len(marks) == len(f.booted) {
		return nil
	}
	d.write(put(keyBoot, marks))
	return f.deploy(d, version, list)
}

// drawDelete destroys apps.
func (f *Fleet) drawDelete(d *draft) *app.Refusal {
	c := &d.request.Change
	var list []revision
	for _, id := range c.IDs {
		s := f.services[id]
		if s == nil || s.app == nil {
			return app.Missing(id)
		}
		list = append(list, revision{id: id, before: s.app, action: StopApplication})
	}
	return f.deploy(d, f.nextVersion(c.IDs), list)
}

// drawRestart replaces all instances by ones of the same definition.
func (f *Fleet) drawRestart(d *draft) *app.Refusal {
	c := &d.request.Change
	version := f.nextVersion(c.IDs)
	var list []revision
	for _, id := range c.IDs {
		s := f.services[id]
		if s == nil || s.app == nil {
			return app.Missing(id)
		}
		a := s.app.Clone()
		a.Version, a.LastConfigChangeAt = version, version
		list = append(list, revision{id: id, before: s.app, after: a, action: RestartApplication})
	}
	return f.deploy(d, version, list)
}

// drawReset lets apps be launched that wait because they failed.
func (f *Fleet) drawReset(d *draft) *app.Refusal {
	for _, id := range d.request.Change.IDs {
		s := f.services[id]
		if s == nil || s.app == nil || len(s.waiting.indexes) == 0 {
			return app.Refusef(statusNotFound, "App '%s' does not wait to be launched", id)
		}
		d.touched = append(d.touched, id)
		if s.failure == nil {
			d.write(remove(failureKey(id)))
		} else {
			d.write(put(failureKey(id), failureRecord{Last: s.failure}))
		}
		d.then(func() {
			s.backoff.Delay, s.backoff.Until = 0, f.now.Add(-1)
			s.backoff.Config = ""
		})
	}
	return nil
}

// nextVersion is a version that is later than all of the apps'.
func (f *Fleet) nextVersion(ids []app.ID) app.Version {
	var latest app.Version
	for _, id := range ids {
		if s := f.services[id]; s != nil {
			for _, a := range []*app.App{s.app, s.former} {
				if a != nil {
					latest = max(latest, a.Version, a.LastConfigChangeAt, a.LastScalingAt)
				}
			}
		}
	}
	return app.NextVersion(f.now, latest)
}

// assignPorts gives an app its service ports; given has those of the apps before it in
// the same change, and gets its own.
func (f *Fleet) assignPorts(r *revision, given map[int]bool) *app.Refusal {
	err := app.AssignPorts(r.after, r.before, func(port int) bool { return given[port] || f.portTaken(port, r.before) })
	if err != nil {
		return err.(*app.Refusal)
	}
	for _, p := range r.after.PortDefinitions {
		given[p.Port] = true
	}
	return nil
}

// portTaken tells whether another app than that of before has the service port.
func (f *Fleet) portTaken(port int, before *app.App) bool {
	others := f.ports[port]
	if others > 0 && before != nil && hasPort(before, port) {
		others--
	}
	return others > 0
}

func hasPort(a *app.App, port int) bool {
	return slices.ContainsFunc(a.PortDefinitions, func(p app.PortDefinition) bool { return p.Port == port })
}

// become makes the app what the change says.
func (f *Fleet) become(r revision) {
	s := f.service(r.id)
	if r.before != nil {
		f.setPorts(r.before, -1)
	}
	if r.after == nil {
		s.app, s.former = nil, r.before
		clear(s.versions)
		s.versions[r.before.Version] = r.before
		s.failure = nil
		f.emit(Publish{event.RemoveHealthCheck{AppID: s.id}})
		if len(s.units) == 0 { // else the last of them says it
			f.emit(Publish{event.AppTerminated{AppID: s.id}})
		}
		return
	}
	fresh := r.before == nil || r.before.LastConfigChangeAt != r.after.LastConfigChangeAt
	if r.before == nil {
		clear(s.versions)
	}
	s.app, s.former = r.after, nil
	s.versions[r.after.Version] = r.after
	f.setPorts(r.after, 1)
	if fresh {
		for _, h := range r.after.HealthChecks {
			f.emit(Publish{event.AddHealthCheck{AppID: s.id, Version: r.after.Version, HealthCheck: h}})
		}
	}
}

// setPorts counts the app's service ports in (by 1) or out (by -1).
func (f *Fleet) setPorts(a *app.App, by int) {
	seen := map[int]bool{}
	for _, p := range a.PortDefinitions {
		if !seen[p.Port] && p.Port >= 0 && p.Port < len(f.ports) {
			f.ports[p.Port] += uint16(by)
			seen[p.Port] = true
		}
	}
}
