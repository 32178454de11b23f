package command

import (
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/executor"
	"github.com/profferhq/proffer/sdk/wire"
)

// agent plays the agent's side of the executor API and keeps what it is told, each
// update once by its uuid.
type agent struct {
	t       testing.TB
	dir     string
	runtime string
	killing bool // the framework wants TASK_KILLING
	mute    bool // does not acknowledge what is about health
	bodies  int  // UPDATE bodies
	calls   int

	mu       sync.Mutex
	told     map[sdk.TaskID][]sdk.ExecutorUpdate
	seen     map[string]bool
	stream   chan *sdk.ExecutorEvent // of the subscriber
	changed  *sync.Cond
	specs    map[sdk.TaskID]*sdk.LaunchSpec // of every task that was launched
	relaunch []*sdk.LaunchSpec              // for the next subscriber
}

func newAgent(t testing.TB) *agent {
	t.Helper()
	dir, err := os.MkdirTemp("", "pe") // short: it holds sockets
	if err != nil {
		t.Fatal(err)
	}
	a := &agent{t: t, dir: dir, runtime: filepath.Join(dir, "run"), told: map[sdk.TaskID][]sdk.ExecutorUpdate{}, seen: map[string]bool{},
		specs: map[sdk.TaskID]*sdk.LaunchSpec{}}
	a.changed = sync.NewCond(&a.mu)
	if err := os.MkdirAll(a.runtime, 0o700); err != nil {
		t.Fatal(err)
	}
	listen, err := net.Listen("unix", filepath.Join(a.runtime, "agent.sock"))
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(a.serve)}
	go server.Serve(listen)
	t.Cleanup(func() {
		_ = server.Close()
		if t.Failed() {
			for _, log := range []string{"run/launcher.log"} {
				b, _ := os.ReadFile(filepath.Join(dir, log))
				t.Logf("%s:\n%s", log, b)
			}
			files, _ := filepath.Glob(filepath.Join(dir, "logs", "ex*", "stderr.*"))
			for _, f := range files {
				b, _ := os.ReadFile(f)
				t.Logf("%s:\n%s", f, b)
			}
		}
		_ = os.RemoveAll(dir)
	})
	return a
}

func (a *agent) serve(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	var calls []sdk.ExecutorCall
	add := func(b []byte) {
		var c sdk.ExecutorCall
		if err := wire.Unmarshal(wire.Msgpack, b, &c); err != nil {
			a.t.Errorf("a call is not understood: %v", err)
		}
		calls = append(calls, c)
	}
	if r.Header.Get("Content-Type") == "application/recordio" {
		for records := wire.NewReader(bytesReader(body), 1<<24); ; {
			b, err := records.Next()
			if err != nil {
				break
			}
			add(b)
		}
	} else {
		add(body)
	}
	if calls[0].Type == sdk.ExecutorCallSubscribe {
		a.subscribe(w, r, calls[0].Subscribe)
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.bodies++
	a.calls += len(calls)
	for _, c := range calls {
		if c.Update != nil {
			a.update(*c.Update)
		}
	}
	w.WriteHeader(http.StatusAccepted)
}

func (a *agent) subscribe(w http.ResponseWriter, r *http.Request, s *sdk.ExecutorSubscribe) {
	stream := make(chan *sdk.ExecutorEvent, 1<<14)
	a.mu.Lock()
	a.stream = stream
	info := sdk.FrameworkInfo{User: "root", Name: "test", ID: "f1"}
	if a.killing {
		info.Capabilities = []sdk.FrameworkCapability{{Type: sdk.CapabilityTaskKillingState}}
	}
	stream <- &sdk.ExecutorEvent{Type: sdk.ExecutorEventSubscribed, Subscribed: &sdk.ExecutorSubscribed{
		ExecutorInfo: sdk.ExecutorInfo{ExecutorID: "e1"}, FrameworkInfo: info, AgentInfo: sdk.AgentInfo{Hostname: "h"}}}
	for _, u := range s.UnacknowledgedUpdates {
		a.update(u)
	}
	for _, spec := range a.relaunch {
		stream <- launchEvent(spec)
	}
	a.relaunch = nil
	a.changed.Broadcast()
	a.mu.Unlock()
	for {
		select {
		case <-r.Context().Done():
			return
		case e := <-stream:
			b, err := wire.Marshal(wire.Msgpack, e)
			if err != nil {
				a.t.Errorf("event: %v", err)
				return
			}
			if _, err := w.Write(wire.AppendRecord(nil, b)); err != nil {
				return
			}
			w.(http.Flusher).Flush()
		}
	}
}

// update takes one update and acknowledges it; with a.mu held.
func (a *agent) update(u sdk.ExecutorUpdate) {
	if !a.seen[string(u.Status.UUID)] {
		a.seen[string(u.Status.UUID)] = true
		a.told[u.Status.TaskID] = append(a.told[u.Status.TaskID], u)
		a.changed.Broadcast()
	}
	if a.stream == nil {
		return // the last words of an executor that was killed; its successor repeats them
	}
	if a.mute && u.Status.Healthy != nil {
		return
	}
	a.stream <- &sdk.ExecutorEvent{Type: sdk.ExecutorEventAcknowledged,
		Acknowledged: &sdk.Acknowledged{TaskID: u.Status.TaskID, UUID: u.Status.UUID}}
}

func (a *agent) send(e *sdk.ExecutorEvent) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.await("a subscriber", func() bool { return a.stream != nil })
	a.stream <- e
}

