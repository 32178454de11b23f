package registry

import (
	"cmp"
	"slices"
	"strings"

	"github.com/profferhq/proffer/sdk"
)

// Most kills that are kept: for one agent, and of one framework for all agents.
const (
	MaxAgentKills     = 1000
	MaxFrameworkKills = 10000
)

func compareKills(x, y Kill) int {
	return cmp.Or(strings.Compare(string(x.FrameworkID), string(y.FrameworkID)), strings.Compare(string(x.TaskID), string(y.TaskID)))
}

func (s *State) keepKills(c KeepKills, r *Result) *sdk.Error {
	a, err := s.notGone(c.ID)
	if err != nil {
		return err
	}
	kept := slices.Clone(a.Kills)
	for _, k := range c.Kills {
		if !s.frameworks.has(k.FrameworkID) {
			continue
		}
		at, found := slices.BinarySearchFunc(kept, k, compareKills)
		switch {
		case found:
			kept[at] = k
		case len(kept) >= MaxAgentKills || s.kills[k.FrameworkID] >= MaxFrameworkKills:
			r.Left++
		default:
			kept = slices.Insert(kept, at, k)
			s.kills[k.FrameworkID]++
		}
	}
	a.Kills = kept
	s.agents = s.agents.put(c.ID, a)
	return nil
}

// dropKills forgets all that waits for an agent.
func (s *State) dropKills(a *Agent) {
	for _, k := range a.Kills {
		s.count(k.FrameworkID, -1)
	}
	a.Kills = nil
}

// dropKillsOf forgets what a framework that is no more wanted ended: all that it runs is.
func (s *State) dropKillsOf(id sdk.FrameworkID) {
	if s.kills[id] == 0 {
		return
	}
	for _, a := range s.agents.values() {
		left := slices.DeleteFunc(slices.Clone(a.Kills), func(k Kill) bool { return k.FrameworkID == id })
		if len(left) != len(a.Kills) {
			a.Kills = left
			s.agents = s.agents.put(a.Info.ID, a)
		}
	}
	delete(s.kills, id)
}

func (s *State) count(id sdk.FrameworkID, d int) {
	if s.kills[id] += d; s.kills[id] <= 0 {
		delete(s.kills, id)
	}
}
