package sdk

// FrameworkInfo is what a framework says of itself when it subscribes:
// mesos.v1.FrameworkInfo.
type FrameworkInfo struct {
	User            string                  `wire:"1,user,required"` // under which tasks run that name none
	Name            string                  `wire:"2,name,required"`
	ID              FrameworkID             `wire:"3,id,value"`
	FailoverTimeout float64                 `wire:"4,failover_timeout,default=0.0"` // seconds that tasks outlive a lost framework; 0 ends them at once
	Checkpoint      bool                    `wire:"5,checkpoint,default=false"`     // tasks survive their agent's restart
	Role            string                  `wire:"6,role"`                         // deprecated by Roles; "*" when empty
	Roles           []string                `wire:"12,roles"`                       // with the capability MULTI_ROLE
	Hostname        string                  `wire:"7,hostname"`
	Principal       string                  `wire:"8,principal"`
	WebUIURL        string                  `wire:"9,webui_url"` // where the gateway finds it
	Capabilities    []FrameworkCapability   `wire:"10,capabilities"`
	Labels          *Labels                 `wire:"11,labels"`
	OfferFilters    map[string]OfferFilters `wire:"13,offer_filters"`
}

// FrameworkCapability is the message mesos.v1.FrameworkInfo.Capability.
type FrameworkCapability struct {
	Type Capability `wire:"1,type"`
}

// Capability is Mesos's FrameworkInfo.Capability.Type enumeration; the empty value means absent.
type Capability string

// The values of Capability, by their names on the wire.
const (
	CapabilityUnknown               Capability = "UNKNOWN"
	CapabilityRevocableResources    Capability = "REVOCABLE_RESOURCES"
	CapabilityTaskKillingState      Capability = "TASK_KILLING_STATE"
	CapabilityGPUResources          Capability = "GPU_RESOURCES"
	CapabilitySharedResources       Capability = "SHARED_RESOURCES"
	CapabilityPartitionAware        Capability = "PARTITION_AWARE"
	CapabilityMultiRole             Capability = "MULTI_ROLE"
	CapabilityReservationRefinement Capability = "RESERVATION_REFINEMENT"
	CapabilityRegionAware           Capability = "REGION_AWARE"
)

// Enum lists the names of Capability with their protobuf numbers.
func (Capability) Enum() []EnumValue {
	return []EnumValue{
		{"UNKNOWN", 0},
		{"REVOCABLE_RESOURCES", 1},
		{"TASK_KILLING_STATE", 2},
		{"GPU_RESOURCES", 3},
		{"SHARED_RESOURCES", 4},
		{"PARTITION_AWARE", 5},
		{"MULTI_ROLE", 6},
		{"RESERVATION_REFINEMENT", 7},
		{"REGION_AWARE", 8},
	}
}

// OfferFilters is the message mesos.v1.OfferFilters.
type OfferFilters struct {
	MinAllocatableResources *MinAllocatableResources `wire:"1,min_allocatable_resources"`
}

// MinAllocatableResources is the message mesos.v1.OfferFilters.MinAllocatableResources.
type MinAllocatableResources struct {
	Quantities []ResourceQuantities `wire:"1,quantities"`
}

// ResourceQuantities is the message mesos.v1.OfferFilters.ResourceQuantities.
type ResourceQuantities struct {
	Quantities map[string]Scalar `wire:"1,quantities"`
}
