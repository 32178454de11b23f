package launch

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/profferhq/proffer/marathonish/app"
	"github.com/profferhq/proffer/sdk"
)

// longLabel is the length of a label's key or value from which on it does not go
// into the environment.
const longLabel = 512

// environment is what the instance finds: where it is, what it is, its ports. What
// the app's env says wins.
func environment(r Run) *sdk.Environment {
	a := r.App
	env := map[string]string{
		"HOST":                            r.Host,
		"MESOS_TASK_ID":                   string(r.TaskID),
		"MARATHON_APP_ID":                 string(a.ID),
		"MARATHON_APP_VERSION":            string(a.Version),
		"MARATHON_APP_RESOURCE_CPUS":      number(a.CPUs),
		"MARATHON_APP_RESOURCE_MEM":       number(a.Mem),
		"MARATHON_APP_RESOURCE_DISK":      number(a.Disk),
		"MARATHON_APP_RESOURCE_GPUS":      "0",
		"MARATHON_APP_ENFORCE_GROUP_ROLE": "false",
		IndexLabel:                        strconv.Itoa(r.Index),
	}
	labelEnvironment(env, a.Labels)
	portEnvironment(env, a.PortDefinitions, r.Ports)
	maps.Copy(env, a.Env)
	e := &sdk.Environment{}
	for _, name := range slices.Sorted(maps.Keys(env)) {
		e.Variables = append(e.Variables, sdk.Variable{Name: name, Type: sdk.VariableValue, Value: env[name]})
	}
	return e
}

// number has a decimal point always, as Scala writes a Double.
func number(v float64) string {
	s := strconv.FormatFloat(v, 'f', -1, 64)
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return s
}

func labelEnvironment(env map[string]string, labels map[string]string) {
	var names []string
	for _, key := range slices.Sorted(maps.Keys(labels)) {
		if len(key) >= longLabel || len(labels[key]) >= longLabel {
			continue
		}
		name := sanitise(key)
		names = append(names, name)
		env["MARATHON_APP_LABEL_"+name] = labels[key]
	}
	env["MARATHON_APP_LABELS"] = strings.Join(names, " ")
}

func portEnvironment(env map[string]string, definitions []app.PortDefinition, ports []int) {
	var all []string
	for i, p := range ports {
		text := strconv.Itoa(p)
		all = append(all, text)
		env[fmt.Sprint("PORT", i)] = text
		if i >= len(definitions) {
			continue
		}
		if d := definitions[i]; d.Port != 0 {
			env[fmt.Sprint("PORT_", d.Port)] = text
		}
		if d := definitions[i]; d.Name != "" {
			env["PORT_"+sanitise(d.Name)] = text
		}
	}
	if len(all) > 0 {
		env["PORT"], env["PORTS"] = all[0], strings.Join(all, ",")
	}
}

// sanitise makes the name of a variable: upper case, what is no letter, digit or
// underscore becomes an underscore.
func sanitise(s string) string {
	return strings.Map(func(c rune) rune {
		switch {
		case c >= 'a' && c <= 'z':
			return c - 'a' + 'A'
		case c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '_':
			return c
		}
		return '_'
	}, s)
}
