package operator_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/operator"
	"github.com/profferhq/proffer/sdk/sdktest"
	"github.com/profferhq/proffer/sdk/wire"
)

// cluster is one master and one agent of a single framework, as far as the
// client looks.
type cluster struct {
	t        *testing.T
	net      sdktest.Memory
	leader   atomic.Bool // false: 503, as while a leader is elected
	received []sdk.OperatorCall
}

func newCluster(t *testing.T) *cluster {
	c := &cluster{t: t}
	c.leader.Store(true)
	c.net.Serve("m1:5050", c)
	c.net.Serve("agent:5051", http.HandlerFunc(c.agent))
	return c
}

func (c *cluster) client(addrs ...string) *operator.Client {
	o := operator.DefaultOptions()
	o.Addrs, o.Token, o.Transport = addrs, "secret", &c.net
	client, err := operator.New(o)
	if err != nil {
		c.t.Fatal(err)
	}
	return client
}

func (c *cluster) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.URL.Path == "/health":
		return
	case r.Header.Get("Authorization") != "Bearer secret":
		http.Error(w, "this needs a token", http.StatusUnauthorized)
		return
	case !c.leader.Load():
		http.Error(w, "No leader elected", http.StatusServiceUnavailable)
		return
	}
	body, _ := io.ReadAll(r.Body)
	var call sdk.OperatorCall
	if err := wire.Unmarshal(wire.Msgpack, body, &call); err != nil {
		c.t.Error(err)
	}
	c.received = append(c.received, call)
	answer := &sdk.OperatorResponse{Type: sdk.OperatorResponseType(call.Type)}
	tasks := &sdk.GetTasks{Tasks: []sdk.Task{{TaskID: "t1", FrameworkID: "f1", AgentID: "a1", State: sdk.TaskRunning}}}
	agents := &sdk.GetAgents{Agents: []sdk.AgentState{{
		AgentInfo: sdk.AgentInfo{ID: "a1", Hostname: "elsewhere", Port: 1}, PID: "slave(1)@agent:5051",
	}}}
	switch call.Type {
	case sdk.OperatorGetState:
		answer.GetState = &sdk.GetState{GetTasks: tasks, GetAgents: agents}
	case sdk.OperatorGetTasks:
		answer.GetTasks = tasks
	case sdk.OperatorGetMaster:
		answer.GetMaster = &sdk.GetMaster{MasterInfo: &sdk.MasterInfo{ID: "m-1", Hostname: "m1"}}
	case sdk.OperatorSubscribe:
		c.events(w)
		return
	case sdk.OperatorKillTask:
		if call.KillTask.TaskID != "t1" {
			data, _ := wire.Marshal(wire.Msgpack, sdk.Errorf(sdk.CodeNotFound, "kill_task.task_id", "no such task"))
			w.Header().Set("Content-Type", wire.Msgpack.ContentType())
			w.WriteHeader(http.StatusNotFound)
			_, _ = w.Write(data)
		}
		return
	case sdk.OperatorTeardown, sdk.OperatorUpdateWeights, sdk.OperatorDrain, sdk.OperatorDeactivate, sdk.OperatorReactivate, sdk.OperatorMarkGone:
		return
	case sdk.OperatorGetWeights:
		answer.GetWeights = &sdk.GetWeights{WeightInfos: []sdk.WeightInfo{{Role: "web", Weight: 2}}}
	}
	data, err := wire.Marshal(wire.Msgpack, answer)
	if err != nil {
		c.t.Error(err)
	}
	w.Header().Set("Content-Type", wire.Msgpack.ContentType())
	_, _ = w.Write(data)
}

func (c *cluster) events(w http.ResponseWriter) {
	w.Header().Set("Content-Type", wire.Msgpack.ContentType())
	for _, event := range []*sdk.OperatorEvent{
		{Type: sdk.OperatorEventSubscribed, Subscribed: &sdk.OperatorSubscribed{GetState: &sdk.GetState{}, HeartbeatIntervalSeconds: 15}},
		{Type: sdk.OperatorEventHeartbeat},
		{Type: sdk.OperatorEventTaskUpdated, TaskUpdated: &sdk.TaskUpdated{FrameworkID: "f1", State: sdk.TaskFinished, Status: sdk.TaskStatus{TaskID: "t1", State: sdk.TaskFinished}}},
	} {
		data, err := wire.Marshal(wire.Msgpack, event)
		if err != nil {
			c.t.Error(err)
		}
		_, _ = w.Write(wire.AppendRecord(nil, data))
	}
}

