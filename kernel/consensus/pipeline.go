package consensus

import (
	"time"

	"github.com/hashicorp/raft"
)

// stuckAfter is how long one append may wait for room in its pipeline: longer than a disk
// that is slow but works makes it.
const stuckAfter = 3 * time.Second

// AppendEntriesPipeline is the embedded one's, with appends that end.
func (t transport) AppendEntriesPipeline(id raft.ServerID, target raft.ServerAddress) (raft.AppendPipeline, error) {
	p, err := t.NetworkTransport.AppendEntriesPipeline(id, target)
	if err != nil {
		return nil, err
	}
	return pipeline{p}, nil
}

// pipeline closes itself under an append that finds no room. Raft stops to read the answers
// of a pipeline when one tells of a newer term, and one who writes into it at that moment
// would wait for room for ever: a goroutine for each such leadership, and a Shutdown that
// never ends.
type pipeline struct{ raft.AppendPipeline }

func (p pipeline) AppendEntries(args *raft.AppendEntriesRequest, resp *raft.AppendEntriesResponse) (raft.AppendFuture, error) {
	stuck := time.AfterFunc(stuckAfter, func() { _ = p.Close() })
	defer stuck.Stop()
	return p.AppendPipeline.AppendEntries(args, resp)
}
