package sdk

// DiscoveryInfo is the message mesos.v1.DiscoveryInfo.
type DiscoveryInfo struct {
	Visibility  Visibility `wire:"1,visibility,required"`
	Name        string     `wire:"2,name"`
	Environment string     `wire:"3,environment"`
	Location    string     `wire:"4,location"`
	Version     string     `wire:"5,version"`
	Ports       *Ports     `wire:"6,ports"`
	Labels      *Labels    `wire:"7,labels"`
}

// Visibility is Mesos's DiscoveryInfo.Visibility enumeration; the empty value means absent.
type Visibility string

// The values of Visibility, by their names on the wire.
const (
	VisibleFramework Visibility = "FRAMEWORK"
	VisibleCluster   Visibility = "CLUSTER"
	VisibleExternal  Visibility = "EXTERNAL"
)

// Enum lists the names of Visibility with their protobuf numbers.
func (Visibility) Enum() []EnumValue {
	return []EnumValue{
		{"FRAMEWORK", 0},
		{"CLUSTER", 1},
		{"EXTERNAL", 2},
	}
}

// Ports is the message mesos.v1.Ports.
type Ports struct {
	Ports []Port `wire:"1,ports"`
}

// Port is the message mesos.v1.Port.
type Port struct {
	Number     uint32     `wire:"1,number,required"`
	Name       string     `wire:"2,name"`
	Protocol   string     `wire:"3,protocol"`
	Visibility Visibility `wire:"4,visibility"`
	Labels     *Labels    `wire:"5,labels"`
}
