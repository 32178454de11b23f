package executor_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/executor"
	"github.com/profferhq/proffer/sdk/wire"
)

// fakeAgent is the executor API over TCP, as far as one executor needs it.
type fakeAgent struct {
	enc    wire.Encoding
	server *httptest.Server
	refuse sdk.TaskID // updates of this task are answered with 400

	mu         sync.Mutex
	subscribes []sdk.ExecutorSubscribe
	updates    []sdk.ExecutorUpdate
	messages   []string
	bodies     int
	token      string
	stream     chan *sdk.ExecutorEvent // nil ends the stream
	ack        bool
	changed    chan struct{}
}

func newFakeAgent(enc wire.Encoding) *fakeAgent {
	a := &fakeAgent{enc: enc, ack: true, changed: make(chan struct{}, 1)}
	a.server = httptest.NewServer(a)
	return a
}

func (a *fakeAgent) close() {
	a.end()
	a.server.CloseClientConnections()
	a.server.Close()
}

func (a *fakeAgent) env() executor.Env {
	return executor.Env{FrameworkID: "f1", ExecutorID: "e1", Endpoint: strings.TrimPrefix(a.server.URL, "http://"),
		Token: "secret", Checkpoint: true, Recovery: 10 * time.Second, BackoffMax: 50 * time.Millisecond}
}

func (a *fakeAgent) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	calls, err := a.read(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	a.mu.Lock()
	a.token = r.Header.Get("Authorization")
	if calls[0].Type == sdk.ExecutorCallSubscribe {
		a.subscribes = append(a.subscribes, *calls[0].Subscribe)
		stream := make(chan *sdk.ExecutorEvent, 10_000)
		a.stream = stream
		stream <- &sdk.ExecutorEvent{Type: sdk.ExecutorEventSubscribed, Subscribed: &sdk.ExecutorSubscribed{
			ExecutorInfo: sdk.ExecutorInfo{ExecutorID: "e1"}, FrameworkInfo: sdk.FrameworkInfo{User: "u", Name: "n"},
			AgentInfo: sdk.AgentInfo{Hostname: "h"}}}
		for _, u := range calls[0].Subscribe.UnacknowledgedUpdates {
			a.take(u)
		}
		a.mu.Unlock()
		a.signal()
		a.serve(w, r, stream)
		return
	}
	defer a.signal()
	defer a.mu.Unlock()
	a.bodies++
	for _, c := range calls {
		if c.Update != nil && c.Update.Status.TaskID == a.refuse && a.refuse != "" {
			http.Error(w, "no such task", http.StatusBadRequest)
			return
		}
	}
	for _, c := range calls {
		if c.Update != nil {
			a.take(*c.Update)
		}
		if c.Message != nil {
			a.messages = append(a.messages, string(c.Message.Data))
		}
	}
	w.WriteHeader(http.StatusAccepted)
}

func (a *fakeAgent) read(r *http.Request) (calls []sdk.ExecutorCall, err error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	if r.Header.Get("Content-Type") != "application/recordio" {
		calls = make([]sdk.ExecutorCall, 1)
		return calls, wire.Unmarshal(a.enc, body, &calls[0])
	}
	for records := wire.NewReader(strings.NewReader(string(body)), 1<<20); ; {
		b, err := records.Next()
		if errors.Is(err, io.EOF) {
			return calls, nil
		}
		var c sdk.ExecutorCall
		if err == nil {
			err = wire.Unmarshal(a.enc, b, &c)
		}
		if err != nil {
			return nil, err
		}
		calls = append(calls, c)
	}
}

func (a *fakeAgent) serve(w http.ResponseWriter, r *http.Request, stream chan *sdk.ExecutorEvent) {
	w.Header().Set("Content-Type", a.enc.ContentType())
	for {
		select {
		case e := <-stream:
			if e == nil {
				return
			}
			b, err := wire.Marshal(a.enc, e)
			if err != nil {
				return
			}
			_, _ = w.Write(wire.AppendRecord(nil, b))
			w.(http.Flusher).Flush()
		case <-r.Context().Done():
			return
		}
	}
}

