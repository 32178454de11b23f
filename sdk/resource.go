package sdk

// Resource is an amount of something that an agent has: mesos.v1.Resource. Scalars
// are cpus in processors, mem and disk in mebibytes; ports are ranges; any other name
// is an ad-hoc resource of the operator's. Amounts have three decimals.
type Resource struct {
	ProviderID     ResourceProviderID `wire:"12,provider_id,value"`
	Name           string             `wire:"1,name,required"`
	Type           ValueType          `wire:"2,type,required"`
	Scalar         *Scalar            `wire:"3,scalar"`
	Ranges         *Ranges            `wire:"4,ranges"`
	Set            *Set               `wire:"5,set"`
	Role           string             `wire:"6,role"`             // deprecated by Reservations; "*" when empty
	AllocationInfo *AllocationInfo    `wire:"11,allocation_info"` // only with the capability MULTI_ROLE
	Reservation    *ReservationInfo   `wire:"8,reservation"`      // older form of one reservation, with Role
	Reservations   []ReservationInfo  `wire:"13,reservations"`    // stacked; the last is the owner
	Disk           *DiskInfo          `wire:"7,disk"`
	Revocable      *RevocableInfo     `wire:"9,revocable"` // present: may be taken back at any time
	Shared         *SharedInfo        `wire:"10,shared"`   // present: several tasks may use it at once
}

// AllocationInfo says for which role a resource was offered: mesos.v1.Resource.AllocationInfo.
type AllocationInfo struct {
	Role string `wire:"1,role"`
}

// ReservationInfo keeps a resource for a role: mesos.v1.Resource.ReservationInfo. A
// static one stands in the agent's configuration, a dynamic one was made by a call.
type ReservationInfo struct {
	Type      ReservationType `wire:"4,type"`
	Role      string          `wire:"3,role"`
	Principal string          `wire:"1,principal"`
	Labels    *Labels         `wire:"2,labels"`
}

// ReservationType is Mesos's Resource.ReservationInfo.Type enumeration; the empty value means absent.
type ReservationType string

// The values of ReservationType, by their names on the wire.
const (
	ReservationUnknown ReservationType = "UNKNOWN"
	ReservationStatic  ReservationType = "STATIC"
	ReservationDynamic ReservationType = "DYNAMIC"
)

// Enum lists the names of ReservationType with their protobuf numbers.
func (ReservationType) Enum() []EnumValue {
	return []EnumValue{
		{"UNKNOWN", 0},
		{"STATIC", 1},
		{"DYNAMIC", 2},
	}
}

// DiskInfo makes a disk resource a volume: mesos.v1.Resource.DiskInfo.
type DiskInfo struct {
	Persistence *Persistence `wire:"1,persistence"`
	Volume      *Volume      `wire:"2,volume"`
	Source      *DiskSource  `wire:"3,source"`
}

// Persistence is the message mesos.v1.Resource.DiskInfo.Persistence.
type Persistence struct {
	ID        string `wire:"1,id,required"`
	Principal string `wire:"2,principal"`
}

// DiskSource is the message mesos.v1.Resource.DiskInfo.Source.
type DiskSource struct {
	Type     DiskSourceType `wire:"1,type,required"`
	Path     *DiskPath      `wire:"2,path"`
	Mount    *DiskMount     `wire:"3,mount"`
	Vendor   string         `wire:"7,vendor"`
	ID       string         `wire:"4,id"`
	Metadata *Labels        `wire:"5,metadata"`
	Profile  string         `wire:"6,profile"`
}

// DiskSourceType is Mesos's Resource.DiskInfo.Source.Type enumeration; the empty value means absent.
type DiskSourceType string

// The values of DiskSourceType, by their names on the wire.
const (
	DiskSourceUnknown DiskSourceType = "UNKNOWN"
	DiskSourcePath    DiskSourceType = "PATH"
	DiskSourceMount   DiskSourceType = "MOUNT"
	DiskSourceBlock   DiskSourceType = "BLOCK"
	DiskSourceRaw     DiskSourceType = "RAW"
)

// Enum lists the names of DiskSourceType with their protobuf numbers.
func (DiskSourceType) Enum() []EnumValue {
	return []EnumValue{
		{"UNKNOWN", 0},
		{"PATH", 1},
		{"MOUNT", 2},
		{"BLOCK", 3},
		{"RAW", 4},
	}
}

// DiskPath is the message mesos.v1.Resource.DiskInfo.Source.Path.
type DiskPath struct {
	Root string `wire:"1,root"`
}

// DiskMount is the message mesos.v1.Resource.DiskInfo.Source.Mount.
type DiskMount struct {
	Root string `wire:"1,root"`
}

// RevocableInfo is the message mesos.v1.Resource.RevocableInfo.
type RevocableInfo struct{}

// SharedInfo is the message mesos.v1.Resource.SharedInfo.
type SharedInfo struct{}
