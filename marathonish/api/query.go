package api

import (
	"net/http"
	"strings"

	"github.com/profferhq/proffer/marathonish/app"
	"github.com/profferhq/proffer/sdk/scheduler/rest"
)

// flag is a parameter of the query that is true or false, in any case: marathon-python
// writes True. A parameter without a value is true.
func (c *call) flag(name string, otherwise bool) (bool, error) {
	q := c.R.URL.Query()
	if !q.Has(name) {
		return otherwise, nil
	}
	switch v := strings.ToLower(q.Get(name)); v {
	case "true", "":
		return true, nil
	case "false":
		return false, nil
	default:
		return false, app.Refusef(http.StatusBadRequest, "The parameter %s must be true or false, and is %q.", name, rest.Cut(v))
	}
}

// flags reads several parameters that are false when they are not given.
func (c *call) flags(to map[string]*bool) error {
	for name, p := range to {
		v, err := c.flag(name, false)
		if err != nil {
			return err
		}
		*p = v
	}
	return nil
}

// killFlags are those of every route that kills tasks.
func (c *call) killFlags() (scale, wipe, force bool, err error) {
	err = c.flags(map[string]*bool{"scale": &scale, "wipe": &wipe, "force": &force})
	if err == nil && scale && wipe {
		err = app.Refusef(http.StatusBadRequest, "You cannot use scale and wipe at the same time.")
	}
	return scale, wipe, force, err
}

// embed is what an answer shall have beside what is always in it.
type embed struct {
	tasks, lastTaskFailure, taskStats, readiness bool
	unusedOffers                                 bool
	why, index                                   bool // beyond Marathon
}

// embed reads ?embed=, which may be repeated. What is unknown is passed over, as in
// Marathon: clients ask older servers for newer things.
func (c *call) embed() embed {
	var e embed
	for _, v := range c.R.URL.Query()["embed"] {
		for _, prefix := range []string{"group.", "apps.", "app."} {
			v = strings.TrimPrefix(v, prefix)
		}
		switch v {
		case "tasks":
			e.tasks = true
		case "lastTaskFailure", "failures":
			e.lastTaskFailure = true
		case "taskStats":
			e.taskStats = true
		case "readiness":
			e.readiness = true
		case "lastUnusedOffers":
			e.unusedOffers = true
		case "why":
			e.why = true
		case "instanceIndex":
			e.index = true
		}
	}
	return e
}

// wantsText tells whether the caller prefers text to JSON.
func (c *call) wantsText() bool {
	accept := strings.Join(c.R.Header.Values("Accept"), ",")
	text, json := strings.Index(accept, "text/plain"), strings.Index(accept, "application/json")
	return text >= 0 && (json < 0 || text < json)
}
