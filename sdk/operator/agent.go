package operator

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/masters"
)

// LogRequest names a piece of one task's output.
type LogRequest struct {
	FrameworkID sdk.FrameworkID
	TaskID      sdk.TaskID
	// Stream is "stdout" or "stderr"; empty for stdout.
	Stream string
	// Offset is where to begin, in bytes since the task started, rotated files
	// included. What rotation has removed is skipped.
	Offset int64
	// Follow waits for more until the task has ended.
	Follow bool
	// AgentURL is the base URL of the task's agent, when it is known already
	// (TaskAgent); empty to look it up.
	AgentURL string
}

// Logs opens the output of a task, from its agent. The caller closes it; ctx
// governs it. CodeNotFound when the task or its output is not known.
func (c *Client) Logs(ctx context.Context, r LogRequest) (io.ReadCloser, error) {
	base := r.AgentURL
	if base == "" {
		var err error
		if base, err = c.TaskAgent(ctx, r.FrameworkID, r.TaskID); err != nil {
			return nil, err
		}
	}
	stream := r.Stream
	if stream == "" {
		stream = "stdout"
	}
	query := url.Values{
		"framework_id": {string(r.FrameworkID)}, "task_id": {string(r.TaskID)},
		"stream": {stream}, "offset": {strconv.FormatInt(r.Offset, 10)},
	}
	if r.Follow {
		query.Set("follow", "true")
	}
	resp, err := c.agentGet(ctx, "read logs", base, "/api/v1/logs?"+query.Encode())
	if err != nil {
		return nil, err
	}
	return resp.Body, nil
}

// File is one entry of a directory on an agent.
type File struct {
	Path  string  `json:"path"` // as the files API names it
	Mode  string  `json:"mode"` // as ls prints it, "drwxr-xr-x"
	Size  int64   `json:"size"` // bytes
	MTime float64 `json:"mtime"`
	UID   string  `json:"uid"` // the name
	GID   string  `json:"gid"`
}

// Files lists a directory of the agent at that base URL.
func (c *Client) Files(ctx context.Context, agentURL, path string) ([]File, error) {
	resp, err := c.agentGet(ctx, "list files", agentURL, "/files/browse?"+url.Values{"path": {path}}.Encode())
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	var files []File
	if err := json.NewDecoder(io.LimitReader(resp.Body, maxAnswer)).Decode(&files); err != nil {
		return nil, broken("list files", err)
	}
	return files, nil
}

// Download opens a file of the agent at that base URL. The caller closes it.
func (c *Client) Download(ctx context.Context, agentURL, path string) (io.ReadCloser, error) {
	resp, err := c.agentGet(ctx, "download file", agentURL, "/files/download?"+url.Values{"path": {path}}.Encode())
	if err != nil {
		return nil, err
	}
	return resp.Body, nil
}

// TaskAgent finds the base URL ("http://host:port") of the agent that runs, or
// ran, a task. CodeNotFound when the masters do not know the task, or its agent.
func (c *Client) TaskAgent(ctx context.Context, framework sdk.FrameworkID, task sdk.TaskID) (string, error) {
	state, err := c.State(ctx)
	if err != nil {
		return "", err
	}
	var agent sdk.AgentID
	if tasks := state.GetTasks; tasks != nil {
		for _, list := range [][]sdk.Task{tasks.CompletedTasks, tasks.UnreachableTasks, tasks.Tasks} {
			for i := range list {
				if list[i].TaskID == task && list[i].FrameworkID == framework {
					agent = list[i].AgentID
				}
			}
		}
	}
	if agent == "" {
		return "", sdk.Errorf(sdk.CodeNotFound, "task_id", "framework %s has no task %s", framework, task)
	}
	if agents := state.GetAgents; agents != nil {
		for i := range agents.Agents {
			if agents.Agents[i].AgentInfo.ID == agent {
				return AgentURL(&agents.Agents[i]), nil
			}
		}
	}
	return "", sdk.Errorf(sdk.CodeNotFound, "agent_id", "agent %s, which ran task %s, is not in the cluster now", agent, task)
}

// AgentURL is the base URL of an agent: the address in its pid
// ("slave(1)@host:port"), else its hostname and port.
func AgentURL(agent *sdk.AgentState) string {
	if _, addr, found := strings.Cut(agent.PID, "@"); found {
		return "http://" + addr
	}
	return "http://" + net.JoinHostPort(agent.AgentInfo.Hostname, strconv.Itoa(int(agent.AgentInfo.Port)))
}

// agentGet asks an agent with the same credentials.
func (c *Client) agentGet(ctx context.Context, op, base, path string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, base+path, nil)
	if err != nil {
		return nil, sdk.Errorf(sdk.CodeInvalid, "agent_url", "%v", err)
	}
	if err := c.masters.Authorize(req); err != nil {
		return nil, err
	}
	resp, err := c.masters.HTTP().Do(req)
	if err != nil {
		if cause := context.Cause(ctx); cause != nil {
			return nil, cause
		}
		e := sdk.Errorf(sdk.CodeUnavailable, "", "cannot reach the agent at %s: %v", base, err)
		e.Op = op
		return nil, e
	}
	if resp.StatusCode != http.StatusOK {
		defer func() { _ = resp.Body.Close() }()
		return nil, masters.Refusal(op, resp)
	}
	return resp, nil
}
