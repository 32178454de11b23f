package master

import (
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/profferhq/proffer/kernel/link"
	"github.com/profferhq/proffer/sdk"
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

// refusing is an address that refuses connections until the test ends: its port is taken, so
// that nobody else comes to listen there, and nobody listens.
func refusing(t *testing.T) string {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Close(fd) })
	if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	at, err := unix.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("127.0.0.1:%d", at.(*unix.SockaddrInet4).Port)
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
	away := refusing(t)
	tried := make(chan error, 1)
	go func() {
		conn, err := there.Accept()
		if err == nil {
			err = conn.Close()
		}
		tried <- err
	}()
	defer r.reach(t.Context(), &link.Register{Address: there.Addr().String()}, 0, func(m string) { t.Errorf("told an agent that can be reached: %s", m) })()
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

// TestLooksAtReturningAgentsWait: not those at agents that nobody has looked at.
func TestLooksAtReturningAgentsWait(t *testing.T) {
	back, fresh := &link.Register{Agent: sdk.AgentInfo{ID: "S1"}}, &link.Register{}
	young, old := &leader{elected: time.Now()}, &leader{elected: time.Now().Add(-time.Hour)}
	if young.reachLater(back) <= 0 || young.reachLater(fresh) > 0 || old.reachLater(back) > 0 || young.reachLater(nil) > 0 {
		t.Error("only a returning agent of a new leader waits")
	}
}
