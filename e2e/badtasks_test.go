package e2e

import (
	"strings"

	"github.com/profferhq/proffer/sdk"
)

// badTask is a task that must be refused, and a word of the reason.
type badTask struct {
	name string
	task sdk.TaskInfo
	says string
}

// badTasks are wrong in one way each. The stream launches what asks for cpus and mem that
// an offer has, so the wrong resource stands beside right ones.
func badTasks() []badTask {
	make := func(id string, change func(*sdk.TaskInfo)) sdk.TaskInfo {
		t := sdk.TaskInfo{Name: "bad", TaskID: sdk.TaskID(id), Command: &sdk.CommandInfo{Value: "true"},
			Resources: []sdk.Resource{scalar("cpus", 0.1), scalar("mem", 32)}}
		change(&t)
		return t
	}
	return []badTask{
		{"slash in the id", make("a/b", func(*sdk.TaskInfo) {}), "task_id"},
		{"id of 256 bytes", make(strings.Repeat("x", 256), func(*sdk.TaskInfo) {}), "255"},
		{"id of two dots", make("..", func(*sdk.TaskInfo) {}), "task_id"},
		{"negative resource", make("negative", func(t *sdk.TaskInfo) { t.Resources = append(t.Resources, scalar("disk", -1)) }), "disk"},
		{"absurd resource", make("absurd", func(t *sdk.TaskInfo) { t.Resources = append(t.Resources, scalar("disk", 1e300)) }), "disk"},
		{"more than offered", make("more", func(t *sdk.TaskInfo) { t.Resources = append(t.Resources, scalar("unicorns", 1)) }), "unicorns"},
		{"rounds to nothing", make("tiny", func(t *sdk.TaskInfo) { t.Resources = append(t.Resources, scalar("disk", 0.0001)) }), "disk"},
		{"neither command nor executor", make("nothing", func(t *sdk.TaskInfo) { t.Command = nil }), "command"},
		{"both command and executor", make("both", func(t *sdk.TaskInfo) {
			t.Executor = &sdk.ExecutorInfo{ExecutorID: "e", Command: &sdk.CommandInfo{Value: "true"}}
		}), "executor"},
	}
}
