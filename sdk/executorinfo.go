package sdk

// ExecutorInfo describes an executor: mesos.v1.ExecutorInfo. Without a Command it is
// the default executor.
type ExecutorInfo struct {
	Type                ExecutorType   `wire:"15,type"`
	ExecutorID          ExecutorID     `wire:"1,executor_id,value,required"`
	FrameworkID         FrameworkID    `wire:"8,framework_id,value"`
	Command             *CommandInfo   `wire:"7,command"`
	Container           *ContainerInfo `wire:"11,container"`
	Resources           []Resource     `wire:"5,resources"` // for the executor itself, beside its tasks
	Name                string         `wire:"9,name"`
	Source              string         `wire:"10,source"`
	Data                []byte         `wire:"4,data"`
	Discovery           *DiscoveryInfo `wire:"12,discovery"`
	ShutdownGracePeriod *DurationInfo  `wire:"13,shutdown_grace_period"` // from SHUTDOWN to SIGKILL
	Labels              *Labels        `wire:"14,labels"`
}

// ExecutorType is Mesos's ExecutorInfo.Type enumeration; the empty value means absent.
type ExecutorType string

// The values of ExecutorType, by their names on the wire.
const (
	ExecutorUnknown ExecutorType = "UNKNOWN"
	ExecutorDefault ExecutorType = "DEFAULT"
	ExecutorCustom  ExecutorType = "CUSTOM"
)

// Enum lists the names of ExecutorType with their protobuf numbers.
func (ExecutorType) Enum() []EnumValue {
	return []EnumValue{
		{"UNKNOWN", 0},
		{"DEFAULT", 1},
		{"CUSTOM", 2},
	}
}
