package rest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"github.com/profferhq/proffer/sdk"
)

// Answer is what a call is answered with.
type Answer struct {
	Status int    // 0: 200, or 204 where there is nothing to say
	Body   any    // as JSON on one line; nil for none
	Text   string // instead of Body
	Header map[string]string
	Stream func(http.ResponseWriter) // instead of all others
}

// JSON is the answer 200 with a body.
func JSON(body any) (Answer, error) { return Answer{Body: body}, nil }

func (a Answer) write(w http.ResponseWriter) {
	if a.Stream != nil {
		a.Stream(w)
		return
	}
	for name, value := range a.Header {
		w.Header().Set(name, value)
	}
	status := a.Status
	if status == 0 {
		status = http.StatusOK
	}
	switch {
	case a.Text != "":
		send(w, status, "text/plain; charset=utf-8", []byte(a.Text))
	case a.Body != nil:
		data, err := oneLine(a.Body)
		if err != nil { // what is shown is plain data, which always can be written
			status, data = http.StatusInternalServerError, []byte(`{"message":"The answer cannot be written as JSON."}`)
		}
		send(w, status, "application/json", data)
	case a.Status == 0:
		w.WriteHeader(http.StatusNoContent) // clients read a body wherever they find a length
	default:
		w.WriteHeader(status)
	}
}

// oneLine is JSON in which <, > and & stay readable.
func oneLine(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

// send writes a whole body; its length is always told, because old clients take a
// chunked answer for a stream.
func send(w http.ResponseWriter, status int, contentType string, body []byte) {
	h := w.Header()
	h.Set("Content-Type", contentType)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body) // the client is gone: nobody is left to tell
}

// Refusal is what a client is answered instead of what it wanted. A framework may have
// refusals of its own.
type Refusal interface {
	error
	HTTPStatus() int
}

// Fault is a Refusal that is a sentence.
type Fault struct {
	Status  int    // of HTTP
	Message string // what is wrong, where, what to do
}

// Refusef is a Fault with that message.
func Refusef(status int, format string, args ...any) *Fault {
	return &Fault{status, fmt.Sprintf(format, args...)}
}

// Error is the message.
func (f *Fault) Error() string { return f.Message }

// HTTPStatus is the status.
func (f *Fault) HTTPStatus() int { return f.Status }

// asRefusal makes a Refusal of any error.
func asRefusal(err error) Refusal {
	var r Refusal
	if errors.As(err, &r) {
		return r
	}
	var e *sdk.Error
	switch {
	case errors.As(err, &e):
		return Refusef(e.Code.HTTPStatus(), "%s", e.Error())
	case errors.Is(err, context.DeadlineExceeded):
		return Refusef(http.StatusServiceUnavailable, "The change was not stored in time; it may still happen.")
	case errors.Is(err, context.Canceled):
		return Refusef(http.StatusServiceUnavailable, "The call was given up; the change may still happen.")
	}
	return Refusef(http.StatusInternalServerError, "%s", err.Error())
}

func (t *table) refuse(w http.ResponseWriter, r Refusal) {
	if r.HTTPStatus() == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "1")
	}
	var body any = struct {
		Message string `json:"message"`
	}{r.Error()}
	if t.Shape != nil {
		body = t.Shape(r)
	}
	Answer{Status: r.HTTPStatus(), Body: body}.write(w)
}
