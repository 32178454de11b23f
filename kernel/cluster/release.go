package cluster

import (
	"maps"
	"slices"
	"time"

	"github.com/profferhq/proffer/kernel/allocator"
	"github.com/profferhq/proffer/sdk"
)

// release gives used resources back to the books.
func (c *Cluster) release(f *framework, agent sdk.AgentID, role string, r sdk.Resources) {
	h := allocator.Holder{Framework: f.id(), Role: role, Agent: agent}
	if err := c.books.Release(h, r); err != nil {
		c.log(Error, "the books refuse to take back what was used", "framework", f.id(), "agent", agent, "resources", r.String(), "error", err.Error())
	}
}

// stamp is a moment as Mesos writes it: seconds since 1970.
func stamp(t time.Time) float64 { return float64(t.UnixMicro()) / 1e6 }

// timeInfo is a moment, absent when it never was.
func timeInfo(t time.Time) *sdk.TimeInfo {
	if t.IsZero() {
		return nil
	}
	return &sdk.TimeInfo{Nanoseconds: t.UnixNano()}
}

func sortedKeys[K ~string, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }
