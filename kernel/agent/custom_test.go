package agent

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/profferhq/proffer/kernel/link"
	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/executor"
	"github.com/profferhq/proffer/sdk/wire"
)

// runCustomExecutor is the program of a framework's own executor: a task named
// finish ends at once, any other when it is killed; messages come back.
func runCustomExecutor() int {
	env, err := executor.FromEnv(os.Getenv)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	report := func(d *executor.Driver, id sdk.TaskID, state sdk.TaskState) {
		uuid := make([]byte, 16)
		_, _ = rand.Read(uuid)
		d.Update(sdk.ExecutorUpdate{Status: sdk.TaskStatus{TaskID: id, State: state, Source: sdk.SourceExecutor, UUID: uuid}})
	}
	d, err := executor.New(executor.Options{Env: env, Encoding: wire.JSON, Handle: func(d *executor.Driver, e *sdk.ExecutorEvent) {
		switch e.Type {
		case sdk.ExecutorEventLaunch:
			id := e.Launch.Task.TaskID
			report(d, id, sdk.TaskRunning)
			if strings.HasPrefix(string(id), "finish") {
				report(d, id, sdk.TaskFinished)
			}
		case sdk.ExecutorEventKill:
			report(d, e.Kill.TaskID, sdk.TaskKilled)
		case sdk.ExecutorEventMessage:
			if string(e.Message.Data) == "die" {
				os.Exit(3)
			}
			d.Message(append([]byte("echo "), e.Message.Data...))
		case sdk.ExecutorEventShutdown:
			d.Stop(time.Second)
		}
	}})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	fmt.Printf("uid=%d token=%v socket=%q sandbox=%v grace=%s\n", os.Getuid(), env.Token != "", env.DomainSocket,
		os.Getenv("MESOS_SANDBOX") == os.Getenv("PWD"), os.Getenv("MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD"))
	if err := d.Run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// TestCustomExecutor brings one of a framework's own, over TCP, with its token, in
// JSON, through its whole life.
func TestCustomExecutor(t *testing.T) {
	needRoot(t)
	m := newMachine(t, nil)
	res, err := sdk.ParseResources("cpus:0.1;mem:64")
	if err != nil {
		t.Fatal(err)
	}
	no := false
	info := &sdk.ExecutorInfo{ExecutorID: "mine", Resources: res, Command: &sdk.CommandInfo{Shell: &no, Value: os.Getenv("PROFFER_TEST_CUSTOM")}}
	info.Command.Environment = &sdk.Environment{Variables: []sdk.Variable{{Name: "PROFFER_TEST_RUN", Value: "executor"}}}
	run := func(ids ...string) {
		e := &link.Run{Framework: framework(), Executor: info}
		for _, id := range ids {
			task := shell(id, "", "cpus:0.1;mem:32")
			task.Command = nil
			e.Tasks = append(e.Tasks, task)
		}
		m.leader.send(link.Event{Type: link.EventRun, Run: e})
	}
	run("finish1", "stay1")
	m.leader.state("finish1", sdk.TaskFinished)
	m.leader.state("stay1", sdk.TaskRunning)
	run("finish2", "stay2")
	m.leader.state("finish2", sdk.TaskFinished)
	m.leader.kill("stay1")
	m.leader.state("stay1", sdk.TaskKilled)

	m.leader.send(link.Event{Type: link.EventMessage, Message: &link.Message{FrameworkID: "f1", ExecutorID: "mine", Data: []byte("hello")}})
	m.leader.until("the echo", func() bool {
		for _, c := range m.leader.calls {
			if c.Type == link.CallMessage && string(c.Message.Data) == "echo hello" {
				return true
			}
		}
		return false
	})
	m.restart()
	m.leader.registered(2)
	m.leader.state("stay2", sdk.TaskRunning)
	run("finish3")
	m.leader.state("finish3", sdk.TaskFinished)

	m.leader.send(link.Event{Type: link.EventMessage, Message: &link.Message{FrameworkID: "f1", ExecutorID: "mine", Data: []byte("die")}})
	if s := m.leader.state("stay2", sdk.TaskFailed); s.Reason != sdk.ReasonExecutorTerminated || s.Source != sdk.SourceAgent {
		t.Errorf("stay2: %+v", s)
	}
	m.leader.until("EXECUTOR_EXITED", func() bool {
		for _, c := range m.leader.calls {
			if c.Type == link.CallExecutorExited && c.ExecutorExited.Status == 3<<8 {
				return true
			}
		}
		return false
	})
	m.settled()
	out := m.outputOf("mine")
	if !strings.Contains(out, `token=true socket="" sandbox=true grace=5secs`) {
		t.Errorf("the executor said %q", out)
	}
	// It carries a token: whoever shares its uid could read that, tasks as nobody too.
	var uid uint32
	if _, err := fmt.Sscanf(out, "uid=%d ", &uid); err != nil || uid < m.o.FirstUID || uid > m.o.LastUID {
		t.Errorf("the executor runs as uid %d (%v), which is none of its own of %d to %d", uid, err, m.o.FirstUID, m.o.LastUID)
	}
}

func (m *machine) outputOf(executor string) string {
	m.t.Helper()
	status, body := m.get("/api/v1/logs?framework_id=f1&task_id=gone&executor_id=" + executor)
	if status != http.StatusOK {
		m.t.Fatalf("logs of %s: %d %s", executor, status, body)
	}
	return body
}

func TestFiles(t *testing.T) {
	m := newMachine(t, plain)
	m.leader.run(shell("a", "echo out; echo err >&2; mkdir d; echo inside > d/f; ln -s /etc/passwd link; mkfifo fifo", "cpus:0.1;mem:64"))
	s := m.leader.state("a", sdk.TaskFinished)
	m.output("a")
	dir := filepath.Join(m.o.Dir, "sandboxes", "f1", "proffer-default-1", s.ContainerStatus.ContainerID.Value)
	if status, body := m.get("/files/browse?path=" + dir); status != 200 || !strings.Contains(body, dir+"/stdout") || !strings.Contains(body, dir+"/d") {
		t.Errorf("browse: %d %s", status, body)
	}
	for path, want := range map[string]string{"/stdout": "out\n", "/stderr": "err\n", "/d/f": "inside\n"} {
		if status, body := m.get("/files/download?path=" + dir + path); status != 200 || body != want {
			t.Errorf("download %s: %d %q", path, status, body)
		}
	}
	if status, body := m.get("/files/read?offset=1&length=2&path=" + dir + "/stdout"); status != 200 || !strings.Contains(body, `"data":"ut"`) {
		t.Errorf("read: %d %s", status, body)
	}
	for _, path := range []string{dir + "/link", dir + "/fifo", dir + "/nothing", dir + "/../../../../../../../../etc/passwd", "/etc/passwd", ""} {
		if status, body := m.get("/files/download?path=" + path); status == 200 || strings.Contains(body, "root:") {
			t.Errorf("download %s: %d %q", path, status, body)
		}
	}
	if status, body := m.get("/api/v1/logs?framework_id=f1&task_id=a&offset=2"); status != 200 || body != "t\n" {
		t.Errorf("logs: %d %q", status, body)
	}
	if status, _ := m.get("/api/v1/logs?framework_id=f1&task_id=nosuch"); status != http.StatusNotFound {
		t.Errorf("logs of an unknown task: %d", status)
	}
}

func TestExecutorAPIRefuses(t *testing.T) {
	m := newMachine(t, plain)
	post := func(token, kind, body string) int {
		req, err := http.NewRequest(http.MethodPost, "http://"+m.agent.Addr().String()+"/slave(1)/api/v1/executor", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", kind)
		req.Header.Set("Authorization", "Bearer "+token)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		return resp.StatusCode
	}
	token := m.agent.key.Sign(executorClaims("f1", "x"))
	call := `{"type":"%s","executor_id":{"value":"%s"},"framework_id":{"value":"f1"}}`
	for _, row := range []struct {
		token, kind, body string
		want              int
	}{
		{"", "application/json", fmt.Sprintf(call, "SUBSCRIBE", "x"), 401},
		{token, "application/json", fmt.Sprintf(call, "SUBSCRIBE", "y"), 403},
		{token, "application/json", fmt.Sprintf(call, "SUBSCRIBE", "x"), 400}, // not known here
		{token, "application/json", fmt.Sprintf(call, "HEARTBEAT", "x"), 403}, // not subscribed
		{token, "application/json", fmt.Sprintf(call, "UPDATE", "x"), 400},
		{token, "application/json", fmt.Sprintf(call, "NOSUCH", "x"), 400},
		{token, "application/json", "{", 400},
		{token, "text/plain", "x", 415},
	} {
		if got := post(row.token, row.kind, row.body); got != row.want {
			t.Errorf("%s %s: %d, want %d", row.kind, row.body, got, row.want)
		}
	}
}

// TestGroup starts two tasks together under the default executor that the
// framework names; the failure of one ends the other.
func TestGroup(t *testing.T) {
	m := newMachine(t, plain)
	info := &sdk.ExecutorInfo{ExecutorID: "pod", Type: sdk.ExecutorDefault, Resources: []sdk.Resource{sdk.NewScalar("cpus", 0.1), sdk.NewScalar("mem", 32)}}
	m.leader.send(link.Event{Type: link.EventRun, Run: &link.Run{Framework: framework(), Executor: info, Group: true, Tasks: []sdk.TaskInfo{
		shell("good", "sleep 1000", "cpus:0.1;mem:32"), shell("bad", "sleep 0.2; exit 4", "cpus:0.1;mem:32"),
	}}})
	if s := m.leader.state("bad", sdk.TaskFailed); s.Message != "Command exited with status 4" {
		t.Errorf("bad: %+v", s)
	}
	m.leader.state("good", sdk.TaskKilled)
	// One that cannot be made takes the whole group along.
	no := shell("no", "true", "cpus:0.1;mem:32")
	no.Command.URIs = []sdk.URI{{Value: "http://127.0.0.1:1/nothing"}}
	m.leader.send(link.Event{Type: link.EventRun, Run: &link.Run{Framework: framework(), Executor: info, Group: true, Tasks: []sdk.TaskInfo{
		shell("with", "sleep 1000", "cpus:0.1;mem:32"), no,
	}}})
	m.leader.state("no", sdk.TaskFailed)
	m.leader.state("with", sdk.TaskKilled)
	m.leader.send(link.Event{Type: link.EventShutdownExecutor, ShutdownExecutor: &link.ShutdownExecutor{FrameworkID: "f1", ExecutorID: "pod"}})
	m.leader.until("EXECUTOR_EXITED", func() bool {
		for _, c := range m.leader.calls {
			if c.Type == link.CallExecutorExited && c.ExecutorExited.ExecutorID == "pod" {
				return true
			}
		}
		return false
	})
	m.settled()
}

// TestShutdownFramework ends everything of it, and nobody has to acknowledge.
func TestShutdownFramework(t *testing.T) {
	m := newMachine(t, plain)
	m.leader.run(shell("a", "sleep 1000", "cpus:0.1;mem:32"), shell("b", "trap '' TERM; sleep 1000", "cpus:0.1;mem:32"))
	m.leader.state("a", sdk.TaskRunning)
	m.leader.state("b", sdk.TaskRunning)
	m.leader.send(link.Event{Type: link.EventShutdownFramework, ShutdownFramework: &link.ShutdownFramework{FrameworkID: "f1"}})
	m.settled()
	m.leader.send(link.Event{Type: link.EventReconcile, Reconcile: &link.Reconcile{FrameworkID: "f1", TaskID: "a"}})
	m.leader.until("the answer", func() bool {
		for _, c := range m.leader.calls {
			if c.Type == link.CallReconciled && c.Reconciled.Status.State == sdk.TaskKilled {
				return true
			}
		}
		return false
	})
}

// TestUnacknowledged sends an update again to a leader that comes new.
func TestUnacknowledged(t *testing.T) {
	m := newMachine(t, plain)
	m.leader.mu.Lock()
	m.leader.noAck = true
	m.leader.mu.Unlock()
	m.leader.run(shell("a", "exit 5", "cpus:0.1;mem:32"))
	m.leader.state("a", sdk.TaskRunning)
	m.restart()
	m.leader.registered(2)
	m.leader.mu.Lock()
	m.leader.noAck = false
	tasks := m.leader.register[1].Tasks
	m.leader.mu.Unlock()
	if len(tasks) != 1 || tasks[0].StatusUpdateState != sdk.TaskRunning || len(tasks[0].StatusUpdateUUID) != 16 {
		t.Errorf("the second registration has %+v", tasks)
	}
	m.leader.hangUp() // RUNNING may have come before noAck was taken back
	m.leader.state("a", sdk.TaskFailed)
	m.settled()
}
