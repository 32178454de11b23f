package sdk

// Labels is the message mesos.v1.Labels.
type Labels struct {
	Labels []Label `wire:"1,labels"`
}

// Label is the message mesos.v1.Label.
type Label struct {
	Key   string `wire:"1,key,required"`
	Value string `wire:"2,value"`
}

// Parameters is the message mesos.v1.Parameters.
type Parameters struct {
	Parameter []Parameter `wire:"1,parameter"`
}

// Parameter is the message mesos.v1.Parameter.
type Parameter struct {
	Key   string `wire:"1,key,required"`
	Value string `wire:"2,value,required"`
}
