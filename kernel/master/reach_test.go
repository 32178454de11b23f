package master

import (
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/profferhq/proffer/kernel/link"
)

// lines is a log that tests read while it is written.
type lines struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) has(part string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Contains(l.text.String(), part)
}

// An agent that tells an address at which nobody listens is named in the log; one
// that listens is tried too, and nothing is said.
func TestAddressesThatCannotBeReachedAreNamed(t *testing.T) {
	var said lines
	r := start(t, false, func(o *Options) { o.Log = slog.New(slog.NewTextHandler(&said, nil)) })
	there, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer there.Close()
	nobody, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	away := nobody.Addr().String()
	nobody.Close()
	tried := make(chan error, 1)
	go func() {
		conn, err := there.Accept()
		if err == nil {
			err = conn.Close()
		}
		tried <- err
	}()
	defer r.reach(t.Context(), &link.Register{Address: there.Addr().String()}, func(m string) { t.Errorf("told an agent that can be reached: %s", m) })()
	if err := <-tried; err != nil {
		t.Fatal(err)
	}
	a := r.registerAgentAt("host1", "cpus:1;mem:64", away)
	if e := a.nextAny(); e.Type != link.EventNotice || !strings.Contains(e.Notice.Message, away) || !strings.Contains(e.Notice.Message, "--advertise") {
		t.Errorf("the agent is told %+v", e)
	}
	r.await(func() bool { return said.has("cannot be reached from this master") && said.has(away) }, "a warning about "+away)
	if said.has(there.Addr().String()) {
		t.Error("the address that answers is complained about")
	}
}
