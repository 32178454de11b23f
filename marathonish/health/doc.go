// Package health decides what the results of an instance's health checks mean:
// whether the instance is healthy, and whether it has to be ended.
//
// All checks are made beside the task. Those with the spelling of Mesos (MESOS_*,
// COMMAND) end the task there, without asking; those with the spelling of Marathon's
// own (HTTP, HTTPS, TCP) only report, and it is decided here, by Marathon's count.
//
// It is pure and keeps no state; it may be used by any number of goroutines.
package health
