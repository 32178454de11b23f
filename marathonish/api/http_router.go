package api

import (
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"
)

// router is the handler of all requests. Only this file knows the router: it finds the
// lines of the table that may fit a path. The ids of apps have slashes, so that the last
// word on what fits is fits.
func (s *server) router() http.Handler {
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	e.IPExtractor = echo.ExtractIPDirect()
	e.Pre(tidyPath)
	e.HTTPErrorHandler = func(_ error, c echo.Context) { s.nowhere(c.Response().Writer, c.Request()) }
	candidates := map[string][]Route{}
	var order []string
	for _, r := range Routes() {
		prefix, _, wild := strings.Cut(r.Path, "/{")
		if prefix = strings.TrimSuffix(prefix, "/*"); wild || prefix != r.Path {
			prefix += "/*"
		}
		if candidates[prefix] == nil {
			order = append(order, prefix)
		}
		candidates[prefix] = append(candidates[prefix], r)
	}
	for _, path := range order {
		e.Any(path, func(c echo.Context) error {
			s.serve(candidates[path], c.Response().Writer, c.Request())
			return nil
		})
	}
	return e
}

// tidyPath makes one slash of several and takes away those at the end, so that
// /v2/apps//x/ is /v2/apps/x.
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

// fits compares a path with that of a route, and gives what stands for its
// placeholders.
func fits(pattern, path string) (id, arg string, ok bool) {
	want, have := segments(pattern), segments(path)
	extra := len(have) - len(want) // parts of the id beyond its first
	for i, w := range want {
		switch {
		case w == "{id}":
			if extra < 0 {
				return "", "", false
			}
			id = strings.Join(have[i:i+extra+1], "/")
			have = append(have[:i:i], have[i+extra:]...)
			extra = 0
		case i >= len(have):
			return "", "", false
		case strings.HasPrefix(w, "{"):
			arg = have[i]
		case w != have[i]:
			return "", "", false
		}
	}
	return id, arg, extra == 0
}
