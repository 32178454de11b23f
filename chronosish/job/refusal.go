package job

import (
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

// HTTPStatus is the status.
func (r *Refusal) HTTPStatus() int { return r.Status }

// shorten cuts what a client said before it is repeated.
func shorten(s string) string {
	const most = 80
	if len(s) > most {
		return strings.ToValidUTF8(s[:most], "") + "…"
	}
	return s
}
