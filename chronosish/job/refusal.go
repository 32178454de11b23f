package job

import (
	"encoding/json"
	"fmt"
	"strings"
)

// Refusal is what a client is answered instead of what it wanted.
type Refusal struct {
	Status  int    // of HTTP
	Message string // sentences for people: what is wrong, where, what to do
}

// Refusef is a Refusal with that message.
func Refusef(status int, format string, args ...any) *Refusal {
	return &Refusal{Status: status, Message: fmt.Sprintf(format, args...)}
}

// Invalid refuses a definition: 400.
func Invalid(format string, args ...any) *Refusal { return Refusef(badRequest, format, args...) }

// Missing refuses what is about a job that is not there: 400, as in Chronos.
func Missing(name string) *Refusal {
	return Invalid("There is no job named %q.", shorten(name))
}

const badRequest = 400

// Error is the message.
func (r *Refusal) Error() string { return r.Message }

// MarshalJSON writes the body of the answer, as Chronos 3.x does: status is the name of
// HTTP's status.
func (r *Refusal) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Message string `json:"message"`
		Status  string `json:"status"`
	}{r.Message, statusText(r.Status)})
}

// statusText is the name of a status; net/http, which has them all, is no import of a
// pure package.
func statusText(status int) string {
	switch status {
	case badRequest:
		return "Bad Request"
	case 403:
		return "Forbidden"
	case 404:
		return "Not Found"
	case 405:
		return "Method Not Allowed"
	case 409:
		return "Conflict"
	case 413:
		return "Request Entity Too Large"
	case 503:
		return "Service Unavailable"
	}
	return "Internal Server Error"
}

// shorten cuts what a client said before it is repeated.
func shorten(s string) string {
	const most = 80
	if len(s) > most {
		return strings.ToValidUTF8(s[:most], "") + "…"
	}
	return s
}
