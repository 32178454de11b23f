package cgroup

import (
	"fmt"
	"math"

	"github.com/profferhq/proffer/kernel/agent/isolator"
	"github.com/profferhq/proffer/sdk"
)

const (
	mebibyte  = 1 << 20
	pageSize  = 4096 // the kernel rounds to pages; 4096 divides every page size in use
	minShares = 2
	maxShares = 262144
	period    = 100_000 // µs of a quota's period
	minQuota  = 1000    // µs, the least that the kernel takes
)

// limits are a container's bounds in the kernel's units.
type limits struct {
	shares uint64 // cpu.shares of v1; v2's weight is made from it
	quota  int64  // µs per period, -1 for none
	hard   uint64 // bytes, 0 for none
	soft   uint64 // bytes, 0 for none: what it keeps when memory is short
	pids   uint64 // threads
	raised string // not empty when hard was raised to the floor: what had been asked
}

// limitsOf computes the bounds. The request is the lower bound: shares and soft
// limit. The upper bound of cpus is only what TaskInfo.limits says: an idle
// processor is for whoever can use it. The upper bound of mem is that too, or else
// the request, because memory can not be taken back.
func limitsOf(c *isolator.Container, o *Options) (limits, error) {
	l := limits{quota: -1, shares: minShares, pids: o.PidsDefault}
	cpus, mem := c.Scalar("cpus"), c.Scalar("mem")
	l.shares = clamp(cpus*1024, minShares, maxShares)
	if most, ok := c.Limit("cpus"); ok && !math.IsInf(most, 1) {
		if !(most > 0) || most < cpus {
			return l, sdk.Errorf(sdk.CodeInvalid, "limits[cpus]", "the limit of %g cpus is below the %g that the task was granted", most, cpus)
		}
		l.quota = int64(clamp(most*period, minQuota, math.MaxInt64/2))
	}
	if err := l.setMemory(c, mem, o.MemoryFloor); err != nil {
		return l, err
	}
	if pids := c.Scalar("pids"); pids > 0 {
		l.pids = clamp(pids, 1, 1<<22)
	}
	return l, nil
}

func (l *limits) setMemory(c *isolator.Container, mem float64, floor uint64) error {
	most, ok := c.Limit("mem")
	switch {
	case ok && math.IsInf(most, 1):
		l.soft = pages(mem)
		return nil
	case ok && (!(most > 0) || most < mem):
		return sdk.Errorf(sdk.CodeInvalid, "limits[mem]", "the limit of %g MB is below the %g MB that the task was granted", most, mem)
	case !ok:
		most = mem
	}
	if most <= 0 {
		return nil // nothing granted: an executor of ours, accounted for elsewhere
	}
	l.hard = pages(most)
	if l.hard < floor {
		l.raised = fmt.Sprintf("%g MB", most)
		l.hard = floor
	}
	if soft := pages(mem); soft < l.hard {
		l.soft = soft
	}
	return nil
}

// pages converts MB to bytes in whole pages, upwards.
func pages(mb float64) uint64 {
	bytes := clamp(mb*mebibyte, 0, 1<<62)
	return (bytes + pageSize - 1) / pageSize * pageSize
}

func clamp(v float64, low, high uint64) uint64 {
	switch {
	case !(v > float64(low)):
		return low
	case v >= float64(high):
		return high
	}
	return uint64(math.Round(v))
}

// weight is v2's cpu.weight for v1's shares. In both one processor weighs what a
// group weighs by default, and three weigh three times that; the conversion that
// container runtimes use since 2025 would make it 2.4 times.
func weight(shares uint64) uint64 {
	return clamp(float64(shares)*100/1024, 1, 10_000)
}
