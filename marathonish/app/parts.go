package app

import "math"

// Operator is how a constraint compares.
type Operator string

// The operators; the meaning of each is Marathon's.
const (
	Unique  Operator = "UNIQUE"  // no two instances have the same value
	Cluster Operator = "CLUSTER" // all have Value, or without it that of the first
	Like    Operator = "LIKE"    // the whole value matches the expression
	Unlike  Operator = "UNLIKE"  // it does not, or the agent has no such attribute
	MaxPer  Operator = "MAX_PER" // at most Value instances share a value
)

// Constraint restricts on which agents instances may run.
type Constraint struct {
	Field    string // "hostname" (also written @hostname, kept as given) or the name of an attribute
	Operator Operator
	Value    string // "" for none
}

// Host tells whether the constraint is about the agent's host name.
func (c Constraint) Host() bool { return c.Field == "hostname" || c.Field == "@hostname" }

// ResourceLimits are upper bounds above the request; nil for none of its own.
type ResourceLimits struct{ CPUs, Mem *Limit }

// Limit is an amount in the unit of its resource, or Unlimited.
type Limit float64

// Unlimited is no bound at all.
func Unlimited() Limit { return Limit(math.Inf(1)) }

// IsUnlimited tells whether there is no bound.
func (l Limit) IsUnlimited() bool { return math.IsInf(float64(l), 1) }

// Fetch is one artefact that is brought into the sandbox before the start.
type Fetch struct {
	URI        string // http, https or file
	Extract    bool
	Executable bool
	Cache      bool
	DestPath   string // below the sandbox; "" is the last part of the URI
}

// PortDefinition is one port of every instance.
type PortDefinition struct {
	Port     int    // the service port; with RequirePorts the host port too. 0: to be assigned
	Protocol string // tcp, udp or "udp,tcp"
	Name     string // "" for none
	Labels   map[string]string
}

// Protocol says how a health check asks, and how its failures count.
type Protocol string

// The protocols. Whatever the spelling, every check is made beside the task.
const (
	HTTP       Protocol = "HTTP"
	HTTPS      Protocol = "HTTPS"
	TCP        Protocol = "TCP"
	Command    Protocol = "COMMAND"
	MesosHTTP  Protocol = "MESOS_HTTP"
	MesosHTTPS Protocol = "MESOS_HTTPS"
	MesosTCP   Protocol = "MESOS_TCP"
)

// HealthCheck is one check of every instance. Times are whole seconds.
type HealthCheck struct {
	Protocol               Protocol
	Path                   string // of the HTTP family, else ""
	PortIndex              *int   // into PortDefinitions; nil with Port and for COMMAND
	Port                   *int   // a fixed number
	Command                string // of COMMAND, for /bin/sh -c
	GracePeriodSeconds     int    // failures count for nothing so long, or until the first success
	IntervalSeconds        int
	TimeoutSeconds         int
	DelaySeconds           int
	MaxConsecutiveFailures int
	IgnoreHTTP1xx          bool
	IPProtocol             string // IPv4 or IPv6
}

// AgentMade tells whether the check has the spelling of those that Mesos makes: one
// per app at most, and zero allowed failures kill at the first. With the others zero
// never kills, and death comes on the failure after MaxConsecutiveFailures.
func (h HealthCheck) AgentMade() bool {
	switch h.Protocol {
	case Command, MesosHTTP, MesosHTTPS, MesosTCP:
		return true
	}
	return false
}

// OverHTTP tells whether the check is a request of HTTP or HTTPS.
func (h HealthCheck) OverHTTP() bool {
	switch h.Protocol {
	case HTTP, HTTPS, MesosHTTP, MesosHTTPS:
		return true
	}
	return false
}
