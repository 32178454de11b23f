package cgroup

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strconv"
	"strings"

	"github.com/containerd/cgroups/v3"
	"github.com/containerd/cgroups/v3/cgroup2"
	"github.com/profferhq/proffer/sdk"
)

// The names of the back ends in a Report.
const (
	backendV1       = "cgroup1"
	backendTracking = "cgroup1+tracking"
	backendV2       = "cgroup2"
)

// Open looks at what is mounted, makes the parent group in each hierarchy and tries
// every limit. What fails is in the report's Missing and is not used. The error is
// not nil when no group can be used at all (no root, nothing mounted): the agent
// then runs with plain processes, and the report still says why.
func Open(o Options) (*Isolator, Report, error) {
	report := Report{Host: hostMode()}
	if err := o.validate(); err != nil {
		return nil, report, err
	}
	mounts, bad, err := readMounts(o.MountInfo)
	if err != nil {
		return nil, missingAll(report, err.Error()), err
	}
	d := choose(mounts, o)
	if d == nil {
		why := "no hierarchy with the controllers cpu, memory or pids is mounted"
		if len(bad) > 0 {
			why = strings.Join(bad, "; ")
		}
		return nil, missingAll(report, why), sdk.Errorf(sdk.CodeUnavailable, "", "control groups cannot be used: %s", why)
	}
	report.Backend = d.name
	failed := d.selfTest(o)
	if len(d.trees) == 0 {
		why := "nothing works"
		for _, m := range failed {
			why = m.Why
		}
		return nil, missingAll(report, why), sdk.Errorf(sdk.CodeUnavailable, "", "control groups cannot be used: %s", why)
	}
	report.Missing = d.missing(failed, bad)
	for _, h := range d.trees {
		report.Controllers = append(report.Controllers, h.controllers...)
	}
	sort.Strings(report.Controllers)
	return newIsolator(o, d), report, nil
}

// hostMode is the library's word for this host. It looks at the usual places only;
// the mount table decides what is used.
func hostMode() string {
	switch cgroups.Mode() {
	case cgroups.Legacy:
		return "legacy"
	case cgroups.Hybrid:
		return "hybrid"
	case cgroups.Unified:
		return "unified"
	}
	return "unavailable"
}

func missingAll(r Report, why string) Report {
	for _, name := range []string{"cpu", "kill", "memory", "pids"} {
		r.Missing = append(r.Missing, Missing{name, why})
	}
	return r
}

// choose makes the driver for the mounts: v1 where any of its controllers is
// mounted, because a controller is in one place only, else v2.
func choose(mounts []mount, o Options) *driver {
	var unified *mount
	d := &driver{name: backendV1, settings: settingsV1, oom: oomKillsV1}
	tracked := false
	for i := range mounts {
		tracked = tracked || mounts[i].v2 && !o.NoTracking
	}
	for i := range mounts {
		m := &mounts[i]
		if m.v2 {
			unified = m
			continue
		}
		h := hierarchy{parent: filepath.Join(m.dir, o.Parent)}
		for _, c := range m.controllers {
			// The tracking group kills, and counts processor time, better than these;
			// each further hierarchy costs every launch a group and a join.
			if tracked && (c == "freezer" || c == "cpuacct") {
				continue
			}
			h.controllers = append(h.controllers, c)
		}
		if len(h.controllers) > 0 {
			d.trees = append(d.trees, h)
		}
	}
	v1 := slices.ContainsFunc(d.trees, func(h hierarchy) bool { return h.has("cpu") || h.has("memory") || h.has("pids") })
	switch {
	case v1 && unified != nil && tracked:
		d.name = backendTracking
		d.trees = append(d.trees, hierarchy{parent: filepath.Join(unified.dir, o.Parent), tracking: true})
	case v1:
	case unified != nil:
		return &driver{name: backendV2, settings: settingsV2, oom: oomKillsV2, trees: []hierarchy{{
			parent: filepath.Join(unified.dir, o.Parent), controllers: []string{"cpu", "memory", "pids"}, v2: true,
		}}}
	default:
		return nil
	}
	return d
}

