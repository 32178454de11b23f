package agent

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/profferhq/proffer/kernel/agent/ledger"
	"github.com/profferhq/proffer/kernel/credential"
	"github.com/profferhq/proffer/kernel/link"
	"github.com/profferhq/proffer/sdk"
)

// TestMain builds the real proffer-executor once.
// The test program itself serves as a framework's own executor.
func TestMain(m *testing.M) {
	if os.Getenv("PROFFER_TEST_RUN") == "executor" {
		os.Exit(runCustomExecutor())
	}
	os.Exit(withExecutor(m.Run))
}

func withExecutor(run func() int) int {
	dir, err := os.MkdirTemp("", "proffer-agent-test")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if err := os.Chmod(dir, 0o755); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	out, err := exec.Command("go", "build", "-o", binaryIn(dir), "github.com/profferhq/proffer/cmd/proffer-executor").CombinedOutput()
	if err != nil {
		fmt.Fprintf(os.Stderr, "build proffer-executor: %v\n%s", err, out)
		return 1
	}
	// Tasks' users must be able to reach what they run.
	self, err := os.ReadFile("/proc/self/exe")
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "custom"), self, 0o755)
	}
	for name, value := range map[string]string{"PROFFER_TEST_EXECUTOR": binaryIn(dir), "PROFFER_TEST_CUSTOM": filepath.Join(dir, "custom")} {
		if err == nil {
			err = os.Setenv(name, value)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return run()
}

func binaryIn(dir string) string { return filepath.Join(dir, "proffer-executor") }

// machine is one agent under test, and the leader that it reports to.
type machine struct {
	t      *testing.T
	o      Options
	leader *leader
	agent  *Agent
	stop   context.CancelFunc
	end    chan error
	log    *bytes.Buffer
}

// needRoot skips what cannot be shown without root.
func needRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() == 0 {
		return
	}
	if os.Getenv("PROFFER_TEST_NOSKIP") != "" {
		t.Fatal("needs root, and PROFFER_TEST_NOSKIP forbids to skip")
	}
	t.Skip("needs root: makes control groups and changes users")
}

