package cgroup

import (
	"testing"

	"github.com/profferhq/proffer/kernel/agent/isolator"
	"github.com/profferhq/proffer/kernel/agent/isolator/isolatortest"
	"github.com/profferhq/proffer/sdk"
)

func TestConformance(t *testing.T) {
	eachDriver(t, func(t *testing.T, i *Isolator) {
		isolatortest.Run(t, isolatortest.Subject{
			New:       func(*testing.T) isolator.Isolator { return newIsolator(i.options, i.driver) },
			Container: func(_ *testing.T, id string) *isolator.Container { return task(id, nil, nil) },
			Start: func(t *testing.T, _ *isolator.Container, spec *sdk.LaunchSpec) func() {
				cmd := born(t, spec, "sleep 600")
				return func() { _ = cmd.Wait() }
			},
			Left: i.driver.exists,
		})
	})
}
