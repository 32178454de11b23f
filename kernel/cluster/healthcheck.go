package cluster

import (
	"fmt"
	"strings"

	"github.com/profferhq/proffer/sdk"
)

const (
	// maxCheckSeconds bounds every time of a health check, a week: what is longer is
	// a mistake, and overflows a duration some day.
	maxCheckSeconds = 7 * 24 * 3600
	// minCheckInterval keeps the checks of a machine's tasks from being its main work.
	minCheckInterval = 0.1
	// minCheckTimeout forbids Mesos's 0, which is no limit: every wait has a bound.
	minCheckTimeout = 0.01
	// maxCheckText bounds a path or a command, in bytes.
	maxCheckText = 16 << 10
)

// checkHealth is what is wrong with the health checks of a task, with the path of
// the field, or "". A check of the other kind, TaskInfo.check, is refused for tasks
// that the default executor runs: it does not make them.
func checkHealth(t *sdk.TaskInfo) string {
	ours := t.Executor == nil || t.Executor.Type == sdk.ExecutorDefault
	switch {
	case t.Check != nil && ours:
		return "`check` is not supported by the default executor; use `health_check` with `report_only`"
	case t.HealthCheck != nil && len(t.HealthChecks) > 0:
		return "`health_checks` must be all of the checks: leave `health_check` out"
	case len(t.HealthChecks) > sdk.MaxHealthChecks:
		return fmt.Sprintf("`health_checks` has %d checks; a task may have %d", len(t.HealthChecks), sdk.MaxHealthChecks)
	}
	if t.HealthCheck != nil {
		if wrong := checkHealthCheck("health_check", t.HealthCheck, ours); wrong != "" {
			return wrong
		}
	}
	for i := range t.HealthChecks {
		if wrong := checkHealthCheck(fmt.Sprintf("health_checks[%d]", i), &t.HealthChecks[i], ours); wrong != "" {
			return wrong
		}
	}
	return ""
}

// checkHealthCheck is what is wrong with one check. How a framework's own executor
// runs a command is its own business.
func checkHealthCheck(at string, h *sdk.HealthCheck, ours bool) string {
	if wrong := checkHealthTimes(at, h); wrong != "" {
		return wrong
	}
	for _, body := range []struct {
		set  bool
		typ  sdk.HealthCheckType
		name string
	}{{h.Command != nil, sdk.HealthCheckCommand, "command"}, {h.HTTP != nil, sdk.HealthCheckHTTP, "http"}, {h.TCP != nil, sdk.HealthCheckTCP, "tcp"}} {
		switch {
		case h.Type == body.typ && !body.set:
			return fmt.Sprintf("`%s.%s` is missing: the type is %s", at, body.name, h.Type)
		case h.Type != body.typ && body.set:
			return fmt.Sprintf("`%s.%s` must not be set: the type is %s", at, body.name, typeName(h.Type))
		}
	}
	switch h.Type {
	case sdk.HealthCheckHTTP:
		return checkHTTP(at+".http", h.HTTP)
	case sdk.HealthCheckTCP:
		return checkPort(at+".tcp", h.TCP.Port, h.TCP.Protocol)
	case sdk.HealthCheckCommand:
		return checkHealthCommand(at+".command", h.Command, ours)
	}
	return fmt.Sprintf("`%s.type` is %s; it must be COMMAND, HTTP or TCP", at, typeName(h.Type))
}

func typeName(t sdk.HealthCheckType) string {
	if t == "" {
		return "not set"
	}
	return string(t)
}

func checkHealthTimes(at string, h *sdk.HealthCheck) string {
	for _, f := range []struct {
		name  string
		value *float64
		least float64
	}{{"delay_seconds", h.DelaySeconds, 0}, {"interval_seconds", h.IntervalSeconds, minCheckInterval},
		{"timeout_seconds", h.TimeoutSeconds, minCheckTimeout}, {"grace_period_seconds", h.GracePeriodSeconds, 0}} {
		if f.value != nil && !(*f.value >= f.least && *f.value <= maxCheckSeconds) {
			return fmt.Sprintf("`%s.%s` is %v; it must be from %v to %d", at, f.name, *f.value, f.least, maxCheckSeconds)
		}
	}
	return ""
}

func checkHTTP(at string, h *sdk.HTTPCheckInfo) string {
	if wrong := checkPort(at, h.Port, h.Protocol); wrong != "" {
		return wrong
	}
	if h.Scheme != "" && h.Scheme != "http" && h.Scheme != "https" {
		return fmt.Sprintf("`%s.scheme` is %q; it must be http or https", at, h.Scheme)
	}
	bad := strings.ContainsFunc(h.Path, func(r rune) bool { return r <= ' ' || r == 0x7f })
	if h.Path != "" && !strings.HasPrefix(h.Path, "/") || bad || len(h.Path) > maxCheckText {
		return fmt.Sprintf("`%s.path` is %.80q; it must begin with / and have neither blanks nor control characters", at, h.Path)
	}
	for i, status := range h.Statuses {
		if status < 100 || status > 599 {
			return fmt.Sprintf("`%s.statuses[%d]` is %d; it must be from 100 to 599", at, i, status)
		}
	}
	return ""
}

func checkPort(at string, port uint32, p sdk.IPProtocol) string {
	if port == 0 || port > 65535 {
		return fmt.Sprintf("`%s.port` is %d; it must be from 1 to 65535", at, port)
	}
	if p != "" && p != sdk.ProtocolIPv4 && p != sdk.ProtocolIPv6 {
		return fmt.Sprintf("`%s.protocol` is %s; it must be IPv4 or IPv6", at, p)
	}
	return ""
}

// checkHealthCommand wants a command that can be run as the task itself is.
func checkHealthCommand(at string, c *sdk.CommandInfo, ours bool) string {
	switch {
	case c.Value == "" || len(c.Value) > maxCheckText || strings.ContainsRune(c.Value, 0):
		return fmt.Sprintf("`%s.value` must have from 1 to %d bytes, and no zero byte", at, maxCheckText)
	case ours && c.User != "":
		return fmt.Sprintf("`%s.user` must not be set: the check runs as the task's user", at)
	case ours && len(c.URIs) > 0:
		return fmt.Sprintf("`%s.uris` must not be set: the check runs in the task's sandbox", at)
	}
	if wrong := checkCommand(c); wrong != "" {
		return "`" + at + "` is invalid: " + wrong
	}
	return ""
}
