package sim

import "github.com/profferhq/proffer/kernel/sim"

// Options are those of a run of that seed with both frameworks.
func Options(seed uint64) sim.Options {
	o := sim.DefaultOptions(seed)
	o.Frameworks = []sim.Framework{newServices(), newJobs()}
	o.CheckEvery = 16
	return o
}
