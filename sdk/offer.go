package sdk

// Filters say how long what is left of an offer stays away from the framework:
// mesos.v1.Filters.
type Filters struct {
	RefuseSeconds *float64 `wire:"1,refuse_seconds,default=5.0"` // seconds; negative means the default, too large a year
}

// Request is the message mesos.v1.Request.
type Request struct {
	AgentID   AgentID    `wire:"1,agent_id,value"`
	Resources []Resource `wire:"2,resources"`
}

// Address is the message mesos.v1.Address.
type Address struct {
	Hostname string `wire:"1,hostname"`
	IP       string `wire:"2,ip"`
	Port     int32  `wire:"3,port,required"`
}

// Offer is a part of one agent that the framework may use now: mesos.v1.Offer. It
// lasts until it is accepted, declined, rescinded or timed out.
type Offer struct {
	ID             OfferID         `wire:"1,id,value,required"`
	FrameworkID    FrameworkID     `wire:"2,framework_id,value,required"`
	AgentID        AgentID         `wire:"3,agent_id,value,required"`
	Hostname       string          `wire:"4,hostname,required"` // the agent's
	URL            *URL            `wire:"8,url"`
	Domain         *DomainInfo     `wire:"11,domain"`
	Resources      []Resource      `wire:"5,resources"`
	Attributes     []Attribute     `wire:"7,attributes"`
	ExecutorIDs    []ExecutorID    `wire:"6,executor_ids,value"` // the framework's executors that already run there
	Unavailability *Unavailability `wire:"9,unavailability"`
	AllocationInfo *AllocationInfo `wire:"10,allocation_info"` // for which of its roles; only with the capability MULTI_ROLE
}

// URL is the message mesos.v1.URL.
type URL struct {
	Scheme   string      `wire:"1,scheme,required"`
	Address  Address     `wire:"2,address,required"`
	Path     string      `wire:"3,path"`
	Query    []Parameter `wire:"4,query"`
	Fragment string      `wire:"5,fragment"`
}

// Unavailability is a time in which an agent will be down: mesos.v1.Unavailability.
// Without Duration it has no end.
type Unavailability struct {
	Start    TimeInfo      `wire:"1,start,required"`
	Duration *DurationInfo `wire:"2,duration"`
}

// InverseOffer asks a framework to give resources back, for maintenance:
// mesos.v1.InverseOffer.
type InverseOffer struct {
	ID             OfferID        `wire:"1,id,value,required"`
	URL            *URL           `wire:"2,url"`
	FrameworkID    FrameworkID    `wire:"3,framework_id,value,required"`
	AgentID        AgentID        `wire:"4,agent_id,value"`
	Unavailability Unavailability `wire:"5,unavailability,required"`
	Resources      []Resource     `wire:"6,resources"`
}
