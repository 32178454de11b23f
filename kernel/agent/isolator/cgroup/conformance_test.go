package cgroup

import (
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/profferhq/proffer/kernel/agent/isolator"
	"github.com/profferhq/proffer/kernel/agent/isolator/isolatortest"
	"github.com/profferhq/proffer/sdk"
)

func TestConformance(t *testing.T) {
	test := func(t *testing.T, i *Isolator) {
		isolatortest.Run(t, isolatortest.Subject{
			New:       func(*testing.T) isolator.Isolator { return newIsolator(i.options, i.driver) },
			Container: func(_ *testing.T, id string) *isolator.Container { return task(id, nil, nil) },
			Start: func(t *testing.T, _ *isolator.Container, spec *sdk.LaunchSpec) func() {
				cmd := born(t, spec, "sleep 600")
				return func() { _ = cmd.Wait() }
			},
			Left: i.driver.exists,
		})
	}
	eachDriver(t, test)
	t.Run("v2", func(t *testing.T) { test(t, needV2(t)) })
}

// TestV2SaysWhatItLacks: a controller that is bound elsewhere is missed by name, and
// the rest is used all the same.
func TestV2SaysWhatItLacks(t *testing.T) {
	i := needV2(t)
	if i.driver.name != backendV2 || i.driver.killer() == nil {
		t.Fatalf("%+v", i.driver)
	}
	for _, m := range i.driver.missing(nil, nil) {
		if i.driver.find(m.Name) != nil || m.Why == "" {
			t.Errorf("%+v is there", m)
		}
	}
}

// exists says whether any hierarchy has a group of that container.
func (d *driver) exists(id string) bool {
	return slices.ContainsFunc(d.trees, func(h hierarchy) bool {
		return unix.Access(h.group(id), unix.F_OK) == nil
	})
}
