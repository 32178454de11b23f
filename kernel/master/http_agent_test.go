package master

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/profferhq/proffer/kernel/credential"
	"github.com/profferhq/proffer/kernel/link"
	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/wire"
)

// agentDouble speaks the link as an agent does.
type agentDouble struct {
	*opened
	r  *running
	id sdk.AgentID
}

func (r *running) agentHeader(more ...string) http.Header {
	h := http.Header{"Content-Type": {wire.ContentTypeMsgpack}, "Accept": {wire.ContentTypeMsgpack}}
	if !r.key.IsZero() {
		h.Set("Authorization", "Bearer "+r.key.Sign(credential.Claims{Kind: credential.KindAgent}))
	}
	for i := 0; i+1 < len(more); i += 2 {
		h.Set(more[i], more[i+1])
	}
	return h
}

func (r *running) registerAgent(host, resources string) *agentDouble {
	r.t.Helper()
	return r.registerAgentAt(host, resources, "127.0.0.1:5051")
}

func (r *running) registerAgentAt(host, resources, address string) *agentDouble {
	r.t.Helper()
	rs, err := sdk.ParseResources(resources)
	if err != nil {
		r.t.Fatal(err)
	}
	body := r.encode(&link.Call{Version: link.Version, Type: link.CallRegister, Register: &link.Register{
		Agent: sdk.AgentInfo{Hostname: host, Port: 5051, Resources: rs}, BootID: "boot", Address: address}})
	a := &agentDouble{r: r, opened: r.open(link.Path, r.agentHeader(), body)}
	ev := a.nextLink()
	if ev.Type != link.EventRegistered || ev.Registered.AgentID == "" || ev.Term == 0 || ev.Generation == 0 {
		r.t.Fatalf("first event %+v", ev)
	}
	a.id = ev.Registered.AgentID
	return a
}

func (r *running) encode(v any) []byte {
	r.t.Helper()
	body, err := wire.Marshal(wire.Msgpack, v)
	if err != nil {
		r.t.Fatal(err)
	}
	return body
}

// nextLink reads the next event that is no heartbeat, and no notice: most doubles tell an
// address at which nobody listens.
func (a *agentDouble) nextLink() *link.Event {
	a.t.Helper()
	for {
		if ev := a.nextAny(); ev.Type != link.EventNotice {
			return ev
		}
	}
}

// nextAny reads the next event that is no heartbeat.
func (a *agentDouble) nextAny() *link.Event {
	a.t.Helper()
	for {
		record, err := a.records.Next()
		if err != nil {
			a.t.Fatalf("agent's stream: %v", err)
		}
		ev := &link.Event{}
		if err := wire.Unmarshal(wire.Msgpack, record, ev); err != nil {
			a.t.Fatal(err)
		}
		if ev.Type != link.EventHeartbeat {
			return ev
		}
	}
}

// post sends calls as one sequence.
func (a *agentDouble) post(calls ...link.Call) (*http.Response, string) {
	a.t.Helper()
	var body []byte
	for i := range calls {
		calls[i].Version, calls[i].AgentID = link.Version, a.id
		body = wire.AppendRecord(body, a.r.encode(&calls[i]))
	}
	h := a.r.agentHeader(link.SessionHeader, a.resp.Header.Get(link.SessionHeader), wire.HeaderMessageContentType, wire.ContentTypeMsgpack)
	h.Set("Content-Type", wire.ContentTypeRecordIO)
	return a.r.do(http.MethodPost, link.Path, h, string(body))
}

// nextOf reads scheduler events until one of the type comes.
func (o *opened) nextOf(want sdk.EventType) *sdk.Event {
	o.t.Helper()
	for {
		ev := o.next()
		if ev.Type == want {
			return ev
		}
		if ev.Type == sdk.EventError {
			o.t.Fatalf("waited for %s, got ERROR %q", want, ev.Error.Message)
		}
	}
}