func (a *fakeAgent) take(u sdk.ExecutorUpdate) {
	a.updates = append(a.updates, u)
	if a.ack {
		a.stream <- &sdk.ExecutorEvent{Type: sdk.ExecutorEventAcknowledged,
			Acknowledged: &sdk.Acknowledged{TaskID: u.Status.TaskID, UUID: u.Status.UUID}}
	}
}

func (a *fakeAgent) signal() {
	select {
	case a.changed <- struct{}{}:
	default:
	}
}

// await waits until ok, which is asked after each call of the executor.
func (a *fakeAgent) await(t testing.TB, what string, ok func() bool) {
	t.Helper()
	late := time.After(20 * time.Second)
	for {
		a.mu.Lock()
		done := ok()
		a.mu.Unlock()
		if done {
			return
		}
		select {
		case <-a.changed:
		case <-late:
			t.Fatal("not within 20 s: " + what)
		}
	}
}

func (a *fakeAgent) send(e *sdk.ExecutorEvent) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.stream <- e
}

func (a *fakeAgent) end() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.stream != nil {
		a.stream <- nil
		a.stream = nil
	}
}

func launch(id sdk.TaskID) *sdk.ExecutorEvent {
	return &sdk.ExecutorEvent{Type: sdk.ExecutorEventLaunch, Launch: &sdk.ExecutorLaunch{Task: sdk.TaskInfo{Name: "n", TaskID: id, AgentID: "a1"}}}
}

func update(id sdk.TaskID, state sdk.TaskState) sdk.ExecutorUpdate {
	return sdk.ExecutorUpdate{Status: sdk.TaskStatus{TaskID: id, State: state}}
}

