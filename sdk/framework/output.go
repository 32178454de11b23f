package framework

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strconv"

	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/masters"
	"github.com/profferhq/proffer/sdk/wire"
)

// OutputRequest names a piece of what one of the framework's tasks has written.
type OutputRequest struct {
	AgentID sdk.AgentID // where it runs, or ran
	TaskID  sdk.TaskID
	// Stream is "stdout" or "stderr"; empty for stdout.
	Stream string
	// Offset is where to begin, in bytes since the task started, rotated files included;
	// a negative one counts from the end. What rotation has removed is skipped.
	Offset int64
}

// maxOutput bounds one answer, in bytes; masters give no more either.
const maxOutput = 1 << 20

// Output reads a piece of a task's output, at most a mebibyte, and tells at which offset
// it begins. Errors: CodeNotFound when the agent is not in the cluster any more, or keeps
// no output of that task; CodeUnknown when the agent is away; CodeUnavailable when nobody leads now.
func (f *Framework) Output(ctx context.Context, r OutputRequest) (text []byte, from int64, err error) {
	query := url.Values{"framework_id": {string(f.ID())}, "agent_id": {string(r.AgentID)}, "task_id": {string(r.TaskID)}, "offset": {strconv.FormatInt(r.Offset, 10)}}
	if r.Stream != "" {
		query.Set("stream", r.Stream)
	}
	const op = "read output"
	resp, err := f.masters.Do(ctx, masters.Request{Op: op, Method: http.MethodGet, Path: "/api/v1/logs?" + query.Encode(),
		Header: http.Header{"Accept": {wire.ContentTypeMsgpack}}}) // of a refusal: output is bytes
	if err != nil {
		return nil, 0, err
	}
	defer func() { _ = resp.Body.Close() }()
	if text, err = io.ReadAll(io.LimitReader(resp.Body, maxOutput)); err != nil {
		return nil, 0, &sdk.Error{Code: sdk.CodeUnavailable, Op: op, Message: "the connection broke while the answer was read: " + err.Error()}
	}
	from, err = strconv.ParseInt(resp.Header.Get("Proffer-Offset"), 10, 64)
	if err != nil {
		return nil, 0, &sdk.Error{Code: sdk.CodeInternal, Op: op, Message: "the master does not say where the answer begins"}
	}
	return text, from, nil
}
