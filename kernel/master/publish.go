package master

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// publication is one port of the gateway that belongs to one framework's name.
type publication struct {
	port     int
	name     string
	listener net.Listener
	server   *http.Server
}

// parsePublish reads PORT=NAME.
func parsePublish(text string) (publication, error) {
	port, name, ok := strings.Cut(text, "=")
	n, err := strconv.Atoi(port)
	if !ok || err != nil || n < 0 || n > 65535 || name == "" {
		return publication{}, fmt.Errorf("--publish %q: must be PORT=NAME, such as 8080=marathonish", text)
	}
	return publication{port: n, name: name}, nil
}

// publications are Publish as the gateway wants it; Validate has looked at them.
func (o Options) publications() []publication {
	var all []publication
	for _, text := range o.Publish {
		if p, err := parsePublish(text); err == nil {
			all = append(all, p)
		}
	}
	return all
}

// published are the names that have a port.
func (o Options) published() []string {
	var names []string
	for _, p := range o.publications() {
		names = append(names, p.name)
	}
	return names
}

// publish binds the ports. Every master of a machine binds the same ones, so that any
// of them that lives answers.
func (m *Master) publish() error {
	for _, p := range m.opts.publications() {
		ln, err := m.listen(p.port, "--publish", true)
		if err != nil {
			return err
		}
		p.listener = ln
		p.server = m.newServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			m.serve(publishedRoute(p.name), w, req)
		}))
		m.published = append(m.published, p)
	}
	return nil
}

// newServer is a server with the bounds of this master.
func (m *Master) newServer(h http.Handler) *http.Server {
	return &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute,
		WriteTimeout:   m.opts.ReadTimeout + answerTimeout, // from the head of a request on; streams set their own
		MaxHeaderBytes: 64 << 10,
		ErrorLog:       slog.NewLogLogger(m.opts.Log.With("part", "http").Handler(), slog.LevelDebug)}
}

// PublishedAddr is host:port of the port of that name, "" when it has none.
func (m *Master) PublishedAddr(name string) string {
	for _, p := range m.published {
		if p.name == name {
			return m.reached(p.listener)
		}
	}
	return ""
}

// closePublished closes the ports; Run has shut the servers down.
func (m *Master) closePublished() error {
	var errs []error
	for _, p := range m.published {
		if err := p.listener.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}
