package sdk

// MasterInfo names the leading master: mesos.v1.MasterInfo.
type MasterInfo struct {
	ID           string             `wire:"1,id,required"`
	IP           uint32             `wire:"2,ip,required"`
	Port         uint32             `wire:"3,port,required,default=5050"`
	PID          string             `wire:"4,pid"`
	Hostname     string             `wire:"5,hostname"`
	Version      string             `wire:"6,version"`
	Address      *Address           `wire:"7,address"`
	Domain       *DomainInfo        `wire:"8,domain"`
	Capabilities []MasterCapability `wire:"9,capabilities"`
}

// DomainInfo is the message mesos.v1.DomainInfo.
type DomainInfo struct {
	FaultDomain *FaultDomain `wire:"1,fault_domain"`
}

// FaultDomain is the message mesos.v1.DomainInfo.FaultDomain.
type FaultDomain struct {
	Region RegionInfo `wire:"1,region,required"`
	Zone   ZoneInfo   `wire:"2,zone,required"`
}

// RegionInfo is the message mesos.v1.DomainInfo.FaultDomain.RegionInfo.
type RegionInfo struct {
	Name string `wire:"1,name,required"`
}

// ZoneInfo is the message mesos.v1.DomainInfo.FaultDomain.ZoneInfo.
type ZoneInfo struct {
	Name string `wire:"1,name,required"`
}

// MasterCapability is the message mesos.v1.MasterInfo.Capability.
type MasterCapability struct {
	Type MasterCapabilityType `wire:"1,type"`
}

// MasterCapabilityType is Mesos's MasterInfo.Capability.Type enumeration; the empty value means absent.
type MasterCapabilityType string

// The values of MasterCapabilityType, by their names on the wire.
const (
	MasterCapabilityUnknown       MasterCapabilityType = "UNKNOWN"
	MasterCapabilityAgentUpdate   MasterCapabilityType = "AGENT_UPDATE"
	MasterCapabilityAgentDraining MasterCapabilityType = "AGENT_DRAINING"
	MasterCapabilityQuotaV2       MasterCapabilityType = "QUOTA_V2"
)

// Enum lists the names of MasterCapabilityType with their protobuf numbers.
func (MasterCapabilityType) Enum() []EnumValue {
	return []EnumValue{
		{"UNKNOWN", 0},
		{"AGENT_UPDATE", 1},
		{"AGENT_DRAINING", 2},
		{"QUOTA_V2", 3},
	}
}
