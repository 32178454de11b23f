package sdk

// DurationInfo is the message mesos.v1.DurationInfo.
type DurationInfo struct {
	Nanoseconds int64 `wire:"1,nanoseconds,required"`
}

// TimeInfo is the message mesos.v1.TimeInfo.
type TimeInfo struct {
	Nanoseconds int64 `wire:"1,nanoseconds,required"`
}
