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
	fewer := map[app.ID]int{}
	why := "killed by a client"
	if c.URI != "" {
		why = fmt.Sprintf("killed by a client (%s)", c.URI)
	}
	for _, u := range units {
		if u.rec.Doom == nil {
			fewer[u.rec.App]++
		}
		d.then(func() { f.sentence(d, u, why) })
	}
	if !c.Scale {
		for _, id := range sortedKeys(fewer) {
			d.touched = append(d.touched, id)
		}
		d.write(f.verdicts(units, why)...)
		return nil
	}
	version := f.nextVersion(sortedKeys(fewer))
	var list []revision
	for _, id := range sortedKeys(fewer) {
		s := f.services[id]
		if s.app == nil {
			continue
		}
		a := s.app.Clone()
		a.Instances = max(0, a.Instances-fewer[id])
		a.Version, a.LastScalingAt = version, version
		list = append(list, revision{id: id, before: s.app, after: a, action: ScaleApplication})
	}
	d.write(f.verdicts(units, why)...)
	return f.deploy(d, version, list)
}

// verdicts are the records of the instances with the decision that they end.
func (f *Fleet) verdicts(units []*unit, why string) []Write {
	var writes []Write
	for _, u := range units {
		if u.rec.Doom == nil {
			rec := u.rec
			rec.Doom = &doom{Why: why, At: f.now}
			writes = append(writes, put(runKey(rec.Task), &rec))
		}
	}
	return writes
}

// sentence ends an instance whose verdict is in the store.
func (f *Fleet) sentence(d *draft, u *unit, why string) {
	d.outcome.Killed = append(d.outcome.Killed, u.view())
	s := f.services[u.rec.App]
	if u.ended || s == nil || u.rec.Doom != nil {
		return
	}
	f.condemn(s, u, why)
	u.doomed = true
	f.tell(u, why)
	f.save(u) // with the time at which its drain ends
}