// await waits, with a.mu held, until ok; it fails the test after 30 s.
func (a *agent) await(what string, ok func() bool) {
	a.t.Helper()
	late := false
	timer := time.AfterFunc(30*time.Second, func() {
		a.mu.Lock()
		late = true
		a.mu.Unlock()
		a.changed.Broadcast()
	})
	defer timer.Stop()
	for !ok() {
		if late {
			a.t.Fatalf("no %s within 30 s; told: %v", what, a.states())
		}
		a.changed.Wait()
	}
}

func (a *agent) states() map[sdk.TaskID][]sdk.TaskState {
	m := map[sdk.TaskID][]sdk.TaskState{}
	for id, all := range a.told {
		for _, u := range all {
			m[id] = append(m[id], u.Status.State)
		}
	}
	return m
}

// state waits for the task to be told in the state.
func (a *agent) state(id sdk.TaskID, state sdk.TaskState) sdk.ExecutorUpdate {
	a.t.Helper()
	a.mu.Lock()
	defer a.mu.Unlock()
	var found sdk.ExecutorUpdate
	a.await(string(id)+" "+string(state), func() bool {
		for _, u := range a.told[id] {
			if u.Status.State == state {
				found = u
				return true
			}
		}
		return false
	})
	return found
}

// end waits for the terminal state of the task.
func (a *agent) end(id sdk.TaskID) sdk.ExecutorUpdate {
	a.t.Helper()
	a.mu.Lock()
	defer a.mu.Unlock()
	var found sdk.ExecutorUpdate
	a.await("end of "+string(id), func() bool {
		for _, u := range a.told[id] {
			switch u.Status.State {
			case sdk.TaskFinished, sdk.TaskFailed, sdk.TaskKilled:
				found = u
				return true
			}
		}
		return false
	})
	return found
}

// dial connects to the launcher, and starts it when there is none.
func (a *agent) dial() *executor.Launcher {
	a.t.Helper()
	self, err := os.Executable()
	if err != nil {
		a.t.Fatal(err)
	}
	ctx, cancel := contextFor(20 * time.Second)
	defer cancel()
	l, err := executor.Spawn(ctx, self, a.runtime)
	if err != nil {
		a.t.Fatal(err)
	}
	a.t.Cleanup(func() {
		_ = l.Close()
		if a.t.Failed() {
			_ = unix.Kill(l.PID(), unix.SIGKILL)
		}
	})
	return l
}

// startExecutor starts an executor for e1 of f1 in a container of its own.
func (a *agent) startExecutor(l *executor.Launcher, container string) sdk.Process {
	a.t.Helper()
	self, err := os.Executable()
	if err != nil {
		a.t.Fatal(err)
	}
	spec := a.spec(container, "")
	spec.TaskID, spec.Path, spec.Args = "", self, []string{"executor"}
	spec.Env = []string{roleEnv + "=executor", "PROFFER_TEST_RUNTIME=" + a.runtime, "MESOS_FRAMEWORK_ID=f1", "MESOS_EXECUTOR_ID=e1",
		"MESOS_CHECKPOINT=1", "MESOS_DOMAIN_SOCKET=" + filepath.Join(a.runtime, "agent.sock"), "MESOS_SUBSCRIPTION_BACKOFF_MAX=200ms"}
	ctx, cancel := contextFor(20 * time.Second)
	defer cancel()
	p, err := l.Start(ctx, spec)
	if err != nil {
		a.t.Fatal(err)
	}
	a.t.Cleanup(func() { _ = unix.Kill(int(p.PID), unix.SIGKILL) })
	return p
}

func (a *agent) spec(container, script string) *sdk.LaunchSpec {
	return &sdk.LaunchSpec{Version: sdk.LaunchVersion, ContainerID: container, FrameworkID: "f1", ExecutorID: "e1", TaskID: sdk.TaskID(container),
		Path: "/bin/sh", Args: []string{"sh", "-c", script}, Env: []string{"PATH=/usr/bin:/bin"}, Dir: a.dir,
		RuntimeDir: filepath.Join(a.runtime, executor.ContainersDir, container), LogDir: filepath.Join(a.dir, "logs", container)}
}

func info(id string) sdk.TaskInfo {
	return sdk.TaskInfo{Name: id, TaskID: sdk.TaskID(id), AgentID: "a1"}
}

func (a *agent) run(spec *sdk.LaunchSpec) {
	a.hold(spec)
	a.mu.Lock()
	a.specs[spec.TaskID] = spec
	a.mu.Unlock()
	a.send(launchEvent(spec))
}

// hold holds the output of a container, as the agent does from before its launch.
func (a *agent) hold(spec *sdk.LaunchSpec) {
	a.t.Helper()
	if err := os.MkdirAll(spec.RuntimeDir, 0o700); err != nil {
		a.t.Fatal(err)
	}
	h, err := executor.Hold(spec)
	if err != nil {
		a.t.Fatal(err)
	}
	a.t.Cleanup(h.Close)
}

func launchEvent(spec *sdk.LaunchSpec) *sdk.ExecutorEvent {
	return &sdk.ExecutorEvent{Type: sdk.ExecutorEventLaunch, Launch: &sdk.ExecutorLaunch{Task: info(spec.ContainerID), Spec: spec}}
}

func (a *agent) kill(id string, grace time.Duration) {
	k := &sdk.ExecutorKill{TaskID: sdk.TaskID(id)}
	if grace > 0 {
		k.KillPolicy = &sdk.KillPolicy{GracePeriod: &sdk.DurationInfo{Nanoseconds: int64(grace)}}
	}
	a.send(&sdk.ExecutorEvent{Type: sdk.ExecutorEventKill, Kill: k})
}
