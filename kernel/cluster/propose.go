package cluster

import (
	"maps"
	"slices"

	"github.com/profferhq/proffer/kernel/registry"
)

// proposal is a command on its way through consensus, and what follows from it.
type proposal struct {
	command registry.Command
	then    func(registry.Result)
}

// propose asks for consensus about a command; then runs in the Step of its
// commit, with what the registry decided. Consensus lowers the version to one that every
// master knows.
func (c *Cluster) propose(cmd registry.Command, then func(registry.Result)) {
	cmd.Version, cmd.Time = registry.CommandVersion, c.now.UnixNano()
	c.lastProposal++
	c.proposals[c.lastProposal] = proposal{cmd, then}
	c.emit(Propose{ID: c.lastProposal, Command: cmd})
}

func (c *Cluster) committed(in Committed) {
	p, ok := c.proposals[in.ID]
	if !ok {
		return
	}
	delete(c.proposals, in.ID)
	// The mirror is asked about removed frameworks and gone agents; the decision
	// itself is the replicated one, which knows the masters and what they understand.
	if in.Result.Err == nil {
		p.command.Version = in.Result.Version
		c.reg.Apply(in.Result.Index, p.command)
	}
	p.then(in.Result)
}

// failed ends this mind: whether the command will be applied is not known, and
// another leader may already act.
func (c *Cluster) failed(in Failed) {
	reason := "a proposal failed"
	if in.Err != nil {
		reason = "a proposal failed: " + in.Err.Error()
	}
	c.log(Error, "giving up the leadership", "proposal", in.ID, "reason", reason)
	for _, s := range slices.Sorted(maps.Keys(c.schedulers)) {
		c.emit(CloseScheduler{Session: s})
	}
	for _, s := range slices.Sorted(maps.Keys(c.streams)) {
		c.emit(CloseAgent{Session: s})
	}
	c.emit(Resign{Reason: reason})
	c.dead = true
}
