// Package marathonish is the service supervisor: an ordinary framework, which uses nothing
// but sdk. Its mind is package fleet, its REST package api; sdk/scheduler leads, stores and
// makes the kernel calls for it. Here they are put together, with the event stream and the
// apps that come with the cluster.
//
// It decides nothing about apps. A marathonish that loses its leadership ends; whoever
// started it starts it anew.
//
// Concurrency: that of sdk/scheduler: one goroutine steps the fleet, under a lock that
// readers share; the event ring has a lock of its own.
package marathonish
