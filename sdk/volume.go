package sdk

// Volume is the message mesos.v1.Volume.
type Volume struct {
	Mode          VolumeMode    `wire:"3,mode,required"`
	ContainerPath string        `wire:"1,container_path,required"`
	HostPath      string        `wire:"2,host_path"`
	Image         *Image        `wire:"4,image"`
	Source        *VolumeSource `wire:"5,source"`
}

// VolumeMode is Mesos's Volume.Mode enumeration; the empty value means absent.
type VolumeMode string

// The values of VolumeMode, by their names on the wire.
const (
	VolumeRW VolumeMode = "RW"
	VolumeRO VolumeMode = "RO"
)

// Enum lists the names of VolumeMode with their protobuf numbers.
func (VolumeMode) Enum() []EnumValue {
	return []EnumValue{
		{"RW", 1},
		{"RO", 2},
	}
}

// VolumeSource is the message mesos.v1.Volume.Source.
type VolumeSource struct {
	Type         VolumeSourceType `wire:"1,type"`
	DockerVolume *DockerVolume    `wire:"2,docker_volume"`
	HostPath     *HostPath        `wire:"5,host_path"`
	SandboxPath  *SandboxPath     `wire:"3,sandbox_path"`
	Secret       *Secret          `wire:"4,secret"`
	CSIVolume    *CSIVolume       `wire:"6,csi_volume"`
}

// VolumeSourceType is Mesos's Volume.Source.Type enumeration; the empty value means absent.
type VolumeSourceType string

// The values of VolumeSourceType, by their names on the wire.
const (
	VolumeSourceUnknown      VolumeSourceType = "UNKNOWN"
	VolumeSourceDockerVolume VolumeSourceType = "DOCKER_VOLUME"
	VolumeSourceHostPath     VolumeSourceType = "HOST_PATH"
	VolumeSourceSandboxPath  VolumeSourceType = "SANDBOX_PATH"
	VolumeSourceSecret       VolumeSourceType = "SECRET"
	VolumeSourceCSIVolume    VolumeSourceType = "CSI_VOLUME"
)

// Enum lists the names of VolumeSourceType with their protobuf numbers.
func (VolumeSourceType) Enum() []EnumValue {
	return []EnumValue{
		{"UNKNOWN", 0},
		{"DOCKER_VOLUME", 1},
		{"HOST_PATH", 4},
		{"SANDBOX_PATH", 2},
		{"SECRET", 3},
		{"CSI_VOLUME", 5},
	}
}

// DockerVolume is the message mesos.v1.Volume.Source.DockerVolume.
type DockerVolume struct {
	Driver        string      `wire:"1,driver"`
	Name          string      `wire:"2,name,required"`
	DriverOptions *Parameters `wire:"3,driver_options"`
}

// HostPath is the message mesos.v1.Volume.Source.HostPath.
type HostPath struct {
	Path             string            `wire:"1,path,required"`
	MountPropagation *MountPropagation `wire:"2,mount_propagation"`
}

// MountPropagation is the message mesos.v1.MountPropagation.
type MountPropagation struct {
	Mode MountPropagationMode `wire:"1,mode"`
}

// MountPropagationMode is Mesos's MountPropagation.Mode enumeration; the empty value means absent.
type MountPropagationMode string

// The values of MountPropagationMode, by their names on the wire.
const (
	MountPropagationUnknown         MountPropagationMode = "UNKNOWN"
	MountPropagationHostToContainer MountPropagationMode = "HOST_TO_CONTAINER"
	MountPropagationBidirectional   MountPropagationMode = "BIDIRECTIONAL"
)

// Enum lists the names of MountPropagationMode with their protobuf numbers.
func (MountPropagationMode) Enum() []EnumValue {
	return []EnumValue{
		{"UNKNOWN", 0},
		{"HOST_TO_CONTAINER", 1},
		{"BIDIRECTIONAL", 2},
	}
}

