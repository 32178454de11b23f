package sdk

// LinuxInfo is the message mesos.v1.LinuxInfo.
type LinuxInfo struct {
	CapabilityInfo        *CapabilityInfo `wire:"1,capability_info"`
	BoundingCapabilities  *CapabilityInfo `wire:"2,bounding_capabilities"`
	EffectiveCapabilities *CapabilityInfo `wire:"3,effective_capabilities"`
	SharePIDNamespace     *bool           `wire:"4,share_pid_namespace"`
	Seccomp               *SeccompInfo    `wire:"5,seccomp"`
	IPCMode               IPCMode         `wire:"6,ipc_mode"`
	ShmSize               uint32          `wire:"7,shm_size"`
	ShareCgroups          *bool           `wire:"8,share_cgroups,default=true"`
}

// CapabilityInfo is the message mesos.v1.CapabilityInfo.
type CapabilityInfo struct {
	Capabilities []LinuxCapability `wire:"1,capabilities"`
}

// SeccompInfo is the message mesos.v1.SeccompInfo.
type SeccompInfo struct {
	ProfileName string `wire:"1,profile_name"`
	Unconfined  bool   `wire:"2,unconfined"`
}

// IPCMode is Mesos's LinuxInfo.IpcMode enumeration; the empty value means absent.
type IPCMode string

// The values of IPCMode, by their names on the wire.
const (
	IPCUnknown     IPCMode = "UNKNOWN"
	IPCPrivate     IPCMode = "PRIVATE"
	IPCShareParent IPCMode = "SHARE_PARENT"
)

// Enum lists the names of IPCMode with their protobuf numbers.
func (IPCMode) Enum() []EnumValue {
	return []EnumValue{
		{"UNKNOWN", 0},
		{"PRIVATE", 1},
		{"SHARE_PARENT", 2},
	}
}

// RLimitInfo is the message mesos.v1.RLimitInfo.
type RLimitInfo struct {
	Rlimits []RLimit `wire:"1,rlimits"`
}

// RLimit is the message mesos.v1.RLimitInfo.RLimit.
type RLimit struct {
	Type RLimitType `wire:"1,type"`
	Hard *uint64    `wire:"2,hard"`
	Soft *uint64    `wire:"3,soft"`
}

// TTYInfo is the message mesos.v1.TTYInfo.
type TTYInfo struct {
	WindowSize *WindowSize `wire:"1,window_size"`
}

// WindowSize is the message mesos.v1.TTYInfo.WindowSize.
type WindowSize struct {
	Rows    uint32 `wire:"1,rows,required"`
	Columns uint32 `wire:"2,columns,required"`
}
