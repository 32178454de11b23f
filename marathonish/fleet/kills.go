package fleet

import (
	"fmt"

	"github.com/profferhq/proffer/marathonish/app"
)

// drawKill ends instances that somebody names: they are replaced, or with Scale the
// app wants so many fewer.
func (f *Fleet) drawKill(d *draft) *app.Refusal {
	c := &d.request.Change
	var units []*unit
	for _, id := range c.IDs {
		s := f.services[id]
		if s == nil || s.app == nil {
			return app.Missing(id)
		}
		for _, u := range s.live() {
			if c.Host == "" || u.rec.Host == c.Host {
				units = append(units, u)
			}
		}
	}
	for _, task := range c.Tasks {
		if u := f.units[task]; u != nil && !u.ended {
			units = append(units, u)
		}
	}
	why := "killed by a client"
	if c.URI != "" {
		why = fmt.Sprintf("killed by a client (%s)", c.URI)
	}
	fewer := map[app.ID]int{}
	for _, u := range units {
		if u.rec.Doom == nil && u.verdict == nil {
			fewer[u.rec.App]++
		}
		f.drawVerdict(d, u, why)
	}
	ids := sortedKeys(fewer)
	d.touched = ids
	if !c.Scale {
		return nil
	}
	version := f.nextVersion(ids)
	var list []revision
	for _, id := range ids {
		s := f.services[id]
		if s.app == nil {
			continue
		}
		a := s.app.Clone()
		a.Instances = max(0, a.Instances-fewer[id])
		a.Version, a.LastScalingAt = version, version
		list = append(list, revision{id: id, before: s.app, after: a, action: ScaleApplication})
	}
	if err := f.deploy(d, version, list); err != nil {
		for _, undo := range d.undo {
			undo()
		}
		return err
	}
	return nil
}

// drawVerdict has an instance ended once that is in the store.
func (f *Fleet) drawVerdict(d *draft, u *unit, why string) {
	s := f.services[u.rec.App]
	if u.rec.Doom != nil || u.verdict != nil {
		d.then(func() { d.outcome.Killed = append(d.outcome.Killed, u.view()) })
		return
	}
	verdict := f.sentence(s, u, why)
	u.verdict = verdict
	rec := u.rec
	rec.Doom = verdict
	d.write(put(runKey(rec.Task), &rec))
	d.undo = append(d.undo, func() { u.verdict = nil })
	d.then(func() {
		d.outcome.Killed = append(d.outcome.Killed, u.view())
		u.verdict, u.doomed = nil, true
		if !u.ended && u.rec.Doom == nil {
			f.condemn(s, u, verdict)
		}
	})
}
