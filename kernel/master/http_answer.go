package master

import (
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/wire"
)

// recorder remembers the status for the metrics.
type recorder struct {
	http.ResponseWriter
	status int
}

// WriteHeader remembers the first status.
func (r *recorder) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

// Unwrap lets http.ResponseController reach the connection.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// write sends a whole body; its length is always told, because old clients take
// a chunked answer for a stream.
func write(w http.ResponseWriter, status int, contentType string, body []byte) {
	h := w.Header()
	if len(body) > 0 {
		h.Set("Content-Type", contentType)
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body) // the client is gone: nobody is left to tell
}

// empty answers without a body.
func empty(w http.ResponseWriter, status int) { write(w, status, "", nil) }

// plain answers with a text, as Mesos does.
func plain(w http.ResponseWriter, status int, text string) {
	h := w.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	write(w, status, "text/plain; charset=utf-8", []byte(text))
}

// refuse answers with an error: as a message to our own clients, which speak
// msgpack, and as a text to all others.
func refuse(w http.ResponseWriter, req *http.Request, err error) {
	status := sdk.CodeOf(err).HTTPStatus()
	e := asError(err)
	if status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "1")
	}
	if ownClient(req) {
		if body, werr := wire.Marshal(wire.Msgpack, e); werr == nil {
			write(w, status, wire.Msgpack.ContentType(), body)
			return
		}
	}
	plain(w, status, e.Error())
}

func asError(err error) *sdk.Error {
	var e *sdk.Error
	if errors.As(err, &e) {
		return e
	}
	return &sdk.Error{Code: sdk.CodeInternal, Message: err.Error()}
}

// ownClient tells whether the caller understands our error messages.
func ownClient(req *http.Request) bool {
	for _, v := range append(req.Header.Values("Accept"), req.Header.Values(wire.HeaderMessageContentType)...) {
		if strings.Contains(v, wire.ContentTypeMsgpack) {
			return true
		}
	}
	return false
}

// message answers 200 with a message in the encoding that the caller accepts.
func message(w http.ResponseWriter, req *http.Request, e wire.Encoding, v any) {
	body, err := wire.Marshal(e, v)
	if err != nil {
		refuse(w, req, err)
		return
	}
	write(w, http.StatusOK, e.ContentType(), body)
}

// acceptable is the encoding that the caller wants; 406 without one.
func acceptable(w http.ResponseWriter, req *http.Request) (wire.Encoding, bool) {
	e, ok := wire.ParseAccept(req.Header.Values("Accept"))
	if !ok {
		plain(w, http.StatusNotAcceptable, "Expecting 'Accept' to allow 'application/x-protobuf', 'application/json' or 'application/x-msgpack'")
	}
	return e, ok
}