// SandboxPath is the message mesos.v1.Volume.Source.SandboxPath.
type SandboxPath struct {
	Type SandboxPathType `wire:"1,type"`
	Path string          `wire:"2,path,required"`
}

// SandboxPathType is Mesos's Volume.Source.SandboxPath.Type enumeration; the empty value means absent.
type SandboxPathType string

// The values of SandboxPathType, by their names on the wire.
const (
	SandboxPathUnknown SandboxPathType = "UNKNOWN"
	SandboxPathSelf    SandboxPathType = "SELF"
	SandboxPathParent  SandboxPathType = "PARENT"
)

// Enum lists the names of SandboxPathType with their protobuf numbers.
func (SandboxPathType) Enum() []EnumValue {
	return []EnumValue{
		{"UNKNOWN", 0},
		{"SELF", 1},
		{"PARENT", 2},
	}
}

// CSIVolume is the message mesos.v1.Volume.Source.CSIVolume.
type CSIVolume struct {
	PluginName         string              `wire:"1,plugin_name,required"`
	StaticProvisioning *StaticProvisioning `wire:"2,static_provisioning"`
}

// StaticProvisioning is the message mesos.v1.Volume.Source.CSIVolume.StaticProvisioning.
type StaticProvisioning struct {
	VolumeID           string            `wire:"1,volume_id,required"`
	VolumeCapability   VolumeCapability  `wire:"2,volume_capability,required"`
	NodeStageSecrets   map[string]Secret `wire:"3,node_stage_secrets"`
	NodePublishSecrets map[string]Secret `wire:"4,node_publish_secrets"`
	VolumeContext      map[string]string `wire:"5,volume_context"`
}

// VolumeCapability is the message mesos.v1.Volume.Source.CSIVolume.VolumeCapability.
type VolumeCapability struct {
	Block      *BlockVolume `wire:"1,block"`
	Mount      *MountVolume `wire:"2,mount"`
	AccessMode AccessMode   `wire:"3,access_mode,required"`
}

// BlockVolume is the message mesos.v1.Volume.Source.CSIVolume.VolumeCapability.BlockVolume.
type BlockVolume struct{}

// MountVolume is the message mesos.v1.Volume.Source.CSIVolume.VolumeCapability.MountVolume.
type MountVolume struct {
	FsType     string   `wire:"1,fs_type"`
	MountFlags []string `wire:"2,mount_flags"`
}

// AccessMode is the message mesos.v1.Volume.Source.CSIVolume.VolumeCapability.AccessMode.
type AccessMode struct {
	Mode AccessModeType `wire:"1,mode,required"`
}

// AccessModeType is Mesos's Volume.Source.CSIVolume.VolumeCapability.AccessMode.Mode enumeration; the empty value means absent.
type AccessModeType string

// The values of AccessModeType, by their names on the wire.
const (
	AccessUnknown               AccessModeType = "UNKNOWN"
	AccessSingleNodeWriter      AccessModeType = "SINGLE_NODE_WRITER"
	AccessSingleNodeReaderOnly  AccessModeType = "SINGLE_NODE_READER_ONLY"
	AccessMultiNodeReaderOnly   AccessModeType = "MULTI_NODE_READER_ONLY"
	AccessMultiNodeSingleWriter AccessModeType = "MULTI_NODE_SINGLE_WRITER"
	AccessMultiNodeMultiWriter  AccessModeType = "MULTI_NODE_MULTI_WRITER"
)

// Enum lists the names of AccessModeType with their protobuf numbers.
func (AccessModeType) Enum() []EnumValue {
	return []EnumValue{
		{"UNKNOWN", 0},
		{"SINGLE_NODE_WRITER", 1},
		{"SINGLE_NODE_READER_ONLY", 2},
		{"MULTI_NODE_READER_ONLY", 3},
		{"MULTI_NODE_SINGLE_WRITER", 4},
		{"MULTI_NODE_MULTI_WRITER", 5},
	}
}
