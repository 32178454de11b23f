package sdk

// TaskState is Mesos's TaskState enumeration; the empty value means absent.
type TaskState string

// The values of TaskState, by their names on the wire.
const (
	TaskStaging        TaskState = "TASK_STAGING"
	TaskStarting       TaskState = "TASK_STARTING"
	TaskRunning        TaskState = "TASK_RUNNING"
	TaskKilling        TaskState = "TASK_KILLING"
	TaskFinished       TaskState = "TASK_FINISHED"
	TaskFailed         TaskState = "TASK_FAILED"
	TaskKilled         TaskState = "TASK_KILLED"
	TaskError          TaskState = "TASK_ERROR"
	TaskLost           TaskState = "TASK_LOST"
	TaskDropped        TaskState = "TASK_DROPPED"
	TaskUnreachable    TaskState = "TASK_UNREACHABLE"
	TaskGone           TaskState = "TASK_GONE"
	TaskGoneByOperator TaskState = "TASK_GONE_BY_OPERATOR"
	TaskUnknown        TaskState = "TASK_UNKNOWN"
)

// Terminal tells whether the task has ended for good. (TASK_UNREACHABLE and TASK_UNKNOWN
// are none: an agent may come back with it.)
func (s TaskState) Terminal() bool {
	switch s {
	case TaskFinished, TaskFailed, TaskKilled, TaskError, TaskLost, TaskDropped, TaskGone, TaskGoneByOperator:
		return true
	}
	return false
}

// Enum lists the names of TaskState with their protobuf numbers.
func (TaskState) Enum() []EnumValue {
	return []EnumValue{
		{"TASK_STAGING", 6},
		{"TASK_STARTING", 0},
		{"TASK_RUNNING", 1},
		{"TASK_KILLING", 8},
		{"TASK_FINISHED", 2},
		{"TASK_FAILED", 3},
		{"TASK_KILLED", 4},
		{"TASK_ERROR", 7},
		{"TASK_LOST", 5},
		{"TASK_DROPPED", 9},
		{"TASK_UNREACHABLE", 10},
		{"TASK_GONE", 11},
		{"TASK_GONE_BY_OPERATOR", 12},
		{"TASK_UNKNOWN", 13},
	}
}
