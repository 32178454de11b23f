package agent

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/profferhq/proffer/kernel/credential"
	"github.com/profferhq/proffer/kernel/link"
	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/wire"
)

// leader is a master that speaks link and nothing else. It acknowledges every
// update unless told otherwise, and remembers all of them in order.
type leader struct {
	t      *testing.T
	server *httptest.Server
	key    credential.Key

	mu       sync.Mutex
	changed  chan struct{} // closed and replaced at every change
	term     uint64
	events   chan *link.Event
	register []*link.Register
	calls    []*link.Call
	states   map[sdk.TaskID][]sdk.TaskStatus // without those sent again
	seen     map[string]bool
	noAck    bool
	deaf     bool // refuses everything
	beat     time.Duration
}

func newLeader(t *testing.T, key credential.Key) *leader {
	m := &leader{t: t, key: key, term: 1, beat: time.Second, changed: make(chan struct{}), states: map[sdk.TaskID][]sdk.TaskStatus{}, seen: map[string]bool{}}
	m.server = httptest.NewServer(http.HandlerFunc(m.serve))
	t.Cleanup(func() {
		m.hangUp()
		m.server.Close()
	})
	return m
}

func (m *leader) addr() string { return strings.TrimPrefix(m.server.URL, "http://") }

func (m *leader) serve(w http.ResponseWriter, r *http.Request) {
	m.mu.Lock()
	deaf := m.deaf
	m.mu.Unlock()
	if deaf {
		http.Error(w, "no leader", http.StatusServiceUnavailable)
		return
	}
	if !m.key.IsZero() {
		if _, err := m.key.Verify(tokenOf(r)); err != nil {
			http.Error(w, err.Error(), http.StatusUnauthorized)
			return
		}
	}
	body, err := wire.ParseBody(r.Header.Get("Content-Type"), r.Header.Get(wire.HeaderMessageContentType))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	data, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	calls, err := wire.UnmarshalBody[link.Call](body, data, 1<<20)
	if err != nil {
		m.t.Errorf("a body of the agent cannot be read: %v", err)
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	for i := range calls {
		if err := calls[i].Validate(); err != nil {
			m.t.Errorf("call %s: %v", calls[i].Type, err)
		}
		if calls[i].Type == link.CallRegister {
			m.stream(w, r, &calls[i])
			return
		}
		m.take(&calls[i])
	}
	w.WriteHeader(http.StatusAccepted)
}

func (m *leader) stream(w http.ResponseWriter, r *http.Request, c *link.Call) {
	events := make(chan *link.Event, 4096)
	m.mu.Lock()
	m.register = append(m.register, c.Register)
	if m.events != nil {
		close(m.events)
	}
	m.events = events
	id := c.AgentID
	m.mu.Unlock()
	if id == "" {
		id = "agent-1"
	}
	w.Header().Set(link.SessionHeader, "s")
	w.Header().Set(credential.HeaderProof, m.key.LinkProof(r.Header.Get(credential.HeaderChallenge)))
	w.WriteHeader(http.StatusOK)
	m.send(link.Event{Type: link.EventRegistered, Registered: &link.Registered{AgentID: id, HeartbeatSeconds: m.beat.Seconds()}})
	m.change()
	beat := time.NewTicker(m.beat / 2)
	defer beat.Stop()
	for {
		var e *link.Event
		select {
		case <-r.Context().Done():
			return
		case <-beat.C:
			e = &link.Event{Version: link.Version, Generation: 1, Term: 1, Type: link.EventHeartbeat}
		case next, ok := <-events:
			if !ok {
				return
			}
			e = next
		}
		data, err := wire.AppendMessage(wire.Msgpack, nil, e)
		if err != nil {
			m.t.Error(err)
			return
		}
		if _, err := w.Write(data); err != nil {
			return
		}
		w.(http.Flusher).Flush()
	}
}

func (m *leader) send(e link.Event) {
	m.mu.Lock()
	defer m.mu.Unlock()
	e.Version, e.Generation, e.Term = link.Version, 1, m.term
	if m.events != nil {
		m.events <- &e
	}
}

// hangUp ends the stream.
func (m *leader) hangUp() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.events != nil {
		close(m.events)
		m.events = nil
	}
}

