package framework_test

import (
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/framework"
	"github.com/profferhq/proffer/sdk/sdktest"
	"github.com/profferhq/proffer/sdk/wire"
)

// fakeMaster is a master whose mind is the test: it hands over what it is sent
// and sends what it is given.
type fakeMaster struct {
	t         *testing.T
	subscribe chan *fakeStream                              // one for each SUBSCRIBE
	calls     chan []sdk.Call                               // one for each other request
	answer    func(calls []sdk.Call, w http.ResponseWriter) // nil: 202

	mu       sync.Mutex
	redirect string // answer everything by 307 to there
	requests []*http.Request
}

// fakeStream is one subscription as the master sees it.
type fakeStream struct {
	call   sdk.Call
	header http.Header
	events chan *sdk.Event // closing it ends the stream
	gone   <-chan struct{} // the client is gone
}

func newFakeMaster(t *testing.T) *fakeMaster {
	return &fakeMaster{t: t, subscribe: make(chan *fakeStream, 16), calls: make(chan []sdk.Call, 256)}
}

func (m *fakeMaster) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	m.mu.Lock()
	redirect := m.redirect
	m.requests = append(m.requests, r)
	m.mu.Unlock()
	if redirect != "" {
		w.Header().Set("Location", redirect+r.URL.Path)
		w.WriteHeader(http.StatusTemporaryRedirect)
		return
	}
	if r.Method == http.MethodGet { // who leads, and which masters are there?
		http.NotFound(w, r)
		return
	}
	calls, enc := m.read(r)
	if calls[0].Type == sdk.CallSubscribe {
		m.stream(w, r, calls[0], enc)
		return
	}
	if m.answer != nil {
		m.answer(calls, w)
	} else {
		w.WriteHeader(http.StatusAccepted)
	}
	m.calls <- calls
}

// read takes one call or a sequence of them.
func (m *fakeMaster) read(r *http.Request) ([]sdk.Call, wire.Encoding) {
	var records [][]byte
	contentType := r.Header.Get("Content-Type")
	if contentType == "application/recordio" {
		contentType = r.Header.Get("Message-Content-Type")
		for reader := wire.NewReader(r.Body, 1<<20); ; {
			record, err := reader.Next()
			if err == io.EOF {
				break
			}
			if err != nil {
				m.t.Errorf("records: %v", err)
				break
			}
			records = append(records, append([]byte(nil), record...))
		}
	} else {
		body, _ := io.ReadAll(r.Body)
		records = [][]byte{body}
	}
	enc, err := wire.ParseContentType(contentType)
	if err != nil {
		m.t.Errorf("content type: %v", err)
	}
	calls := make([]sdk.Call, len(records))
	for i, record := range records {
		if err := wire.Unmarshal(enc, record, &calls[i]); err != nil {
			m.t.Errorf("call: %v", err)
		}
	}
	return calls, enc
}

func (m *fakeMaster) stream(w http.ResponseWriter, r *http.Request, call sdk.Call, enc wire.Encoding) {
	s := &fakeStream{call: call, header: r.Header, events: make(chan *sdk.Event, 64), gone: r.Context().Done()}
	w.Header().Set("Content-Type", enc.ContentType())
	w.Header().Set("Mesos-Stream-Id", "stream-1")
	w.WriteHeader(http.StatusOK)
	w.(http.Flusher).Flush()
	m.subscribe <- s
	for {
		select {
		case event, open := <-s.events:
			if !open {
				return
			}
			data, err := wire.Marshal(enc, event)
			if err != nil {
				m.t.Errorf("event: %v", err)
			}
			if _, err := w.Write(wire.AppendRecord(nil, data)); err != nil {
				return
			}
			w.(http.Flusher).Flush()
		case <-s.gone:
			return
		}
	}
}

// subscribed is the first event of a stream.
func subscribed(id sdk.FrameworkID) *sdk.Event {
	return &sdk.Event{Type: sdk.EventSubscribed, Subscribed: &sdk.Subscribed{FrameworkID: id, HeartbeatIntervalSeconds: 15}}
}

func update(task sdk.TaskID, state sdk.TaskState, uuid string) *sdk.Event {
	return &sdk.Event{Type: sdk.EventUpdate, Update: &sdk.Update{Status: sdk.TaskStatus{
		TaskID: task, State: state, AgentID: "a1", UUID: []byte(uuid),
	}}}
}

// options are those of a framework on a memory network.
func options(net *sdktest.Memory, addrs ...string) framework.Options {
	o := framework.DefaultOptions("test")
	o.Addrs, o.Transport, o.Token = addrs, net, "secret"
	return o
}

// describe writes calls in one line: "ACKNOWLEDGE t1, RECONCILE".
func describe(calls []sdk.Call) string {
	var words []string
	for _, c := range calls {
		word := string(c.Type)
		switch {
		case c.Acknowledge != nil:
			word += " " + string(c.Acknowledge.TaskID)
		case c.Kill != nil:
			word += " " + string(c.Kill.TaskID)
		case c.Reconcile != nil:
			for _, task := range c.Reconcile.Tasks {
				word += " " + string(task.TaskID)
			}
		}
		words = append(words, word)
	}
	return strings.Join(words, ", ")
}

// heard is all that the master was sent by now, however it was batched.
func (m *fakeMaster) heard() string {
	synctest.Wait()
	var sent []string
	for len(m.calls) > 0 {
		sent = append(sent, describe(<-m.calls))
	}
	return strings.Join(sent, ", ")
}