func (c *cluster) agent(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	switch {
	case r.Header.Get("Authorization") != "Bearer secret":
		http.Error(w, "this needs a token", http.StatusUnauthorized)
	case r.URL.Path == "/files/browse":
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `[{"gid":"root","mode":"-rw-r--r--","mtime":1.5,"nlink":1,"path":"/sandbox/stdout","size":7,"uid":"nobody"}]`)
	case r.URL.Path == "/files/download":
		_, _ = io.WriteString(w, "content of "+q.Get("path"))
	case r.URL.Path == "/api/v1/logs":
		_, _ = io.WriteString(w, strings.Join([]string{q.Get("framework_id"), q.Get("task_id"), q.Get("stream"), q.Get("offset"), q.Get("follow")}, " "))
	default:
		http.NotFound(w, r)
	}
}

func TestReads(t *testing.T) {
	client, ctx := newCluster(t).client("m0:5050", "m1:5050"), t.Context()
	tasks, err := client.Tasks(ctx)
	if err != nil || len(tasks.Tasks) != 1 || tasks.Tasks[0].TaskID != "t1" {
		t.Errorf("Tasks = %+v, %v", tasks, err)
	}
	leader, err := client.WhoLeads(ctx)
	if err != nil || leader.Hostname != "m1" {
		t.Errorf("WhoLeads = %+v, %v", leader, err)
	}
	weights, err := client.Weights(ctx)
	if err != nil || len(weights) != 1 || weights[0] != (sdk.WeightInfo{Role: "web", Weight: 2}) {
		t.Errorf("Weights = %+v, %v", weights, err)
	}
	if _, err := client.Agents(ctx); sdk.CodeOf(err) != sdk.CodeInternal {
		t.Errorf("an answer without its body: %v", err)
	}
	if err := client.Health(ctx); err != nil {
		t.Errorf("Health = %v", err)
	}
}

func TestWrites(t *testing.T) {
	c := newCluster(t)
	client, ctx := c.client("m1:5050"), t.Context()
	if err := client.Kill(ctx, "f1", "t1", 2*time.Second); err != nil {
		t.Error(err)
	}
	if kill := c.received[0].KillTask; kill.FrameworkID != "f1" || kill.KillPolicy.GracePeriod.Nanoseconds != 2e9 {
		t.Errorf("sent %+v", kill)
	}
	err := client.Kill(ctx, "f1", "t2", 0)
	if sdk.CodeOf(err) != sdk.CodeNotFound || err.Error() != "kill task: kill_task.task_id: no such task" {
		t.Errorf("Kill of nothing = %v", err)
	}
	if err := client.Teardown(ctx, "f1"); err != nil {
		t.Error(err)
	}
	if err := client.SetWeights(ctx, sdk.WeightInfo{Role: "web", Weight: 2}); err != nil {
		t.Error(err)
	}
	if sent := c.received[len(c.received)-1].UpdateWeights; sent == nil || len(sent.WeightInfos) != 1 || sent.WeightInfos[0].Weight != 2 {
		t.Errorf("sent %+v", sent)
	}
}

func TestCare(t *testing.T) {
	c := newCluster(t)
	client, ctx := c.client("m1:5050"), t.Context()
	for _, err := range []error{client.Drain(ctx, "a1", 1500*time.Millisecond, true), client.Drain(ctx, "a1", -1, false), client.Deactivate(ctx, "a2"), client.Reactivate(ctx, "a3"), client.MarkGone(ctx, "a4")} {
		if err != nil {
			t.Error(err)
		}
	}
	if d := c.received[0].DrainAgent; d == nil || d.AgentID != "a1" || !d.MarkGone || *d.MaxGracePeriod != (sdk.Duration{Seconds: 1, Nanos: 5e8}) {
		t.Errorf("sent %+v", d)
	}
	if d := c.received[1].DrainAgent; d == nil || d.MaxGracePeriod != nil || d.MarkGone {
		t.Errorf("sent %+v", d)
	}
	if c.received[2].DeactivateAgent.AgentID != "a2" || c.received[3].ReactivateAgent.AgentID != "a3" || c.received[4].MarkAgentGone.AgentID != "a4" {
		t.Errorf("sent %+v", c.received[2:])
	}
}

