package sdk

// ContainerInfo is the message mesos.v1.ContainerInfo.
type ContainerInfo struct {
	Type         ContainerType `wire:"1,type,required"`
	Volumes      []Volume      `wire:"2,volumes"`
	Hostname     string        `wire:"4,hostname"`
	Docker       *DockerInfo   `wire:"3,docker"`
	Mesos        *MesosInfo    `wire:"5,mesos"`
	NetworkInfos []NetworkInfo `wire:"7,network_infos"`
	LinuxInfo    *LinuxInfo    `wire:"8,linux_info"`
	RlimitInfo   *RLimitInfo   `wire:"9,rlimit_info"`
	TTYInfo      *TTYInfo      `wire:"10,tty_info"`
}

// ContainerType is Mesos's ContainerInfo.Type enumeration; the empty value means absent.
type ContainerType string

// The values of ContainerType, by their names on the wire.
const (
	ContainerDocker ContainerType = "DOCKER"
	ContainerMesos  ContainerType = "MESOS"
)

// Enum lists the names of ContainerType with their protobuf numbers.
func (ContainerType) Enum() []EnumValue {
	return []EnumValue{
		{"DOCKER", 1},
		{"MESOS", 2},
	}
}

// DockerInfo is the message mesos.v1.ContainerInfo.DockerInfo.
type DockerInfo struct {
	Image          string              `wire:"1,image,required"`
	Network        DockerNetwork       `wire:"2,network,default=HOST"`
	PortMappings   []DockerPortMapping `wire:"3,port_mappings"`
	Privileged     bool                `wire:"4,privileged,default=false"`
	Parameters     []Parameter         `wire:"5,parameters"`
	ForcePullImage bool                `wire:"6,force_pull_image"`
	VolumeDriver   string              `wire:"7,volume_driver"`
}

// DockerNetwork is Mesos's ContainerInfo.DockerInfo.Network enumeration; the empty value means absent.
type DockerNetwork string

// The values of DockerNetwork, by their names on the wire.
const (
	DockerNetworkHost   DockerNetwork = "HOST"
	DockerNetworkBridge DockerNetwork = "BRIDGE"
	DockerNetworkNone   DockerNetwork = "NONE"
	DockerNetworkUser   DockerNetwork = "USER"
)

// Enum lists the names of DockerNetwork with their protobuf numbers.
func (DockerNetwork) Enum() []EnumValue {
	return []EnumValue{
		{"HOST", 1},
		{"BRIDGE", 2},
		{"NONE", 3},
		{"USER", 4},
	}
}

// DockerPortMapping is the message mesos.v1.ContainerInfo.DockerInfo.PortMapping.
type DockerPortMapping struct {
	HostPort      uint32 `wire:"1,host_port,required"`
	ContainerPort uint32 `wire:"2,container_port,required"`
	Protocol      string `wire:"3,protocol"`
}

// MesosInfo is the message mesos.v1.ContainerInfo.MesosInfo.
type MesosInfo struct {
	Image *Image `wire:"1,image"`
}
