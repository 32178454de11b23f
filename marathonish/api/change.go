package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/profferhq/proffer/marathonish/app"
	"github.com/profferhq/proffer/marathonish/fleet"
	"github.com/profferhq/proffer/sdk/scheduler/rest"
)

// change asks the backend for a change, and waits for it within a bound.
func (s *server) change(c *call, ch fleet.Change) (fleet.Outcome, error) {
	ctx, cancel := context.WithTimeout(c.R.Context(), s.opts.ChangeTimeout)
	defer cancel()
	ch.ClientIP, ch.URI = c.ClientIP(), c.R.URL.Path
	return s.backend.Change(ctx, ch)
}

func (s *server) createApp(c *call) (rest.Answer, error) {
	force, err := c.flag("force", false)
	if err != nil {
		return rest.Answer{}, err
	}
	body, err := c.Body(s.opts.MaxBody)
	if err != nil {
		return rest.Answer{}, err
	}
	a, err := app.Parse(body)
	if err != nil {
		return rest.Answer{}, err
	}
	out, err := s.change(c, fleet.Change{Kind: fleet.Create, Apps: []*app.App{a}, Force: force})
	if err != nil {
		return rest.Answer{}, err
	}
	st := fleet.AppStatus{App: out.App}
	if out.Deployment != "" {
		st.Deployments = []string{out.Deployment}
	}
	header := deployed(out.Deployment)
	header["Location"] = "/v2/apps" + string(out.App.ID)
	return rest.Answer{Status: http.StatusCreated, Body: render(st, embed{tasks: true}, nil, time.Time{}), Header: header}, nil
}

// attempts bounds how often a change is computed anew because others were faster.
const attempts = 10

// put reads the body of a PUT or PATCH over what there is, asks for the outcome, and
// tries again when another change came between.
func (s *server) put(c *call, mode app.Mode, update func(old func(app.ID) *app.App, body []byte) ([]app.Updated, error)) (fleet.Outcome, error) {
	force, err := c.flag("force", false)
	if err != nil {
		return fleet.Outcome{}, err
	}
	body, err := c.Body(s.opts.MaxBody)
	if err != nil {
		return fleet.Outcome{}, err
	}
	for range attempts {
		var all map[app.ID]*app.App
		s.backend.Read(func(f View) { all = definitions(f, c.id) })
		updates, err := update(func(id app.ID) *app.App { return all[id] }, body)
		if err != nil {
			return fleet.Outcome{}, err
		}
		if len(updates) == 0 {
			return fleet.Outcome{}, app.Invalid("/", "must have at least one app")
		}
		ch := fleet.Change{Kind: fleet.Put, Force: force}
		if mode != app.Whole {
			ch.IfVersion = map[app.ID]app.Version{}
		}
		for _, u := range updates {
			if u.RollBack != "" {
				old, err := s.version(u.ID, u.RollBack)
				if err != nil {
					return fleet.Outcome{}, err
				}
				u.App = old.Clone()
				u.App.Version, u.App.LastScalingAt, u.App.LastConfigChangeAt = "", "", ""
			} else if mode != app.Whole {
				ch.IfVersion[u.ID] = ""
				if old := all[u.ID]; old != nil {
					ch.IfVersion[u.ID] = old.Version
				}
			}
			ch.Apps = append(ch.Apps, u.App)
		}
		out, err := s.change(c, ch)
		var r *app.Refusal
		if !errors.As(err, &r) || !r.Stale {
			return out, err
		}
	}
	return fleet.Outcome{}, app.Refusef(http.StatusConflict, "Others change the same apps at the same time; try again.")
}

// definitions are what all apps are now; with an id, only what that one is.
func definitions(f View, id app.ID) map[app.ID]*app.App {
	out := map[app.ID]*app.App{}
	if id != "/" {
		if st, found := f.App(id); found {
			out[id] = st.App
		}
		return out
	}
	for _, st := range f.Apps() {
		out[st.App.ID] = st.App
	}
	return out
}

// modeOf is what a PUT does with the fields that are not given.
func (c *call) modeOf() (app.Mode, error) {
	partial, err := c.flag("partialUpdate", true)
	if partial {
		return app.Partial, err
	}
	return app.Whole, err
}

func (s *server) putApp(c *call) (rest.Answer, error) {
	mode, err := c.modeOf()
	if err != nil {
		return rest.Answer{}, err
	}
	return s.putOne(c, mode)
}

func (s *server) patchApp(c *call) (rest.Answer, error) { return s.putOne(c, app.Patch) }

func (s *server) putOne(c *call, mode app.Mode) (rest.Answer, error) {
	out, err := s.put(c, mode, func(old func(app.ID) *app.App, body []byte) ([]app.Updated, error) {
		u, err := app.Update(c.id, old(c.id), body, mode)
		return []app.Updated{u}, err
	})
	if err != nil {
		return rest.Answer{}, err
	}
	if out.Created {
		a := changed(http.StatusCreated, out)
		a.Header["Location"] = "/v2/apps" + string(c.id)
		return a, nil
	}
	return changed(http.StatusOK, out), nil
}

func (s *server) putApps(c *call) (rest.Answer, error) {
	mode, err := c.modeOf()
	if err != nil {
		return rest.Answer{}, err
	}
	return s.putAll(c, mode)
}

func (s *server) patchApps(c *call) (rest.Answer, error) { return s.putAll(c, app.Patch) }

func (s *server) putAll(c *call, mode app.Mode) (rest.Answer, error) {
	out, err := s.put(c, mode, func(old func(app.ID) *app.App, body []byte) ([]app.Updated, error) {
		return app.UpdateAll(old, body, mode)
	})
	if err != nil {
		return rest.Answer{}, err
	}
	return changed(http.StatusOK, out), nil
}

func (s *server) deleteApp(c *call) (rest.Answer, error) {
	force, err := c.flag("force", true)
	if err != nil {
		return rest.Answer{}, err
	}
	out, err := s.change(c, fleet.Change{Kind: fleet.Delete, IDs: []app.ID{c.id}, Force: force})
	return changed(http.StatusOK, out), err
}

func (s *server) restartApp(c *call) (rest.Answer, error) {
	force, err := c.flag("force", false)
	if err != nil {
		return rest.Answer{}, err
	}
	out, err := s.change(c, fleet.Change{Kind: fleet.Restart, IDs: []app.ID{c.id}, Force: force})
	return changed(http.StatusOK, out), err
}
