package master

import (
	"fmt"
	"io"
	"net/http"
	"time"
)

// pacedWriter bounds how long the reader of a passed answer may take nothing, while the
// answer itself may last for ever.
type pacedWriter struct {
	http.ResponseWriter
	rc    *http.ResponseController
	limit time.Duration
}

func newPacedWriter(w http.ResponseWriter, limit time.Duration) *pacedWriter {
	return &pacedWriter{ResponseWriter: w, rc: http.NewResponseController(w), limit: limit}
}

// extend gives the reader its time anew. A connection without deadlines has none to set.
func (p *pacedWriter) extend() { _ = p.rc.SetWriteDeadline(time.Now().Add(p.limit)) }

// Write gives the reader its time anew.
func (p *pacedWriter) Write(b []byte) (int, error) {
	p.extend()
	return p.ResponseWriter.Write(b)
}

// FlushError gives the reader its time anew.
func (p *pacedWriter) FlushError() error {
	p.extend()
	return p.rc.Flush()
}

// Unwrap lets http.ResponseController reach the connection.
func (p *pacedWriter) Unwrap() http.ResponseWriter { return p.ResponseWriter }

// pacedBody bounds how long the sender of a passed request may send nothing.
type pacedBody struct {
	io.ReadCloser
	rc    *http.ResponseController
	limit time.Duration
}

// Read gives the sender its time anew; the deadline ends with the body, else it would
// end the answer.
func (p *pacedBody) Read(b []byte) (int, error) {
	_ = p.rc.SetReadDeadline(time.Now().Add(p.limit))
	n, err := p.ReadCloser.Read(b)
	if err != nil {
		_ = p.rc.SetReadDeadline(time.Time{})
	}
	return n, err
}

// Close ends the deadline of a body that was not read to its end.
func (p *pacedBody) Close() error {
	_ = p.rc.SetReadDeadline(time.Time{})
	return p.ReadCloser.Close()
}

// silence ends an answer that its sender stopped inside of.
type silence struct{ limit time.Duration }

func (s silence) Error() string { return fmt.Sprintf("nothing more came for %v", s.limit) }

// quietBody bounds how long the sender of a passed answer may send nothing: end, which is
// called then, has to break off what is read. How long its reader takes does not count.
type quietBody struct {
	io.ReadCloser
	limit time.Duration
	end   func(error)
}

// Read gives the sender its time anew.
func (q *quietBody) Read(b []byte) (int, error) {
	late := time.AfterFunc(q.limit, func() { q.end(silence{q.limit}) })
	defer late.Stop()
	return q.ReadCloser.Read(b)
}
