package registry

import (
	"slices"

	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/wire"
)

// SnapshotVersion is the newest snapshot format that this code knows. Version 2 is
// written only where an operator cares for an agent, version 3 where kills wait for one or
// a gone one was trimmed, version 4 where one has a nonce: what an older master would lose.
const SnapshotVersion = 4

// snapshot is a State on disk: sorted slices, so that equal states are equal bytes.
type snapshot struct {
	Version       uint32             `wire:"1,version,required"`
	Index         uint64             `wire:"2,index"`
	ClusterID     string             `wire:"3,cluster_id"`
	ClusterName   string             `wire:"4,cluster_name"`
	Generation    uint64             `wire:"5,generation"`
	NextAgent     uint64             `wire:"6,next_agent"`
	NextFramework uint64             `wire:"7,next_framework"`
	Members       []Member           `wire:"8,members"`
	Agents        []Agent            `wire:"9,agents"`
	Frameworks    []Framework        `wire:"10,frameworks"`
	Removed       []RemovedFramework `wire:"11,removed"`
	Weights       []SetWeight        `wire:"12,weights"`
	Manifest      *Manifest          `wire:"13,manifest"`
	Trimmed       []AgentRef         `wire:"14,trimmed"`
}

// format is the oldest one that holds all of the state.
func (s *State) format() uint32 {
	version := uint32(1)
	for _, a := range s.agents.values() {
		if a.Deactivated || a.Drain != nil {
			version = max(version, 2)
		}
	}
	if len(s.kills) > 0 || len(s.trimmed) > 0 {
		version = 3
	}
	if s.nonces.len() > 0 {
		version = 4
	}
	return version
}

// ReadableSince is the CommandVersion of the first masters that can read a Snapshot of this
// state.
func (s *State) ReadableSince() uint32 {
	switch f := s.format(); f {
	case 4: // version 4 of the commands changed nothing that is kept
		return 5
	default:
		return f
	}
}

// Snapshot writes the whole state; Restore reads it.
func (s *State) Snapshot() ([]byte, error) {
	return wire.Marshal(wire.Msgpack, &snapshot{
		Version: s.format(), Index: s.index, ClusterID: s.clusterID, ClusterName: s.clusterName, Generation: s.generation,
		NextAgent: s.nextAgent, NextFramework: s.nextFramework, Members: s.Members(), Agents: s.Agents(),
		Frameworks: s.Frameworks(), Removed: s.Removed(), Weights: s.Weights(), Manifest: s.manifest, Trimmed: s.trimmed,
	})
}

// Restore is the state that a snapshot holds. A newer format is refused by name
// (CodeUnsupported), a damaged one by its field (CodeInvalid).
func Restore(data []byte) (*State, error) {
	if err := refuseNewer(data, SnapshotVersion, "registry snapshot"); err != nil {
		return nil, err
	}
	var in snapshot
	if err := wire.Unmarshal(wire.Msgpack, data, &in); err != nil {
		return nil, err
	}
	s := New()
	s.index, s.clusterID, s.clusterName, s.generation = in.Index, in.ClusterID, in.ClusterName, in.Generation
	s.nextAgent, s.nextFramework = in.NextAgent, in.NextFramework
	s.manifest = in.Manifest
	for _, m := range in.Members {
		s.members[m.Name] = m
	}
	for _, a := range in.Agents {
		if err := sdk.ValidateID("agents.info.id", a.Info.ID); err != nil {
			return nil, err
		}
		if s.agents.has(a.Info.ID) {
			return nil, sdk.Errorf(sdk.CodeInvalid, "agents.info.id", "agent %s stands there twice", a.Info.ID)
		}
		if !slices.IsSortedFunc(a.Kills, compareKills) {
			return nil, sdk.Errorf(sdk.CodeInvalid, "agents.kills", "those of agent %s are not in their order", a.Info.ID)
		}
		for _, k := range a.Kills {
			s.kills[k.FrameworkID]++
		}
		if s.nonces.has(a.Nonce) {
			return nil, sdk.Errorf(sdk.CodeInvalid, "agents.nonce", "agent %s has that of another one", a.Info.ID)
		}
		s.addAgent(a)
	}
	for _, t := range in.Trimmed {
		if s.trimmedIDs.has(t.ID) {
			return nil, sdk.Errorf(sdk.CodeInvalid, "trimmed.id", "agent %s was trimmed twice", t.ID)
		}
		s.trimmed = append(s.trimmed, t)
		s.trimmedIDs = s.trimmedIDs.put(t.ID, struct{}{})
	}
	for _, f := range in.Frameworks {
		if err := sdk.ValidateID("frameworks.info.id", f.Info.ID); err != nil {
			return nil, err
		}
		s.frameworks = s.frameworks.put(f.Info.ID, f)
	}
	for _, r := range in.Removed {
		if plantForgetRemoved {
			break
		}
		if s.removedIDs.has(r.ID) {
			return nil, sdk.Errorf(sdk.CodeInvalid, "removed.id", "framework %s was removed twice", r.ID)
		}
		s.removed = append(s.removed, r)
		s.removedIDs = s.removedIDs.put(r.ID, struct{}{})
	}
	for _, w := range in.Weights {
		if err := s.setWeight(w); err != nil {
			return nil, err
		}
	}
	return s, nil
}
