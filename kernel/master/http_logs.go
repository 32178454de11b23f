package master

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/profferhq/proffer/kernel/credential"
	"github.com/profferhq/proffer/kernel/registry"
	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/masters"
)

const (
	maxOutput     = 1 << 20         // of one answer, in bytes
	outputTimeout = 5 * time.Second // for the agent to answer
	headerOffset  = "Proffer-Offset"
)

// serveLogs fetches a piece of a task's output from its agent. It is for frameworks, whose
// tokens open no agent: the agent is shown a token that reads this task's output and
// nothing else.
func (m *Master) serveLogs(w http.ResponseWriter, req *http.Request, who caller) {
	q := req.URL.Query()
	piece := credential.Claims{Kind: credential.KindReader, Issued: time.Now().Unix(),
		FrameworkID: sdk.FrameworkID(q.Get("framework_id")), AgentID: sdk.AgentID(q.Get("agent_id")), TaskID: sdk.TaskID(q.Get("task_id"))}
	for _, id := range [][2]string{{"framework_id", string(piece.FrameworkID)}, {"agent_id", string(piece.AgentID)}, {"task_id", string(piece.TaskID)}} {
		if err := sdk.ValidateID(id[0], id[1]); err != nil {
			refuse(w, req, err)
			return
		}
	}
	err := m.living(req.Context(), who)
	if err == nil {
		err = m.owns(who, piece.FrameworkID)
	}
	address := ""
	if err == nil {
		address, err = m.agentAddress(piece.AgentID)
	}
	if err != nil {
		refuse(w, req, err)
		return
	}
	ctx, cancel := context.WithTimeout(req.Context(), outputTimeout)
	defer cancel()
	text, from, err := m.output(ctx, address, piece, url.Values{"stream": q["stream"], "offset": q["offset"]})
	if err != nil {
		refuse(w, req, err)
		return
	}
	w.Header().Set(headerOffset, from)
	write(w, http.StatusOK, "application/octet-stream", text)
}

// owns refuses the token of a framework for another principal's framework.
func (m *Master) owns(who caller, id sdk.FrameworkID) error {
	if who.mind().Operator {
		return nil
	}
	var f registry.Framework
	known := false
	m.consensus.View(func(s *registry.State) { f, known = s.Framework(id) })
	switch {
	case !known:
		return sdk.Errorf(sdk.CodeNotFound, "framework_id", "no framework %s is known", id)
	case f.Info.Principal != who.Principal:
		return sdk.Errorf(sdk.CodeDenied, "framework_id", "the token is of the principal %q, and %s is another one's framework", who.Principal, id)
	}
	return nil
}

// agentAddress is where an agent serves.
func (m *Master) agentAddress(id sdk.AgentID) (string, error) {
	var a registry.Agent
	known := false
	m.consensus.View(func(s *registry.State) { a, known = s.Agent(id) })
	if !known || a.State == registry.AgentGone || a.Address == "" {
		return "", sdk.Errorf(sdk.CodeNotFound, "agent_id", "the agent %s is not in the cluster any more", id)
	}
	return a.Address, nil
}

// output asks the agent, and gives what it answers and where that begins.
func (m *Master) output(ctx context.Context, address string, piece credential.Claims, query url.Values) (text []byte, from string, err error) {
	query.Set("framework_id", string(piece.FrameworkID))
	query.Set("task_id", string(piece.TaskID))
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/api/v1/logs?"+query.Encode(), nil)
	if err != nil {
		return nil, "", err
	}
	if !m.opts.Insecure {
		req.Header.Set("Authorization", "Bearer "+m.key.Sign(piece))
	}
	resp, err := m.peers.RoundTrip(req)
	if err != nil {
		return nil, "", away(piece.AgentID, address, err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		err := masters.Refusal("", resp)
		if code := sdk.CodeOf(err); code == sdk.CodeUnauthenticated || code == sdk.CodeDenied {
			err = sdk.Errorf(sdk.CodeInternal, "", "the agent %s refuses this master's token, maybe because their clocks differ: %v", piece.AgentID, err)
		}
		return nil, "", err
	}
	if text, err = io.ReadAll(io.LimitReader(resp.Body, maxOutput)); err != nil {
		return nil, "", away(piece.AgentID, address, err)
	}
	from = resp.Header.Get(headerOffset)
	if _, err := strconv.ParseInt(from, 10, 64); err != nil {
		return nil, "", sdk.Errorf(sdk.CodeInternal, "", "the agent %s does not say where its answer begins", piece.AgentID)
	}
	return text, from, nil
}

// away is not CodeUnavailable, which says of this master that another one may know better.
func away(id sdk.AgentID, address string, err error) error {
	return sdk.Errorf(sdk.CodeUnknown, "", "the agent %s at %s does not answer now: %v", id, address, err)
}
