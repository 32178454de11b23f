package master

import (
	"github.com/profferhq/proffer/kernel/cluster"
	"github.com/profferhq/proffer/kernel/membership"
)

// suspect passes what gossip finds about an agent on to the mind, for which it is a hint.
func (m *Master) suspect(e membership.Event) {
	l := m.leader()
	if l == nil || e.Member.Role != membership.RoleAgent || e.Member.HTTP == "" {
		return
	}
	l.inbox.put(item{in: cluster.AgentSuspected{Address: e.Member.HTTP, Suspected: e.Kind == membership.Left}})
}
