package sdk

// HealthCheck says how a task's health is found out: mesos.v1.HealthCheck. Only it makes
// a task killed for being unhealthy.
//
// Before its first regular check, DelaySeconds after the start, the default executor
// tries it early, 20 ms after the start and doubling: a success counts at once, a
// failure for nothing.
type HealthCheck struct {
	DelaySeconds        *float64        `wire:"2,delay_seconds,default=15.0"`        // from the start of the task to the first check
	IntervalSeconds     *float64        `wire:"3,interval_seconds,default=10.0"`     // between two checks
	TimeoutSeconds      *float64        `wire:"4,timeout_seconds,default=20.0"`      // how long one check may take
	ConsecutiveFailures *uint32         `wire:"5,consecutive_failures,default=3"`    // in a row that make the task unhealthy and end it
	GracePeriodSeconds  *float64        `wire:"6,grace_period_seconds,default=10.0"` // from the start in which failures do not count
	Type                HealthCheckType `wire:"8,type"`
	Command             *CommandInfo    `wire:"7,command"`
	HTTP                *HTTPCheckInfo  `wire:"1,http"`
	TCP                 *TCPCheckInfo   `wire:"9,tcp"`
	// ReportOnly is Proffer's: failures are reported and never end the task.
	ReportOnly bool `wire:"1000,report_only"`
}

// MaxHealthChecks is how many health checks a task may have.
const MaxHealthChecks = 16

// HealthResult is what one health check of a task has found so far. It is Proffer's
// own. Times are seconds since 1970, and 0 before there was any.
type HealthResult struct {
	Alive               *bool   `wire:"1,alive"`                // of the last result that counted; absent before the first
	ConsecutiveFailures uint32  `wire:"2,consecutive_failures"` // counted ones since the last success
	FirstSuccess        float64 `wire:"3,first_success"`
	LastSuccess         float64 `wire:"4,last_success"` // when this status was made: successes alone make none
	LastFailure         float64 `wire:"5,last_failure"`
	LastFailureCause    string  `wire:"6,last_failure_cause"` // a sentence for people
}

// HealthCheckType is Mesos's HealthCheck.Type enumeration; the empty value means absent.
type HealthCheckType string

// The values of HealthCheckType, by their names on the wire.
const (
	HealthCheckUnknown HealthCheckType = "UNKNOWN"
	HealthCheckCommand HealthCheckType = "COMMAND"
	HealthCheckHTTP    HealthCheckType = "HTTP"
	HealthCheckTCP     HealthCheckType = "TCP"
)

// Enum lists the names of HealthCheckType with their protobuf numbers.
func (HealthCheckType) Enum() []EnumValue {
	return []EnumValue{
		{"UNKNOWN", 0},
		{"COMMAND", 1},
		{"HTTP", 2},
		{"TCP", 3},
	}
}

// HTTPCheckInfo is the message mesos.v1.HealthCheck.HTTPCheckInfo.
type HTTPCheckInfo struct {
	Protocol IPProtocol `wire:"5,protocol,default=IPv4"`
	Scheme   string     `wire:"3,scheme"`
	Port     uint32     `wire:"1,port,required"`
	Path     string     `wire:"2,path"`
	Statuses []uint32   `wire:"4,statuses"`
}

// TCPCheckInfo is the message mesos.v1.HealthCheck.TCPCheckInfo.
type TCPCheckInfo struct {
	Protocol IPProtocol `wire:"2,protocol,default=IPv4"`
	Port     uint32     `wire:"1,port,required"`
}

// CheckInfo is a check whose result is only told: mesos.v1.CheckInfo.
type CheckInfo struct {
	Type            CheckType     `wire:"1,type"`
	Command         *CommandCheck `wire:"2,command"`
	HTTP            *HTTPCheck    `wire:"3,http"`
	TCP             *TCPCheck     `wire:"7,tcp"`
	DelaySeconds    *float64      `wire:"4,delay_seconds,default=15.0"`    // from the start of the task to the first check
	IntervalSeconds *float64      `wire:"5,interval_seconds,default=10.0"` // between two checks
	TimeoutSeconds  *float64      `wire:"6,timeout_seconds,default=20.0"`  // how long one check may take; 0: no limit
}

// CheckType is Mesos's CheckInfo.Type enumeration; the empty value means absent.
type CheckType string

// The values of CheckType, by their names on the wire.
const (
	CheckUnknown CheckType = "UNKNOWN"
	CheckCommand CheckType = "COMMAND"
	CheckHTTP    CheckType = "HTTP"
	CheckTCP     CheckType = "TCP"
)

// Enum lists the names of CheckType with their protobuf numbers.
func (CheckType) Enum() []EnumValue {
	return []EnumValue{
		{"UNKNOWN", 0},
		{"COMMAND", 1},
		{"HTTP", 2},
		{"TCP", 3},
	}
}

// CommandCheck is the message mesos.v1.CheckInfo.Command.
type CommandCheck struct {
	Command CommandInfo `wire:"1,command,required"`
}

// HTTPCheck is the message mesos.v1.CheckInfo.Http.
type HTTPCheck struct {
	Port uint32 `wire:"1,port,required"`
	Path string `wire:"2,path"`
}

// TCPCheck is the message mesos.v1.CheckInfo.Tcp.
type TCPCheck struct {
	Port uint32 `wire:"1,port,required"`
}

// CheckStatusInfo is the message mesos.v1.CheckStatusInfo.
type CheckStatusInfo struct {
	Type    CheckType           `wire:"1,type"`
	Command *CheckStatusCommand `wire:"2,command"`
	HTTP    *CheckStatusHTTP    `wire:"3,http"`
	TCP     *CheckStatusTCP     `wire:"4,tcp"`
}

// CheckStatusCommand is the message mesos.v1.CheckStatusInfo.Command.
type CheckStatusCommand struct {
	ExitCode *int32 `wire:"1,exit_code"`
}

// CheckStatusHTTP is the message mesos.v1.CheckStatusInfo.Http.
type CheckStatusHTTP struct {
	StatusCode uint32 `wire:"1,status_code"`
}

// CheckStatusTCP is the message mesos.v1.CheckStatusInfo.Tcp.
type CheckStatusTCP struct {
	Succeeded *bool `wire:"1,succeeded"`
}
