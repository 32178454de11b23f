package sdktest

import (
	"context"
	"io"
	"net"
	"net/http"
	"sync"
	"syscall"
)

// Memory is a network without sockets: a transport that hands each request to the
// handler of its host ("host:port"), in a goroutine of its own. It works inside a
// testing/synctest bubble, where real connections do not. A host without a
// handler refuses connections.
type Memory struct {
	mu    sync.Mutex
	hosts map[string]http.Handler
}

// Serve lets a handler answer for a host; a nil one takes the host away. Streams
// that are open stay so.
func (m *Memory) Serve(host string, h http.Handler) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.hosts == nil {
		m.hosts = map[string]http.Handler{}
	}
	m.hosts[host] = h
}

// RoundTrip answers the request; the body of the answer is written while it is
// read.
func (m *Memory) RoundTrip(req *http.Request) (*http.Response, error) {
	m.mu.Lock()
	h := m.hosts[req.URL.Host]
	m.mu.Unlock()
	if h == nil {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	}
	ctx, cancel := context.WithCancel(req.Context())
	inner := req.Clone(ctx)
	inner.RequestURI = req.URL.RequestURI()
	inner.Host = req.URL.Host
	if inner.Body == nil {
		inner.Body = http.NoBody
	}
	r, w := io.Pipe()
	answer := &pipeAnswer{header: http.Header{}, body: w, began: make(chan struct{})}
	stop := context.AfterFunc(ctx, func() { _ = w.CloseWithError(context.Cause(ctx)) })
	go func() {
		defer stop()
		h.ServeHTTP(answer, inner)
		answer.WriteHeader(http.StatusOK)
		_ = w.Close()
	}()
	select {
	case <-answer.began:
	case <-ctx.Done():
		cancel()
		return nil, context.Cause(ctx)
	}
	return &http.Response{
		Status: http.StatusText(answer.status), StatusCode: answer.status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: answer.sent, Body: &pipeBody{r, cancel}, ContentLength: -1, Request: req,
	}, nil
}

// pipeAnswer is the handler's end. It is used by the handler's goroutine alone,
// until began is closed.
type pipeAnswer struct {
	header http.Header
	sent   http.Header // header as it was at the first byte
	status int
	body   *io.PipeWriter
	began  chan struct{}
}

func (a *pipeAnswer) Header() http.Header { return a.header }

func (a *pipeAnswer) WriteHeader(status int) {
	if a.status == 0 {
		a.status, a.sent = status, a.header.Clone()
		close(a.began)
	}
}

func (a *pipeAnswer) Write(p []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	return a.body.Write(p)
}

func (a *pipeAnswer) Flush() { a.WriteHeader(http.StatusOK) }

// pipeBody is the client's end; closing it cancels the handler's context.
type pipeBody struct {
	*io.PipeReader
	cancel context.CancelFunc
}

func (b *pipeBody) Close() error {
	b.cancel()
	return b.PipeReader.Close()
}
