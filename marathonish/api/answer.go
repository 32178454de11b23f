package api

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/profferhq/proffer/marathonish/app"
	"github.com/profferhq/proffer/marathonish/fleet"
)

// answer is what a call is answered with.
type answer struct {
	status     int
	body       any    // as JSON; nil for none
	text       string // instead of body
	deployment string // id, for the header
	location   string
	stream     func(http.ResponseWriter) // instead of all others
}

func ok(body any) (answer, error) { return answer{status: http.StatusOK, body: body}, nil }

// changed is the answer to a change: the version and the deployment that brings it about.
func changed(status int, o fleet.Outcome) answer {
	return answer{status: status, deployment: o.Deployment, body: struct {
		Version    app.Version `json:"version"`
		Deployment string      `json:"deploymentId"`
	}{o.Version, o.Deployment}}
}

func (a answer) write(w http.ResponseWriter) {
	if a.stream != nil {
		a.stream(w)
		return
	}
	h := w.Header()
	if a.deployment != "" {
		h.Set("Marathon-Deployment-Id", a.deployment)
	}
	if a.location != "" {
		h.Set("Location", a.location)
	}
	switch {
	case a.text != "":
		send(w, a.status, "text/plain; charset=utf-8", []byte(a.text))
	case a.body != nil:
		sendJSON(w, a.status, a.body)
	default:
		w.WriteHeader(a.status)
	}
}

// refuse answers with a refusal.
func refuse(w http.ResponseWriter, r *app.Refusal) {
	if r.Status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "1")
	}
	sendJSON(w, r.Status, r)
}

func sendJSON(w http.ResponseWriter, status int, v any) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil { // what is shown is plain data, which always can be written
		status = http.StatusInternalServerError
		b.Reset()
		b.WriteString(`{"message":"The answer cannot be written as JSON."}`)
	}
	send(w, status, "application/json", bytes.TrimSuffix(b.Bytes(), []byte("\n")))
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
