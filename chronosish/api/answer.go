package api

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/profferhq/proffer/chronosish/job"
)

// answer is what a call is answered with; 204 without a body and without a text.
type answer struct {
	body any    // as JSON on one line; nil for none
	text string // instead of body
}

func ok(body any) (answer, error) { return answer{body: body}, nil }

func (a answer) write(w http.ResponseWriter) {
	switch {
	case a.text != "":
		send(w, http.StatusOK, "text/plain; charset=utf-8", []byte(a.text))
	case a.body != nil:
		sendJSON(w, http.StatusOK, a.body)
	default:
		w.WriteHeader(http.StatusNoContent) // clients read a body wherever they find a length
	}
}

// refuse answers with a refusal.
func refuse(w http.ResponseWriter, r *job.Refusal) {
	if r.Status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "1")
	}
	sendJSON(w, r.Status, struct {
		Message string `json:"message"`
		Status  string `json:"status"`
	}{r.Message, http.StatusText(r.Status)})
}

func sendJSON(w http.ResponseWriter, status int, v any) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil { // what is shown is plain data, which always can be written
		status = http.StatusInternalServerError
		b.Reset()
		b.WriteString(`{"message":"The answer cannot be written as JSON.","status":"Internal Server Error"}`)
	}
	send(w, status, "application/json", bytes.TrimSuffix(b.Bytes(), []byte("\n")))
}

// send writes a whole body, whose length is always told.
func send(w http.ResponseWriter, status int, contentType string, body []byte) {
	h := w.Header()
	h.Set("Content-Type", contentType)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body) // the client is gone: nobody is left to tell
}
