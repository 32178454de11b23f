package api

import (
	"github.com/profferhq/proffer/marathonish/app"
	"github.com/profferhq/proffer/marathonish/fleet"
	"github.com/profferhq/proffer/sdk/scheduler/rest"
)

// changed is the answer to a change: the version and the deployment that brings it about.
func changed(status int, o fleet.Outcome) rest.Answer {
	return rest.Answer{Status: status, Header: deployed(o.Deployment), Body: struct {
		Version    app.Version `json:"version"`
		Deployment string      `json:"deploymentId"`
	}{o.Version, o.Deployment}}
}

// deployed are the headers of an answer to a change that a deployment brings about; "" is
// for none.
func deployed(id string) map[string]string {
	header := map[string]string{}
	if id != "" {
		header["Marathon-Deployment-Id"] = id
	}
	return header
}
