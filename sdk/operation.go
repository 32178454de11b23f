package sdk

// Operation is one thing to do with accepted offers: mesos.v1.Offer.Operation.
type Operation struct {
	Type         OperationType `wire:"1,type"`
	ID           OperationID   `wire:"12,id,value"`
	Launch       *Launch       `wire:"2,launch"`
	LaunchGroup  *LaunchGroup  `wire:"7,launch_group"`
	Reserve      *Reserve      `wire:"3,reserve"`
	Unreserve    *Unreserve    `wire:"4,unreserve"`
	Create       *Create       `wire:"5,create"`
	Destroy      *Destroy      `wire:"6,destroy"`
	GrowVolume   *GrowVolume   `wire:"13,grow_volume"`
	ShrinkVolume *ShrinkVolume `wire:"14,shrink_volume"`
	CreateDisk   *CreateDisk   `wire:"15,create_disk"`
	DestroyDisk  *DestroyDisk  `wire:"16,destroy_disk"`
}

// OperationType is Mesos's Offer.Operation.Type enumeration; the empty value means absent.
type OperationType string

// The values of OperationType, by their names on the wire.
const (
	OperationUnknown      OperationType = "UNKNOWN"
	OperationLaunch       OperationType = "LAUNCH"
	OperationLaunchGroup  OperationType = "LAUNCH_GROUP"
	OperationReserve      OperationType = "RESERVE"
	OperationUnreserve    OperationType = "UNRESERVE"
	OperationCreate       OperationType = "CREATE"
	OperationDestroy      OperationType = "DESTROY"
	OperationGrowVolume   OperationType = "GROW_VOLUME"
	OperationShrinkVolume OperationType = "SHRINK_VOLUME"
	OperationCreateDisk   OperationType = "CREATE_DISK"
	OperationDestroyDisk  OperationType = "DESTROY_DISK"
)

// Enum lists the names of OperationType with their protobuf numbers.
func (OperationType) Enum() []EnumValue {
	return []EnumValue{
		{"UNKNOWN", 0},
		{"LAUNCH", 1},
		{"LAUNCH_GROUP", 6},
		{"RESERVE", 2},
		{"UNRESERVE", 3},
		{"CREATE", 4},
		{"DESTROY", 5},
		{"GROW_VOLUME", 11},
		{"SHRINK_VOLUME", 12},
		{"CREATE_DISK", 13},
		{"DESTROY_DISK", 14},
	}
}

// Launch starts tasks: mesos.v1.Offer.Operation.Launch.
type Launch struct {
	TaskInfos []TaskInfo `wire:"1,task_infos"`
}

// LaunchGroup starts tasks together, in one executor: mesos.v1.Offer.Operation.LaunchGroup.
type LaunchGroup struct {
	Executor  ExecutorInfo  `wire:"1,executor,required"`
	TaskGroup TaskGroupInfo `wire:"2,task_group,required"`
}

// Reserve is the message mesos.v1.Offer.Operation.Reserve.
type Reserve struct {
	Source    []Resource `wire:"2,source"`
	Resources []Resource `wire:"1,resources"`
}

// Unreserve is the message mesos.v1.Offer.Operation.Unreserve.
type Unreserve struct {
	Resources []Resource `wire:"1,resources"`
}

// Create is the message mesos.v1.Offer.Operation.Create.
type Create struct {
	Volumes []Resource `wire:"1,volumes"`
}

// Destroy is the message mesos.v1.Offer.Operation.Destroy.
type Destroy struct {
	Volumes []Resource `wire:"1,volumes"`
}

// GrowVolume is the message mesos.v1.Offer.Operation.GrowVolume.
type GrowVolume struct {
	Volume   Resource `wire:"1,volume,required"`
	Addition Resource `wire:"2,addition,required"`
}

// ShrinkVolume is the message mesos.v1.Offer.Operation.ShrinkVolume.
type ShrinkVolume struct {
	Volume   Resource `wire:"1,volume,required"`
	Subtract Scalar   `wire:"2,subtract,required"`
}

// CreateDisk is the message mesos.v1.Offer.Operation.CreateDisk.
type CreateDisk struct {
	Source        Resource       `wire:"1,source,required"`
	TargetType    DiskSourceType `wire:"2,target_type,required"`
	TargetProfile string         `wire:"3,target_profile"`
}

// DestroyDisk is the message mesos.v1.Offer.Operation.DestroyDisk.
type DestroyDisk struct {
	Source Resource `wire:"1,source,required"`
}

// OperationStatus is the message mesos.v1.OperationStatus.
type OperationStatus struct {
	OperationID        OperationID        `wire:"1,operation_id,value"`
	State              OperationState     `wire:"2,state,required"`
	Message            string             `wire:"3,message"`
	ConvertedResources []Resource         `wire:"4,converted_resources"`
	UUID               *UUID              `wire:"5,uuid"`
	AgentID            AgentID            `wire:"6,agent_id,value"`
	ResourceProviderID ResourceProviderID `wire:"7,resource_provider_id,value"`
}

// OperationState is Mesos's OperationState enumeration; the empty value means absent.
type OperationState string

// The values of OperationState, by their names on the wire.
const (
	OperationUnsupported    OperationState = "OPERATION_UNSUPPORTED"
	OperationPending        OperationState = "OPERATION_PENDING"
	OperationFinished       OperationState = "OPERATION_FINISHED"
	OperationFailed         OperationState = "OPERATION_FAILED"
	OperationError          OperationState = "OPERATION_ERROR"
	OperationDropped        OperationState = "OPERATION_DROPPED"
	OperationUnreachable    OperationState = "OPERATION_UNREACHABLE"
	OperationGoneByOperator OperationState = "OPERATION_GONE_BY_OPERATOR"
	OperationRecovering     OperationState = "OPERATION_RECOVERING"
	OperationStateUnknown   OperationState = "OPERATION_UNKNOWN"
)

// Enum lists the names of OperationState with their protobuf numbers.
func (OperationState) Enum() []EnumValue {
	return []EnumValue{
		{"OPERATION_UNSUPPORTED", 0},
		{"OPERATION_PENDING", 1},
		{"OPERATION_FINISHED", 2},
		{"OPERATION_FAILED", 3},
		{"OPERATION_ERROR", 4},
		{"OPERATION_DROPPED", 5},
		{"OPERATION_UNREACHABLE", 6},
		{"OPERATION_GONE_BY_OPERATOR", 7},
		{"OPERATION_RECOVERING", 8},
		{"OPERATION_UNKNOWN", 9},
	}
}

// UUID is the message mesos.v1.UUID.
type UUID struct {
	Value []byte `wire:"1,value,required"`
}
