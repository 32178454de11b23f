package app

import (
	"encoding/json"
	"slices"
)

// unserved are the fields that Marathon takes and that are not served yet, each with
// what tells that a value says only what is the case anyway.
func unserved() map[string]func(v any) bool {
	never := func(any) bool { return false }
	empty := func(v any) bool {
		switch v := v.(type) {
		case []any:
			return len(v) == 0
		case map[string]any:
			return len(v) == 0
		}
		return false
	}
	is := func(neutral any) func(any) bool { return func(v any) bool { return v == neutral } }
	return map[string]func(any) bool{
		"container":         never,
		"check":             never,
		"ipAddress":         never,
		"residency":         never,
		"executorResources": never,
		"taskRateLimit":     never, // of Marathon before 0.7, which marathon-python still knows
		"executor":          is(""),
		"tty":               is(false),
		"gpus":              func(v any) bool { n, ok := v.(json.Number); return ok && zero(n) },
		"dependencies":      empty,
		"readinessChecks":   empty,
		"secrets":           empty,
		"storeUrls":         empty, // likewise
		"networks":          hostOnly,
	}
}

func zero(n json.Number) bool {
	f, err := n.Float64()
	return err == nil && f == 0
}

// hostOnly accepts no network, and the host's own.
func hostOnly(v any) bool {
	list, ok := v.([]any)
	return ok && len(list) <= 1 && !slices.ContainsFunc(list, func(v any) bool {
		m, ok := v.(map[string]any)
		if !ok || m["mode"] != "host" {
			return true
		}
		for key, e := range m {
			labels, object := e.(map[string]any)
			if key != "mode" && e != nil && !(key == "labels" && object && len(labels) == 0) {
				return true
			}
		}
		return false
	})
}

// outputOnly are what a server adds to a definition and clients send back with it.
func outputOnly() []string {
	return []string{"deployments", "lastTaskFailure", "readinessCheckResults", "taskStats", "tasks", "tasksHealthy", "tasksRunning",
		"tasksStaged", "tasksStats", "tasksUnhealthy", "versionInfo", "why"}
}
