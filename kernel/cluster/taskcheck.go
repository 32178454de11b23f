package cluster

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/profferhq/proffer/sdk"
)

// checkTask is what is wrong with a task whatever launches it, or "".
func (c *Cluster) checkTask(acc *acceptance, t *sdk.TaskInfo) string {
	if wrong := checkName(string(t.TaskID)); wrong != "" {
		return wrong + " (task_id)" // Mesos's sentence does not say where
	}
	if known := acc.framework.tasks[t.TaskID]; known != nil {
		return fmt.Sprintf("Task has duplicate ID: %s", t.TaskID)
	}
	if t.AgentID != acc.agent.id {
		return fmt.Sprintf("Task uses invalid agent %s while agent %s is expected", t.AgentID, acc.agent.id)
	}
	if checkGrace("", t.KillPolicy) != nil {
		return "Task's 'kill_policy.grace_period' must be non-negative"
	}
	if t.MaxCompletionTime != nil && t.MaxCompletionTime.Nanoseconds < 0 {
		return "Task's `max_completion_time` must be non-negative"
	}
	if len(t.Resources) == 0 {
		return "Task uses no resources"
	}
	if wrong := checkLimits(t); wrong != "" {
		return wrong
	}
	if wrong := checkTaskText(t); wrong != "" {
		return "Task is invalid: " + wrong
	}
	if wrong := checkCommand(t.Command); wrong != "" {
		return "Task's `CommandInfo` is invalid: " + wrong
	}
	if wrong := checkHealth(t); wrong != "" {
		return "Task's health check is invalid: " + wrong
	}
	return ""
}

// checkName is what is wrong with an id, in Mesos's words, or "".
func checkName(id string) string {
	switch {
	case id == "":
		return "ID must not be empty"
	case len(id) > sdk.MaxIDLength:
		return fmt.Sprintf("ID must not be greater than %d characters", sdk.MaxIDLength)
	case id == "." || id == "..":
		return fmt.Sprintf("'%s' is disallowed", id)
	case strings.ContainsFunc(id, func(r rune) bool {
		return r == '/' || r == '\\' || unicode.IsControl(r) || r == unicode.ReplacementChar
	}):
		return fmt.Sprintf("'%s' contains invalid characters", id)
	}
	return ""
}

// checkLimits allows bounds above the request, for what the kernel can bound.
func checkLimits(t *sdk.TaskInfo) string {
	if len(t.Limits) == 0 {
		return ""
	}
	names := make([]string, 0, len(t.Limits))
	for name := range t.Limits {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		limit, has := t.Limits[name].Value, sdk.Resources(t.Resources).Scalar(name)
		switch {
		case name != "cpus" && name != "mem":
			return fmt.Sprintf("Task's limits are invalid: '%s' cannot be limited, only cpus and mem can", name)
		case !(limit >= has):
			return fmt.Sprintf("Task's limits are invalid: the limit %v of '%s' is below the %v that the task requests", limit, name, has)
		}
	}
	return ""
}

// checkCommand is what is wrong with a command, or "".
func checkCommand(cmd *sdk.CommandInfo) string {
	if cmd == nil || cmd.Environment == nil {
		return ""
	}
	for i := range cmd.Environment.Variables {
		v := &cmd.Environment.Variables[i]
		switch v.Type {
		case "", sdk.VariableValue:
			if v.Secret != nil {
				return fmt.Sprintf("Environment variable '%s' of type 'VALUE' must not have a secret set", v.Name)
			}
		case sdk.VariableSecret:
			if v.Secret == nil {
				return fmt.Sprintf("Environment variable '%s' of type 'SECRET' must have a secret set", v.Name)
			}
		default:
			return fmt.Sprintf("Environment variable '%s' has the unknown type '%s'", v.Name, v.Type)
		}
		if v.Name == "" || strings.ContainsAny(v.Name, "=\x00") || strings.ContainsRune(v.Value, 0) {
			return fmt.Sprintf("Environment variable '%s' has a name or value that no process can have", v.Name)
		}
	}
	return ""
}

// checkExecutor is the resources of an executor as the books count them, or what
// is wrong with it.
func (acc *acceptance) checkExecutor(e *sdk.ExecutorInfo) (sdk.Resources, string) {
	if wrong := checkName(string(e.ExecutorID)); wrong != "" {
		return nil, "Executor has an invalid ID: " + wrong
	}
	if id := acc.framework.id(); e.FrameworkID != id {
		return nil, fmt.Sprintf("ExecutorInfo has an invalid FrameworkID (Actual: %s vs Expected: %s)", e.FrameworkID, id)
	}
	switch {
	case e.Type == sdk.ExecutorDefault && e.Command != nil:
		return nil, "'ExecutorInfo.command' must not be set for 'DEFAULT' executor"
	case e.Type == sdk.ExecutorCustom && e.Command == nil:
		return nil, "'ExecutorInfo.command' must be set for 'CUSTOM' executor"
	}
	if wrong := checkExecutorText(e); wrong != "" {
		return nil, "Executor is invalid: " + wrong
	}
	if wrong := checkCommand(e.Command); wrong != "" {
		return nil, "Executor's `CommandInfo` is invalid: " + wrong
	}
	r, wrong := acc.inject(e.Resources, "executor.resources")
	if wrong != "" {
		return nil, "Executor uses invalid resources: " + wrong
	}
	known := acc.agent.executors[executorKey{acc.framework.id(), e.ExecutorID}]
	if known == nil {
		return r, ""
	}
	if known.framework != acc.framework || !compatible(&known.info, e, r) {
		return nil, fmt.Sprintf("Executor has an invalid ExecutorInfo (existing ExecutorInfo with same ExecutorID '%s' is not compatible)", e.ExecutorID)
	}
	return r, ""
}

// compatible tells whether two descriptions mean one executor.
func compatible(a, b *sdk.ExecutorInfo, needs sdk.Resources) bool {
	if a.Type != b.Type || (a.Command == nil) != (b.Command == nil) {
		return false
	}
	if a.Command != nil && (a.Command.Value != b.Command.Value || a.Command.User != b.Command.User || !slices.Equal(a.Command.Arguments, b.Command.Arguments)) {
		return false
	}
	return sdk.Resources(a.Resources).WithoutAllocation().Equal(needs.WithoutAllocation())
}

// checkGroupExecutor asks for what the executor of a group must have.
func checkGroupExecutor(e *sdk.ExecutorInfo) string {
	r := sdk.Resources(e.Resources)
	for _, least := range []struct {
		name   string
		millis int64
	}{{"cpus", 10}, {"mem", 32000}, {"disk", 1}} {
		if r.Millis(least.name) == 0 {
			return fmt.Sprintf("Executor '%s' uses no %s", e.ExecutorID, least.name)
		}
		if r.Millis(least.name) < least.millis {
			return fmt.Sprintf("Executor '%s' uses less %s than the minimum of %v", e.ExecutorID, least.name, sdk.FromMillis(least.millis))
		}
	}
	return ""
}
