package cgroup

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/profferhq/proffer/kernel/agent/isolator"
	"github.com/profferhq/proffer/kernel/agent/usage"
	"github.com/profferhq/proffer/sdk"
)

// Isolator is the agent's use of control groups. Open makes it.
type Isolator struct {
	options Options
	driver  *driver
	watch   *watch
}

func newIsolator(o Options, d *driver) *Isolator {
	return &Isolator{options: o, driver: d, watch: newWatch(o.OOMArm)}
}

// Name is "cgroup".
func (*Isolator) Name() string { return "cgroup" }

// CanEmpty is true: a group tells when its last process is gone.
func (*Isolator) CanEmpty() bool { return true }

// Prepare makes the container's groups with its limits, each read back, and names
// them in spec.
func (i *Isolator) Prepare(_ context.Context, c *isolator.Container, spec *sdk.LaunchSpec) error {
	l, err := limitsOf(c, &i.options)
	if err != nil {
		return err
	}
	if err := i.driver.create(c.ID, l, spec); err != nil {
		return err
	}
	i.follow(c.ID)
	return nil
}

// Resize sets the limits anew, for what a framework's own executor holds changes
// with its tasks.
func (i *Isolator) Resize(_ context.Context, c *isolator.Container) error {
	l, err := limitsOf(c, &i.options)
	if err != nil {
		return err
	}
	return i.driver.resize(c.ID, l)
}

// follow hands the container to the watch where the kernel leaves survivors of an
// out-of-memory kill, that is on v1.
func (i *Isolator) follow(id string) {
	if h := i.driver.find("memory"); h != nil && !h.v2 {
		i.watch.add(id, h.group(id))
	}
}

// Destroy kills every process of the container, and returns nil only when the
// kernel lists none.
func (i *Isolator) Destroy(ctx context.Context, c *isolator.Container) error {
	return i.driver.destroy(ctx, c.ID, i.options.FreezeWait)
}

// Cleanup removes the container's groups, and refuses while processes are in them.
func (i *Isolator) Cleanup(ctx context.Context, c *isolator.Container) error {
	i.watch.remove(c.ID)
	var errs []error
	for t := range i.driver.trees {
		errs = append(errs, removeGroup(ctx, i.driver.trees[t].group(c.ID)))
	}
	return errors.Join(errs...)
}

// Recover destroys and removes the groups below the parent that belong to no known
// container.
func (i *Isolator) Recover(ctx context.Context, known []*isolator.Container) ([]string, error) {
	ids, err := i.driver.containers()
	if err != nil {
		return nil, fmt.Errorf("list the groups: %w", err)
	}
	keep := make([]string, 0, len(known))
	for _, c := range known {
		keep = append(keep, c.ID)
	}
	slices.Sort(keep)
	var orphans []string
	var errs []error
	for _, id := range ids {
		if _, ok := slices.BinarySearch(keep, id); ok {
			i.follow(id)
			continue
		}
		orphans = append(orphans, id)
		c := &isolator.Container{ID: id}
		if err := i.Destroy(ctx, c); err != nil {
			errs = append(errs, err)
			continue
		}
		errs = append(errs, i.Cleanup(ctx, c))
	}
	return orphans, errors.Join(errs...)
}

// Sample adds processor time, memory and threads.
func (i *Isolator) Sample(_ context.Context, c *isolator.Container, into *usage.Sample) error {
	return i.driver.sample(c.ID, into)
}

// Close removes the parent groups, when nothing is below them any more. An agent
// that leaves tasks running does not call it.
func (i *Isolator) Close() error {
	var errs []error
	for _, h := range i.driver.trees {
		if err := os.Remove(h.parent); err != nil && !errors.Is(err, os.ErrNotExist) {
			errs = append(errs, fmt.Errorf("remove the parent group: %w", err))
		}
	}
	return errors.Join(errs...)
}
