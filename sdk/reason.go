package sdk

// Reason is Mesos's TaskStatus.Reason enumeration; the empty value means absent.
type Reason string

// The values of Reason, by their names on the wire.
const (
	ReasonCommandExecutorFailed         Reason = "REASON_COMMAND_EXECUTOR_FAILED"
	ReasonContainerLaunchFailed         Reason = "REASON_CONTAINER_LAUNCH_FAILED"
	ReasonContainerLimitation           Reason = "REASON_CONTAINER_LIMITATION"
	ReasonContainerLimitationDisk       Reason = "REASON_CONTAINER_LIMITATION_DISK"
	ReasonContainerLimitationMemory     Reason = "REASON_CONTAINER_LIMITATION_MEMORY"
	ReasonContainerPreempted            Reason = "REASON_CONTAINER_PREEMPTED"
	ReasonContainerUpdateFailed         Reason = "REASON_CONTAINER_UPDATE_FAILED"
	ReasonMaxCompletionTimeReached      Reason = "REASON_MAX_COMPLETION_TIME_REACHED"
	ReasonExecutorRegistrationTimeout   Reason = "REASON_EXECUTOR_REGISTRATION_TIMEOUT"
	ReasonExecutorReregistrationTimeout Reason = "REASON_EXECUTOR_REREGISTRATION_TIMEOUT"
	ReasonExecutorTerminated            Reason = "REASON_EXECUTOR_TERMINATED"
	ReasonExecutorUnregistered          Reason = "REASON_EXECUTOR_UNREGISTERED"
	ReasonFrameworkRemoved              Reason = "REASON_FRAMEWORK_REMOVED"
	ReasonGcError                       Reason = "REASON_GC_ERROR"
	ReasonInvalidFrameworkid            Reason = "REASON_INVALID_FRAMEWORKID"
	ReasonInvalidOffers                 Reason = "REASON_INVALID_OFFERS"
	ReasonIoSwitchboardExited           Reason = "REASON_IO_SWITCHBOARD_EXITED"
	ReasonMasterDisconnected            Reason = "REASON_MASTER_DISCONNECTED"
	ReasonReconciliation                Reason = "REASON_RECONCILIATION"
	ReasonResourcesUnknown              Reason = "REASON_RESOURCES_UNKNOWN"
	ReasonAgentDisconnected             Reason = "REASON_AGENT_DISCONNECTED"
	ReasonAgentDraining                 Reason = "REASON_AGENT_DRAINING"
	ReasonAgentRemoved                  Reason = "REASON_AGENT_REMOVED"
	ReasonAgentRemovedByOperator        Reason = "REASON_AGENT_REMOVED_BY_OPERATOR"
	ReasonAgentReregistered             Reason = "REASON_AGENT_REREGISTERED"
	ReasonAgentRestarted                Reason = "REASON_AGENT_RESTARTED"
	ReasonAgentUnknown                  Reason = "REASON_AGENT_UNKNOWN"
	ReasonTaskKilledDuringLaunch        Reason = "REASON_TASK_KILLED_DURING_LAUNCH"
	ReasonTaskCheckStatusUpdated        Reason = "REASON_TASK_CHECK_STATUS_UPDATED"
	ReasonTaskHealthCheckStatusUpdated  Reason = "REASON_TASK_HEALTH_CHECK_STATUS_UPDATED"
	ReasonTaskGroupInvalid              Reason = "REASON_TASK_GROUP_INVALID"
	ReasonTaskGroupUnauthorized         Reason = "REASON_TASK_GROUP_UNAUTHORIZED"
	ReasonTaskInvalid                   Reason = "REASON_TASK_INVALID"
	ReasonTaskUnauthorized              Reason = "REASON_TASK_UNAUTHORIZED"
	ReasonTaskUnknown                   Reason = "REASON_TASK_UNKNOWN"
)

// Enum lists the names of Reason with their protobuf numbers.
func (Reason) Enum() []EnumValue {
	return []EnumValue{
		{"REASON_COMMAND_EXECUTOR_FAILED", 0},
		{"REASON_CONTAINER_LAUNCH_FAILED", 21},
		{"REASON_CONTAINER_LIMITATION", 19},
		{"REASON_CONTAINER_LIMITATION_DISK", 20},
		{"REASON_CONTAINER_LIMITATION_MEMORY", 8},
		{"REASON_CONTAINER_PREEMPTED", 17},
		{"REASON_CONTAINER_UPDATE_FAILED", 22},
		{"REASON_MAX_COMPLETION_TIME_REACHED", 33},
		{"REASON_EXECUTOR_REGISTRATION_TIMEOUT", 23},
		{"REASON_EXECUTOR_REREGISTRATION_TIMEOUT", 24},
		{"REASON_EXECUTOR_TERMINATED", 1},
		{"REASON_EXECUTOR_UNREGISTERED", 2},
		{"REASON_FRAMEWORK_REMOVED", 3},
		{"REASON_GC_ERROR", 4},
		{"REASON_INVALID_FRAMEWORKID", 5},
		{"REASON_INVALID_OFFERS", 6},
		{"REASON_IO_SWITCHBOARD_EXITED", 27},
		{"REASON_MASTER_DISCONNECTED", 7},
		{"REASON_RECONCILIATION", 9},
		{"REASON_RESOURCES_UNKNOWN", 18},
		{"REASON_AGENT_DISCONNECTED", 10},
		{"REASON_AGENT_DRAINING", 34},
		{"REASON_AGENT_REMOVED", 11},
		{"REASON_AGENT_REMOVED_BY_OPERATOR", 31},
		{"REASON_AGENT_REREGISTERED", 32},
		{"REASON_AGENT_RESTARTED", 12},
		{"REASON_AGENT_UNKNOWN", 13},
		{"REASON_TASK_KILLED_DURING_LAUNCH", 30},
		{"REASON_TASK_CHECK_STATUS_UPDATED", 28},
		{"REASON_TASK_HEALTH_CHECK_STATUS_UPDATED", 29},
		{"REASON_TASK_GROUP_INVALID", 25},
		{"REASON_TASK_GROUP_UNAUTHORIZED", 26},
		{"REASON_TASK_INVALID", 14},
		{"REASON_TASK_UNAUTHORIZED", 15},
		{"REASON_TASK_UNKNOWN", 16},
	}
}
