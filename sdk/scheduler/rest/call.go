package rest

import (
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
)

// Call is one request on its way.
type Call struct {
	W    http.ResponseWriter
	R    *http.Request // its path is tidy: no slash is doubled or at the end
	args map[string]string
}

// Arg is what the path has for a placeholder of the route, without braces and dots; ""
// where the route has none of that name.
func (c *Call) Arg(name string) string { return c.args[name] }

// Body reads the whole body, of at most so many bytes. The error is a Refusal.
func (c *Call) Body(most int64) ([]byte, error) {
	data, err := io.ReadAll(http.MaxBytesReader(c.W, c.R.Body, most))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return nil, Refusef(http.StatusRequestEntityTooLarge, "The body is larger than %d bytes; send less at once.", large.Limit)
	case err != nil:
		return nil, Refusef(http.StatusBadRequest, "The body cannot be read: %v.", err)
	}
	return data, nil
}

// ClientIP is where the call began: the gateway, whose signature has been checked, puts
// the address behind those that the caller claims.
func (c *Call) ClientIP() string {
	if list := c.R.Header.Values("X-Forwarded-For"); len(list) > 0 {
		all := strings.Split(list[len(list)-1], ",")
		return strings.TrimSpace(all[len(all)-1])
	}
	if host, _, err := net.SplitHostPort(c.R.RemoteAddr); err == nil {
		return host
	}
	return c.R.RemoteAddr
}

// Cut shortens what a caller said before it is repeated.
func Cut(s string) string {
	const most = 200
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "…"
	}
	return s
}
