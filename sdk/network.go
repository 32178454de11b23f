package sdk

// NetworkInfo is the message mesos.v1.NetworkInfo.
type NetworkInfo struct {
	IPAddresses  []IPAddress   `wire:"5,ip_addresses"`
	Name         string        `wire:"6,name"`
	Groups       []string      `wire:"3,groups"`
	Labels       *Labels       `wire:"4,labels"`
	PortMappings []PortMapping `wire:"7,port_mappings"`
}

// IPAddress is the message mesos.v1.NetworkInfo.IPAddress.
type IPAddress struct {
	Protocol  IPProtocol `wire:"1,protocol,default=IPv4"`
	IPAddress string     `wire:"2,ip_address"`
}

// IPProtocol is Mesos's NetworkInfo.Protocol enumeration; the empty value means absent.
type IPProtocol string

// The values of IPProtocol, by their names on the wire.
const (
	ProtocolIPv4 IPProtocol = "IPv4"
	ProtocolIPv6 IPProtocol = "IPv6"
)

// Enum lists the names of IPProtocol with their protobuf numbers.
func (IPProtocol) Enum() []EnumValue {
	return []EnumValue{
		{"IPv4", 1},
		{"IPv6", 2},
	}
}

// PortMapping is the message mesos.v1.NetworkInfo.PortMapping.
type PortMapping struct {
	HostPort      uint32 `wire:"1,host_port,required"`
	ContainerPort uint32 `wire:"2,container_port,required"`
	Protocol      string `wire:"3,protocol"`
}
