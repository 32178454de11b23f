package ledger

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"github.com/profferhq/proffer/kernel/link"
	"github.com/profferhq/proffer/sdk"
)

func arg(d *datadriven.TestData, key, otherwise string) string {
	for _, a := range d.CmdArgs {
		if a.Key == key {
			if len(a.Vals) == 0 {
				return "true"
			}
			return strings.Join(a.Vals, ";")
		}
	}
	return otherwise
}

func positional(d *datadriven.TestData) string {
	if len(d.CmdArgs) == 0 {
		return ""
	}
	return d.CmdArgs[0].Key
}

// command performs one line of a script.
func (r *rig) command(t *testing.T, d *datadriven.TestData) string {
	switch d.Cmd {
	case "connect": // term=1 generation=1
		r.stream++
		r.l.Step(r.now, Opened{Stream: r.stream})
		rep := r.l.Report()
		out := fmt.Sprintf("report: %s highest %s", rep.Agent.ID, rep.Highest)
		for i := range rep.Tasks {
			k := &rep.Tasks[i]
			out += fmt.Sprintf("\n  task %s %s waits for %q", k.TaskID, k.State, k.StatusUpdateState)
		}
		for i := range rep.Executors {
			out += fmt.Sprintf("\n  executor %s", rep.Executors[i].ExecutorID)
		}
		r.event(t, d, link.Event{Type: link.EventRegistered, Registered: &link.Registered{AgentID: sdk.AgentID(arg(d, "id", "agent-1")), HeartbeatSeconds: 5}})
		return out + "\n" + r.take()
	case "run":
		return r.run(t, d)
	case "kill":
		k := &link.Kill{FrameworkID: r.framework(d), TaskID: sdk.TaskID(positional(d))}
		var most int64 // milliseconds
		if d.HasArg("drain") {
			d.ScanArgs(t, "drain", &most)
			k.Reason, k.MaxGrace = sdk.ReasonAgentDraining, &sdk.DurationInfo{Nanoseconds: most * 1e6}
		}
		r.event(t, d, link.Event{Type: link.EventKill, Kill: k})
	case "ack":
		id := positional(d)
		r.event(t, d, link.Event{Type: link.EventAcknowledge, Acknowledge: &link.Acknowledge{FrameworkID: r.framework(d), TaskID: sdk.TaskID(id), UUID: r.uuids[id]}})
	case "reconcile":
		r.event(t, d, link.Event{Type: link.EventReconcile, Reconcile: &link.Reconcile{FrameworkID: r.framework(d), TaskID: sdk.TaskID(positional(d))}})
	case "shutdown-framework":
		r.event(t, d, link.Event{Type: link.EventShutdownFramework, ShutdownFramework: &link.ShutdownFramework{FrameworkID: r.framework(d)}})
	case "shutdown-executor":
		r.event(t, d, link.Event{Type: link.EventShutdownExecutor, ShutdownExecutor: &link.ShutdownExecutor{FrameworkID: r.framework(d), ExecutorID: sdk.ExecutorID(positional(d))}})
	case "notice":
		r.event(t, d, link.Event{Type: link.EventNotice, Notice: &link.Notice{Message: d.Input}})
	case "subscribe":
		return r.subscribe(t, d)
	case "update":
		return r.update(t, d)
	default:
		return r.fact(t, d)
	}
	return r.take()
}

// fact is a line about containers, time and the agent itself.
func (r *rig) fact(t *testing.T, d *datadriven.TestData) string {
	name := positional(d)
	box := r.box[name]
	switch d.Cmd {
	case "prepared":
		r.l.Step(r.now, Prepared{ContainerID: box, Spec: &sdk.LaunchSpec{ContainerID: box}, Note: arg(d, "note", "")})
	case "prepare-failed":
		r.l.Step(r.now, PrepareFailed{ContainerID: box, Reason: sdk.ReasonContainerLaunchFailed, Message: arg(d, "message", "no space")})
	case "emptied":
		in := Emptied{ContainerID: box}
		if arg(d, "oom", "") != "" {
			in.Limit = &Limit{Reason: sdk.ReasonContainerLimitationMemory, Message: "Memory limit exceeded"}
		}
		if s := arg(d, "exit", ""); s != "" {
			var n int32
			if _, err := fmt.Sscan(s, &n); err != nil {
				t.Fatal(err)
			}
			in.Exit = &n
		}
		r.l.Step(r.now, in)
	case "executor-started":
		r.l.Step(r.now, ExecutorStarted{ContainerID: box, Process: sdk.Process{PID: 100, StartTime: 1, BootID: "boot-1"}})
	case "executor-exited":
		r.l.Step(r.now, ExecutorExited{ContainerID: box, Status: 9})
	case "executor-closed":
		var n uint64
		if _, err := fmt.Sscan(name, &n); err != nil {
			t.Fatal(err)
		}
		r.l.Step(r.now, ExecutorClosed{Conn: n})
	case "limit":
		r.l.Step(r.now, LimitReached{ContainerID: box, Limit: Limit{Reason: sdk.ReasonContainerLimitationMemory, Message: "Memory limit exceeded"}})
	case "vanished":
		r.l.Step(r.now, Vanished{ContainerID: box})
	case "launcher-lost":
		r.l.Step(r.now, Parents{})
	case "stop-all":
		r.l.Step(r.now, StopAll{})
	case "wait":
		dur, err := time.ParseDuration(name)
		if err != nil {
			t.Fatal(err)
		}
		for end := r.now.Add(dur); r.now.Before(end); {
			r.now = r.now.Add(min(250*time.Millisecond, end.Sub(r.now)))
			r.l.Step(r.now, Tick{})
		}
	case "slow-disk":
		r.hold = true
		return "-\n"
	case "disk-is-back":
		r.hold = false
	case "crash":
		r.boot(arg(d, "boot", "boot-1"), strings.FieldsFunc(arg(d, "alive", ""), func(c rune) bool { return c == ';' }))
	case "compact":
		before := len(r.stored)
		snap := r.l.Snapshot()
		r.held.Records, r.stored = snap, nil
		r.take()
		return fmt.Sprintf("%d records become %d\n", before, len(r.stored))
	case "counts":
		c := r.l.Counts()
		return fmt.Sprintf("frameworks=%d executors=%d tasks=%d waiting=%d tombstones=%d used=%s\n",
			c.Frameworks, c.Executors, c.Tasks, c.Unacknowledged, c.Tombstones, c.Used.String())
	default:
		t.Fatalf("unknown command %s", d.Cmd)
	}
	return r.take()
}

