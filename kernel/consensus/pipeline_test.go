package consensus

import (
	"net"
	"testing"
	"time"

	"github.com/hashicorp/raft"
)

// TestAppendsEndWithoutReader: appends into a pipeline whose answers nobody reads any more
// come to an end, as do those that wait for them.
func TestAppendsEndWithoutReader(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	tr, kill := wired(t, ln)
	defer kill()
	p, err := tr.AppendEntriesPipeline("other", raft.ServerAddress(ln.Addr().String()))
	if err != nil {
		t.Fatal(err)
	}
	over := make(chan error, 1)
	go func() {
		for {
			if _, err := p.AppendEntries(&raft.AppendEntriesRequest{}, &raft.AppendEntriesResponse{}); err != nil {
				over <- err
				return
			}
		}
	}()
	select {
	case <-over:
	case <-time.After(3 * stuckAfter):
		t.Error("an append waits for ever")
		_ = p.Close()
	}
}
