package master

import (
	"github.com/profferhq/proffer/kernel/cluster"
	"github.com/profferhq/proffer/kernel/membership"
)

// suspect passes what gossip finds about an agent on to the mind, for which it is a hint.
func (m *Master) suspect(e membership.Event) {
	m.hints.Lock() // what is found while a new leader is told comes after that
	defer m.hints.Unlock()
	if l := m.leader(); l != nil {
		l.suspect(e)
	}
}

// remind tells a new leader whom gossip has lost before.
func (m *Master) remind(l *leader) {
	m.hints.Lock()
	defer m.hints.Unlock()
	for _, gone := range m.gossip.Departed() {
		l.suspect(membership.Event{Kind: membership.Left, Member: gone})
	}
}

func (l *leader) suspect(e membership.Event) {
	if e.Member.Role != membership.RoleAgent || e.Member.HTTP == "" {
		return
	}
	l.inbox.put(item{in: cluster.AgentSuspected{Address: e.Member.HTTP, Suspected: e.Kind == membership.Left}})
}
