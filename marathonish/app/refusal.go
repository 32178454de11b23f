package app

import (
	"fmt"
	"strings"
)

// Refusal is what a client is answered instead of what it wanted, in Marathon's
// shapes.
type Refusal struct {
	Status      int      // of HTTP
	Message     string   // a sentence
	Details     []Detail // what is wrong where; nil for none
	Deployments []string // those that lock the app; nil for none. Clients tell a lock from a duplicate by it
	Stale       bool     // what the change was computed from is no longer the case: compute it anew and try again
}

// Detail is what is wrong with one part of a definition.
type Detail struct {
	Path   string   `json:"path"` // as Marathon writes it: /constraints(0), /upgradeStrategy/maximumOverCapacity
	Errors []string `json:"errors"`
}

// Refusef is a Refusal without details.
func Refusef(status int, format string, args ...any) *Refusal {
	return &Refusal{Status: status, Message: fmt.Sprintf(format, args...)}
}

// Exists refuses to create an app anew.
func Exists(id ID) *Refusal {
	return Refusef(statusConflict, "An app with id [%s] already exists.", id)
}

// Missing refuses what is about an app that is not there.
func Missing(id ID) *Refusal { return Refusef(statusMissing, "App '%s' does not exist", id) }

// MissingVersion refuses what is about a version that an app never had.
func MissingVersion(id ID, v string) *Refusal {
	return Refusef(statusMissing, "App '%s' does not exist in version %s", id, v)
}

// MissingTask refuses what is about a task that is not there.
func MissingTask(id string) *Refusal {
	return Refusef(statusMissing, "Task '%s' does not exist", id)
}

// MissingDeployment refuses what is about a deployment that is not there.
func MissingDeployment(id string) *Refusal {
	return Refusef(statusMissing, "DeploymentPlan %s does not exist", id)
}

// Locked refuses a change to what other deployments are changing.
func Locked(deployments ...string) *Refusal {
	return &Refusal{Status: statusConflict, Deployments: deployments,
		Message: "App is locked by one or more deployments. Override with the option '?force=true'. View details at '/v2/deployments/<DEPLOYMENT_ID>'."}
}

// Invalid refuses a definition for one reason.
func Invalid(path, format string, args ...any) *Refusal {
	return &Refusal{Status: statusInvalid, Message: messageInvalid,
		Details: []Detail{{Path: path, Errors: []string{fmt.Sprintf(format, args...)}}}}
}

// The statuses of HTTP that refusals of this package have.
const (
	statusUnreadable = 400
	statusMissing    = 404
	statusConflict   = 409
	statusInvalid    = 422
)

const (
	messageInvalid   = "Object is not valid"
	messageWrongJSON = "Invalid JSON"
)

// HTTPStatus is the status.
func (r *Refusal) HTTPStatus() int { return r.Status }

// Error is the message with all details, for people.
func (r *Refusal) Error() string {
	var b strings.Builder
	b.WriteString(r.Message)
	for i, d := range r.Details {
		if i == 0 {
			b.WriteString(": ")
		} else {
			b.WriteString("; ")
		}
		b.WriteString(strings.TrimSpace(d.Path + " " + strings.Join(d.Errors, ", ")))
	}
	return b.String()
}

// MarshalJSON writes the body of the answer.
func (r *Refusal) MarshalJSON() ([]byte, error) {
	type ref struct {
		ID string `json:"id"`
	}
	body := struct {
		Message     string   `json:"message"`
		Details     []Detail `json:"details,omitempty"`
		Deployments []ref    `json:"deployments,omitempty"`
	}{Message: r.Message, Details: r.Details}
	for _, d := range r.Deployments {
		body.Deployments = append(body.Deployments, ref{d})
	}
	return plainJSON(body)
}
