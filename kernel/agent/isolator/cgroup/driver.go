package cgroup

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sort"

	"github.com/profferhq/proffer/kernel/agent/usage"
	"github.com/profferhq/proffer/sdk"
)

// hierarchy is the parent group of this agent in one mounted hierarchy, and what it
// is used for there.
type hierarchy struct {
	parent      string // directory
	controllers []string
	tracking    bool // a cgroup2 group without controllers, beside v1
	v2          bool // the whole of v2
}

func (h *hierarchy) group(id string) string { return h.parent + "/" + id }

func (h *hierarchy) has(controller string) bool { return slices.Contains(h.controllers, controller) }

// driver is one way of using the kernel's groups: what differs between v1 and v2 is
// here and in the two lists of settings, and nowhere else.
type driver struct {
	name     string
	trees    []hierarchy
	settings func(limits) []setting
	oom      func(dir string) (uint64, error) // kills at the limit of that very group
}

// find returns the hierarchy that has the controller, or nil.
func (d *driver) find(controller string) *hierarchy {
	for i := range d.trees {
		if d.trees[i].has(controller) {
			return &d.trees[i]
		}
	}
	return nil
}

// killer returns the hierarchy with a cgroup.kill file, or nil.
func (d *driver) killer() *hierarchy {
	for i := range d.trees {
		if d.trees[i].tracking || d.trees[i].v2 {
			return &d.trees[i]
		}
	}
	return nil
}

// create makes the container's groups, sets and reads back its limits, and tells
// the launch specification where to be born.
func (d *driver) create(id string, l limits, spec *sdk.LaunchSpec) error {
	settings := d.settings(l)
	for i := range d.trees {
		h := &d.trees[i]
		dir := h.group(id)
		if err := makeGroup(dir); err != nil {
			return err
		}
		for _, s := range settings {
			if !h.has(s.controller) {
				continue
			}
			if err := s.apply(dir); err != nil {
				return err
			}
		}
		if h.tracking || h.v2 {
			spec.CgroupV2 = dir
		} else {
			spec.CgroupsV1 = append(spec.CgroupsV1, dir)
		}
	}
	return nil
}

// resize sets the limits of groups that exist. One that fails does not keep the
// others from being set.
func (d *driver) resize(id string, l limits) error {
	var errs []error
	settings := d.settings(l)
	for i := range d.trees {
		h := &d.trees[i]
		for _, s := range settings {
			if h.has(s.controller) {
				errs = append(errs, s.apply(h.group(id)))
			}
		}
	}
	return errors.Join(errs...)
}

// containers lists the ids that have a group in any hierarchy, sorted.
func (d *driver) containers() ([]string, error) {
	seen := map[string]bool{}
	for i := range d.trees {
		entries, err := os.ReadDir(d.trees[i].parent)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		for _, e := range entries {
			if e.IsDir() {
				seen[e.Name()] = true
			}
		}
	}
	ids := make([]string, 0, len(seen))
	for id := range seen {
		ids = append(ids, id)
	}
	sort.Strings(ids)
	return ids, nil
}

// sample reads the container's numbers, each from the hierarchy that has it.
func (d *driver) sample(id string, into *usage.Sample) error {
	g := usage.Groups{V2: d.name == backendV2}
	if h := d.killer(); h != nil {
		g.Unified = h.group(id)
	}
	for _, c := range []struct {
		name string
		dir  *string
	}{{"cpu", &g.CPU}, {"cpuacct", &g.CPUAcct}, {"memory", &g.Memory}, {"pids", &g.Pids}} {
		if h := d.find(c.name); h != nil {
			*c.dir = filepath.Clean(h.group(id))
		}
	}
	return usage.Read(g, into)
}
