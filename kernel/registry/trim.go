package registry

import (
	"cmp"
	"slices"
	"strings"

	"github.com/profferhq/proffer/sdk"
)

// MaxTrimmed is how many gone agents stay refused after their entries were trimmed: their
// ids alone are remembered. An agent whose id is older than that comes back as a new one
// that brought its id along, which is what Mesos lets any gone agent do once it was trimmed.
const MaxTrimmed = 10000

// Trimmed tells whether a gone agent of that id was forgotten but for its id.
func (s *State) Trimmed(id sdk.AgentID) bool { return s.trimmedIDs.has(id) }

// Trims tells whether TRIM_AGENTS with that content would forget anybody.
func (s *State) Trims(c TrimAgents) bool {
	return len(s.trimOf(c, AgentUnreachable))+len(s.trimOf(c, AgentGone)) > 0
}

// trimOf are the agents of one kind that are to be forgotten, oldest first.
func (s *State) trimOf(c TrimAgents, state AgentState) []Agent {
	var of []Agent
	for _, a := range s.agents.values() {
		if a.State == state {
			of = append(of, a)
		}
	}
	slices.SortFunc(of, func(x, y Agent) int {
		return cmp.Or(cmp.Compare(x.Since, y.Since), strings.Compare(string(x.Info.ID), string(y.Info.ID)))
	})
	n := 0
	if uint64(len(of)) > c.Keep {
		n = len(of) - int(c.Keep)
	}
	for n < len(of) && of[n].Since < c.Before {
		n++
	}
	return of[:n]
}

// trim forgets agents. One that was only unreachable may come back, as a new one that
// brought its id and its tasks along.
func (s *State) trim(c TrimAgents) {
	for _, a := range s.trimOf(c, AgentUnreachable) {
		s.dropKills(&a)
		s.dropAgent(a)
	}
	for _, a := range s.trimOf(c, AgentGone) {
		s.dropAgent(a)
		s.trimmed = append(s.trimmed, AgentRef{ID: a.Info.ID})
		s.trimmedIDs = s.trimmedIDs.put(a.Info.ID, struct{}{})
	}
	if n := len(s.trimmed) - MaxTrimmed; n > 0 {
		for _, old := range s.trimmed[:n] {
			s.trimmedIDs = s.trimmedIDs.remove(old.ID)
		}
		s.trimmed = append([]AgentRef(nil), s.trimmed[n:]...)
	}
}
