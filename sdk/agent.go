package sdk

// AgentInfo is what an agent says of itself: mesos.v1.AgentInfo.
type AgentInfo struct {
	Hostname   string      `wire:"1,hostname,required"`
	Port       int32       `wire:"8,port,default=5051"` // 0: 5051
	Resources  []Resource  `wire:"3,resources"`
	Attributes []Attribute `wire:"5,attributes"`
	ID         AgentID     `wire:"6,id,value"`
	Domain     *DomainInfo `wire:"10,domain"`
	// Overhead is what the agent kept of a machine that it detected, for its own
	// processes; Resources are net of it. Empty where an operator declared them.
	Overhead []Resource `wire:"1000,overhead"`
}