// A task's whole way through the master: offer, launch, state, acknowledgement,
// and what operators see of it.
func TestATasksWayThroughTheMaster(t *testing.T) {
	r := start(t, true)
	bearer := "Bearer " + r.operatorToken()
	agent := r.registerAgent("host1", "cpus:4;mem:1024")
	op := http.Header{"Content-Type": {wire.ContentTypeMsgpack}, "Accept": {wire.ContentTypeMsgpack}, "Authorization": {bearer}}
	watch := r.open("/api/v1", op.Clone(), r.encode(&sdk.OperatorCall{Type: sdk.OperatorSubscribe}))
	s := r.open("/api/v1/scheduler", op.Clone(), r.encode(&sdk.Call{Type: sdk.CallSubscribe, Subscribe: &sdk.Subscribe{
		FrameworkInfo: sdk.FrameworkInfo{User: "nobody", Name: "test", FailoverTimeout: 60}}}))
	id := s.next().Subscribed.FrameworkID
	offer := s.nextOf(sdk.EventOffers).Offers.Offers[0]
	call := func(c sdk.Call) (*http.Response, string) {
		t.Helper()
		c.FrameworkID = id
		h := op.Clone()
		h.Set("Mesos-Stream-Id", s.resp.Header.Get("Mesos-Stream-Id"))
		resp, text := r.do(http.MethodPost, "/api/v1/scheduler", h, string(r.encode(&c)))
		if resp.StatusCode != 202 {
			t.Fatalf("%s: %d %q", c.Type, resp.StatusCode, text)
		}
		return resp, text
	}
	need, _ := sdk.ParseResources("cpus:1;mem:64")
	run := "exit 0"
	call(sdk.Call{Type: sdk.CallAccept, Accept: &sdk.Accept{OfferIDs: []sdk.OfferID{offer.ID}, Operations: []sdk.Operation{{
		Type: sdk.OperationLaunch, Launch: &sdk.Launch{TaskInfos: []sdk.TaskInfo{{Name: "t1", TaskID: "t1", AgentID: agent.id, Resources: need,
			Command: &sdk.CommandInfo{Value: run}}}}}}}})
	ev := agent.nextLink()
	if ev.Type != link.EventRun || len(ev.Run.Tasks) != 1 || ev.Run.Tasks[0].TaskID != "t1" {
		t.Fatalf("agent got %+v", ev)
	}
	status := func(state sdk.TaskState) sdk.TaskStatus {
		u := uuid.New()
		return sdk.TaskStatus{TaskID: "t1", State: state, AgentID: agent.id, UUID: u[:], Source: sdk.SourceExecutor, Timestamp: 1}
	}
	running := status(sdk.TaskRunning)
	resp, text := agent.post(link.Call{Type: link.CallUpdate, Update: &link.Update{FrameworkID: id, Status: running}}, link.Call{Type: link.CallHeartbeat})
	if resp.StatusCode != 202 {
		t.Fatalf("UPDATE: %d %q", resp.StatusCode, text)
	}
	if got := s.nextOf(sdk.EventUpdate).Update.Status; got.State != sdk.TaskRunning || string(got.UUID) != string(running.UUID) {
		t.Fatalf("scheduler got %+v", got)
	}
	call(sdk.Call{Type: sdk.CallAcknowledge, Acknowledge: &sdk.Acknowledge{AgentID: agent.id, TaskID: "t1", UUID: running.UUID}})
	if ev := agent.nextLink(); ev.Type != link.EventAcknowledge || string(ev.Acknowledge.UUID) != string(running.UUID) {
		t.Fatalf("agent got %+v", ev)
	}
	tasks := r.ask(op, sdk.OperatorGetTasks).GetTasks.Tasks
	if len(tasks) != 1 || tasks[0].TaskID != "t1" || tasks[0].State != sdk.TaskRunning {
		t.Fatalf("GET_TASKS: %+v", tasks)
	}
	if agents := r.ask(op, sdk.OperatorGetAgents).GetAgents.Agents; len(agents) != 1 || !agents[0].Active || fmt.Sprint(sdk.Resources(agents[0].AllocatedResources).Scalar("cpus")) != "1" {
		t.Errorf("GET_AGENTS: %+v", agents)
	}
	r.killByOperator(t, op, id, agent)
	done := status(sdk.TaskKilled)
	agent.post(link.Call{Type: link.CallUpdate, Update: &link.Update{FrameworkID: id, Status: done}})
	if got := s.nextOf(sdk.EventUpdate).Update.Status; got.State != sdk.TaskKilled {
		t.Fatalf("scheduler got %+v", got)
	}
	var seen []string
	for len(seen) == 0 || seen[len(seen)-1] != "TASK_UPDATED TASK_KILLED" {
		record, err := watch.records.Next()
		if err != nil {
			t.Fatal(err)
		}
		var ev sdk.OperatorEvent
		if err := wire.Unmarshal(wire.Msgpack, record, &ev); err != nil {
			t.Fatal(err)
		}
		name := string(ev.Type)
		if ev.TaskUpdated != nil {
			name += " " + string(ev.TaskUpdated.State)
		}
		seen = append(seen, name)
	}
	if all := strings.Join(seen, ", "); !strings.HasPrefix(all, "SUBSCRIBED, HEARTBEAT, FRAMEWORK_ADDED") || !strings.Contains(all, "TASK_ADDED") {
		t.Errorf("an operator saw %s", all)
	}
}

