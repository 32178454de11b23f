package master

import (
	"net/http"

	"github.com/labstack/echo/v4"
)

// router is the handler of all requests. Only this file knows the router: it
// matches paths, everything else is net/http's.
func (m *Master) router() http.Handler {
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	e.IPExtractor = echo.ExtractIPDirect()
	nowhere := Route{Permission: known, Realm: "mesos-master-readonly",
		handler: func(_ *Master, w http.ResponseWriter, _ *http.Request, _ caller) {
			plain(w, http.StatusNotFound, "404 Not Found.")
		}}
	e.HTTPErrorHandler = func(_ error, c echo.Context) { // no route, or a method that has no name
		m.serve(nowhere, c.Response().Writer, c.Request())
	}
	for _, r := range Routes() {
		h := func(c echo.Context) error {
			m.serve(r, c.Response().Writer, c.Request())
			return nil
		}
		for _, path := range r.paths() {
			e.Any(path, h)
		}
	}
	return e
}

// paths are those under which the router finds the route.
func (r Route) paths() []string {
	all := []string{r.Path}
	if r.Twin {
		all = append(all, "/master"+r.Path)
	}
	for _, p := range all {
		all = append(all, p+"/")
		if r.Below {
			all = append(all, p+"/*")
		}
	}
	return all
}
