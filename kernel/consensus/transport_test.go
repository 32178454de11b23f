package consensus

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/raft"
)

// wired is a stream with a transport over it that grants every vote.
func wired(t *testing.T, ln net.Listener) (tr transport, kill func()) {
	t.Helper()
	conns := &keptListener{Listener: ln}
	s := newStream(conns, ln.Addr().String(), testKey(), textLog(&lockedBuffer{}), new(atomic.Bool))
	s.begin(func(question) answer { return answer{} }, func() bool { return false })
	tr = newTransport(newLayer(s), nil)
	over := make(chan struct{})
	go func() {
		for {
			select {
			case rpc := <-tr.Consumer():
				rpc.Respond(&raft.RequestVoteResponse{Granted: true}, nil)
			case <-over:
				return
			}
		}
	}()
	kill = sync.OnceFunc(func() {
		close(over)
		_ = tr.Close()
		s.stop()
		conns.end()
	})
	t.Cleanup(kill)
	return tr, kill
}

// keptListener can end all that it has accepted, as the end of a process does.
type keptListener struct {
	net.Listener
	mu  sync.Mutex
	all []net.Conn
}

func (k *keptListener) Accept() (net.Conn, error) {
	c, err := k.Listener.Accept()
	if err == nil {
		k.mu.Lock()
		k.all = append(k.all, c)
		k.mu.Unlock()
	}
	return c, err
}

func (k *keptListener) end() {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, c := range k.all {
		_ = c.Close()
	}
}

// TestAVoteIsAskedForAgain: a peer has died and is back; whatever connections to it are
// kept, the vote arrives.
func TestAVoteIsAskedForAgain(t *testing.T) {
	ln := listen(t, "127.0.0.1:0")
	at := raft.ServerAddress(ln.Addr().String())
	_, kill := wired(t, ln)
	asker, _ := wired(t, listen(t, "127.0.0.1:0"))
	vote := func() error {
		var resp raft.RequestVoteResponse
		return asker.RequestVote("b", at, &raft.RequestVoteRequest{Term: 2}, &resp)
	}
	var all sync.WaitGroup
	for range 3 * maxPool { // all places for kept connections are taken
		all.Go(func() {
			if err := vote(); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	kill()
	if err := vote(); err == nil {
		t.Error("a dead peer gave its vote")
	}
	wired(t, listen(t, string(at)))
	if err := vote(); err != nil {
		t.Errorf("the vote of a peer that is back: %v", err)
	}
}

// TestOnlyThePeersEndIsMourned: not what we end ourselves.
func TestOnlyThePeersEndIsMourned(t *testing.T) {
	ln := listen(t, "127.0.0.1:0")
	defer ln.Close()
	for _, ours := range []bool{true, false} {
		peer, err := net.Dial("tcp", ln.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		conn, err := ln.Accept()
		if err != nil {
			t.Fatal(err)
		}
		broke := make(chan struct{}, 1)
		m := mourned{conn, broke, time.Minute}
		if ours {
			_ = m.Close()
		} else {
			_ = peer.Close()
		}
		if _, err := io.ReadFull(m, make([]byte, 1)); err == nil {
			t.Error("read of nothing")
		}
		if (len(broke) == 1) == ours {
			t.Errorf("ended by us: %v, told: %v", ours, len(broke) == 1)
		}
		_, _ = m.Close(), peer.Close()
	}
}

// TestASilentPeerEnds: raft's main loop, which waits for the rest of a snapshot, is not
// held up by a leader that was stopped in the middle of one.
func TestASilentPeerEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		here, there := net.Pipe()
		broke := make(chan struct{}, 1)
		m := mourned{here, broke, peerTimeout}
		go func() {
			for range 3 {
				<-time.After(peerTimeout - time.Second) // synctest
				_, _ = there.Write([]byte("part"))
			}
		}()
		began := time.Now()
		if all, err := io.ReadAll(m); string(all) != "partpartpart" || err != nil {
			t.Errorf("%q %v", all, err)
		}
		if took := time.Since(began); took != 3*(peerTimeout-time.Second)+peerTimeout || len(broke) != 0 {
			t.Errorf("it ended after %v, told as a death: %d", took, len(broke))
		}
	})
}

// TestHangUpEndsWhatIsAsked: a peer that takes a request and does not answer holds up
// nobody who ends; and nothing goes out afterwards.
func TestHangUpEndsWhatIsAsked(t *testing.T) {
	ln := listen(t, "127.0.0.1:0")
	at := raft.ServerAddress(ln.Addr().String())
	s := newStream(ln, string(at), testKey(), textLog(&lockedBuffer{}), new(atomic.Bool))
	s.begin(func(question) answer { return answer{} }, func() bool { return false })
	defer s.stop()
	asker, _ := wired(t, listen(t, "127.0.0.1:0"))
	ask := func() error {
		return asker.AppendEntries("b", at, &raft.AppendEntriesRequest{Term: 2}, &raft.AppendEntriesResponse{})
	}
	asked := make(chan error, 1)
	go func() { asked <- ask() }()
	silent := <-s.ready
	defer silent.Close()
	if _, err := io.ReadFull(silent, make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	asker.layer.hangUp()
	if err := <-asked; err == nil || time.Since(began) > peerTimeout/2 {
		t.Errorf("%v after %v", err, time.Since(began))
	}
	if err := ask(); !errors.Is(err, context.Canceled) {
		t.Errorf("afterwards: %v", err)
	}
}
