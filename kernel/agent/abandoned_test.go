package agent

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/profferhq/proffer/kernel/credential"
)

// front stands before a leader as its host does: while it is cut off, what comes is taken
// and nothing of it is answered, nor is what was begun before.
type front struct {
	server *httptest.Server
	cut    atomic.Bool
}

func newFront(t *testing.T, m *leader) *front {
	f := &front{}
	f.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if f.cut.Load() {
			_, _ = io.Copy(io.Discard, r.Body) // only then it is seen that the client has gone
			<-r.Context().Done()
			return
		}
		m.serve(mutable{w, f}, r)
	}))
	t.Cleanup(func() { f.server.CloseClientConnections(); m.hangUp(); f.server.Close() })
	return f
}

// mutable loses what is written while it is cut off.
type mutable struct {
	http.ResponseWriter
	f *front
}

func (m mutable) Write(b []byte) (int, error) {
	if m.f.cut.Load() {
		return len(b), nil
	}
	return m.ResponseWriter.Write(b)
}

func (m mutable) Flush() {
	if !m.f.cut.Load() {
		m.ResponseWriter.(http.Flusher).Flush()
	}
}

// TestLeavesACutOffLeader: an agent whose leader is cut off goes to the one that the other
// masters follow, after the first heartbeat that it misses and not after the third; one
// whose leader nobody has replaced, or lives, stays.
func TestLeavesACutOffLeader(t *testing.T) {
	m := newMachine(t, nil) // for the key, and for what an agent leaves behind
	key, err := credential.ReadKeyFile(m.o.KeyFile)
	if err != nil {
		t.Fatal(err)
	}
	m.agent.o.KillTasksOnStop = false
	m.halt()
	old, next := newLeader(t, key), newLeader(t, key)
	next.term = 2
	cut := newFront(t, old)
	leads := atomic.Pointer[string]{}
	follower := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", "//"+*leads.Load()+r.URL.Path)
		w.WriteHeader(http.StatusTemporaryRedirect)
	}))
	t.Cleanup(follower.Close)
	first, second := strings.TrimPrefix(cut.server.URL, "http://"), next.addr()
	leads.Store(&first)
	old.beat = 2 * time.Second
	m.o.Masters, m.leader = []string{first, strings.TrimPrefix(follower.URL, "http://")}, old
	m.start()
	old.registered(1)
	leads.Store(&second) // but the first one lives, and beats
	select {
	case <-time.After(old.beat * 3 / 2):
	case <-next.changed:
		t.Error("it left a leader that speaks")
	}
	cut.cut.Store(true)
	since := time.Now()
	next.registered(1)
	if took := time.Since(since); took > missedAllowed*old.beat {
		t.Errorf("it left after %v, as if nobody had known better", took)
	}
	m.leader = next
}