func newMachine(t *testing.T, change func(*Options)) *machine {
	t.Helper()
	dir := t.TempDir()
	for d := dir; d != os.TempDir() && d != "/"; d = filepath.Dir(d) {
		if err := os.Chmod(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	key, err := credential.CreateKeyFile(filepath.Join(dir, "key"))
	if err != nil {
		t.Fatal(err)
	}
	m := &machine{t: t, leader: newLeader(t, key), log: &bytes.Buffer{}}
	m.o = DefaultOptions()
	m.o.Dir, m.o.Port, m.o.Hostname, m.o.KeyFile = filepath.Join(dir, "agent"), 0, "127.0.0.1", filepath.Join(dir, "key")
	m.o.Masters, m.o.ExecutorBinary = []string{m.leader.addr()}, os.Getenv("PROFFER_TEST_EXECUTOR")
	m.o.Resources = "cpus:4;mem:2048;disk:1024;ports:[31000-31099]"
	m.o.KillTasksOnStop = true
	m.o.Log = slog.New(slog.NewTextHandler(testWriter{t}, nil))
	if change != nil {
		change(&m.o)
	}
	m.start()
	t.Cleanup(func() {
		m.o.KillTasksOnStop = true
		if m.agent == nil {
			m.start()
		}
		m.agent.o.KillTasksOnStop = true
		m.halt()
		m.nothingLeft()
	})
	m.leader.registered(1)
	m.knowsItself()
	return m
}

// knowsItself waits until the agent has read that it is registered: before that it has
// no id, and takes no executor's token.
func (m *machine) knowsItself() {
	m.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	for registered := false; !registered; {
		if !m.agent.ask(ctx, func(l *ledger.Ledger) { registered = l.Registered() }) {
			m.t.Fatal("the agent did not learn that it is registered")
		}
	}
}

// testWriter brings an agent's log to its test.
type testWriter struct{ t *testing.T }

func (w testWriter) Write(p []byte) (int, error) {
	w.t.Log(strings.TrimSpace(string(p)))
	return len(p), nil
}

func (m *machine) start() {
	m.t.Helper()
	a, err := New(m.o)
	if err != nil {
		m.t.Fatal(err)
	}
	m.o.Port = a.Addr().(*net.TCPAddr).Port // executors of its own come back to the same one
	ctx, stop := context.WithCancel(context.Background())
	m.agent, m.stop, m.end = a, stop, make(chan error, 1)
	go func() { m.end <- a.Run(ctx) }()
}

// halt stops the agent, as its options say.
func (m *machine) halt() {
	m.t.Helper()
	m.stop()
	select {
	case err := <-m.end:
		if err != nil {
			m.t.Errorf("the agent ended with: %v", err)
		}
	case <-time.After(60 * time.Second):
		m.t.Error("the agent does not stop")
	}
	m.agent = nil
}

// restart stops the agent without its tasks, and starts another.
func (m *machine) restart() {
	m.t.Helper()
	m.agent.o.KillTasksOnStop = false
	m.halt()
	m.start()
}

// nothingLeft looks for processes and groups of the agent.
func (m *machine) nothingLeft() {
	m.t.Helper()
	out, _ := exec.Command("pgrep", "-f", m.o.Dir).Output()
	if len(out) > 0 {
		m.t.Errorf("processes are left: %s", out)
	}
	groups, _ := filepath.Glob("/sys/fs/cgroup/*/" + m.o.parent() + "*")
	if len(groups) > 0 {
		m.t.Errorf("groups are left: %v", groups)
	}
}

func (m *machine) get(path string) (int, string) {
	m.t.Helper()
	req, err := http.NewRequest(http.MethodGet, "http://"+m.agent.Addr().String()+path, nil)
	if err != nil {
		m.t.Fatal(err)
	}
	key, err := credential.ReadKeyFile(m.o.KeyFile)
	if err != nil {
		m.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+key.Sign(credential.Claims{Kind: credential.KindOperator, Principal: "op"}))
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		m.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		m.t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

func (m *machine) output(id string) string {
	m.t.Helper()
	status, body := m.get("/api/v1/logs?framework_id=f1&task_id=" + id + "&follow=true")
	if status != http.StatusOK {
		m.t.Fatalf("logs of %s: %d %s", id, status, body)
	}
	return body
}

func plain(o *Options) { o.NoCgroups = true }

// TestTaskRuns is the first path: register, RUN, RUNNING, FINISHED, and output.
func TestTaskRuns(t *testing.T) {
	for name, change := range map[string]func(*Options){"groups": nil, "plain": plain} {
		t.Run(name, func(t *testing.T) {
			if change == nil {
				needRoot(t)
			}
			m := newMachine(t, change)
			m.leader.run(shell("a", "echo hello; exit 0", "cpus:0.1;mem:64"), shell("b", "exit 7", "cpus:0.1;mem:64"))
			s := m.leader.state("a", sdk.TaskFinished)
			if s.Message != "Command exited with status 0" || s.AgentID != "agent-1" || s.ContainerStatus == nil || s.ContainerStatus.ContainerID == nil {
				t.Errorf("status of a: %+v", s)
			}
			if got := m.leader.history("a"); got != "TASK_RUNNING TASK_FINISHED" {
				t.Errorf("a went through %s", got)
			}
			s = m.leader.state("b", sdk.TaskFailed)
			if s.Message != "Command exited with status 7" || s.WaitStatus == nil || *s.WaitStatus != 7<<8 {
				t.Errorf("status of b: %+v", s)
			}
			if got := m.output("a"); got != "hello\n" {
				t.Errorf("output of a: %q", got)
			}
		})
	}
}

func TestKill(t *testing.T) {
	m := newMachine(t, plain)
	m.leader.run(shell("a", "sleep 1000", "cpus:0.1;mem:64"))
	m.leader.state("a", sdk.TaskRunning)
	m.leader.kill("a")
	if s := m.leader.state("a", sdk.TaskKilled); s.Reason != "" {
		t.Errorf("killed with reason %s", s.Reason)
	}
	// Before its start: the RUN and the KILL come together.
	m.leader.run(shell("b", "sleep 1000", "cpus:0.1;mem:64"))
	m.leader.kill("b")
	m.leader.state("b", sdk.TaskKilled)
}

// TestRestart is promise P9: the same process before and after.
func TestRestart(t *testing.T) {
	m := newMachine(t, nil)
	m.leader.run(shell("a", "while :; do sleep 0.1; done", "cpus:0.1;mem:64"), shell("b", "sleep 0.5; exit 7", "cpus:0.1;mem:64"))
	before := m.leader.state("a", sdk.TaskRunning).ContainerStatus.ExecutorPID
	m.leader.state("b", sdk.TaskRunning)
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", before))
	if err != nil {
		t.Fatal(err)
	}
	m.restart()
	m.leader.registered(2)
	if s := m.leader.state("b", sdk.TaskFailed); s.Message != "Command exited with status 7" {
		t.Errorf("b: %+v", s)
	}
	after, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", before))
	if err != nil || startOf(string(stat)) != startOf(string(after)) {
		t.Errorf("a is not the same process: %s, %s, %v", stat, after, err)
	}
	m.leader.kill("a")
	m.leader.state("a", sdk.TaskKilled)
	if got := m.leader.history("a"); got != "TASK_RUNNING TASK_KILLED" {
		t.Errorf("a went through %s", got)
	}
}

func startOf(stat string) string {
	f := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:])
	if len(f) < 20 {
		return "?"
	}
	return f[19]
}

// TestOOM is promise P17: a limit names itself.
func TestOOM(t *testing.T) {
	needRoot(t)
	m := newMachine(t, nil)
	m.leader.run(shell("a", "head -c 200m /dev/zero | tail", "cpus:1;mem:64"))
	s := m.leader.state("a", sdk.TaskFailed)
	if s.Reason != sdk.ReasonContainerLimitationMemory || s.Limitation == nil || !strings.Contains(s.Message, "64 MB") {
		t.Errorf("status: %+v", s)
	}
}

func TestFailedFetchFailsTheLaunch(t *testing.T) {
	m := newMachine(t, plain)
	task := shell("a", "true", "cpus:0.1;mem:64")
	task.Command.URIs = []sdk.URI{{Value: "http://127.0.0.1:1/nothing"}}
	m.leader.run(task)
	s := m.leader.state("a", sdk.TaskFailed)
	if s.Reason != sdk.ReasonContainerLaunchFailed || s.Source != sdk.SourceAgent {
		t.Errorf("status: %+v", s)
	}
}

func TestUnknownUserIsRefusedByName(t *testing.T) {
	needRoot(t)
	m := newMachine(t, plain)
	task := shell("a", "id -u", "cpus:0.1;mem:64")
	task.Command.User = "nosuchuser"
	m.leader.send(link.Event{Type: link.EventRun, Run: &link.Run{Framework: framework(), Tasks: []sdk.TaskInfo{task}, AllowedUsers: []string{"*"}}})
	s := m.leader.state("a", sdk.TaskFailed)
	if !strings.Contains(s.Message, "nosuchuser") {
		t.Errorf("status: %+v", s)
	}
}

// TestFrameworkTask has a token that only its own user can read.
func TestFrameworkTask(t *testing.T) {
	needRoot(t)
	m := newMachine(t, func(o *Options) { o.Binary = "/bin/sh" })
	task := shell("a", `id -u; stat -c '%a %u' $PROFFER_TOKEN_FILE; head -c 5 $PROFFER_TOKEN_FILE; echo; echo $PROFFER_ADDR; test -x "$PROFFER_BINARY" && echo yes`, "cpus:0.1;mem:64")
	task.Labels = &sdk.Labels{Labels: []sdk.Label{{Key: "PROFFER_FRAMEWORK", Value: "marathonish"}}}
	other := shell("b", `id -u; echo "[$PROFFER_TOKEN_FILE$PROFFER_BINARY]"`, "cpus:0.1;mem:64")
	m.leader.send(link.Event{Type: link.EventRun, Run: &link.Run{Framework: framework(), Tasks: []sdk.TaskInfo{task, other}, FrameworkPrincipal: "marathonish"}})
	m.leader.state("a", sdk.TaskFinished)
	m.leader.state("b", sdk.TaskFinished)
	lines := strings.Split(strings.TrimSpace(m.output("a")), "\n")
	if len(lines) != 5 || lines[4] != "yes" || lines[1] != "400 "+lines[0] || lines[2] != "pfr1." || lines[3] != m.leader.addr() {
		t.Errorf("output of a: %q", lines)
	}
	if got := m.output("b"); !strings.HasSuffix(got, "[]\n") || strings.HasPrefix(got, lines[0]+"\n") || strings.HasPrefix(got, "0\n") {
		t.Errorf("output of b: %q", got)
	}
}

func executorClaims(f sdk.FrameworkID, x sdk.ExecutorID) credential.Claims {
	return credential.Claims{Kind: credential.KindExecutor, FrameworkID: f, ExecutorID: x, AgentID: "agent-1"}
}