// drive runs a driver whose handler reports each launched task as running and
// finished, and stops at SHUTDOWN.
func drive(t *testing.T, a *fakeAgent, env executor.Env) (*executor.Driver, <-chan error) {
	t.Helper()
	d, err := executor.New(executor.Options{Env: env, Encoding: a.enc, Handle: func(d *executor.Driver, e *sdk.ExecutorEvent) {
		switch e.Type {
		case sdk.ExecutorEventLaunch:
			d.Update(update(e.Launch.Task.TaskID, sdk.TaskRunning))
			d.Update(update(e.Launch.Task.TaskID, sdk.TaskFinished))
		case sdk.ExecutorEventShutdown:
			d.Stop(time.Second)
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- d.Run(context.Background()) }()
	return d, ended
}

func TestDriverInEveryEncoding(t *testing.T) {
	for _, enc := range []wire.Encoding{wire.Msgpack, wire.JSON, wire.Protobuf} {
		t.Run(enc.String(), func(t *testing.T) {
			a := newFakeAgent(enc)
			defer a.close()
			d, ended := drive(t, a, a.env())
			a.await(t, "SUBSCRIBE", func() bool { return len(a.subscribes) == 1 })
			a.send(launch("t1"))
			a.await(t, "two updates", func() bool { return len(a.updates) == 2 })
			for i, u := range a.updates {
				s := u.Status
				if s.State != []sdk.TaskState{sdk.TaskRunning, sdk.TaskFinished}[i] || len(s.UUID) != 16 || s.Timestamp == 0 ||
					s.Source != sdk.SourceExecutor || s.ExecutorID != "e1" {
					t.Errorf("update %d is %+v", i, s)
				}
			}
			d.Message([]byte("hello"))
			a.await(t, "a message", func() bool { return len(a.messages) == 1 && a.messages[0] == "hello" })
			if a.token != "Bearer secret" {
				t.Errorf("the token arrives as %q", a.token)
			}
			a.send(&sdk.ExecutorEvent{Type: sdk.ExecutorEventShutdown})
			if err := <-ended; err != nil {
				t.Error(err)
			}
		})
	}
}

// P8: what is not acknowledged is told again after each new subscription, in order.
func TestDriverTellsAgain(t *testing.T) {
	a := newFakeAgent(wire.Msgpack)
	defer a.close()
	a.ack = false
	_, ended := drive(t, a, a.env())
	a.await(t, "SUBSCRIBE", func() bool { return len(a.subscribes) == 1 })
	a.send(launch("t1"))
	a.await(t, "two updates", func() bool { return len(a.updates) == 2 })
	a.end()
	a.await(t, "the second SUBSCRIBE", func() bool { return len(a.subscribes) == 2 })
	again := a.subscribes[1]
	if len(again.UnacknowledgedTasks) != 1 || len(again.UnacknowledgedUpdates) != 2 ||
		string(again.UnacknowledgedUpdates[1].Status.UUID) != string(a.updates[1].Status.UUID) {
		t.Errorf("the second SUBSCRIBE tells %+v", again)
	}
	a.mu.Lock()
	a.ack = true
	a.mu.Unlock()
	a.end()
	a.await(t, "the third SUBSCRIBE", func() bool { return len(a.subscribes) == 3 })
	a.send(&sdk.ExecutorEvent{Type: sdk.ExecutorEventShutdown}) // behind the acknowledgements
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestDriverBatches(t *testing.T) {
	a := newFakeAgent(wire.Msgpack)
	defer a.close()
	d, ended := drive(t, a, a.env())
	a.await(t, "SUBSCRIBE", func() bool { return len(a.subscribes) == 1 })
	const n = 1000
	for range n {
		d.Update(update("t", sdk.TaskRunning))
	}
	a.await(t, "all updates", func() bool { return len(a.updates) == n })
	if a.bodies > n/4 {
		t.Errorf("%d updates came in %d bodies", n, a.bodies)
	}
	d.Stop(time.Second)
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// An update that the agent refuses for what it is does not hold up the others.
func TestDriverDropsWhatIsRefused(t *testing.T) {
	a := newFakeAgent(wire.Msgpack)
	defer a.close()
	a.refuse = "bad"
	d, ended := drive(t, a, a.env())
	a.await(t, "SUBSCRIBE", func() bool { return len(a.subscribes) == 1 })
	for _, id := range []sdk.TaskID{"a", "bad", "b"} {
		d.Update(update(id, sdk.TaskRunning))
	}
	a.await(t, "the good ones", func() bool { return len(a.updates) >= 2 })
	d.Stop(10 * time.Second)
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if len(a.subscribes) != 1 {
		t.Errorf("%d subscriptions", len(a.subscribes))
	}
}

func TestDriverGivesUp(t *testing.T) {
	a := newFakeAgent(wire.Msgpack)
	env := a.env()
	env.Recovery = 200 * time.Millisecond
	_, ended := drive(t, a, env)
	a.await(t, "SUBSCRIBE", func() bool { return len(a.subscribes) == 1 })
	a.send(launch("t1"))
	a.await(t, "an update: the driver knows that it is subscribed", func() bool { return len(a.updates) >= 1 })
	a.close()
	if err := <-ended; err == nil || !strings.Contains(err.Error(), "did not come back within 200ms") {
		t.Errorf("it ends with %v", err)
	}
	b := newFakeAgent(wire.Msgpack)
	env = b.env()
	env.Checkpoint = false
	_, ended = drive(t, b, env)
	b.await(t, "SUBSCRIBE", func() bool { return len(b.subscribes) == 1 })
	b.send(launch("t1"))
	b.await(t, "an update", func() bool { return len(b.updates) >= 1 })
	b.close()
	if err := <-ended; err == nil || !strings.Contains(err.Error(), "checkpoints") {
		t.Errorf("without checkpoints it ends with %v", err)
	}
}
