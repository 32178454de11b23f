package detect

import "github.com/profferhq/proffer/sdk"

// Options say where to look.
type Options struct {
	Proc      string  // "/proc" when empty
	WorkDir   string  // whose file system's space is offered as disk
	PortFirst uint64  // 31000 when zero
	PortLast  uint64  // 32000 when zero
	Fraction  float64 // share of the machine that this agent gets, 1 when zero
}

// Machine is what was found. Resources are net of Overhead.
type Machine struct {
	Resources  []sdk.Resource
	Overhead   []sdk.Resource // taken off for launcher and executors
	Attributes []sdk.Attribute
}