func (r *running) killByOperator(t *testing.T, op http.Header, id sdk.FrameworkID, agent *agentDouble) {
	t.Helper()
	resp, text := r.do(http.MethodPost, "/api/v1", op, string(r.encode(&sdk.OperatorCall{Type: sdk.OperatorKillTask, KillTask: &sdk.KillTask{FrameworkID: id, TaskID: "t1"}})))
	if resp.StatusCode != 200 && resp.StatusCode != 202 {
		t.Fatalf("KILL_TASK: %d %q", resp.StatusCode, text)
	}
	if ev := agent.nextLink(); ev.Type != link.EventKill || ev.Kill.TaskID != "t1" {
		t.Fatalf("agent got %+v", ev)
	}
}

// Weights are set by operators only, and read back from the registry.
func TestWeightsAreSetAndRead(t *testing.T) {
	r := start(t, true)
	op := http.Header{"Authorization": {"Bearer " + r.operatorToken()}, "Content-Type": {wire.Msgpack.ContentType()}, "Accept": {wire.Msgpack.ContentType()}}
	set := func(weight float64) (int, string) {
		resp, text := r.do(http.MethodPost, "/api/v1", op, string(r.encode(&sdk.OperatorCall{Type: sdk.OperatorUpdateWeights,
			UpdateWeights: &sdk.UpdateWeights{WeightInfos: []sdk.WeightInfo{{Role: "web", Weight: weight}}}})))
		return resp.StatusCode, text
	}
	if code, text := set(2); code != http.StatusOK && code != http.StatusAccepted {
		t.Errorf("UPDATE_WEIGHTS: %d %q", code, text)
	}
	if code, text := set(0); code != http.StatusBadRequest || !strings.Contains(text, "above zero") {
		t.Errorf("a weight of zero: %d %q", code, text)
	}
	got := r.ask(op, sdk.OperatorGetWeights).GetWeights
	if got == nil || len(got.WeightInfos) != 1 || got.WeightInfos[0] != (sdk.WeightInfo{Role: "web", Weight: 2}) {
		t.Errorf("GET_WEIGHTS: %+v", got)
	}
}

func (r *running) ask(op http.Header, call sdk.OperatorCallType) *sdk.OperatorResponse {
	r.t.Helper()
	resp, text := r.do(http.MethodPost, "/api/v1", op, string(r.encode(&sdk.OperatorCall{Type: call})))
	answer := &sdk.OperatorResponse{}
	if err := wire.Unmarshal(wire.Msgpack, []byte(text), answer); err != nil || resp.StatusCode != 200 {
		r.t.Fatalf("%s: %d %v %q", call, resp.StatusCode, err, text)
	}
	return answer
}

// What an agent says wrong is refused, and changes nothing.
func TestWrongCallsOfAgentsAreRefused(t *testing.T) {
	r := start(t, false)
	a := r.registerAgent("host1", "cpus:1;mem:64")
	session := a.resp.Header.Get(link.SessionHeader)
	heartbeat := link.Call{Version: link.Version, Type: link.CallHeartbeat, AgentID: a.id}
	other := heartbeat
	other.AgentID = "another"
	newer := heartbeat
	newer.Version = link.Version + 1
	for name, c := range map[string]struct {
		header http.Header
		body   []byte
		status int
		says   string
	}{
		"right":            {r.agentHeader(link.SessionHeader, session), r.encode(&heartbeat), 202, ""},
		"no session":       {r.agentHeader(), r.encode(&heartbeat), 400, link.SessionHeader},
		"stale session":    {r.agentHeader(link.SessionHeader, uuid.NewString()), r.encode(&heartbeat), 409, "register anew"},
		"another's stream": {r.agentHeader(link.SessionHeader, session), r.encode(&other), 400, "agent_id"},
		"newer version":    {r.agentHeader(link.SessionHeader, session), r.encode(&newer), 415, "upgrade"},
		"no type":          {r.agentHeader(link.SessionHeader, session), r.encode(&link.Call{Version: 1, Type: "HEARTBEAT"}), 400, "agent_id"},
		"garbage":          {r.agentHeader(link.SessionHeader, session), []byte("garbage"), 400, ""},
		"a bomb":           {r.agentHeader(link.SessionHeader, session), []byte{0xdd, 0xff, 0xff, 0xff, 0xff}, 400, ""},
		"empty":            {r.agentHeader(link.SessionHeader, session), nil, 400, ""},
	} {
		resp, text := r.do(http.MethodPost, link.Path, c.header, string(c.body))
		if resp.StatusCode != c.status || !strings.Contains(text, c.says) {
			t.Errorf("%s: %d %q, want %d", name, resp.StatusCode, text, c.status)
		}
	}
}
