package master

import (
	"context"
	"time"
)

const (
	knockEvery   = 5 * time.Second
	knockTimeout = 3 * time.Second
)

// knock tries the raft ports that this master was told of until each has let it
// in: who starts a master with a wrong key, or a wrong address, reads why nothing
// comes of it. That the leader adds it as a voter is another step.
func (m *Master) knock(ctx context.Context) {
	t := time.NewTicker(knockEvery)
	defer t.Stop()
	left := m.opts.RaftJoin
	said := map[string]string{}
	for len(left) > 0 {
		var still []string
		for _, addr := range left {
			err := m.consensus.Knock(addr, knockTimeout)
			if err == nil {
				m.opts.Log.Info("a raft peer knows this master's key", "peer", addr)
				continue
			}
			still = append(still, addr)
			if said[addr] != err.Error() {
				said[addr] = err.Error()
				m.opts.Log.Warn("a raft peer does not let this master in, trying on", "peer", addr, "why", err)
			}
		}
		left = still
		select {
		case <-t.C:
		case <-ctx.Done():
			return
		}
	}
}
