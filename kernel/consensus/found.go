package consensus

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// foundBound is for how long a master that is to make a cluster looks whether there is one.
const foundBound = 3 * time.Second

// elsewhere refuses to make a cluster where another master has one of that name: whoever
// lost its disk, and is still told to bootstrap, would make a second one with the same key.
// Those that do not answer in time, or are of another cluster, say nothing about that.
func (n *Node) elsewhere() error {
	if n.opts.Elsewhere == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(n.life, foundBound)
	defer cancel()
	peers := slices.DeleteFunc(n.opts.Elsewhere(ctx), func(at string) bool { return at == n.opts.Advertise })
	found := make(chan error, len(peers))
	for _, at := range peers {
		n.wait.Go(func() {
			a, err := n.ask(at, askStatus, nil)
			if err != nil || a.Refusal != "" || a.Empty {
				found <- nil
				return
			}
			found <- fmt.Errorf("--bootstrap: the master %s at %s has a cluster called %q already, and a second one of that name and key would take its agents. "+
				"If this master has lost its disk, start it with --raft-join %s instead of --bootstrap, and remove the one that it was (proffer cluster remove); "+
				"for a new cluster give another name (--cluster) and key", a.Name, at, n.opts.Cluster, at)
		})
	}
	for range peers {
		select {
		case err := <-found:
			if err != nil {
				return err
			}
		case <-ctx.Done():
			n.opts.Log.Warn("a master that may have a cluster of this name does not answer; a new one is made", "peers", peers)
			return nil
		}
	}
	return nil
}
