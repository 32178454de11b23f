package app

import (
	"maps"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// check tells every rule that a whole definition breaks, each at its path.
func (a *App) check(f *faults) {
	if wrong := a.ID.problem(); wrong != "" {
		f.broken("/id", "%s: %q", wrong, shorten(string(a.ID)))
	}
	switch {
	case a.Cmd == nil && a.Args == nil:
		f.broken("/", "must have cmd or args: there is nothing to run")
	case a.Cmd != nil && a.Args != nil:
		f.broken("/", "must not have both cmd and args")
	case a.Cmd != nil && *a.Cmd == "":
		f.broken("/cmd", "must not be empty")
	case a.Args != nil && a.Args[0] == "":
		f.broken("/args(0)", "must not be empty: it is the program")
	}
	a.checkTexts(f)
	a.checkAmounts(f)
	a.checkLabels(f)
	a.checkRoles(f)
	for i, c := range a.Constraints {
		if wrong := c.problem(); wrong != "" {
			f.broken("/constraints("+strconv.Itoa(i)+")", "%s", wrong)
		}
	}
	for i, x := range a.Fetch {
		x.check(f, "/fetch("+strconv.Itoa(i)+")")
	}
	a.checkPorts(f)
	a.checkHealth(f)
}

// checkTexts refuses what no process can be started with.
func (a *App) checkTexts(f *faults) {
	nul := func(path, s string) {
		if strings.ContainsRune(s, 0) {
			f.broken(path, "must not have a NUL character")
		}
	}
	if a.Cmd != nil {
		nul("/cmd", *a.Cmd)
	}
	for i, s := range a.Args {
		nul("/args("+strconv.Itoa(i)+")", s)
	}
	nul("/user", a.User)
	for _, name := range slices.Sorted(maps.Keys(a.Env)) {
		if name == "" || strings.ContainsRune(name, '=') {
			f.broken("/env/"+name, "the name of a variable must not be empty or have a =")
		}
		nul("/env/"+name, name+a.Env[name])
	}
}

// The bounds that keep an amount within what the kernel can count, and the instances of
// one app within what one marathonish can.
const (
	maxAmount    = 1e12
	maxInstances = 1_000_000
)

func (a *App) checkAmounts(f *faults) {
	least := func(path string, x, bound float64) {
		if x < bound {
			f.broken(path, "must be at least %v, and is %v", bound, x)
		}
	}
	amount := func(path string, x, bound float64) {
		least(path, x, bound)
		if x > maxAmount {
			f.broken(path, "must be at most %v, and is %v", float64(maxAmount), x)
		}
	}
	least("/instances", float64(a.Instances), 0)
	if a.Instances > maxInstances {
		f.broken("/instances", "must be at most %d, and is %d", maxInstances, a.Instances)
	}
	amount("/cpus", a.CPUs, 0.001)
	amount("/mem", a.Mem, 0)
	amount("/disk", a.Disk, 0)
	least("/backoffSeconds", float64(a.BackoffSeconds), 0)
	least("/backoffFactor", a.BackoffFactor, 1)
	least("/maxLaunchDelaySeconds", float64(a.MaxLaunchDelaySeconds), 0)
	if g := a.TaskKillGracePeriod; g != nil {
		least("/taskKillGracePeriodSeconds", float64(*g), 0)
	}
	part := func(path string, x float64) {
		if x < 0 || x > 1 {
			f.broken(path, "must be between 0 and 1, and is %v", x)
		}
	}
	part("/upgradeStrategy/minimumHealthCapacity", a.UpgradeStrategy.MinimumHealthCapacity)
	part("/upgradeStrategy/maximumOverCapacity", a.UpgradeStrategy.MaximumOverCapacity)
	if u := a.UnreachableStrategy; u != nil {
		least("/unreachableStrategy/inactiveAfterSeconds", float64(u.InactiveAfter), 0)
		least("/unreachableStrategy/expungeAfterSeconds", float64(u.ExpungeAfter), 0)
		if u.InactiveAfter > u.ExpungeAfter {
			f.broken("/unreachableStrategy", "inactiveAfterSeconds must not be more than expungeAfterSeconds: %d, %d", u.InactiveAfter, u.ExpungeAfter)
		}
	}
	limit := func(path string, l *Limit, request float64) {
		if l != nil && float64(*l) < request {
			f.broken(path, "must not be less than the request of %v, and is %v", request, float64(*l))
		}
	}
	limit("/resourceLimits/cpus", a.ResourceLimits.CPUs, a.CPUs)
	limit("/resourceLimits/mem", a.ResourceLimits.Mem, a.Mem)
}

func (a *App) checkLabels(f *faults) {
	if a.SingleInstance() && a.Instances > 1 {
		f.broken("/instances", "must be 0 or 1 with the label %s, and is %d", LabelSingleInstance, a.Instances)
	}
	if s, ok := a.Labels[LabelDrain]; ok {
		if x, err := strconv.ParseFloat(s, 64); err != nil || !(x >= 0 && x <= maxDrainSeconds) {
			f.broken("/labels/"+LabelDrain, "must be a number of seconds from 0 to %d, and is %q", maxDrainSeconds, shorten(s))
		}
	}
}

func (a *App) checkRoles(f *faults) {
	for i, r := range a.AcceptedResourceRoles {
		at := "/acceptedResourceRoles(" + strconv.Itoa(i) + ")"
		if slices.Contains(a.AcceptedResourceRoles[:i], r) {
			f.broken(at, "%q is there twice", shorten(r))
		} else if r != "*" && r != a.Role {
			f.broken(at, "must be * or the app's role %q, and is %q", a.Role, shorten(r))
		}
	}
}

// problem is what is wrong with a constraint, or "".
func (c Constraint) problem() string {
	switch {
	case c.Field == "":
		return "must name a field"
	case c.Field == "@region" || c.Field == "@zone":
		return c.Field + " is not served yet: agents have no fault domains; use an attribute of the agent"
	case c.Operator == "GROUP_BY" || c.Operator == "IS":
		return "the operator " + string(c.Operator) + " is not served yet"
	case !slices.Contains([]Operator{Unique, Cluster, Like, Unlike, MaxPer}, c.Operator):
		return "the operator must be one of UNIQUE, CLUSTER, LIKE, UNLIKE, MAX_PER, and is " + strconv.Quote(shorten(string(c.Operator)))
	case c.Operator == Unique && c.Value != "":
		return "UNIQUE takes no value"
	case c.Value == "" && c.Operator != Unique && c.Operator != Cluster:
		return string(c.Operator) + " needs a value"
	}
	if c.Operator == MaxPer {
		if n, err := strconv.Atoi(c.Value); err != nil || n < 0 {
			return "MAX_PER needs a whole number, and has " + strconv.Quote(shorten(c.Value))
		}
	}
	if c.Operator == Like || c.Operator == Unlike {
		if _, err := c.Pattern(); err != nil {
			return "the value is no regular expression that is understood here (RE2): " + err.Error()
		}
	}
	return ""
}

// Pattern is the value of LIKE and UNLIKE, made to match a whole text.
func (c Constraint) Pattern() (*regexp.Regexp, error) {
	if _, err := regexp.Compile(c.Value); err != nil { // by itself, so that ")(" does not pass
		return nil, err
	}
	return regexp.Compile(`^(?:` + c.Value + `)$`)
}

// maxURILength is Marathon's, in characters.
const maxURILength = 1024

func (x Fetch) check(f *faults, at string) {
	u, err := url.Parse(x.URI)
	switch {
	case x.URI == "":
		f.broken(at+"/uri", "must be given")
		return
	case len([]rune(x.URI)) > maxURILength:
		f.broken(at+"/uri", "must not be longer than %d characters", maxURILength)
	case err != nil:
		f.broken(at+"/uri", "is no valid URI")
	case strings.HasPrefix(x.URI, "/"), strings.EqualFold(u.Scheme, "file"):
	case strings.EqualFold(u.Scheme, "http"), strings.EqualFold(u.Scheme, "https"):
		if u.Host == "" {
			f.broken(at+"/uri", "names no host")
		}
	default:
		f.broken(at+"/uri", "is fetched over http, https or from a file only; %q is not served yet", shorten(u.Scheme))
	}
	if x.DestPath != "" && (!filepath.IsLocal(x.DestPath) || strings.ContainsRune(x.DestPath, 0)) {
		f.broken(at+"/destPath", "must be a path below the sandbox")
	}
}

func (a *App) checkPorts(f *faults) {
	names, numbers := map[string]bool{}, map[int]bool{}
	for i, p := range a.PortDefinitions {
		at := "/portDefinitions(" + strconv.Itoa(i) + ")"
		if p.Port < 0 || p.Port > 65535 {
			f.broken(at+"/port", "must be between 0 and 65535, and is %d", p.Port)
		}
		if p.Port != 0 && numbers[p.Port] {
			f.broken(at+"/port", "%d is there twice", p.Port)
		}
		if p.Name != "" && names[p.Name] {
			f.broken(at+"/name", "%q is there twice", shorten(p.Name))
		}
		names[p.Name], numbers[p.Port] = true, true
	}
}

func (a *App) checkHealth(f *faults) {
	made := 0
	for i, h := range a.HealthChecks {
		at := "/healthChecks(" + strconv.Itoa(i) + ")"
		if h.AgentMade() {
			if made++; made == 2 {
				f.broken("/healthChecks", "must not have more than one check of the protocols COMMAND, MESOS_HTTP, MESOS_HTTPS and MESOS_TCP")
			}
		}
		least := func(name string, x, bound int) {
			if x < bound {
				f.broken(at+name, "must be at least %d, and is %d", bound, x)
			}
		}
		least("/gracePeriodSeconds", h.GracePeriodSeconds, 0)
		least("/intervalSeconds", h.IntervalSeconds, 1)
		least("/timeoutSeconds", h.TimeoutSeconds, 1)
		least("/delaySeconds", h.DelaySeconds, 0)
		least("/maxConsecutiveFailures", h.MaxConsecutiveFailures, 0)
		if h.OverHTTP() && !strings.HasPrefix(h.Path, "/") {
			f.broken(at+"/path", "must begin with a slash")
		}
		switch {
		case h.Port != nil && h.PortIndex != nil:
			f.broken(at, "must not have both port and portIndex")
		case h.Port != nil && (*h.Port < 1 || *h.Port > 65535):
			f.broken(at+"/port", "must be between 1 and 65535, and is %d", *h.Port)
		case h.PortIndex != nil && (*h.PortIndex < 0 || *h.PortIndex >= len(a.PortDefinitions)):
			f.broken(at+"/portIndex", "must be the index of one of the app's %d ports, and is %d", len(a.PortDefinitions), *h.PortIndex)
		}
	}
}
