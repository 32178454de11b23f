package api

import (
	"fmt"
	"time"

	"github.com/profferhq/proffer/marathonish/app"
	"github.com/profferhq/proffer/marathonish/fleet"
	"github.com/profferhq/proffer/sdk/scheduler/rest"
)

// glance is what one look at the fleet tells of apps.
type glance struct {
	apps []fleet.AppStatus
	why  map[app.ID][]string // what an app waits for, one sentence for each thing; read with why only
}

// look reads the apps, and with why what they wait for.
func (s *server) look(e embed) glance {
	var g glance
	var queue []fleet.Waiting
	var deployments []fleet.Deployment
	s.backend.Read(func(f View) {
		g.apps = f.Apps()
		if e.why {
			queue, deployments = f.Queue(), f.Deployments()
		}
	})
	g.why = map[app.ID][]string{}
	for _, w := range queue {
		if w.Why != "" {
			g.why[w.App.ID] = append(g.why[w.App.ID], w.Why)
		}
	}
	for _, d := range deployments {
		for id, reason := range d.Waits {
			g.why[id] = append(g.why[id], fmt.Sprintf("Deployment %s %s", d.ID, reason))
		}
	}
	return g
}

func (g glance) render(picked func(*app.App) bool, e embed, now time.Time) []appDocument {
	out := make([]appDocument, 0, len(g.apps))
	for _, st := range g.apps {
		if picked(st.App) {
			out = append(out, render(st, e, g.why[st.App.ID], now))
		}
	}
	return out
}

func (s *server) listApps(c *call) (rest.Answer, error) {
	q := c.R.URL.Query()
	filter := app.Filter{Cmd: q.Get("cmd"), ID: q.Get("id")}
	if label := q.Get("label"); label != "" {
		var err error
		if filter.Label, err = app.ParseSelector(label); err != nil {
			return rest.Answer{}, err
		}
	}
	e := c.embed()
	return rest.JSON(struct {
		Apps []appDocument `json:"apps"`
	}{s.look(e).render(filter.Matches, e, s.now())})
}

func (s *server) listGroup(c *call) (rest.Answer, error) {
	e := c.embed()
	return rest.JSON(struct {
		Apps []appDocument `json:"*"`
	}{s.look(e).render(func(a *app.App) bool { return a.ID.Under(c.id) }, e, s.now())})
}

// read is one app as it is now.
func (s *server) read(id app.ID) (st fleet.AppStatus, err error) {
	found := false
	s.backend.Read(func(f View) { st, found = f.App(id) })
	if !found {
		return st, app.Missing(id)
	}
	return st, nil
}

// showApp shows an app with its tasks and last failure, whatever else is asked for.
func (s *server) showApp(c *call) (rest.Answer, error) {
	e := c.embed()
	e.tasks, e.lastTaskFailure = true, true
	st, err := s.read(c.id)
	if err != nil {
		return rest.Answer{}, err
	}
	var why []string
	if e.why {
		why = s.look(e).why[c.id]
	}
	return rest.JSON(struct {
		App appDocument `json:"app"`
	}{render(st, e, why, s.now())})
}

func (s *server) listVersions(c *call) (rest.Answer, error) {
	var versions []app.Version
	found := false
	s.backend.Read(func(f View) {
		if _, found = f.App(c.id); found {
			versions = f.Versions(c.id)
		}
	})
	if !found {
		return rest.Answer{}, app.Missing(c.id)
	}
	return rest.JSON(struct {
		Versions []app.Version `json:"versions"`
	}{append([]app.Version{}, versions...)})
}

// version is the definition that an app had.
func (s *server) version(id app.ID, v app.Version) (a *app.App, err error) {
	exists, had := false, false
	s.backend.Read(func(f View) {
		if _, exists = f.App(id); exists {
			a, had = f.Version(id, v)
		}
	})
	switch {
	case !exists:
		return nil, app.Missing(id)
	case !had:
		return nil, app.MissingVersion(id, string(v))
	}
	return a, nil
}

func (s *server) showVersion(c *call) (rest.Answer, error) {
	v, valid := app.ParseVersion(c.arg)
	if !valid {
		return rest.Answer{}, app.MissingVersion(c.id, rest.Cut(c.arg))
	}
	a, err := s.version(c.id, v)
	if err != nil {
		return rest.Answer{}, err
	}
	return rest.Answer{Body: a}, nil
}