func TestUnreachableNamesEveryAddress(t *testing.T) {
	_, err := newCluster(t).client("m8:5050", "m9:5050").Tasks(t.Context())
	if !operator.IsUnreachable(err) || sdk.CodeOf(err) != sdk.CodeUnavailable {
		t.Fatalf("err = %v", err)
	}
	want := "get tasks: cannot reach the cluster: no master answers (m8:5050: connection refused; m9:5050: connection refused)"
	if err.Error() != want {
		t.Errorf("got  %s\nwant %s", err, want)
	}
}

func TestWrongTokenIsNotUnreachable(t *testing.T) {
	c := newCluster(t)
	client, err := operator.New(operator.Options{Addrs: []string{"m1:5050"}, Transport: &c.net})
	if err != nil {
		t.Fatal(err)
	}
	_, err = client.State(t.Context())
	if sdk.CodeOf(err) != sdk.CodeUnauthenticated || operator.IsUnreachable(err) {
		t.Errorf("err = %v", err)
	}
}

func TestWaitsForALeaderAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t)
		c.leader.Store(false)
		client, began := c.client("m1:5050"), time.Now()
		_, err := client.Tasks(t.Context())
		if sdk.CodeOf(err) != sdk.CodeUnavailable || operator.IsUnreachable(err) {
			t.Errorf("err = %v", err)
		}
		if waited := time.Since(began); waited < 5*time.Second || waited > 6*time.Second {
			t.Errorf("waited %v", waited)
		}
		go func() {
			time.Sleep(time.Second) // synctest
			c.leader.Store(true)
		}()
		if _, err := client.Tasks(t.Context()); err != nil {
			t.Errorf("with a leader after a second: %v", err)
		}
	})
}

func TestSubscribe(t *testing.T) {
	client := newCluster(t).client("m1:5050")
	var seen []sdk.OperatorEventType
	err := client.Subscribe(t.Context(), func(e *sdk.OperatorEvent) error {
		seen = append(seen, e.Type)
		return nil
	})
	if sdk.CodeOf(err) != sdk.CodeUnavailable {
		t.Errorf("the end of the stream = %v", err)
	}
	if len(seen) != 2 || seen[0] != sdk.OperatorEventSubscribed || seen[1] != sdk.OperatorEventTaskUpdated {
		t.Errorf("seen %v", seen)
	}
	if err := client.Subscribe(t.Context(), func(*sdk.OperatorEvent) error { return operator.Stop }); err != nil {
		t.Errorf("stopped: %v", err)
	}
	full := errors.New("full")
	if err := client.Subscribe(t.Context(), func(*sdk.OperatorEvent) error { return full }); !errors.Is(err, full) {
		t.Errorf("handler's error: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := client.Subscribe(ctx, func(*sdk.OperatorEvent) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestLogsAndFilesComeFromTheAgent(t *testing.T) {
	client, ctx := newCluster(t).client("m1:5050"), t.Context()
	r, err := client.Logs(ctx, operator.LogRequest{FrameworkID: "f1", TaskID: "t1", Offset: 42, Follow: true})
	if err != nil {
		t.Fatal(err)
	}
	data, _ := io.ReadAll(r)
	_ = r.Close()
	if string(data) != "f1 t1 stdout 42 true" {
		t.Errorf("asked for %q", data)
	}
	if _, err := client.Logs(ctx, operator.LogRequest{FrameworkID: "f1", TaskID: "t9"}); sdk.CodeOf(err) != sdk.CodeNotFound {
		t.Errorf("logs of nothing = %v", err)
	}
	url, err := client.TaskAgent(ctx, "f1", "t1")
	if err != nil || url != "http://agent:5051" {
		t.Fatalf("TaskAgent = %s, %v", url, err)
	}
	files, err := client.Files(ctx, url, "/sandbox")
	if err != nil || len(files) != 1 || files[0].Size != 7 || files[0].UID != "nobody" {
		t.Errorf("Files = %+v, %v", files, err)
	}
	d, err := client.Download(ctx, url, "/sandbox/stdout")
	if err != nil {
		t.Fatal(err)
	}
	data, _ = io.ReadAll(d)
	_ = d.Close()
	if string(data) != "content of /sandbox/stdout" {
		t.Errorf("downloaded %q", data)
	}
	if _, err := client.Files(ctx, "http://nowhere:1", "/"); sdk.CodeOf(err) != sdk.CodeUnavailable {
		t.Errorf("an agent that is away = %v", err)
	}
}