// selfTest makes the parents and tries each hierarchy with a group of its own. What
// does not work is taken out of the driver and returned.
func (d *driver) selfTest(o Options) []Missing {
	var failed []Missing
	trees := d.trees[:0:0]
	for _, h := range d.trees {
		err := h.makeParent(o)
		if err == nil {
			err = d.try(&h)
		}
		if err == nil {
			trees = append(trees, h)
			continue
		}
		names := h.controllers
		if h.tracking {
			names = []string{"tracking"}
		}
		for _, c := range names {
			failed = append(failed, Missing{c, err.Error()})
		}
	}
	if lostTracking := d.name == backendTracking && !slices.ContainsFunc(trees, func(h hierarchy) bool { return h.tracking }); lostTracking {
		d.name = backendV1
	}
	d.trees = trees
	return failed
}

// makeParent makes the agent's own group, and sets what it weighs as a whole.
func (h *hierarchy) makeParent(o Options) error {
	if h.v2 {
		return h.makeParentV2(o)
	}
	if err := os.Mkdir(h.parent, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("make the parent group: %w", err)
	}
	if h.has("cpu") && o.ParentCPUs > 0 {
		shares := clamp(o.ParentCPUs*1024, minShares, maxShares)
		return writeBack(h.parent+"/cpu.shares", strconv.FormatUint(shares, 10))
	}
	return nil
}

// makeParentV2 lets the library enable the controllers on the way down, those that
// there are. The parent itself must stay without processes, or its children could
// have no controllers.
func (h *hierarchy) makeParentV2(o Options) error {
	root, name := filepath.Split(h.parent)
	text, err := os.ReadFile(filepath.Join(root, "cgroup.controllers"))
	if err != nil {
		return fmt.Errorf("look for controllers: %w", err)
	}
	have := strings.Fields(string(text))
	h.controllers = slices.DeleteFunc(h.controllers, func(c string) bool { return !slices.Contains(have, c) })
	var resources cgroup2.Resources
	if h.has("cpu") && o.ParentCPUs > 0 {
		w := weight(clamp(o.ParentCPUs*1024, minShares, maxShares))
		resources.CPU = &cgroup2.CPU{Weight: &w}
	}
	m, err := cgroup2.NewManager(filepath.Clean(root), "/"+name, &resources)
	if err != nil {
		return fmt.Errorf("make the parent group: %w", err)
	}
	if len(h.controllers) == 0 {
		return nil
	}
	if err := m.ToggleControllers(slices.Clone(h.controllers), cgroup2.Enable); err != nil {
		return fmt.Errorf("enable the controllers %v: %w", h.controllers, err)
	}
	return write(h.parent+"/cgroup.subtree_control", "+"+strings.Join(h.controllers, " +"))
}

// try makes a group, sets every limit, reads each back, and removes the group.
func (d *driver) try(h *hierarchy) (err error) {
	dir := h.group("selftest-" + strconv.Itoa(os.Getpid()))
	if err := makeGroup(dir); err != nil {
		return err
	}
	defer func() {
		if e := removeGroup(context.Background(), dir); err == nil {
			err = e
		}
	}()
	sample := limits{shares: 512, quota: period / 2, hard: 64 << 20, soft: 32 << 20, pids: 64}
	for _, s := range d.settings(sample) {
		if h.has(s.controller) {
			if err := s.apply(dir); err != nil {
				return err
			}
		}
	}
	if h.has("freezer") {
		if err := errors.Join(writeBack(dir+"/freezer.state", "FROZEN"), writeBack(dir+"/freezer.state", "THAWED")); err != nil {
			return err
		}
	}
	if h.tracking || h.v2 {
		// The file exists from Linux 5.14 on.
		return write(dir+"/cgroup.kill", "1")
	}
	return nil
}

// missing lists the isolations that are not given, with the best reason known.
func (d *driver) missing(failed []Missing, bad []string) []Missing {
	var out []Missing
	for _, name := range []string{"cpu", "memory", "pids"} {
		if d.find(name) != nil {
			continue
		}
		why := "its controller is not available on this machine"
		if len(bad) > 0 {
			why = strings.Join(bad, "; ")
		}
		for _, f := range failed {
			if f.Name == name {
				why = f.Why
			}
		}
		out = append(out, Missing{name, why})
	}
	if d.killer() == nil && d.find("freezer") == nil {
		out = append(out, Missing{"kill", "there is neither cgroup.kill nor a freezer; a fork bomb may outrun its killing"})
	}
	return out
}
