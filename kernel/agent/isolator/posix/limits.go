package posix

import (
	"context"
	"math"

	"golang.org/x/sys/unix"

	"github.com/profferhq/proffer/kernel/agent/isolator"
	"github.com/profferhq/proffer/sdk"
)

// Limits hands ContainerInfo.rlimit_info to the launch function.
type Limits struct{}

// Name is "rlimits".
func (Limits) Name() string { return "rlimits" }

// Prepare translates the limits, and refuses unknown ones and a soft limit above
// the hard one.
func (Limits) Prepare(_ context.Context, c *isolator.Container, spec *sdk.LaunchSpec) error {
	if c.Info == nil || c.Info.RlimitInfo == nil {
		return nil
	}
	for i, r := range c.Info.RlimitInfo.Rlimits {
		number, ok := rlimitNumber(r.Type)
		if !ok {
			return sdk.Errorf(sdk.CodeInvalid, "container.rlimit_info", "rlimits[%d] has the unknown type %q", i, r.Type)
		}
		// As in Mesos: neither given means unlimited; only one of them is an error.
		if (r.Soft == nil) != (r.Hard == nil) {
			return sdk.Errorf(sdk.CodeInvalid, "container.rlimit_info", "rlimits[%d] (%s) must have both a soft and a hard limit, or neither", i, r.Type)
		}
		limit := sdk.LaunchLimit{Resource: number, Soft: math.MaxUint64, Hard: math.MaxUint64}
		if r.Soft != nil {
			limit.Soft, limit.Hard = *r.Soft, *r.Hard
		}
		if limit.Soft > limit.Hard {
			return sdk.Errorf(sdk.CodeInvalid, "container.rlimit_info", "rlimits[%d] (%s) has a soft limit of %d above the hard one of %d", i, r.Type, limit.Soft, limit.Hard)
		}
		spec.RLimits = append(spec.RLimits, limit)
	}
	return nil
}

// Cleanup has nothing to do: a limit ends with its process.
func (Limits) Cleanup(context.Context, *isolator.Container) error { return nil }

func rlimitNumber(t sdk.RLimitType) (uint32, bool) {
	switch t {
	case sdk.RLimitAs:
		return unix.RLIMIT_AS, true
	case sdk.RLimitCore:
		return unix.RLIMIT_CORE, true
	case sdk.RLimitCpu:
		return unix.RLIMIT_CPU, true
	case sdk.RLimitData:
		return unix.RLIMIT_DATA, true
	case sdk.RLimitFsize:
		return unix.RLIMIT_FSIZE, true
	case sdk.RLimitLocks:
		return unix.RLIMIT_LOCKS, true
	case sdk.RLimitMemlock:
		return unix.RLIMIT_MEMLOCK, true
	case sdk.RLimitMsgqueue:
		return unix.RLIMIT_MSGQUEUE, true
	case sdk.RLimitNice:
		return unix.RLIMIT_NICE, true
	case sdk.RLimitNOFILE:
		return unix.RLIMIT_NOFILE, true
	case sdk.RLimitNproc:
		return unix.RLIMIT_NPROC, true
	case sdk.RLimitRss:
		return unix.RLIMIT_RSS, true
	case sdk.RLimitRtprio:
		return unix.RLIMIT_RTPRIO, true
	case sdk.RLimitRttime:
		return unix.RLIMIT_RTTIME, true
	case sdk.RLimitSigpending:
		return unix.RLIMIT_SIGPENDING, true
	case sdk.RLimitStack:
		return unix.RLIMIT_STACK, true
	}
	return 0, false
}