func (r *rig) framework(d *datadriven.TestData) sdk.FrameworkID {
	return sdk.FrameworkID(arg(d, "framework", "f1"))
}

// event sends an event down the newest stream, or that of stream=.
func (r *rig) event(t *testing.T, d *datadriven.TestData, e link.Event) {
	e.Version, e.Generation, e.Term = link.Version, 1, 1
	stream := r.stream
	for key, into := range map[string]*uint64{"generation": &e.Generation, "term": &e.Term, "stream": &stream} {
		if s := arg(d, key, ""); s != "" {
			if _, err := fmt.Sscan(s, into); err != nil {
				t.Fatal(err)
			}
		}
	}
	r.l.Step(r.now, FromMaster{Stream: stream, Event: &e})
}

// run starts the tasks named by its arguments, such as a=cpus:1.
func (r *rig) run(t *testing.T, d *datadriven.TestData) string {
	e := &link.Run{Framework: sdk.FrameworkInfo{User: "nobody", Name: "test", ID: r.framework(d)}, Group: arg(d, "group", "") != ""}
	if id := arg(d, "executor", ""); id != "" {
		res, err := sdk.ParseResources("cpus:0.5")
		if err != nil {
			t.Fatal(err)
		}
		e.Executor = &sdk.ExecutorInfo{ExecutorID: sdk.ExecutorID(id), Resources: res, Name: arg(d, "name", "")}
	}
	for _, line := range strings.Fields(strings.ReplaceAll(d.Input, "\n", " ")) {
		id, text, _ := strings.Cut(line, "=")
		res, err := sdk.ParseResources(text)
		if err != nil {
			t.Fatal(err)
		}
		e.Tasks = append(e.Tasks, sdk.TaskInfo{Name: id, TaskID: sdk.TaskID(id), AgentID: "agent-1", Resources: res})
	}
	r.event(t, d, link.Event{Type: link.EventRun, Run: e})
	return r.take()
}

func (r *rig) subscribe(t *testing.T, d *datadriven.TestData) string {
	s := &sdk.ExecutorSubscribe{}
	for _, id := range strings.FieldsFunc(arg(d, "tasks", ""), func(c rune) bool { return c == ';' }) {
		s.UnacknowledgedTasks = append(s.UnacknowledgedTasks, sdk.TaskInfo{TaskID: sdk.TaskID(id)})
	}
	for _, u := range strings.FieldsFunc(arg(d, "updates", ""), func(c rune) bool { return c == ';' }) {
		id, state, _ := strings.Cut(u, ":")
		s.UnacknowledgedUpdates = append(s.UnacknowledgedUpdates, r.executorUpdate(id, state, ""))
	}
	var conn uint64
	if _, err := fmt.Sscan(arg(d, "conn", "1"), &conn); err != nil {
		t.Fatal(err)
	}
	r.l.Step(r.now, FromExecutor{Conn: conn, Call: &sdk.ExecutorCall{
		Type: sdk.ExecutorCallSubscribe, FrameworkID: r.framework(d), ExecutorID: sdk.ExecutorID(positional(d)), Subscribe: s,
	}})
	return r.take()
}

func (r *rig) executorUpdate(id, state, uuid string) sdk.ExecutorUpdate {
	if uuid == "" {
		uuid = id + "-" + strings.ToLower(strings.TrimPrefix(state, "TASK_"))
	}
	raw := make([]byte, 16)
	copy(raw, uuid)
	u := sdk.ExecutorUpdate{Status: sdk.TaskStatus{TaskID: sdk.TaskID(id), State: sdk.TaskState(state), UUID: raw, Source: sdk.SourceExecutor}}
	if state == "TASK_RUNNING" {
		u.Process = &sdk.Process{PID: 7, StartTime: 7, BootID: "boot-1"}
	}
	return u
}

// update: update a TASK_RUNNING executor=x
func (r *rig) update(t *testing.T, d *datadriven.TestData) string {
	if len(d.CmdArgs) < 2 {
		t.Fatal("update TASK STATE")
	}
	u := r.executorUpdate(d.CmdArgs[0].Key, d.CmdArgs[1].Key, arg(d, "uuid", ""))
	if u.Status.Reason = sdk.Reason(arg(d, "reason", "")); u.Status.Reason == sdk.ReasonTaskHealthCheckStatusUpdated {
		healthy := true
		u.Status.Healthy, u.Process = &healthy, nil
	}
	r.l.Step(r.now, FromExecutor{Call: &sdk.ExecutorCall{Type: sdk.ExecutorCallUpdate, FrameworkID: r.framework(d),
		ExecutorID: sdk.ExecutorID(arg(d, "executor", "proffer-default-1")), Update: &u}})
	return r.take()
}
