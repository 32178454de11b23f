package link

import (
	"cmp"
	"fmt"

	"github.com/profferhq/proffer/sdk"
)

const (
	// Version is the format of Call and Event that this code writes and the
	// newest that it reads.
	Version = 1
	// Path is where a master takes calls of agents.
	Path = "/api/v1/agent"
	// SessionHeader names the stream that a call belongs to. The leader chooses
	// its value and sends it with the answer to REGISTER.
	SessionHeader = "Mesos-Stream-Id"
)

// Fence orders leaders for ever. Raft's term alone does not, because it begins
// anew when fresh masters restore a snapshot: the registry's generation is
// raised then. The zero Fence is below every leader's.
type Fence struct {
	Generation uint64 `wire:"1,generation"`
	Term       uint64 `wire:"2,term"`
}

// Compare is negative when f is older than g, 0 when they are equal.
func (f Fence) Compare(g Fence) int {
	if c := cmp.Compare(f.Generation, g.Generation); c != 0 {
		return c
	}
	return cmp.Compare(f.Term, g.Term)
}

// String is "generation.term".
func (f Fence) String() string { return fmt.Sprintf("%d.%d", f.Generation, f.Term) }

// checkVersion refuses what this code cannot read, by name.
func checkVersion(field string, v uint32) error {
	switch {
	case v == 0:
		return sdk.Errorf(sdk.CodeInvalid, field, "is missing; this side speaks version %d", Version)
	case v > Version:
		return sdk.Errorf(sdk.CodeUnsupported, field, "is %d, newer than %d, the newest that this side speaks; upgrade it first", v, Version)
	}
	return nil
}