func (m *leader) take(c *link.Call) {
	m.mu.Lock()
	m.calls = append(m.calls, c)
	var ack *link.Acknowledge
	if c.Type == link.CallUpdate {
		s := c.Update.Status
		if !m.seen[string(s.UUID)] {
			m.seen[string(s.UUID)] = true
			m.states[s.TaskID] = append(m.states[s.TaskID], s)
		}
		if !m.noAck {
			ack = &link.Acknowledge{FrameworkID: c.Update.FrameworkID, TaskID: s.TaskID, UUID: s.UUID}
		}
	}
	m.mu.Unlock()
	m.change()
	if ack != nil {
		m.send(link.Event{Type: link.EventAcknowledge, Acknowledge: ack})
	}
}

func (m *leader) change() {
	m.mu.Lock()
	defer m.mu.Unlock()
	close(m.changed)
	m.changed = make(chan struct{})
}

// until waits for a condition that is checked under the lock.
func (m *leader) until(what string, ok func() bool) {
	m.t.Helper()
	limit := time.After(30 * time.Second)
	for {
		done, changed := m.ask(ok)
		if done {
			return
		}
		select {
		case <-changed:
		case <-limit:
			m.mu.Lock()
			defer m.mu.Unlock()
			m.t.Fatalf("waited in vain for %s; states: %s", what, m.show())
		}
	}
}

func (m *leader) ask(ok func() bool) (bool, chan struct{}) {
	m.mu.Lock()
	defer m.mu.Unlock() // ok may end the test
	return ok(), m.changed
}

func (m *leader) show() string {
	var b strings.Builder
	for id, list := range m.states {
		fmt.Fprintf(&b, "\n  %s:", id)
		for _, s := range list {
			fmt.Fprintf(&b, " %s(%s %q)", s.State, s.Reason, s.Message)
		}
	}
	return b.String()
}

func (m *leader) registered(n int) {
	m.t.Helper()
	m.until(fmt.Sprintf("registration %d", n), func() bool { return len(m.register) >= n })
}

// state waits until a task has come to a state, and gives that status.
func (m *leader) state(id sdk.TaskID, state sdk.TaskState) sdk.TaskStatus {
	m.t.Helper()
	var found sdk.TaskStatus
	m.until(string(id)+" "+string(state), func() bool {
		for _, s := range m.states[id] {
			if s.State == state {
				found = s
				return true
			}
			if terminal(s.State) {
				m.t.Fatalf("task %s ended as %s, not %s: %q %s", id, s.State, state, s.Message, s.Reason)
			}
		}
		return false
	})
	return found
}

func (m *leader) history(id sdk.TaskID) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []string
	for _, s := range m.states[id] {
		out = append(out, string(s.State))
	}
	return strings.Join(out, " ")
}

func terminal(s sdk.TaskState) bool {
	switch s {
	case sdk.TaskStaging, sdk.TaskStarting, sdk.TaskRunning, sdk.TaskKilling, sdk.TaskUnreachable, sdk.TaskUnknown:
		return false
	}
	return true
}

// shell is a task that runs a line of shell.
func shell(id, line, resources string) sdk.TaskInfo {
	res, err := sdk.ParseResources(resources)
	if err != nil {
		panic(err)
	}
	return sdk.TaskInfo{Name: id, TaskID: sdk.TaskID(id), AgentID: "agent-1", Resources: res, Command: &sdk.CommandInfo{Value: line}}
}

func framework() sdk.FrameworkInfo {
	return sdk.FrameworkInfo{ID: "f1", Name: "test", User: "", Principal: "tester", Checkpoint: true}
}

func (m *leader) run(tasks ...sdk.TaskInfo) {
	m.send(link.Event{Type: link.EventRun, Run: &link.Run{Framework: framework(), Tasks: tasks}})
}

func (m *leader) kill(id sdk.TaskID) {
	m.send(link.Event{Type: link.EventKill, Kill: &link.Kill{FrameworkID: "f1", TaskID: id}})
}
