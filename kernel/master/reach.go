package master

import (
	"context"
	"fmt"
	"net"
	"time"

	"github.com/profferhq/proffer/kernel/link"
)

const (
	reachTimeout = 3 * time.Second
	reachAtOnce  = 16 // agents all come back at once to a new leader
	// reachCalm is how long a new leader has more urgent things to do than to look again at
	// agents that were looked at before.
	reachCalm = 5 * time.Second
)

// reach tries once, beside the loop, whether the address that an agent told can be
// reached from here: frameworks and people are given it. It is a check of a set-up
// and changes nothing, so it may come later; the agent is told by tell, the master's log says it too. The
// returned function ends it.
func (m *Master) reach(ctx context.Context, r *link.Register, later time.Duration, tell func(message string)) func() {
	if r == nil || r.Address == "" {
		return func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		if later > 0 {
			select {
			case <-time.After(later):
			case <-ctx.Done():
				return
			}
		}
		select {
		case m.reaching <- struct{}{}:
			defer func() { <-m.reaching }()
		case <-ctx.Done():
			return
		}
		conn, err := (&net.Dialer{Timeout: reachTimeout}).DialContext(ctx, "tcp", r.Address)
		switch {
		case err == nil:
			_ = conn.Close()
		case ctx.Err() == nil:
			m.opts.Log.Warn("an agent's address cannot be reached from this master: nobody can read its tasks' logs and files there; start it with the --advertise that others reach it by",
				"agent", r.Agent.ID, "hostname", r.Agent.Hostname, "address", r.Address, "error", err)
			tell(fmt.Sprintf("the address %s of this agent cannot be reached from master %s (%v): nobody can read its tasks' logs and files there; start it with the --advertise that others reach it by",
				r.Address, m.Addr(), err))
		}
	}()
	return func() {
		cancel()
		<-done
	}
}

// reachLater is how long a look at an agent's address may wait.
func (l *leader) reachLater(r *link.Register) time.Duration {
	if r == nil || r.Agent.ID == "" {
		return 0
	}
	return reachCalm - time.Since(l.elected)
}
