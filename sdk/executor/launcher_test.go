package executor

import (
	"net"
	"path/filepath"
	"sync"
	"testing"

	"github.com/profferhq/proffer/sdk/wire"
)

// answerOnce plays a launcher that answers the hello and one more call, and goes.
func answerOnce(l net.Listener) {
	conn, err := l.Accept()
	if err != nil {
		return
	}
	defer conn.Close()
	records := wire.NewReader(conn, maxReply)
	for range 2 {
		b, err := records.Next()
		if err != nil {
			return
		}
		call := &LauncherCall{}
		if err := wire.Unmarshal(wire.Msgpack, b, call); err != nil {
			return
		}
		reply, err := wire.Marshal(wire.Msgpack, &LauncherReply{ID: call.ID, Version: LauncherVersion})
		if err != nil {
			return
		}
		if _, err := conn.Write(wire.AppendRecord(nil, reply)); err != nil {
			return
		}
	}
}

// An answer counts though the launcher closes the connection right behind it, as at its
// shutdown and its upgrade.
func TestAnAnswerBeforeTheCloseCounts(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "s")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	var all sync.WaitGroup
	for range 16 { // many at once, so that some see both together
		all.Go(func() {
			for range 100 {
				go answerOnce(listener)
				l, err := Dial(t.Context(), socket)
				if err != nil {
					t.Error(err)
					return
				}
				if err := l.Shutdown(t.Context()); err != nil {
					t.Error(err)
					return
				}
				_ = l.Close()
			}
		})
	}
	all.Wait()
}
