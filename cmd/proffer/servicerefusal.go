package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/profferhq/proffer/sdk"
)

// maxServiceRefusal bounds what is read of a refusal, in bytes.
const maxServiceRefusal = 1 << 20

// refusal reads an answer of status 300 or more, of marathonish or of the gateway.
func refusal(op, method string, resp *http.Response) error {
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxServiceRefusal))
	if err != nil {
		return broke(op, method, err)
	}
	e := refusalOf(resp.StatusCode, body)
	if e.Message == "" {
		e.Message = "the answer was " + resp.Status
	}
	if method != http.MethodGet && (resp.StatusCode == http.StatusBadGateway || resp.StatusCode == http.StatusGatewayTimeout) {
		e.Code, e.Message = sdk.CodeInternal, e.Message+"; it may or may not have been done"
	}
	e.Op = op
	return e
}

// refusalOf is the error that a status and a body in Marathon's form stand for.
func refusalOf(status int, body []byte) *sdk.Error {
	e := &sdk.Error{Code: sdk.CodeForStatus(status)}
	if status == http.StatusBadGateway || status == http.StatusGatewayTimeout {
		e.Code = sdk.CodeUnavailable // the gateway's words for one that has just gone
	}
	var said struct {
		Message     string          `json:"message"`
		Details     json.RawMessage `json:"details"`
		Deployments []struct {
			ID string `json:"id"`
		} `json:"deployments"`
	}
	if json.Unmarshal(body, &said) != nil || said.Message == "" {
		e.Message = strings.TrimSpace(string(body))
		return e
	}
	e.Message = said.Message
	if len(said.Deployments) > 0 {
		var ids []string
		for _, d := range said.Deployments {
			ids = append(ids, d.ID)
		}
		e.Message = fmt.Sprintf("locked by the deployment %s, which is under way; wait for it, or cancel it with --force", strings.Join(ids, ", "))
	}
	for _, d := range detailsOf(said.Details) {
		e.Message += "\n  " + d
	}
	return e
}

// detailsOf are the lines of a refusal's details: a list of paths with errors, or a text.
func detailsOf(raw json.RawMessage) []string {
	var text string
	if json.Unmarshal(raw, &text) == nil && text != "" {
		return []string{text}
	}
	var list []struct {
		Path   string   `json:"path"`
		Errors []string `json:"errors"`
	}
	if json.Unmarshal(raw, &list) != nil {
		return nil
	}
	var out []string
	for _, d := range list {
		for _, e := range d.Errors {
			out = append(out, strings.TrimPrefix(d.Path+": ", ": ")+e)
		}
	}
	return out
}
