// Package marathonish is the shell of the service supervisor: an ordinary framework,
// which uses nothing but sdk. It leads by a lease in the store, gives what happens to
// its mind (package fleet), and does what the mind decides: transactions in the store,
// calls to the kernel, answers to clients, events.
//
// It owns the connections, the clock and the goroutines, and decides nothing about
// apps. A marathonish that loses its leadership ends; whoever started it starts it
// anew.
//
// Concurrency: one goroutine steps the fleet, under a lock that readers share.
// Everything else (the framework's events, the store's answers, requests) only puts
// inputs into its queue.
package marathonish
