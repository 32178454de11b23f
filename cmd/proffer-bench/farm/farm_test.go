package farm

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/profferhq/proffer/kernel/credential"
	"github.com/profferhq/proffer/kernel/link"
	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/wire"
)

// fakeMaster takes one agent in on stream after stream and hands its calls to the test.
type fakeMaster struct {
	t       *testing.T
	key     credential.Key
	streams chan *fakeStream
	calls   chan link.Call
}

type fakeStream struct {
	register *link.Register
	events   chan *link.Event // closed: the stream ends
}

func (m *fakeMaster) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := wire.ParseBody(r.Header.Get("Content-Type"), r.Header.Get(wire.HeaderMessageContentType))
	if err != nil {
		m.t.Error(err)
	}
	data, err := io.ReadAll(r.Body)
	if err != nil {
		m.t.Error(err)
	}
	calls, err := wire.UnmarshalBody[link.Call](body, data, 1000)
	if err != nil {
		m.t.Error(err)
		return
	}
	for i := range calls {
		if err := calls[i].Validate(); err != nil {
			m.t.Error(err)
		}
		if calls[i].Type != link.CallRegister {
			m.calls <- calls[i]
			continue
		}
		w.Header().Set(credential.HeaderProof, m.key.LinkProof(r.Header.Get(credential.HeaderChallenge)))
		w.Header().Set(link.SessionHeader, "s")
		s := &fakeStream{register: calls[i].Register, events: make(chan *link.Event, 10)}
		m.streams <- s
		for e := range s.events {
			e.Version = link.Version
			record, err := wire.AppendMessage(wire.Msgpack, nil, e)
			if err != nil {
				m.t.Error(err)
			}
			_, _ = w.Write(record)
			w.(http.Flusher).Flush()
		}
		return
	}
	w.WriteHeader(http.StatusAccepted)
}

func receive[T any](t *testing.T, c <-chan T, what string) (v T) {
	t.Helper()
	select {
	case v = <-c:
	case <-time.After(10 * time.Second):
		t.Fatalf("waited in vain for %s", what)
	}
	return v
}

func (s *fakeStream) registered(term uint64) {
	s.events <- &link.Event{Type: link.EventRegistered, Term: term, Registered: &link.Registered{AgentID: "a", HeartbeatSeconds: 100}}
}

// An agent that has nothing to say gives signs of life, although it hears its leader's.
func TestAnAgentIsNeverSilent(t *testing.T) {
	m := &fakeMaster{t: t, key: credential.NewKey(), streams: make(chan *fakeStream, 1), calls: make(chan link.Call, 10)}
	server := httptest.NewServer(m)
	defer server.Close()
	f, err := Start(Options{Agents: 1, Addrs: []string{strings.TrimPrefix(server.URL, "http://")}, Key: m.key})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Stop()
	s := receive(t, m.streams, "the registration")
	defer close(s.events)
	const every = 100 * time.Millisecond
	s.events <- &link.Event{Type: link.EventRegistered, Registered: &link.Registered{AgentID: "a", HeartbeatSeconds: every.Seconds()}}
	beat := time.NewTicker(every / 2)
	defer beat.Stop()
	for begin := time.Now(); ; {
		select {
		case c := <-m.calls:
			if c.Type != link.CallHeartbeat {
				t.Errorf("it says %s", c.Type)
			}
			return
		case <-beat.C:
			s.events <- &link.Event{Type: link.EventHeartbeat}
			if time.Since(begin) > 5*time.Second {
				t.Fatal("it says nothing")
			}
		}
	}
}

// An agent of the farm says what a real one says: one update of a task at a time, the same
// again to the next leader, its tasks in its registration; and it obeys no older leader.
func TestAnAgentKeepsItsWord(t *testing.T) {
	m := &fakeMaster{t: t, key: credential.NewKey(), streams: make(chan *fakeStream, 1), calls: make(chan link.Call, 10)}
	server := httptest.NewServer(m)
	defer server.Close()
	f, err := Start(Options{Agents: 1, Addrs: []string{strings.TrimPrefix(server.URL, "http://")}, Key: m.key, Run: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Stop()
	update := func(want sdk.TaskState) link.Call {
		t.Helper()
		c := receive(t, m.calls, "an update")
		if c.Update == nil || c.Update.Status.State != want {
			t.Fatalf("got %s %+v, want %s", c.Type, c.Update, want)
		}
		return c
	}

	first := receive(t, m.streams, "the first registration")
	first.registered(2)
	first.events <- &link.Event{Type: link.EventRun, Term: 2, Run: &link.Run{Framework: sdk.FrameworkInfo{ID: "f"}, Tasks: []sdk.TaskInfo{{Name: "n", TaskID: "t"}}}}
	running := update(sdk.TaskRunning)
	close(first.events)

	old := receive(t, m.streams, "the second registration")
	if tasks := old.register.Tasks; len(tasks) != 1 || tasks[0].StatusUpdateState != sdk.TaskRunning || string(tasks[0].StatusUpdateUUID) != string(running.Update.Status.UUID) {
		t.Errorf("it registered with %+v", tasks)
	}
	if old.register.Highest.Term != 2 {
		t.Errorf("it has obeyed %s", old.register.Highest)
	}
	old.registered(1)

	second := receive(t, m.streams, "another registration, for that leader is too old")
	close(old.events)
	second.registered(3)
	again := update(sdk.TaskRunning)
	if string(again.Update.Status.UUID) != string(running.Update.Status.UUID) || f.Resent.Load() != 1 {
		t.Errorf("%d sent again, the last with another uuid: %v", f.Resent.Load(), again.Update)
	}
	for _, c := range []link.Call{again, {}} {
		if c.Update == nil {
			c = update(sdk.TaskFinished)
		}
		second.events <- &link.Event{Type: link.EventAcknowledge, Term: 3, Acknowledge: &link.Acknowledge{FrameworkID: "f", TaskID: "t", UUID: c.Update.Status.UUID}}
	}
	second.events <- &link.Event{Type: link.EventReconcile, Term: 3, Reconcile: &link.Reconcile{FrameworkID: "f", TaskID: "t"}}
	if c := receive(t, m.calls, "the answer"); c.Reconciled == nil || c.Reconciled.Status.State != sdk.TaskFinished {
		t.Errorf("of the ended task it says %+v", c.Reconciled)
	}
	if running, waiting := f.Holding(); running != 0 || waiting != 0 || f.Acknowledged.Load() != 2 {
		t.Errorf("it holds %d tasks and %d updates", running, waiting)
	}
	close(second.events)
}
