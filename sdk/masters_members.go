package sdk

// Masters is Proffer's: the masters of a cluster, as one of them knows it.
type Masters struct {
	// Asked is the name of the master that tells.
	Asked   string         `wire:"1,asked"`
	Cluster string         `wire:"2,cluster"`
	Masters []MasterMember `wire:"3,masters"`
}

// MasterMember is one master.
type MasterMember struct {
	Name string `wire:"1,name,required"`
	// Raft and HTTP are host:port; HTTP is empty while gossip has not told it.
	Raft string `wire:"2,raft"`
	HTTP string `wire:"3,http"`
	// Voter is false for one that only follows, on its way to a vote, and for one that
	// waits to be added.
	Voter   bool `wire:"4,voter"`
	Leader  bool `wire:"5,leader"`
	Waiting bool `wire:"6,waiting"`
	// Applied is the index of the last entry of the replicated log that it has applied.
	Applied uint64 `wire:"7,applied"`
	Version string `wire:"8,version"`
	// Trouble is why it does not answer, or takes no part.
	Trouble string `wire:"9,trouble"`
}

// AddMaster is Proffer's own operator call: the waiting master at that raft address is
// to be added.
type AddMaster struct {
	Address string `wire:"1,address,required"`
}

// RemoveMaster is Proffer's own operator call: a master is taken out for good.
type RemoveMaster struct {
	Name string `wire:"1,name,required"`
	// Force removes it also where those that stay are no majority.
	Force bool `wire:"2,force"`
}

// TransferLeadership is Proffer's own operator call.
type TransferLeadership struct {
	Name string `wire:"1,name"` // empty: whoever is furthest
}
