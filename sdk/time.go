package sdk

// DurationInfo is a length of time: mesos.v1.DurationInfo.
type DurationInfo struct {
	Nanoseconds int64 `wire:"1,nanoseconds,required"`
}

// TimeInfo is a moment: mesos.v1.TimeInfo.
type TimeInfo struct {
	Nanoseconds int64 `wire:"1,nanoseconds,required"` // since 1970
}
