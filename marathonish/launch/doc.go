// Package launch makes the task of an instance: its command, environment, ports,
// resources, labels, health checks and limits, from the app's definition and from
// where the instance was placed.
//
// It is pure and keeps no state; it may be used by any number of goroutines.
package launch
