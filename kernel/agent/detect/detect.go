package detect

import (
	"fmt"
	"math"
	"os"
	"runtime"
	"strings"
	"syscall"

	"github.com/prometheus/procfs"

	"github.com/profferhq/proffer/sdk"
)

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

// What is taken off the detected resources for the launcher's and the executors' own use.
const (
	overheadCPUs = 0.1
	overheadMem  = 128.0 // MiB
	// diskShare of the free space is offered: logs and the agent's own files need the rest.
	diskShare = 0.9
)

const mib = 1 << 20

// Detect looks at the machine. Errors name the file that could not be read.
func Detect(o Options) (Machine, error) {
	if o.Proc == "" {
		o.Proc = procfs.DefaultMountPoint
	}
	if o.PortFirst == 0 {
		o.PortFirst, o.PortLast = 31000, 32000
	}
	if o.Fraction == 0 {
		o.Fraction = 1
	}
	proc, err := procfs.NewFS(o.Proc)
	if err != nil {
		return Machine{}, fmt.Errorf("open %s: %w", o.Proc, err)
	}
	cpus, err := processors(proc)
	if err != nil {
		return Machine{}, fmt.Errorf("count the processors in %s/stat: %w", o.Proc, err)
	}
	mem, err := memory(proc)
	if err != nil {
		return Machine{}, fmt.Errorf("read the memory's size in %s/meminfo: %w", o.Proc, err)
	}
	disk, err := freeDisk(o.WorkDir)
	if err != nil {
		return Machine{}, fmt.Errorf("measure the file system of %s: %w", o.WorkDir, err)
	}
	part := func(whole, overhead float64) float64 { return max(whole*o.Fraction-overhead, 0) }
	return Machine{
		Resources: []sdk.Resource{
			scalar("cpus", math.Floor(1000*part(cpus, overheadCPUs))/1000),
			scalar("mem", math.Floor(part(mem, overheadMem))),
			scalar("disk", math.Floor(disk*diskShare*o.Fraction)),
			{Name: "ports", Type: sdk.ValueRanges, Ranges: &sdk.Ranges{Range: []sdk.Range{{Begin: o.PortFirst, End: o.PortLast}}}},
		},
		Overhead:   []sdk.Resource{scalar("cpus", overheadCPUs), scalar("mem", overheadMem)},
		Attributes: attributes(proc),
	}, nil
}

func scalar(name string, v float64) sdk.Resource {
	return sdk.Resource{Name: name, Type: sdk.ValueScalar, Scalar: &sdk.Scalar{Value: v}}
}

// processors counts those that are online, as /proc/stat lists them.
func processors(proc procfs.FS) (float64, error) {
	st, err := proc.Stat()
	if err != nil {
		return 0, err
	}
	return float64(len(st.CPU)), nil
}

// memory is the machine's in MiB, less what other software needs: half of it up to 2 GiB,
// and 1 GiB above that, which is Mesos's rule.
func memory(proc procfs.FS) (float64, error) {
	info, err := proc.Meminfo()
	if err != nil {
		return 0, err
	}
	if info.MemTotal == nil {
		return 0, fmt.Errorf("MemTotal is not there")
	}
	total := float64(*info.MemTotal) / 1024
	if total <= 2048 {
		return total / 2, nil
	}
	return total - 1024, nil
}

// freeDisk is the space in MiB that is left for everyone in the file system of dir.
func freeDisk(dir string) (float64, error) {
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		return 0, err
	}
	return float64(st.Bavail) * float64(st.Bsize) / mib, nil
}

// attributes say what kind of machine it is; what can not be read is left out.
func attributes(proc procfs.FS) []sdk.Attribute {
	out := []sdk.Attribute{text("arch", runtime.GOARCH), text("os", runtime.GOOS)}
	var u syscall.Utsname
	if syscall.Uname(&u) == nil {
		out = append(out, text("kernel", cString(u.Release[:])))
	}
	if info, err := proc.CPUInfo(); err == nil && len(info) > 0 && info[0].ModelName != "" {
		out = append(out, text("cpu_model", info[0].ModelName))
	}
	if data, err := os.ReadFile("/etc/os-release"); err == nil {
		for line := range strings.Lines(string(data)) {
			if id, ok := strings.CutPrefix(strings.TrimSpace(line), "ID="); ok {
				out = append(out, text("distribution", strings.Trim(id, `"`)))
			}
		}
	}
	return out
}

func text(name, value string) sdk.Attribute {
	return sdk.Attribute{Name: name, Type: sdk.ValueText, Text: &sdk.Text{Value: value}}
}

func cString(field []int8) string {
	var b strings.Builder
	for _, c := range field {
		if c == 0 {
			break
		}
		b.WriteByte(byte(c)) //nolint:gosec // a character
	}
	return b.String()
}
