package launch

import (
	"maps"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/profferhq/proffer/marathonish/app"
	"github.com/profferhq/proffer/sdk"
)

// Run is one instance that was placed.
type Run struct {
	App       *app.App
	Index     int
	TaskID    sdk.TaskID
	AgentID   sdk.AgentID
	Host      string
	Ports     []int // in the order of the port definitions
	Resources []sdk.Resource
}

// defaultGrace is from SIGTERM to SIGKILL where the app says nothing, as in Marathon.
const defaultGrace = 3 * time.Second

// Task is the task that the run is launched as.
func Task(r Run) sdk.TaskInfo {
	a := r.App
	t := sdk.TaskInfo{
		Name:       a.ID.TaskPrefix(),
		TaskID:     r.TaskID,
		AgentID:    r.AgentID,
		Resources:  r.Resources,
		Command:    command(r),
		KillPolicy: &sdk.KillPolicy{GracePeriod: &sdk.DurationInfo{Nanoseconds: a.KillGrace(defaultGrace).Nanoseconds()}},
		Labels:     taskLabels(r),
		Discovery:  discovery(r),
		Limits:     limits(a),
	}
	switch checks := healthChecks(r); len(checks) {
	case 0:
	case 1:
		t.HealthCheck = &checks[0]
	default:
		t.HealthChecks = checks
	}
	return t
}

func command(r Run) *sdk.CommandInfo {
	a := r.App
	c := &sdk.CommandInfo{User: a.User, Environment: environment(r)}
	shell := a.Cmd != nil
	c.Shell = &shell
	switch {
	case shell:
		c.Value = *a.Cmd
	case len(a.Args) > 0:
		c.Value, c.Arguments = a.Args[0], a.Args
	}
	for _, f := range a.Fetch {
		extract := f.Extract
		c.URIs = append(c.URIs, sdk.URI{Value: f.URI, Executable: f.Executable, Extract: &extract, Cache: f.Cache, OutputFile: f.DestPath})
	}
	return c
}

// IndexLabel is the label by which a task tells its instance's index to who reads the
// kernel's tasks; it is also the name in the task's environment.
const IndexLabel = "MARATHON_INSTANCE_INDEX"

func taskLabels(r Run) *sdk.Labels {
	m := map[string]string{}
	maps.Copy(m, r.App.Labels)
	m[IndexLabel] = strconv.Itoa(r.Index)
	return labels(m)
}

func labels(m map[string]string) *sdk.Labels {
	if len(m) == 0 {
		return nil
	}
	l := &sdk.Labels{}
	for _, k := range slices.Sorted(maps.Keys(m)) {
		l.Labels = append(l.Labels, sdk.Label{Key: k, Value: m[k]})
	}
	return l
}

// discovery tells of the ports, for whoever looks for services in the kernel's state.
func discovery(r Run) *sdk.DiscoveryInfo {
	d := &sdk.DiscoveryInfo{Visibility: sdk.VisibleFramework, Name: r.App.ID.TaskPrefix()}
	for i, p := range r.App.PortDefinitions {
		if i >= len(r.Ports) {
			break
		}
		if d.Ports == nil {
			d.Ports = &sdk.Ports{}
		}
		d.Ports.Ports = append(d.Ports.Ports, sdk.Port{Number: uint32(r.Ports[i]), Name: p.Name, Protocol: p.Protocol, Labels: labels(p.Labels)})
	}
	return d
}

func limits(a *app.App) map[string]sdk.Scalar {
	var m map[string]sdk.Scalar
	for name, l := range map[string]*app.Limit{"cpus": a.ResourceLimits.CPUs, "mem": a.ResourceLimits.Mem} {
		if l == nil {
			continue
		}
		if m == nil {
			m = map[string]sdk.Scalar{}
		}
		m[name] = sdk.Scalar{Value: float64(*l)}
		if l.IsUnlimited() {
			m[name] = sdk.Scalar{Value: math.Inf(1)}
		}
	}
	return m
}
