package detect

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/prometheus/procfs"
	"golang.org/x/sys/unix"

	"github.com/profferhq/proffer/sdk"
)

// Options say where to look.
type Options struct {
	Proc      string // "/proc" when empty
	WorkDir   string // whose file system's space is offered as disk; it must exist
	PortFirst uint64 // 31000 when zero
	PortLast  uint64 // 32000 when zero
}

// Machine is what was found. Resources are net of Overhead; memory and disk are in
// whole MB (2^20 bytes).
type Machine struct {
	Resources  sdk.Resources
	Overhead   sdk.Resources // taken off for launcher and executors
	Attributes []sdk.Attribute
}

// What is taken off before anything is offered. A launcher and an executor of ours
// need a few MB and next to no processor; a tenth of the disk is where the removal
// of old sandboxes begins.
const (
	overheadCPUs = 0.1
	overheadMem  = 256.0 // MB
	smallPart    = 4     // but never more than this part of what there is
	diskPart     = 10
)

// Detect looks at the machine.
func Detect(o Options) (Machine, error) {
	o.defaults()
	cpus, mem, err := processors(o.Proc)
	if err != nil {
		return Machine{}, err
	}
	disk, err := diskOf(o.WorkDir)
	if err != nil {
		return Machine{}, err
	}
	kernel, err := os.ReadFile(filepath.Join(o.Proc, "sys/kernel/osrelease"))
	if err != nil {
		return Machine{}, fmt.Errorf("detect the kernel: %w", err)
	}
	m := Machine{Attributes: []sdk.Attribute{
		text("os", runtime.GOOS), text("arch", runtime.GOARCH), text("kernel", strings.TrimSpace(string(kernel))),
	}}
	for _, r := range []struct {
		name        string
		have, spare float64
		unit        float64 // amounts are whole multiples of it
	}{
		{"cpus", cpus, overheadCPUs, 0.001},
		{"mem", mem, overheadMem, 1},
		{"disk", disk, disk / diskPart, 1},
	} {
		spare := min(r.spare, r.have/smallPart)
		net := floor(r.have-spare, r.unit)
		m.Resources = append(m.Resources, sdk.NewScalar(r.name, net))
		m.Overhead = append(m.Overhead, sdk.NewScalar(r.name, floor(r.have, r.unit)-net))
	}
	m.Resources = append(m.Resources, sdk.NewRanges("ports", sdk.Range{Begin: o.PortFirst, End: o.PortLast}))
	return m, nil
}

func (o *Options) defaults() {
	if o.Proc == "" {
		o.Proc = "/proc"
	}
	if o.PortFirst == 0 && o.PortLast == 0 {
		o.PortFirst, o.PortLast = 31000, 32000
	}
}

// processors counts the processors that are online and that this process may use,
// and the memory in MB.
func processors(proc string) (cpus, mem float64, err error) {
	pfs, err := procfs.NewFS(proc)
	if err != nil {
		return 0, 0, fmt.Errorf("detect the machine: %w", err)
	}
	stat, err := pfs.Stat()
	if err != nil {
		return 0, 0, fmt.Errorf("detect processors: %w", err)
	}
	online := len(stat.CPU)
	if proc == "/proc" {
		// A mask (taskset, cpuset) binds what this agent starts, too.
		online = min(online, runtime.NumCPU())
	}
	info, err := pfs.Meminfo()
	if err != nil {
		return 0, 0, fmt.Errorf("detect memory: %w", err)
	}
	if online == 0 || info.MemTotal == nil {
		return 0, 0, sdk.Errorf(sdk.CodeUnavailable, "", "%s tells neither processors nor memory; declare them with --resources", proc)
	}
	return float64(online), float64(*info.MemTotal / 1024), nil // kB there
}

// diskOf is the size of the file system in MB. The size, not what is free just now:
// otherwise each restart would offer less by what running tasks have written.
func diskOf(dir string) (float64, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return 0, fmt.Errorf("detect the disk of %s: %w", dir, err)
	}
	return float64(st.Blocks) * float64(st.Bsize) / (1 << 20), nil
}

func floor(v, unit float64) float64 {
	return float64(int64(v/unit+1e-6)) * unit
}

func text(name, value string) sdk.Attribute {
	return sdk.Attribute{Name: name, Type: sdk.ValueText, Text: &sdk.Text{Value: value}}
}
