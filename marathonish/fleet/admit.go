package fleet

import (
	"slices"

	"github.com/profferhq/proffer/marathonish/app"
	"github.com/profferhq/proffer/marathonish/event"
	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/scheduler/mind"
)

// The statuses of HTTP that refusals have; a pure package does not know the web.
const (
	statusForbidden = 403
	statusNotFound  = 404
	statusConflict  = 409
	statusTooLarge  = 413
	statusInternal  = 500
	statusFull      = 507
)

// draft is a change that is worked out: what goes into the store, and what follows
// once it is there.
type draft struct {
	request mind.Request[Change]
	outcome Outcome
	writes  []sdk.StoreOp
	touched []app.ID // busy until it is stored
	apply   []func()
	undo    []func() // where the store does not take it
}

func (d *draft) write(w ...sdk.StoreOp) { d.writes = append(d.writes, w...) }
func (d *draft) then(do func())         { d.apply = append(d.apply, do) }

// admit works out the changes that wait, in their order. One about an app of which
// another change is on its way waits for that.
func (f *Fleet) admit() {
	if len(f.requests) == 0 {
		return
	}
	waiting := f.requests
	f.requests = nil
	held := map[app.ID]bool{}
	for _, r := range waiting {
		about := f.about(&r.Change)
		blocked := slices.ContainsFunc(about, func(id app.ID) bool {
			s := f.services[id]
			return held[id] || s != nil && s.busy
		})
		if blocked {
			for _, id := range about {
				held[id] = true
			}
			f.requests = append(f.requests, r)
			continue
		}
		d := &draft{request: r}
		if err := f.draw(d); err != nil {
			f.emit(mind.Reply[Outcome]{ID: r.ID, Refusal: err})
			continue
		}
		f.submit(d)
	}
}

// about are the apps that a change is about.
func (f *Fleet) about(c *Change) []app.ID {
	ids := slices.Clone(c.IDs)
	for _, a := range c.Apps {
		ids = append(ids, a.ID)
	}
	for _, task := range c.Tasks {
		if u := f.units[task]; u != nil {
			ids = append(ids, u.rec.App)
		}
	}
	if d := f.deployments[c.Deployment]; d != nil {
		ids = append(ids, d.apps()...)
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// draw works a change out, or refuses it.
func (f *Fleet) draw(d *draft) *app.Refusal {
	c := &d.request.Change
	for id, read := range c.IfVersion {
		var now app.Version
		if s := f.services[id]; s != nil && s.app != nil {
			now = s.app.Version
		}
		if now != read {
			return &app.Refusal{Status: statusConflict, Message: "App '" + string(id) + "' was changed meanwhile", Stale: true}
		}
	}
	switch c.Kind {
	case Create, Put:
		return f.drawPut(d)
	case Boot:
		return f.drawBoot(d)
	case Delete:
		return f.drawDelete(d)
	case Restart:
		return f.drawRestart(d)
	case Kill:
		return f.drawKill(d)
	case Cancel:
		return f.drawCancel(d)
	case ResetDelay:
		return f.drawReset(d)
	}
	return app.Refusef(statusInternal, "no such kind of change: %d", c.Kind)
}

// release has apps looked at again that had a change on its way. Offers that they let pass
// meanwhile are wanted again.
func (f *Fleet) release(ids []app.ID) {
	for _, id := range ids {
		s := f.service(id)
		s.busy = false
		s.waiting.fresh = true
		f.touch(id)
	}
}

// submit has the change stored; then it is made, and answered.
func (f *Fleet) submit(d *draft) {
	done := func() {
		f.release(d.touched)
		for _, do := range d.apply {
			do()
		}
		f.announce(d)
		f.emit(mind.Reply[Outcome]{ID: d.request.ID, Outcome: d.outcome})
	}
	if len(d.writes) == 0 {
		done()
		return
	}
	for _, id := range d.touched {
		f.service(id).busy = true
	}
	f.post(&mind.Posting{Writes: d.writes, Done: done, Failed: func(err *sdk.Error) {
		for _, undo := range d.undo {
			undo()
		}
		f.release(d.touched)
		status := statusTooLarge
		if err.Code != sdk.CodeTooLarge {
			status = statusFull
			f.scarce(f.now)
		}
		f.emit(mind.Reply[Outcome]{ID: d.request.ID, Refusal: app.Refusef(status, "the store does not take the change: %s", err.Message)})
	}})
}

// announce tells the event stream of a change.
func (f *Fleet) announce(d *draft) {
	c := &d.request.Change
	if c.URI != "" {
		for _, id := range d.touched {
			if s := f.services[id]; s != nil && s.app != nil && c.Kind != Kill {
				f.emit(Publish{event.APIPost{ClientIP: c.ClientIP, URI: c.URI, AppDefinition: s.app}})
			}
		}
	}
	if d.outcome.Deployment == "" {
		return
	}
	groups := map[app.ID]bool{}
	for _, id := range d.touched {
		groups[id.Group()] = true
	}
	for _, group := range sortedKeys(groups) {
		f.emit(Publish{event.GroupChangeSuccess{GroupID: group, Version: d.outcome.Version}})
	}
}
