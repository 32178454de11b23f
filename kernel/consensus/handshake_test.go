package consensus

import (
	"bytes"
	"log/slog"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hashicorp/raft"
	bolt "go.etcd.io/bbolt"

	"github.com/profferhq/proffer/kernel/credential"
)

type boltTx = bolt.Tx

// lockedBuffer is a log that two goroutines may write and read.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

func testStream(t *testing.T, key credential.Key) (*stream, *lockedBuffer) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	log := &lockedBuffer{}
	s := newStream(ln, ln.Addr().String(), key, slog.New(slog.NewTextHandler(log, nil)), new(atomic.Bool))
	s.begin(func(question) answer { return answer{} }, func() bool { return false })
	t.Cleanup(s.stop)
	return s, log
}

func TestPeersWithTheKeyTalk(t *testing.T) {
	a, _ := testStream(t, testKey())
	b, _ := testStream(t, testKey())
	got := make(chan string, 1)
	go func() {
		conn, err := newLayer(a).Accept()
		if err != nil {
			got <- err.Error()
			return
		}
		defer conn.Close()
		buf := make([]byte, 5)
		_, _ = conn.Read(buf)
		got <- string(buf)
	}()
	conn, err := newLayer(b).Dial(raft.ServerAddress(a.advertise), time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Write([]byte("hello")); err != nil {
		t.Fatal(err)
	}
	if s := <-got; s != "hello" {
		t.Errorf("got %q", s)
	}
}

// A raft peer without the key is refused, and both sides are told in a sentence.
func TestPeerWithoutTheKeyIsRefused(t *testing.T) {
	a, log := testStream(t, testKey())
	for name, key := range map[string]credential.Key{"none": {}, "another": credential.NewKey()} {
		t.Run(name, func(t *testing.T) {
			b, _ := testStream(t, key)
			_, err := newLayer(b).Dial(raft.ServerAddress(a.advertise), time.Second)
			if err == nil || !strings.Contains(err.Error(), "you do not have this cluster's key") {
				t.Fatalf("the dialer was told %v", err)
			}
		})
	}
	a.stopForTest(t)
	if !strings.Contains(log.String(), "it does not have this cluster's key") {
		t.Errorf("the acceptor logged %q", log.String())
	}
}

// stopForTest waits for the greetings under way, so that their log is complete.
func (s *stream) stopForTest(t *testing.T) {
	t.Helper()
	deadline := time.After(5 * time.Second)
	for range cap(s.slots) {
		select {
		case s.slots <- struct{}{}:
		case <-deadline:
			t.Fatal("a handshake hangs")
		}
	}
	for range cap(s.slots) {
		<-s.slots
	}
}

// A listener that only pretends to be a master learns nothing it could use, and
// is found out.
func TestDialerRefusesAnImpostor(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	go func() {
		conn, err := ln.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		buf := make([]byte, len(helloRaft)+nonceSize)
		_, _ = conn.Read(buf)
		_, _ = conn.Write(buf[:nonceSize])
		_, _ = conn.Read(buf[:32])
		_, _ = conn.Write(append([]byte{verdictKnown}, make([]byte, 32)...))
	}()
	b, _ := testStream(t, testKey())
	_, err = newLayer(b).Dial(raft.ServerAddress(ln.Addr().String()), time.Second)
	if err == nil || !strings.Contains(err.Error(), "does not have the cluster key") {
		t.Errorf("got %v", err)
	}
}

func TestStrangerOnTheRaftPortIsToldWhereItIs(t *testing.T) {
	a, log := testStream(t, testKey())
	conn, err := net.Dial("tcp", a.advertise)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Write([]byte("GET / HTTP/1.1\r\nHost: 127.0.0.1:5052\r\n\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 200)
	n, _ := conn.Read(buf)
	if !strings.Contains(string(buf[:n]), "for the masters of a Proffer cluster") {
		t.Errorf("got %q, log %s", buf[:n], log.String())
	}
}
