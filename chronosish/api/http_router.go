package api

import (
	"errors"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"
)

// router is the handler of all requests. Only this file knows the router.
func (s *server) router() http.Handler {
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	e.IPExtractor = echo.ExtractIPDirect()
	e.Pre(tidyPath)
	e.HTTPErrorHandler = func(err error, c echo.Context) {
		var told *echo.HTTPError
		if errors.As(err, &told) && told.Code == http.StatusMethodNotAllowed {
			s.wrongMethod(c.Response(), c.Request())
			return
		}
		s.nowhere(c.Response(), c.Request())
	}
	add := func(method, path string, do func(http.ResponseWriter, *http.Request, string)) {
		handler := func(c echo.Context) error {
			name := c.Param("name")
			if strings.Contains(name, "/") { // only the last name of a path takes the rest, slashes and all
				s.nowhere(c.Response(), c.Request())
				return nil
			}
			do(c.Response(), c.Request(), name)
			return nil
		}
		path = strings.ReplaceAll(path, "{name}", ":name")
		if method == http.MethodGet {
			e.Add(http.MethodHead, path, handler)
		}
		e.Add(method, path, handler)
	}
	for _, r := range Routes() {
		for _, path := range r.paths() {
			add(r.Method, path, func(w http.ResponseWriter, q *http.Request, name string) {
				s.answer(r, &call{w: w, r: q, name: name})
			})
		}
	}
	return e
}

// tidyPath makes one slash of several and takes away those at the end.
func tidyPath(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		u := c.Request().URL
		u.Path, u.RawPath = "/"+strings.Join(segments(u.Path), "/"), ""
		return next(c)
	}
}

// segments are the parts of a path that are not empty.
func segments(path string) []string {
	return strings.FieldsFunc(path, func(r rune) bool { return r == '/' })
}

// paths are where a route is found.
func (r Route) paths() []string {
	if !r.Based {
		return []string{r.Path}
	}
	var out []string
	for _, b := range bases() {
		out = append(out, b+r.Path)
	}
	return out
}
